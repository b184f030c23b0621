"""Stands for APNs on hyper-h2, which is written in Python from end to end: frames, header compression and
streams that share no line with nghttp2. Debian's python3-h2, nothing else.

    python3 provider_server.py CERTIFICATE KEY '{"plan": "serve", ...}'

Takes the same plans as provider_server.js, and prints the same: {"port": n}, and on SIGTERM what it saw.
"""

import asyncio
import json
import os
import signal
import ssl
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

certificate, key, plan_text = sys.argv[1:4]
plan = {"plan": "serve", "every": 0, "streams": 100, "delay_ms": 0, "lowered": 2, **json.loads(plan_text)}

seen = {
    "requests": 0, "connections": 0, "most_open": 0, "processed": {}, "goaways": 0, "cuts": 0, "refused": 0,
    "reset": 0, "limits": 0, "errors": [],
}

# By the first two hex digits of a token.
ANSWERS = {
    "d0": (410, {"reason": "Unregistered", "timestamp": 1700000000000}),
    "d1": (400, {"reason": "BadDeviceToken"}),
    "d3": (429, {"reason": "TooManyRequests"}),
}


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        seen["connections"] += 1
        self.transport = transport
        self.http2 = H2Connection(config=H2Configuration(client_side=False, header_encoding="utf-8"))
        self.http2.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: plan["streams"]})
        self.http2.initiate_connection()
        self.open = {}  # Stream → token, of those that have no answer yet.
        self.count = 0
        self.last = None  # Of our GOAWAY.
        self.lowered = False
        self.flush()

    def data_received(self, data):
        try:
            events = self.http2.receive_data(data)
        except ProtocolError as problem:
            seen["errors"].append(repr(problem))
            self.flush()
            self.transport.close()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                self.on_request(event)
            elif isinstance(event, DataReceived):
                self.http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self.on_end(event.stream_id)
            elif isinstance(event, StreamReset):
                self.open.pop(event.stream_id, None)
        self.flush()

    def flush(self):
        out = self.http2.data_to_send()
        if out and not self.transport.is_closing():
            self.transport.write(out)

    def on_request(self, event):
        headers = dict(event.headers)
        token = headers[":path"].rsplit("/", 1)[1]
        seen["requests"] += 1
        self.count += 1
        self.open[event.stream_id] = token
        seen["most_open"] = max(seen["most_open"], self.http2.open_inbound_streams)
        if self.fault(event.stream_id):
            self.open.pop(event.stream_id, None)

    def fault(self, stream):
        """What happens at this request; true if that was the end of it."""
        due = plan["every"] != 0 and self.count % plan["every"] == 0
        kind = plan["plan"]
        if kind == "goaway":
            if self.last is not None:
                return stream > self.last
            if not due:
                return False
            # Half of what is in flight is promised to be answered, the rest to be untouched.
            ids = sorted(self.open)
            self.last = ids[len(ids) // 2]
            seen["goaways"] += 1
            self.flush()
            # By hand: hyper-h2 takes its own GOAWAY for the end, and would answer nobody any more.
            frame = GoAwayFrame(0)
            frame.last_stream_id = self.last
            frame.additional_data = b'{"reason":"Shutdown"}'
            self.transport.write(frame.serialize())
            for each in ids:
                if each > self.last:
                    del self.open[each]
            return stream > self.last
        if kind == "cut" and due:
            seen["cuts"] += 1
            self.transport.abort()
            return True
        if kind == "refuse" and due:
            seen["refused"] += 1
            self.http2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
            return True
        if kind == "limits" and due:
            self.lowered = not self.lowered
            seen["limits"] += 1
            self.http2.update_settings(
                {SettingCodes.MAX_CONCURRENT_STREAMS: plan["lowered" if self.lowered else "streams"]})
        return False

    def on_end(self, stream):
        if stream not in self.open or self.transport.is_closing():
            return
        if plan["plan"] == "reset" and stream % (2 * plan["every"]) == 1:
            # Processed, and then no answer: the client cannot know.
            self.process(stream)
            seen["reset"] += 1
            self.http2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        elif plan["delay_ms"]:
            asyncio.get_running_loop().call_later(plan["delay_ms"] / 1000, self.answer, stream)
        else:
            self.answer(stream)

    def process(self, stream):
        token = self.open.pop(stream)
        seen["processed"][token] = seen["processed"].get(token, 0) + 1
        return token

    def answer(self, stream):
        if stream not in self.open or self.transport.is_closing():
            return  # Taken back meanwhile, or nobody is there any more.
        status, body = ANSWERS.get(self.process(stream)[:2], (200, None))
        self.http2.send_headers(stream, [(":status", str(status))], end_stream=body is None)
        if body is not None:
            self.send_body(stream, json.dumps(body, separators=(",", ":")).encode())
        self.flush()

    def send_body(self, stream, rest):
        if self.transport.is_closing():
            return
        size = 7 if plan["plan"] == "slow_bodies" else len(rest)
        self.http2.send_data(stream, rest[:size], end_stream=len(rest) <= size)
        self.flush()
        if len(rest) > size:
            asyncio.get_running_loop().call_later(0.001, self.send_body, stream, rest[size:])


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, ssl=tls)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await ended.wait()
    print(json.dumps(seen), flush=True)
    os._exit(0)  # Connections that are still open have nothing to say.


asyncio.run(main())
