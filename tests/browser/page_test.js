"use strict";
// The page as a person on duty has it: real engine, real Redis, simulated providers, Debian's Chromium.

const assert = require("node:assert/strict");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { Chromium } = require("./chromium.js");
const { Stage, until } = require("./stage.js");
const { lowContrast } = require("./contrast.js");

const pictures = path.resolve(process.env.TOCSIN_SCREENSHOTS || path.join(__dirname, "../../build/screenshots"));
const bounded = { timeout: 120_000 };
process.once("SIGTERM", () => process.exit(1));  // What was started ends with this process.
let stage;
let english;
let page;

const coloured = "document.querySelectorAll('#map path.r1, #map path.r2, #map path.r3, #map path.r4, #map path.r5').length";
const text = (id) => `document.getElementById(${JSON.stringify(id)})?.textContent`;
const alarm = (id, audience, more = {}) =>
  ({ id, audience, priority: "critical", category: "alerte", notification: { title: `Crue (${id})`, body: "Évitez les quais." }, ...more });

before(async () => {
  stage = await Stage.start();
  english = new Chromium({ language: "en-GB" });
  page = await english.page();
  await page.go(`${stage.address}/`);
  await page.until("the page hears the engine", `${text("state-text")} === "Ready"`);
}, bounded);

after(async () => {
  await english?.close();
  await stage?.stop();
}, bounded);

test("an event is seen to fill the map", bounded, async () => {
  // Half of the devices are held, so that the half way can be seen however fast the machine is.
  stage.tocsin("pause", "--platform", "fcm");
  stage.publish(alarm("crue", ["everyone"]));
  await page.until("the event is shown", `${text("detail-title")} === "Crue (crue)"`);
  await page.until("the pause is told", `${text("problems-list")}.includes("*/fcm")`);
  await page.until("some departments are coloured", `${coloured} >= 50`);
  assert.equal(await page.value(text("detail-state")), "running");
  const half = await page.value("Number(document.getElementById('going-bar').value)");
  assert.ok(half > 0 && half < 1, `half way is ${half}`);
  await page.picture(path.join(pictures, "running.png"));

  stage.tocsin("resume", "--platform", "fcm");
  await page.until("the event is over", `${text("detail-state")} === "finished"`, 90);
  const told = await stage.event("crue");
  assert.equal(told.accepted + told.dead, told.targeted);
  assert.equal(told.targeted, stage.devices);
  const metropolitan = Object.keys(told.departments).filter((code) => code.length === 2 && told.departments[code].accepted > 0);
  await page.until("every department with an accepted device is coloured", `${coloured} === ${metropolitan.length}`);
  await page.until("the sum is the engine's", `${text("figures")}.includes(${JSON.stringify(told.accepted.toLocaleString("en-GB"))})`);
  assert.equal(await page.value("document.querySelectorAll('#departments tbody tr').length"), Object.keys(told.departments).length);
  assert.ok(await page.value("document.querySelector('#curve canvas') !== null"), "there is no curve");
  assert.match(await page.value(text("reasons")), /the app was removed from the phone/);
});

test("what was refused is told in words", bounded, async () => {
  stage.publish({ audience: ["commune:99999"], notification: { title: "Nulle part" } });
  await page.until("the dead letter is shown", `${text("letters")}.includes("99999")`);
});

test("everything has a name for those who do not see it", bounded, async () => {
  const mustHaveNames = new Set([
    "button", "link", "img", "image", "heading", "table", "region", "progressbar", "group", "columnheader", "rowheader",
    "DisclosureTriangle", "RootWebArea"]);
  const nodes = await page.accessibleNodes();
  const nameless = nodes.filter((node) => (mustHaveNames.has(node.role) || node.focusable) && node.name === "" && node.role !== "main");
  assert.deepEqual(nameless, []);
  for (const role of ["main", "banner", "contentinfo", "status"]) {
    assert.equal(nodes.filter((node) => node.role === role).length, 1, `one ${role}`);
  }
  const levels = await page.value("[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))");
  levels.forEach((level, i) => assert.ok(i === 0 ? level === 1 : level <= levels[i - 1] + 1, `headings skip a level: ${levels}`));
});

