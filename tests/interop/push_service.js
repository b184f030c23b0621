'use strict';

// Push services on Node's HTTP/2 server that decrypt what they get with Node's own cryptography: none of it is
// shared with the engine. Plain Node 18, no packages.
//
//   node push_service.js CERTIFICATE KEY '{"origins": 3, "devices": 100, "app": "mairies", "follow": "commune:21231"}'
//
// Prints {"ports": […], "registrations": FILE} when it listens (a line of FILE for each browser, as
// `tocsin devices import` reads them), and on SIGTERM one line with what it got.
//
// What a browser answers is the word in its endpoint; see `answers`.

const crypto = require('crypto');
const fs = require('fs');
const http2 = require('http2');
const os = require('os');
const path = require('path');

const [certificate, key, planText] = process.argv.slice(2);
const plan = Object.assign(
  { origins: 1, devices: 1, app: 'mairies', follow: 'commune:21231', words: {}, delay_ms: 0, streams: 100,
    public_key: '', slow_origin: -1 },
  JSON.parse(planText || '{}'));

const seen = { requests: 0, texts: {}, times: {}, problems: [], tokens: {}, headers: {}, statuses: {}, keys: 0,
  salts: 0, by_origin: {} };
const devices = new Map(); // By path.
const salts = new Set();
const points = new Set();
const note = (text) => { if (seen.problems.length < 50) seen.problems.push(text); };

// What each try of a browser is answered; the last one goes on.
const answers = {
  ok: [[201]],
  fine: [[200]],
  queued: [[202]],
  gone: [[410, {}, JSON.stringify({ code: 410, errno: 106, error: 'Gone' })]],
  bare: [[410]],
  unknown: [[404]],
  large: [[413]],
  often: [[429, { 'retry-after': '1' }], [201]],
  down: [[503, { 'retry-after': '1' }], [201]],
  trouble: [[500], [502], [201]],
  forever: [[500]],
  elsewhere: [[307, { location: 'https://localhost:1/' }]],
  bad: [[400, {}, JSON.stringify({ reason: 'BadWebPushTopic' })]],
  mismatch: [[400, {}, JSON.stringify({ reason: 'VapidPkHashMismatch' })]],
  unauthorized: [[401]],
  forbidden: [[403]],
  lost: [['cut'], [201]],
  reset: [['reset'], [201]],
};

function subscribe(port, number, word) {
  const ecdh = crypto.createECDH('prime256v1');
  ecdh.generateKeys();
  const auth = crypto.randomBytes(16);
  const where = `/push/${word}/${number}-${crypto.randomBytes(60).toString('base64url')}`;
  devices.set(where, { ecdh, auth, word, number, tries: 0, port });
  return {
    endpoint: `https://localhost:${port}${where}`, expirationTime: null,
    keys: { p256dh: ecdh.getPublicKey().toString('base64url'), auth: auth.toString('base64url') },
  };
}

const hmac = (secret, data) => crypto.createHmac('sha256', secret).update(data).digest();

// RFC 8188 and RFC 8291, written down from the RFCs.
function decrypt(device, body) {
  const salt = body.subarray(0, 16);
  const size = body.readUInt32BE(16);
  const id = body.subarray(21, 21 + body[20]);
  if (id.length !== 65 || body.length > 4096 || size < body.length - 86 || size > 4096) {
    throw new Error(`header of ${body.length} bytes: record size ${size}, key of ${id.length}`);
  }
  salts.add(salt.toString('hex'));
  points.add(id.toString('hex'));
  const shared = device.ecdh.computeSecret(id);
  const input = hmac(hmac(device.auth, shared),
    Buffer.concat([Buffer.from('WebPush: info\0'), device.ecdh.getPublicKey(), id, Buffer.from([1])]));
  const prk = hmac(salt, input);
  const contentKey = hmac(prk, Buffer.from('Content-Encoding: aes128gcm\0\x01')).subarray(0, 16);
  const nonce = hmac(prk, Buffer.from('Content-Encoding: nonce\0\x01')).subarray(0, 12);
  const opened = crypto.createDecipheriv('aes-128-gcm', contentKey, nonce);
  opened.setAuthTag(body.subarray(body.length - 16));
  const padded = Buffer.concat([opened.update(body.subarray(86, body.length - 16)), opened.final()]);
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  if (padded[end] !== 2) throw new Error('the text does not end as the last record does');
  return padded.subarray(0, end).toString('utf8');
}

