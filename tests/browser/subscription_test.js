"use strict";
// The page and the service workers of the documentation, as they stand there, in Debian's Chromium. There is no push
// service without the Internet: what a browser would be sent is taken from the simulator, which decrypts it, and given
// to the worker by the DevTools.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { Chromium } = require("./chromium.js");
const { Stage, until } = require("./stage.js");

const bounded = { timeout: 120_000 };
process.once("SIGTERM", () => process.exit(1));  // What was started ends with this process.

/** The blocks of code of a page of the documentation, in a language. */
const blocks = (page, language) => {
  const text = fs.readFileSync(path.join(__dirname, "../../docs/how-to", page), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map((found) => found[1]);
};
const withListener = (page) => blocks(page, "js").find((code) => code.includes("addEventListener('push'"));

/** A town's web site: the documented page, one of its service workers, and a backend that keeps what it is told. */
class Site {
  constructor(worker, more = "") {
    this.told = [];
    const page = `<!doctype html><html lang="fr"><title>Mairie</title><link rel="icon" href="data:,">
      ${blocks("notify-browsers.md", "html")[0]}<script>${more}</script></html>`;
    this.server = http.createServer((request, answer) => {
      let body = "";
      request.on("data", (piece) => { body += piece; }).on("end", () => {
        if (request.method === "POST") this.told.push({ path: request.url, body: JSON.parse(body) });
        const script = request.url === "/worker.js";
        answer.setHeader("content-type", script ? "text/javascript" : "text/html; charset=utf-8");
        answer.end(request.method === "POST" ? "" : script ? worker(this.address) : page);
      });
    });
  }

  async open(chromium) {
    await new Promise((done) => { this.server.listen(0, "127.0.0.1", done); });
    this.address = `http://127.0.0.1:${this.server.address().port}`;
    this.chromium = chromium;
    await chromium.ask("Browser.grantPermissions", { origin: this.address, permissions: ["notifications"] });
    this.page = await chromium.page();
    chromium.listeners.get(this.page.session).push((method, params) => {
      if (method !== "ServiceWorker.workerVersionUpdated") return;
      const active = params.versions.find((one) => one.scriptURL.startsWith(this.address) && one.status === "activated");
      this.registration = active ? active.registrationId : this.registration;
    });
    await this.page.ask("ServiceWorker.enable");
    // The push service's part: what it makes a browser say.
    await this.page.ask("Page.addScriptToEvaluateOnNewDocument", { source: `PushManager.prototype.subscribe = async (options) => {
      window.asked = options;
      return { endpoint: "https://push.example.org/one", toJSON() { return { endpoint: this.endpoint, expirationTime: null, keys: { p256dh: "BP", auth: "au" } }; } };
    };` });
    await this.page.go(`${this.address}/`);
    await this.page.until("the page is there", "document.readyState === 'complete'");
  }

  async subscribe() {
    await this.page.value("document.getElementById('notify').click()");
    await until("the backend is told", () => this.told.length === 1);
    await until("the worker is there", () => this.registration);
    // To ask for what is shown before it is takes it away: without a screen, nobody shows what the list has.
    await this.inWorker(`(() => {
      const show = self.registration.showNotification;
      self.displayed = 0;
      self.registration.showNotification = async (...what) => { await show.apply(self.registration, what); ++self.displayed; };
    })()`);
    this.displayed = 0;
  }

  push(data) {
    return this.page.ask("ServiceWorker.deliverPushMessage", { origin: this.address, registrationId: this.registration, data });
  }

  /** What is on the screen after one more was shown. */
  async shownNext() {
    ++this.displayed;
    await until("it is shown", () => this.inWorker(`self.displayed === ${this.displayed}`), 20);
    return this.shown();
  }

  shown() {
    return this.page.value(`navigator.serviceWorker.ready.then((one) => one.getNotifications()).then((all) => all.map(
      ({ title, body, tag, lang, silent, requireInteraction, data }) => ({ title, body, tag, lang, silent, requireInteraction, data })))`);
  }

  /** In the worker: a click cannot be had without a screen, nor a window, so both are acted. */
  async inWorker(expression) {
    const { targetInfos } = await this.chromium.ask("Target.getTargets");
    const { targetId } = targetInfos.find((one) => one.type === "service_worker" && one.url.startsWith(this.address));
    const { sessionId } = await this.chromium.ask("Target.attachToTarget", { targetId, flatten: true });
    const said = await this.chromium.ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
    await this.chromium.ask("Target.detachFromTarget", { sessionId });
    assert.equal(said.exceptionDetails, undefined, JSON.stringify(said.exceptionDetails));
    return said.result.value;
  }

  click() {
    return this.inWorker(`(async () => {
      const opened = new Promise((done) => { self.clients.openWindow = async (where) => done(where); });
      const [notification] = await self.registration.getNotifications();
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
      return opened;
    })()`);
  }

  async close() {
    await this.page?.close();
    this.server.closeAllConnections();
    await new Promise((done) => { this.server.close(done); });
  }
}

const sites = [];
const siteOf = async (worker, more) => {
  const site = new Site(worker, more);
  sites.push(site);
  await site.open(chromium);
  return site;
};
let stage;
let chromium;
let message;  // What the engine makes of an event, as a browser reads it.

before(async () => {
  stage = await Stage.start({ devices: 0, communesEach: 1 });
  chromium = new Chromium({ language: "fr-FR" });
  await stage.subscribe("21231");
  stage.publish({
    id: "crue-1", audience: ["commune:21231"], priority: "critical", receipts: true, collapse_id: "crue-ouche",
    notification: { title: "Crue de l’Ouche", body: "Évitez les quais.", url: "https://www.example.fr/crue" }, data: { niveau: "rouge" } });
  await until("the browser has its message", async () => {
    [message] = await stage.messages();
    return message;
  });
}, bounded);

after(async () => {
  for (const site of sites) await site.close();
  await chromium?.close();
  await stage?.stop();
}, bounded);

const expected = {
  title: "Crue de l’Ouche", body: "Évitez les quais.", tag: "crue-ouche", lang: "", silent: false, requireInteraction: true,
  data: { niveau: "rouge", tocsin_event: "crue-1", navigate: "https://www.example.fr/crue" },
};

test("the page subscribes and hands the subscription to its backend", bounded, async () => {
  const site = await siteOf(() => withListener("notify-browsers.md"));
  await site.subscribe();
  assert.deepEqual(site.told, [{ path: "/subscriptions", body: {
    subscription: { endpoint: "https://push.example.org/one", expirationTime: null, keys: { p256dh: "BP", auth: "au" } }, communes: ["21231"] } }]);
  assert.equal(await site.page.value("window.asked.userVisibleOnly"), true);
  assert.equal(await site.page.value("atob(window.asked.applicationServerKey.replaceAll('-', '+').replaceAll('_', '/')).length"), 65);
  assert.deepEqual(site.page.complaints, []);
});

test("its worker shows what the engine sends, and a click opens it", bounded, async () => {
  const [site] = sites;
  await site.push(message);
  assert.deepEqual(await site.shownNext(), [expected]);
  // The same tag again: it takes the place of the first.
  await site.push(message.replace("Évitez", "Quittez"));
  assert.deepEqual(await site.shownNext(), [{ ...expected, body: "Quittez les quais." }]);
  assert.equal(await site.click(), "https://www.example.fr/crue");
  assert.deepEqual(await site.shown(), [], "the click took it away");
});

test("its worker shows something even for a message without words", bounded, async () => {
  const [site] = sites;
  await site.push(JSON.stringify({ web_push: 8030, notification: { silent: true, navigate: "https://www.example.fr/" } }));
  assert.equal((await site.shownNext())[0].title, "Mairie");
});

test("its worker tells the backend of a subscription that the browser has renewed", bounded, async () => {
  const [site] = sites;
  await site.inWorker(`self.dispatchEvent(Object.assign(new ExtendableEvent('pushsubscriptionchange'), {
    oldSubscription: { endpoint: 'https://push.example.org/one' }, newSubscription: { endpoint: 'https://push.example.org/two' } }))`);
  await until("the backend is told", () => site.told.length === 2);
  assert.deepEqual(site.told[1], { path: "/subscriptions", body: {
    subscription: { endpoint: "https://push.example.org/two" }, old: "https://push.example.org/one" } });
});

test("the worker with reports says what was displayed and opened, and in which commune", bounded, async () => {
  const remember = blocks("report-what-phones-say.md", "js").find((code) => code.includes("/commune") && !code.includes("addEventListener"));
  const site = await siteOf(
    (address) => withListener("report-what-phones-say.md").replace("https://backend.example", address), remember);
  await site.subscribe();
  await site.push(message);
  await until("the backend hears of it", () => site.told.length === 2);
  assert.deepEqual(site.told[1], { path: "/receipts", body: { event: "crue-1", kind: "displayed", commune: "21231" } });
  assert.deepEqual(await site.shownNext(), [expected]);
  assert.equal(await site.click(), "https://www.example.fr/crue");
  await until("the backend hears of the click", () => site.told.length === 3);
  assert.deepEqual(site.told[2].body, { event: "crue-1", kind: "opened", commune: "21231" });
  // An event that asks for no receipts is not reported on.
  const silent = JSON.parse(message);
  delete silent.notification.data.tocsin_event;
  await site.push(JSON.stringify(silent));
  await site.shownNext();
  await site.push(message);
  await until("the next is reported", () => site.told.length === 4);
  assert.equal(site.told.length, 4);
  assert.deepEqual(site.page.complaints, []);
});