test("every text can be read, in light and in dark", bounded, async () => {
  for (const dark of [false, true]) {
    await page.look({ dark, still: true });
    assert.deepEqual(await page.value(`(${lowContrast})()`), [], dark ? "dark" : "light");
  }
  await page.look({});
});

test("the keyboard suffices", bounded, async () => {
  stage.publish(alarm("seconde", ["commune:21231"]));
  await page.until("both events are listed", "document.querySelectorAll('#recent tbody button').length === 2");
  await page.value("document.activeElement.blur(), scrollTo(0, 0), getSelection().removeAllRanges()");
  const focused = "(document.activeElement.textContent || document.activeElement.id).trim()";
  await page.press("Tab");
  assert.equal(await page.value(focused), "Skip to content");
  const reached = new Set();
  for (let i = 0; i < 30 && !reached.has("Crue (seconde)"); ++i) {
    await page.press("Tab");
    reached.add(await page.value(focused));
    const outline = await page.value("getComputedStyle(document.activeElement).outlineStyle");
    assert.notEqual(outline, "none", `the focus on "${await page.value(focused)}" cannot be seen`);
  }
  await page.press("Enter");
  await page.until("the event is shown", `${text("detail-title")} === "Crue (seconde)"`);
  assert.equal(await page.value("location.hash"), "#seconde");
  await page.until("the map goes to where the event is for", "document.querySelector('#map text')?.textContent === '21'");
  for (let i = 0; i < 30 && await page.value(focused) !== "Departments as a table"; ++i) await page.press("Tab");
  await page.press("Enter");
  assert.ok(await page.value("document.querySelector('#departments').closest('details').open"));
});

test("what phones report is told beside what providers accepted", bounded, async () => {
  stage.publish(alarm("confirmed", ["commune:21231"], { receipts: true }));
  await until("the event is over", async () => (await stage.event("confirmed"))?.finished_at > 0);
  stage.report({ event: "confirmed", app: "mairies", kind: "displayed", batch: "one", counts: { 21231: 4 } });
  await page.value("location.hash = '#confirmed'");
  await page.until("the receipts are shown", `${text("figures")}.includes("Displayed4")`);
  await page.value("document.getElementById('communes-box').open = true");
  await page.until("the commune has its share", "/Dijon \\(21231\\).*0\\.0025%/.test(document.getElementById('communes').textContent)");
});

test("a phone shows all of it without scrolling sideways", bounded, async () => {
  for (const [name, setting] of Object.entries({
    light: {}, dark: { dark: true }, phone: { width: 360, height: 740, phone: true },
    "phone-dark": { width: 360, height: 740, phone: true, dark: true } })) {
    const other = await english.page(setting);
    await other.go(`${stage.address}/#crue`);
    await other.until("the event is shown", `${text("detail-title")} === "Crue (crue)" && document.querySelector('#curve canvas') !== null`);
    const [wide, window] = await other.value("[document.documentElement.scrollWidth, innerWidth]");
    assert.ok(wide <= window, `${name}: ${wide} pixels wide in a window of ${window}`);
    await other.picture(path.join(pictures, `${name}.png`));
    assert.deepEqual(other.complaints, []);
    await other.close();
  }
});

test("a French browser gets French", bounded, async () => {
  const french = new Chromium({ language: "fr-FR" });
  try {
    const other = await french.page();
    await other.go(`${stage.address}/#crue`);
    await other.until("it speaks French", `${text("state-text")} === "Prêt" && ${text("detail-state")} === "terminé"`);
    assert.equal(await other.value("document.documentElement.lang"), "fr");
    assert.doesNotMatch(await other.value("document.body.innerText"), /undefined|\{0\}/);
    assert.deepEqual(await other.value("tocsinWords.untranslated()"), []);
    await other.picture(path.join(pictures, "french.png"));
    assert.deepEqual(other.complaints, []);
  } finally {
    await french.close();
  }
});

