'use strict';

// Stands for APNs and FCM on Node's HTTP/2 server: a session, stream and TLS life that none of us wrote and that
// the simulator does not share. Plain Node 18, no packages.
//
//   node provider_server.js CERTIFICATE KEY '{"plan": "serve", ...}'
//
// Prints {"port": n} when it listens, and on SIGTERM one line with what it did: how often each path (APNs)
// or token (FCM) was processed, and what it saw of the client's behaviour.

const fs = require('fs');
const http2 = require('http2');

const [certificate, key, planText] = process.argv.slice(2);
const plan = Object.assign(
  { plan: 'serve', every: 0, streams: 100, delay_ms: 0, lowered: 2 },
  JSON.parse(planText || '{}'));
const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR } = http2.constants;

const seen = {
  requests: 0, connections: 0, most_open: 0, processed: {}, goaways: 0, cuts: 0, refused: 0, reset: 0,
  limits: 0, errors: [],
};

const fcmError = (code, message, status, errorCode, more = []) => JSON.stringify({
  error: {
    code, message, status,
    details: [
      ...(errorCode ? [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] : []),
      ...more,
    ],
  },
}, null, 2);

// By the first two hex digits of an APNs token, or the word before the first ":" of an FCM token.
const apnsAnswers = {
  d0: [410, { reason: 'Unregistered', timestamp: 1700000000000 }],
  d1: [400, { reason: 'BadDeviceToken' }],
  d2: [413, { reason: 'PayloadTooLarge' }],
  d3: [429, { reason: 'TooManyRequests' }],
  d4: [503, { reason: 'ServiceUnavailable' }],
  d5: [400, { reason: 'InventedNextYear' }],
};
const fcmAnswers = {
  gone: [404, {}, fcmError(404, 'Requested entity was not found.', 'NOT_FOUND', 'UNREGISTERED')],
  quota: [429, { 'retry-after': '42' },
    fcmError(429, 'Message rate exceeded for device.', 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED')],
  busy: [503, {}, fcmError(503, 'The service is currently unavailable.', 'UNAVAILABLE', 'UNAVAILABLE')],
  sender: [403, {}, fcmError(403, 'SenderId mismatch', 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH')],
  html: [502, { 'content-type': 'text/html' }, '<!DOCTYPE html><title>Error 502</title>'],
  apple: [400, {}, fcmError(400, 'APNs device token is disabled.', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', [
    { '@type': 'type.googleapis.com/google.firebase.fcm.v1.ApnsError', statusCode: 410, reason: 'Unregistered' }])],
};

function answerFor(headers, body) {
  if (headers[':path'].startsWith('/v1/projects/')) {
    const token = JSON.parse(body).message.token;
    const known = fcmAnswers[token.split(':')[0]];
    return known ? { of: token, status: known[0], headers: { 'content-type': 'application/json', ...known[1] }, body: known[2] }
      : { of: token, status: 200, headers: { 'content-type': 'application/json' },
        body: `{\n  "name": "projects/interop/messages/${seen.requests}"\n}\n` };
  }
  const token = headers[':path'].split('/').pop();
  const known = apnsAnswers[token.slice(0, 2)];
  const id = headers['apns-id'] || 'none';
  return known ? { of: token, status: known[0], headers: { 'apns-id': id }, body: JSON.stringify(known[1]) }
    : { of: token, status: 200, headers: { 'apns-id': id }, body: '' };
}

function send(stream, answer) {
  if (stream.destroyed || stream.closed || stream.session === undefined) {
    return;
  }
  stream.session.answered = Math.max(stream.session.answered, stream.id);
  if (!answer.body) {
    stream.respond({ ':status': answer.status, ...answer.headers }, { endStream: true });
    return;
  }
  stream.respond({ ':status': answer.status, ...answer.headers });
  if (plan.plan !== 'slow_bodies') {
    stream.end(answer.body);
    return;
  }
  // A few bytes at a time, with other streams in between.
  let at = 0;
  const step = () => {
    if (stream.destroyed) {
      return;
    }
    stream.write(answer.body.slice(at, at + 7));
    at += 7;
    if (at < answer.body.length) {
      setTimeout(step, 1);
    } else {
      stream.end();
    }
  };
  step();
}

function handle(stream, headers, body) {
  const answer = answerFor(headers, body);
  const act = () => {
    if (stream.taken) {
      return;  // Promised meanwhile not to be processed.
    }
    seen.processed[answer.of] = (seen.processed[answer.of] || 0) + 1;
    send(stream, answer);
  };
  if (plan.delay_ms) {
    setTimeout(act, plan.delay_ms);
  } else {
    act();
  }
}

const server = http2.createSecureServer({
  cert: fs.readFileSync(certificate),
  key: fs.readFileSync(key),
  settings: { maxConcurrentStreams: plan.streams },
});
server.on('error', (problem) => { throw problem; });
server.on('sessionError', (problem) => seen.errors.push(String(problem)));

// The session keeps its socket to itself, and a cut must not go through it: it would say goodbye.
const sockets = new WeakMap();
let newest;
server.prependListener('secureConnection', (socket) => { newest = socket; });
server.on('session', (session) => {
  ++seen.connections;
  sockets.set(session, newest);
  session.open = new Set();
  session.answered = 0;
  session.count = 0;
  session.lowered = false;
});

// What happens to the connection or the stream at this request; true if that was the end of the request.
function fault(session, stream) {
  const due = plan.every !== 0 && session.count % plan.every === 0;
  switch (plan.plan) {
    case 'goaway': {
      if (session.last !== undefined) {
        return stream.id > session.last;
      }
      if (!due) {
        return false;
      }
      // Half of what is in flight is promised to be answered, the rest to be untouched.
      const open = [...session.open].map((each) => each.id).sort((a, b) => a - b);
      session.last = Math.max(open[Math.floor(open.length / 2)], session.answered);
      ++seen.goaways;
      session.goaway(NGHTTP2_NO_ERROR, session.last, Buffer.from('{"reason":"Shutdown"}'));
      for (const each of [...session.open]) {
        if (each.id > session.last) {
          each.taken = true;
        }
      }
      return stream.id > session.last;
    }
    case 'cut':
      if (due) {
        ++seen.cuts;
        sockets.get(session).destroy();
        return true;
      }
      return false;
    case 'refuse':
      if (due) {
        ++seen.refused;
        stream.close(NGHTTP2_REFUSED_STREAM);
        return true;
      }
      return false;
    case 'limits':
      if (due) {
        session.lowered = !session.lowered;
        ++seen.limits;
        session.settings({ maxConcurrentStreams: session.lowered ? plan.lowered : plan.streams });
      }
      return false;
    default:
      return false;
  }
}

server.on('stream', (stream, headers) => {
  const session = stream.session;
  if (session === undefined || session.destroyed) {
    return;  // Its connection ended before Node came to tell of it.
  }
  ++seen.requests;
  ++session.count;
  session.open.add(stream);
  seen.most_open = Math.max(seen.most_open, session.open.size);
  stream.on('error', () => {});
  stream.on('close', () => session.open.delete(stream));
  let body = '';
  stream.setEncoding('utf8');
  stream.on('data', (part) => { body += part; });
  if (fault(session, stream)) {
    return;
  }
  stream.on('end', () => {
    if (stream.taken || stream.destroyed || session.destroyed) {
      return;
    }
    if (plan.plan === 'reset' && plan.every !== 0 && stream.id % (2 * plan.every) === 1) {
      // Processed, and then no answer: the client cannot know.
      const token = headers[':path'].split('/').pop();
      seen.processed[token] = (seen.processed[token] || 0) + 1;
      ++seen.reset;
      stream.close(NGHTTP2_INTERNAL_ERROR);
      return;
    }
    handle(stream, headers, body);
  });
});

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.on('SIGTERM', () => {
  fs.writeSync(1, JSON.stringify(seen) + '\n');
  process.exit(0);
});
