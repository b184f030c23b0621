"use strict";
// Debian's Chromium, driven by its DevTools protocol over a pipe: no port, no WebSocket, no package.

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
  "--disable-extensions", "--metrics-recording-only", "--no-default-browser-check", "--hide-scrollbars",
  // Nothing but this machine has an address: a request that leaves fails, and is seen.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  // A page that nobody looks at is slowed down; here somebody does.
  "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
  "--remote-debugging-pipe",
];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class Chromium {
  /** `language`: what the browser asks pages for, "fr-FR". */
  constructor({ language = "en-GB", program = process.env.TOCSIN_CHROMIUM || "chromium" } = {}) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "tocsin-browser-"));
    this.process = spawn(program, [...flags, `--lang=${language}`, `--user-data-dir=${this.folder}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      detached: true,  // The program is a script that starts others: they are ended as a group.
      env: { ...process.env, LANGUAGE: language.replace("-", "_"), LC_ALL: "C.UTF-8" },
    });
    this.endGroup = () => { try { process.kill(-this.process.pid, "SIGKILL"); } catch { /* It is gone. */ } };
    process.once("exit", this.endGroup);
    this.language = language;
    this.asked = new Map();
    this.listeners = new Map();
    this.number = 0;
    this.rest = "";
    this.ended = new Promise((done) => {
      this.process.once("exit", done);
      this.process.once("error", (problem) => { this.refuseAll(problem); done(); });
    });
    this.process.once("exit", () => this.refuseAll(new Error("Chromium ended")));
    for (const pipe of [3, 4]) this.process.stdio[pipe].on("error", () => {});
    this.process.stdio[4].setEncoding("utf8").on("data", (text) => this.read(text));
  }

  refuseAll(problem) {
    this.broken = problem;
    for (const { refuse } of this.asked.values()) refuse(problem);
    this.asked.clear();
  }

  read(text) {
    const messages = (this.rest + text).split("\0");
    this.rest = messages.pop();
    for (const message of messages.map((one) => JSON.parse(one))) {
      const waiting = this.asked.get(message.id);
      if (waiting) {
        this.asked.delete(message.id);
        if (message.error) waiting.refuse(new Error(`${waiting.method}: ${message.error.message}`));
        else waiting.done(message.result);
      } else {
        for (const hear of this.listeners.get(message.sessionId) || []) hear(message.method, message.params);
      }
    }
  }

  ask(method, params = {}, sessionId = undefined) {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise((done, refuse) => {
      const id = ++this.number;
      this.asked.set(id, { method, done, refuse });
      this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** A new page, not yet anywhere. */
  async page({ width = 1280, height = 900, dark = false, phone = false } = {}) {
    const { targetId } = await this.ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.ask("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, targetId, sessionId);
    this.listeners.set(sessionId, [(method, params) => page.hear(method, params)]);
    for (const domain of ["Page", "Runtime", "Network", "Log", "Accessibility"]) await page.ask(`${domain}.enable`);
    await page.ask("Performance.enable", { timeDomain: "threadTicks" });
    await page.ask("Network.setUserAgentOverride", { userAgent: "Tocsin's own test", acceptLanguage: this.language });
    await page.size(width, height, phone);
    await page.look({ dark });
    return page;
  }

  async close() {
    await Promise.race([this.ask("Browser.close").catch(() => {}), sleep(2000)]);
    await Promise.race([this.ended, sleep(3000)]);
    this.endGroup();
    process.removeListener("exit", this.endGroup);
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

class Page {
  constructor(browser, targetId, session) {
    Object.assign(this, { browser, targetId, session });
    this.requests = [];  // The address of each.
    this.complaints = [];  // What the console and the browser said that is no good.
  }

  ask(method, params = {}) { return this.browser.ask(method, params, this.session); }

  hear(method, params) {
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    else if (method === "Runtime.exceptionThrown") this.complaints.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
    else if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) {
      this.complaints.push(params.args.map((one) => one.value ?? one.description).join(" "));
    } else if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level)) {
      this.complaints.push(`${params.entry.text} ${params.entry.url || ""}`);
    }
  }

  size(width, height, phone = false) {
    return this.ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: phone ? 2 : 1, mobile: phone });
  }

  look({ dark = false, still = false } = {}) {
    return this.ask("Emulation.setEmulatedMedia", { features: [
      { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
      { name: "prefers-reduced-motion", value: still ? "reduce" : "no-preference" },
    ] });
  }

  async go(url) {
    const { errorText } = await this.ask("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
  }

  /** The value of a JavaScript expression in the page. */
  async value(expression) {
    const answer = await this.ask("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description || answer.exceptionDetails.text);
    return answer.result.value;
  }

  /** Waits until the expression is true; what it is, and what the page shows, is in the error. */
  async until(what, expression, seconds = 60) {
    const end = Date.now() + seconds * 1000;
    // A page that is being left has nothing to ask.
    const asked = () => this.value(expression).catch((problem) => { if (this.browser.broken) throw problem; return null; });
    for (;;) {
      const got = await asked();
      if (got) return got;
      if (Date.now() > end) {
        throw new Error(`not within ${seconds} s: ${what}\nThe page says:\n${await this.value("document.body.innerText")}`);
      }
      await sleep(100);
    }
  }

  async press(key, { shift = false } = {}) {
    const code = { Tab: 9, Enter: 13, " ": 32, ArrowDown: 40, ArrowUp: 38, Escape: 27 }[key] || 0;
    const text = key === "Enter" ? "\r" : key === " " ? " " : undefined;
    const one = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: code, modifiers: shift ? 8 : 0 };
    await this.ask("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...one });
    await this.ask("Input.dispatchKeyEvent", { type: "keyUp", ...one });
  }

  /** Everything that a screen reader gets: role, name and whether it can be focused. */
  async accessibleNodes() {
    const { nodes } = await this.ask("Accessibility.getFullAXTree");
    return nodes.filter((node) => !node.ignored).map((node) => ({
      role: node.role?.value, name: (node.name?.value || "").trim(),
      focusable: (node.properties || []).some((one) => one.name === "focusable" && one.value.value),
    }));
  }

  async metric(name) {
    const { metrics } = await this.ask("Performance.getMetrics");
    return metrics.find((one) => one.name === name).value;
  }

  /** The whole page, however long, as a PNG. */
  async picture(file, { whole = true } = {}) {
    const { data } = await this.ask("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  }

  async close() {
    await this.browser.ask("Target.closeTarget", { targetId: this.targetId }).catch(() => {});
    this.browser.listeners.delete(this.session);
  }
}

module.exports = { Chromium, sleep };