test("what waits for the end of quiet hours says so and until when", bounded, async () => {
  const paris = (hours) => new Date(Date.now() + hours * 3_600_000)
    .toLocaleTimeString("fr-FR", { timeZone: "Europe/Paris", hour: "2-digit", minute: "2-digit" });
  const quiet = { TOCSIN_QUIET_HOURS_FROM: paris(-1), TOCSIN_QUIET_HOURS_TO: paris(3) };
  try {
    Object.assign(process.env, quiet);
    await stage.killEngine();
    await stage.startEngine();
    stage.publish({ id: "marche", audience: ["commune:21231"], ttl: 20_000, notification: { title: "Marché" } });
    await until("the engine knows the event", async () => await stage.event("marche") !== null);
    await page.value("location.hash = '#marche'");
    await page.until("the event is shown", `${text("detail-title")} === "Marché"`);
    await page.until("its line says so", "/Marché.*quiet hours, until .*\\d/.test(document.getElementById('running').textContent)");
    await page.until("its figures say so", `/Quiet hours, until .*\\d1 territory/.test(${text("figures")})`);
    assert.equal((await stage.event("marche")).deferred.length, 1);
    stage.tocsin("cancel", "marche");
    await page.until("nothing waits any more", `!/Quiet hours/.test(${text("figures")})`);
  } finally {
    for (const name of Object.keys(quiet)) delete process.env[name];
    await stage.killEngine();
    await stage.startEngine();
    await page.until("the page is well again", `${text("state-text")} === "Ready"`);
    page.complaints = page.complaints.filter((one) => !/net::ERR_/.test(one));
  }
});

test("a thousand events do not slow it", bounded, async (t) => {
  stage.tocsin("pause");
  stage.publish(...Array.from({ length: 1000 }, (_, i) => alarm(`petite-${i}`, ["commune:21231"], { priority: "normal" })));
  await page.until("all of them run", "/^1,0\\d\\d$/.test(document.querySelector('#now dd').textContent)", 90);
  await page.until("two hundred are shown", "document.querySelectorAll('#running > li').length === 200");
  // Of the page's own thread, not of the clock: others may use this machine, too.
  const [busyBefore, before] = [await page.metric("TaskDuration"), Date.now()];
  await page.until("ten seconds of it", `Date.now() > ${before + 10_000}`);
  const busy = (await page.metric("TaskDuration") - busyBefore) / ((Date.now() - before) / 1000);
  t.diagnostic(`busy for ${(busy * 100).toFixed(1)} % of the time`);
  assert.ok(busy < 0.25, `the page is busy for ${Math.round(busy * 100)} % of the time`);
  assert.ok(await page.value("document.querySelectorAll('*').length") < 8000, "the page has too many elements");
  await page.picture(path.join(pictures, "thousand.png"), { whole: false });
  stage.tocsin("resume");
  await page.until("they end one after the other", "document.querySelectorAll('#recent tbody tr').length >= 10", 90);
});

test("an engine that is gone is missed, and one that is back is heard", bounded, async () => {
  await stage.killEngine();
  await page.until("the page says so", `${text("state-text")} === "The engine does not answer"`, 30);
  assert.ok(await page.value("!document.getElementById('problems').hidden"));
  await page.picture(path.join(pictures, "lost.png"), { whole: false });
  // The browser says in its console that a request failed; that is what just happened.
  page.complaints = page.complaints.filter((one) => !/net::ERR_/.test(one));
  await stage.startEngine();
  await page.until("the page is well again", `${text("state-text")} === "Ready" && document.getElementById('problems').hidden`, 60);
  page.complaints = page.complaints.filter((one) => !/net::ERR_/.test(one));
});

test("nothing leaves the machine, and the console is silent", bounded, async () => {
  await until("requests were seen", () => page.requests.length > 5, 5);
  const elsewhere = page.requests.filter((url) => !url.startsWith(`${stage.address}/`));
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(page.complaints, []);
});
