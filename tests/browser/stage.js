"use strict";
// The real engine on a private Redis and the provider simulator, with devices in many departments.

const { execFileSync, spawn } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { sleep } = require("./chromium.js");

const root = path.resolve(__dirname, "../..");
const tocsin = path.resolve(process.env.TOCSIN || path.join(root, "build/release/bin/tocsin"));

/** A port that nobody has: below those that the kernel gives to whoever asks for any, so that it stays free. */
const freePort = async () => {
  for (;;) {
    const port = crypto.randomInt(20_000, 32_000);
    const free = await new Promise((done) => {
      const server = net.createServer().once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (free) return port;
  }
};

const until = async (what, holds, seconds = 60) => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
};

/** The largest communes of each department, by its code. */
const largestCommunes = (each) => {
  const departments = new Map();
  // No name in the list has a comma in it.
  for (const line of fs.readFileSync(path.join(root, "data/communes.csv"), "utf8").trim().split("\n").slice(1)) {
    const [insee, name, population, department] = line.split(",");
    const some = departments.get(department) || [];
    some.push({ insee, name, population: Number(population) });
    departments.set(department, some);
  }
  for (const some of departments.values()) some.sort((a, b) => b.population - a.population).splice(each);
  return departments;
};

class Stage {
  /** `devices`: about how many there are in all; a quarter has APNs, the others FCM. */
  static async start({ devices = 12_000, communesEach = 3, latency = "lognormal:40:200", deadShare = 0.03 } = {}) {
    const stage = new Stage();
    try {
      await stage.begin(devices, communesEach, latency, deadShare);
    } catch (problem) {
      await stage.stop();
      throw problem;
    }
    return stage;
  }

  async begin(devices, communesEach, latency, deadShare) {
    this.processes = [];
    process.once("exit", () => {
      this.processes.forEach((child) => child.kill("SIGKILL"));
      fs.rmSync(this.folder, { recursive: true, force: true });
    });
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "tocsin-stage-"));
    const socket = path.join(this.folder, "redis.sock");
    const redis = this.run("redis", "redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"]);
    await redis.until("Redis listens", () => fs.existsSync(socket));
    this.socket = socket;
    const port = await freePort();
    this.address = `http://127.0.0.1:${port}`;
    this.config = path.join(this.folder, "sim", "tocsin.toml");
    const simulator = this.run("simulator", tocsin, [
      "sim", "--json", "--directory", path.dirname(this.config), "--apns-port", "0", "--sandbox-port", "0", "--fcm-port", "0",
      "--oauth-port", "0", "--control-port", "0", "--webpush-port", "0", "--redis-url", `unix://${socket}`, "--admin-listen", `127.0.0.1:${port}`,
      "--latency", latency, "--dead-share", String(deadShare)]);
    await simulator.until("the simulator has written a configuration", () => fs.existsSync(this.config));
    const told = () => fs.readFileSync(path.join(this.folder, "simulator.log"), "utf8").split("\n").find((line) => line.endsWith("}"));
    await simulator.until("the simulator has told its ports", told);
    this.control = `http://127.0.0.1:${JSON.parse(told()).control}`;
    this.register(devices, communesEach);
    await this.startEngine();
  }

  run(name, program, flags) {
    const log = fs.openSync(path.join(this.folder, `${name}.log`), "a");
    const child = spawn(program, flags, { cwd: this.folder, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    child.ended = new Promise((done) => child.once("exit", done).once("error", done));
    let gone = "";
    child.once("error", (problem) => { gone = problem.message; });
    child.once("exit", (code, signal) => { gone = `it ended with ${signal || code}`; });
    const said = () => `${name} said:\n${fs.readFileSync(path.join(this.folder, `${name}.log`), "utf8").slice(-4000)}`;
    /** Waits for what the process brings about; says what it said if it does not. */
    child.until = (what, holds) => until(what, async () => {
      if (gone) throw new Error(`${what}: ${gone}`);
      return holds();
    }).catch((problem) => { throw new Error(`${problem.message}\n${said()}`); });
    this.processes.push(child);
    return child;
  }

  async startEngine() {
    this.engine = this.run("engine", tocsin, ["serve", "--config", this.config]);
    await this.engine.until("the engine is ready", async () => {
      const answer = await fetch(`${this.address}/readyz`).catch(() => null);
      return answer !== null && answer.ok;
    });
  }

  async killEngine() {
    this.engine.kill("SIGKILL");
    await this.engine.ended;
  }

  /** Runs a command of the command line and returns what it prints. */
  tocsin(...flags) {
    return execFileSync(tocsin, [flags[0], "--config", this.config, ...flags.slice(1)], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  register(devices, communesEach) {
    this.departments = largestCommunes(communesEach);
    const communes = [...this.departments.values()].flat();
    const inhabitants = communes.reduce((sum, one) => sum + one.population, 0);
    const lines = [];
    this.devices = 0;
    communes.forEach(({ insee, population }, at) => {
      // No two communes have the same share of followers: the map should have more than one colour.
      const share = (devices / inhabitants) * (0.4 + (at % 7) * 0.2);
      for (let i = Math.max(2, Math.round(population * share)); i > 0; --i, ++this.devices) {
        const apns = this.devices % 4 === 0;
        const seed = crypto.createHash("sha256").update(`${insee}/${i}`).digest();
        const token = apns ? seed.toString("hex") : `${seed.toString("base64url").slice(0, 22)}:APA91b${seed.toString("base64url").repeat(3)}`;
        lines.push(JSON.stringify({ op: "register", app: "mairies", platform: apns ? "apns" : "fcm", token, follow: [`commune:${insee}`] }));
      }
    });
    const file = path.join(this.folder, "devices.jsonl");
    fs.writeFileSync(file, `${lines.join("\n")}\n`);
    this.tocsin("devices", "import", file);
  }

  /** Adds events to the stream as any backend does; returns their ids. */
  publish(...events) {
    const commands = events.map((event) => `XADD tocsin:events * event ${JSON.stringify(JSON.stringify(event))}`);
    execFileSync("redis-cli", ["-s", this.socket], { input: `${commands.join("\n")}\n`, stdio: ["pipe", "ignore", "inherit"] });
  }

  /** Registers a browser whose messages the simulator reads. */
  async subscribe(commune) {
    const [subscription] = await (await fetch(`${this.control}/subscriptions?count=1`)).json();
    await fetch(`${this.control}/behaviour`, { method: "POST", body: JSON.stringify({ record: true }) });
    const registration = { op: "register", app: "mairies", platform: "webpush", subscription, follow: [`commune:${commune}`] };
    execFileSync("redis-cli", ["-s", this.socket, "XADD", "tocsin:registrations", "*", "registration", JSON.stringify(registration)], { stdio: "ignore" });
    await until("the browser is registered", async () => {
      const counted = await (await fetch(`${this.address}/metrics`)).text();
      return /^tocsin_registrations_total\{[^}]*\} [1-9]/m.test(counted);
    });
  }

  /** The messages to it, newest first, as it reads them. */
  async messages() {
    const requests = await (await fetch(`${this.control}/received?platform=webpush`)).json();
    return requests.map((one) => one.body);
  }

  /** What a backend hands on of what phones report. */
  report(receipt) {
    execFileSync("redis-cli", ["-s", this.socket, "XADD", "tocsin:receipts", "*", "receipt", JSON.stringify(receipt)], { stdio: "ignore" });
  }

  async event(id) {
    const answer = await fetch(`${this.address}/api/v1/events/${encodeURIComponent(id)}`);
    return answer.ok ? answer.json() : null;
  }

  async stop() {
    for (const child of [...this.processes].reverse()) {
      child.kill("SIGTERM");
      if (await Promise.race([child.ended.then(() => false), sleep(5000).then(() => true)])) child.kill("SIGKILL");
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { Stage, until };