function checkAuthorization(value, origin) {
  const parts = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), ?k=([\w-]+)$/.exec(value || '');
  if (!parts) return note(`authorization: ${value}`);
  const [, head, claims, signature, publicKey] = parts;
  if (plan.public_key && publicKey !== plan.public_key) note('another public key');
  const point = Buffer.from(publicKey, 'base64url');
  const verifier = crypto.createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') } });
  if (!crypto.verify('sha256', Buffer.from(`${head}.${claims}`), { key: verifier, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'))) note('the signature of the token is wrong');
  const { alg } = JSON.parse(Buffer.from(head, 'base64url'));
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url'));
  const left = exp - Date.now() / 1000;
  if (alg !== 'ES256' || aud !== origin || !(left > 0 && left <= 86400) || !/^(mailto:|https:)/.test(sub)) {
    note(`token: ${JSON.stringify({ alg, aud, exp, sub })}`);
  }
  (seen.tokens[origin] = seen.tokens[origin] || new Set()).add(value);
}

function checkHeaders(headers, origin) {
  checkAuthorization(headers.authorization, origin);
  if (headers[':method'] !== 'POST') note(`method ${headers[':method']}`);
  if (headers['content-encoding'] !== 'aes128gcm') note(`content-encoding ${headers['content-encoding']}`);
  if (!/^\d+$/.test(headers.ttl)) note(`ttl ${headers.ttl}`);
  if (!/^(very-low|low|normal|high)$/.test(headers.urgency)) note(`urgency ${headers.urgency}`);
  if (headers.topic !== undefined && !/^[\w-]{1,32}$/.test(headers.topic)) note(`topic ${headers.topic}`);
  for (const name of ['ttl', 'urgency', 'topic', 'content-type']) seen.headers[name] = headers[name];
}

function onStream(stream, headers, origin, slow) {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('error', () => {});
  stream.on('end', () => {
    seen.requests += 1;
    seen.by_origin[origin] = (seen.by_origin[origin] || 0) + 1;
    const device = devices.get(headers[':path']);
    if (!device) {
      note(`path ${headers[':path']}`);
      stream.respond({ ':status': 404 }, { endStream: true });
      return;
    }
    const name = `${device.word}-${device.number}`;
    try {
      checkHeaders(headers, origin);
      const text = decrypt(device, Buffer.concat(chunks));
      (seen.texts[name] = seen.texts[name] || []).push(text);
    } catch (problem) {
      note(`${name}: ${problem.message}`);
    }
    const list = answers[device.word];
    const [status, more, body] = list[Math.min(device.tries, list.length - 1)];
    device.tries += 1;
    (seen.times[name] = seen.times[name] || []).push(Date.now());
    seen.statuses[status] = (seen.statuses[status] || 0) + 1;
    const reply = () => {
      if (stream.destroyed) return;
      if (status === 'cut') return void stream.session.destroy();
      if (status === 'reset') return void stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
      stream.respond({ ':status': status, ...more }, { endStream: !body });
      if (body) stream.end(body);
    };
    const delay = slow ? 5000 : plan.delay_ms;
    if (delay) setTimeout(reply, delay); else reply();
  });
}

const servers = [];
function listen(number) {
  return new Promise((done) => {
    const server = http2.createSecureServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key),
      settings: { maxConcurrentStreams: plan.streams } });
    server.on('session', (session) => session.on('error', () => {}));
    server.on('stream', (stream, headers) =>
      onStream(stream, headers, `https://localhost:${server.address().port}`, number === plan.slow_origin));
    server.listen(0, 'localhost', () => { servers.push(server); done(server.address().port); });
  });
}

(async () => {
  const ports = [];
  for (let i = 0; i < plan.origins; i += 1) ports.push(await listen(i));
  const words = [];
  for (const [word, count] of Object.entries(plan.words)) for (let i = 0; i < count; i += 1) words.push(word);
  const lines = [];
  for (let i = 0; i < plan.devices; i += 1) {
    const subscription = subscribe(ports[i % ports.length], i, words[i] || 'ok');
    lines.push(JSON.stringify({ op: 'register', app: plan.app, platform: 'webpush', subscription,
      follow: [plan.follow] }));
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-push-'));
  const registrations = path.join(folder, 'registrations.jsonl');
  fs.writeFileSync(registrations, lines.map((line) => `${line}\n`).join(''));
  console.log(JSON.stringify({ ports, registrations }));
  process.on('SIGTERM', () => {
    seen.salts = salts.size;
    seen.keys = points.size;
    for (const origin of Object.keys(seen.tokens)) seen.tokens[origin] = seen.tokens[origin].size;
    fs.rmSync(folder, { recursive: true });
    process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
  });
})();
