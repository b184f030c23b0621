"""What the measurements of this folder share: a private Redis, a simulator and an engine, in a folder that goes with them."""

import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOCSIN = ROOT / "build/release/bin/tocsin"
PATIENCE = 60


class DoesNotRun(Exception):
    """One of the processes that the measurement needs is not there, or not in time."""


def free_port():
    """Below those that the kernel gives to whoever asks for any."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Rig:
    def __init__(self, tocsin, name):
        self.tocsin = str(pathlib.Path(tocsin).resolve())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tocsin-{name}-"))
        self.socket = self.folder / "redis.sock"
        self.config = self.folder / "sim" / "tocsin.toml"
        self.port = free_port()
        self.engine = None
        self.processes = []

    def start(self, *arguments):
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(arguments, cwd=self.folder, stdout=log, stderr=log))
        return self.processes[-1]

    def until(self, what, holds, patience=PATIENCE):
        end = time.monotonic() + patience
        while not holds():
            if time.monotonic() > end:
                raise DoesNotRun(f"not within {patience} s: {what}\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def get(self, path):
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            asking.request("GET", path)
            answer = asking.getresponse()
            return json.loads(answer.read()) if answer.status == 200 else None
        except OSError:
            return None
        finally:
            asking.close()

    def start_redis(self):
        self.start("redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no")
        self.until("Redis listens", self.socket.exists)

    def start_simulator(self, *how):
        self.start(self.tocsin, "sim", "--directory", "sim", "--apns-port", "0", "--sandbox-port", "0", "--fcm-port", "0",
                   "--oauth-port", "0", "--control-port", "0", "--redis-url", f"unix://{self.socket}", "--admin-listen",
                   f"127.0.0.1:{self.port}", *how)
        self.until("the simulator is ready", self.config.exists)

    def register(self, registrations):
        """Brings registration documents into the store."""
        with open(self.folder / "devices.jsonl", "w", encoding="ascii") as out:
            for one in registrations:
                print(json.dumps(one), file=out)
        subprocess.run([self.tocsin, "devices", "import", "devices.jsonl", "--config", str(self.config)], check=True,
                       cwd=self.folder, stdout=subprocess.DEVNULL)

    def start_engine(self, *how):
        self.engine = self.start(self.tocsin, "serve", "--config", str(self.config), *how)
        self.until("the engine is ready", lambda: self.get("/readyz") is not None)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.engine.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory(self):
        """Bytes that the engine had in memory at most."""
        for line in pathlib.Path(f"/proc/{self.engine.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise DoesNotRun("the engine's peak memory is not known")

    def redis(self, *command, text=None):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *command], capture_output=True, text=True, check=True,
                              input=text).stdout

    def publish(self, event):
        self.redis("XADD", "tocsin:events", "*", "event", json.dumps(event))

    def results(self):
        """By event, all that there are."""
        stored = self.redis("XRANGE", "tocsin:results", "-", "+")
        documents = [json.loads(line) for line in stored.splitlines() if line.startswith("{")]
        return {one["event"]: one for one in documents}

    def clean_up(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
