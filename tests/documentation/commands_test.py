#!/usr/bin/env python3
"""Runs what the pages tell people to type, and compares what they show with what is printed.

Every block of shell runs, page by page, in a folder of its own with a Redis, a simulator and an engine of its own, unless
table.py says why it cannot. A block that is in no list and fails, fails the test.

  tests/documentation/commands_test.py --tocsin build/release/bin/tocsin [--page docs/tutorial/first-alert.md]
"""

import argparse
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import table
from pages import blocks, broken_links, commands_in_prose, is_shown_by, pages, tests_named, tests_of

TREE = Path(__file__).resolve().parents[2]
PORTS = ("redis", "admin", "apns", "sandbox", "fcm", "oauth", "control", "webpush", "node1", "node2", "node3")
PAGE_SECONDS = 400

# What the script of a page can rely on. A condition is asked for until it holds; the page's time ends it otherwise.
HELPERS = r"""
PHONE=00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0
start_redis() { redis-server --port {redis} --save '' --daemonize yes > /dev/null; }
wait_for_simulator() { SIMULATOR=$!; until curl -sf http://127.0.0.1:{control}/healthz > /dev/null; do sleep 0.02; done; }
wait_for_engine() { ENGINE=$!; until curl -s http://127.0.0.1:{admin}/readyz | grep -q '"ready":true'; do sleep 0.02; done; }
wait_for_result() { until redis-cli -p {redis} XRANGE tocsin:results - + | grep -q "$1"; do sleep 0.02; done; }
"""
RUNNING = """
start_redis
tocsin sim {simulator} > /dev/null & wait_for_simulator
export TOCSIN_CONFIG="$PWD/tocsin-sim/tocsin.toml"
tocsin serve 2> engine.log & wait_for_engine
printf '%s\\n' '{"op":"register","app":"mairies","platform":"fcm","token":"dXo9bHjKQ0:APA91bEexampleexample01","follow":["commune:21231"]}' \
  '{"op":"register","app":"mairies","platform":"apns","token":"'$PHONE'","follow":["commune:21231"]}' | tocsin devices import - > /dev/null
"""


def free_ports():
    """Below those that the kernel gives away, so that none is taken before it is used. A node of a cluster needs the
    port 10,000 above its own, too."""
    out, port = [], 11_000 + os.getpid() % 700 * 16
    while len(out) < len(PORTS):
        port += 1
        with socket.socket() as one, socket.socket() as bus:
            if one.connect_ex(("127.0.0.1", port)) and bus.connect_ex(("127.0.0.1", port + 10_000)):
                out.append(str(port))
    return dict(zip(PORTS, out))


def filled(text, names):
    return re.sub(r"\{(" + "|".join(names) + r")\}", lambda found: names[found.group(1)], text)


class Stage:
    """A folder, its ports, and what a shell in it has started."""

    def __init__(self, tocsin):
        self.folder = tempfile.TemporaryDirectory(prefix="tocsin-documentation-")
        self.path = Path(self.folder.name)
        names = free_ports()
        port = "--{0}-port " + "{1}"
        named = [port.format(one, names[one]) for one in ("apns", "sandbox", "fcm", "oauth", "control", "webpush")]
        names["simulator"] = " ".join(named) + f" --redis-url redis://127.0.0.1:{names['redis']}/0 --admin-listen 127.0.0.1:{names['admin']}"
        names["free"] = " ".join(f"--{one}-port 0" for one in ("apns", "sandbox", "fcm", "oauth", "control", "webpush"))
        self.names = names
        self.environment = {**os.environ, "PATH": f"{Path(tocsin).resolve().parent}:{os.environ['PATH']}", "TREE": str(TREE)}
        self.environment.pop("TOCSIN_CONFIG", None)
        # In place of the default ports.
        self.environment["TOCSIN_REDIS_URL"] = f"redis://127.0.0.1:{names['redis']}/0"
        self.environment["TOCSIN_ADMIN_LISTEN"] = f"127.0.0.1:{names['admin']}"

    def run(self, script):
        (self.path / "script").write_text(filled(script, self.names))
        shell = subprocess.Popen(
            ["bash", "script"], cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.path / "errors").open("w"), start_new_session=True)
        try:
            shell.wait(PAGE_SECONDS)
            return ""
        except subprocess.TimeoutExpired:
            return f"was not done after {PAGE_SECONDS} s"
        finally:
            for port in ("redis", "node1", "node2", "node3"):
                subprocess.run(["redis-cli", "-p", self.names[port], "shutdown", "nosave"], capture_output=True)
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def first_line(block):
    return block.text.split("\n", 1)[0]


def listed(which, block):
    """What a table has of a block, and under which line."""
    for (page, line), value in which.items():
        if page == block.page and line in block.text.splitlines():
            return line, value
    return None, None


def script_of(page, shell):
    """The shell of a page: each block in the same shell, what it prints in a file of its own, and what fails noted."""
    out = [f"BLOCK='{page}: what the table has before it'", table.BEFORE.get(page, "")]
    for block in shell:
        text = block.text
        for pattern, instead in table.SUBSTITUTIONS:
            text = re.sub(pattern, instead, text)
        before = [what for (where, line), what in table.BEFORE_BLOCK.items() if where == page and first_line(block).startswith(line)]
        out.append("\n".join([*before, f"BLOCK={block}", f"{{\n{text}}} > \"$HOME_OF_PAGES/{printed_in(block)}\" 2>&1"]))
    return "\n".join(out) + "\n"


def printed_in(block):
    return f"{block.page.replace('/', '+')}+{block.line}"


def run_pages(tocsin, these, running, keep):
    """Problems of pages that share a stage."""
    stage = Stage(tocsin)
    script = ["set -E", HELPERS, "HOME_OF_PAGES=$PWD", "BLOCK=start"]
    script.append(r"""trap 'code=$?; printf "%s\t%s\t%s\0" "$BLOCK" $code "$BASH_COMMAND" >> "$HOME_OF_PAGES/failed"' ERR""")
    script.append(RUNNING if running else "")
    ran, refused = {}, []
    for page in these:
        shell = [block for block in blocks(TREE, page) if block.language == "sh" and not listed(table.NOT_RUN, block)[0]]
        ran[page] = [block for block in shell if not re.search(rf"^{table.CHANGES_THE_MACHINE}", block.text, re.M)]
        refused += [f"{block}: would change the machine; NOT_RUN does not name it" for block in shell if block not in ran[page]]
        script.append(script_of(page, ran[page]))
    problems = refused + [f"{these[0]}: {why}" for why in [stage.run("\n".join(script))] if why]
    failed = stage.path / "failed"
    for line in failed.read_text("utf-8").split("\0")[:-1] if failed.exists() else []:
        where, code, command = line.split("\t", 2)
        wanted = [what for (page, start), what in table.FAILING.items() if where.startswith(page) and command.startswith(start)]
        if wanted != [int(code)]:
            problems.append(f"{where}: exit code {code} of: {command}")
    for page in these:
        problems += shown_otherwise(stage, page, ran[page])
    if problems and keep:
        problems.append(f"(the folder is {stage.path})")
        stage.folder._finalizer.detach()
    else:
        stage.folder.cleanup()
    return problems, sum(len(one) for one in ran.values())


def shown_otherwise(stage, page, ran):
    problems = []
    before = None
    for block in blocks(TREE, page):
        if block.language == "sh":
            before = block
            continue
        shown = not block.language or any(page == where and block.text.startswith(start) for where, start in table.SHOWN_JSON)
        if not shown or listed(table.NOT_SHOWN, block)[0]:
            continue
        if before not in ran:
            problems.append(f"{block}: what is this? No command that runs stands before it, and NOT_SHOWN does not name it")
            continue
        file = stage.path / printed_in(before)
        printed = file.read_text("utf-8", "replace") if file.exists() else ""
        if missing := is_shown_by(block.text, printed):
            problems.append(f"{block}: {before} does not print: {missing}\nbut:\n{printed}")
    return problems


def stale_entries():
    """Lines of the tables that are in no page any more."""
    for which in (table.NOT_RUN, table.NOT_SHOWN):
        for page, line in which:
            if not any(line in block.text.splitlines() for block in blocks(TREE, page)):
                yield f"table.py: {page} has no line any more: {line}"


class Help:
    """Which flags a program knows."""

    def __init__(self, tocsin):
        self.tocsin = str(Path(tocsin).resolve())
        self.known = {}

    def text(self, *command):
        if command not in self.known:
            done = subprocess.run(command, cwd=TREE, capture_output=True, text=True)
            self.known[command] = done.stdout if done.returncode == 0 else ""
        return self.known[command]

    def problem(self, command):
        try:
            words = shlex.split(re.sub(r" [|>&].*$", "", command), comments=True)
        except ValueError:
            return "cannot be split into words"
        program, *rest = words
        flags = [word.split("=")[0] for word in rest if word.startswith("--")]
        if program.startswith(("bench/load/", "tools/")):
            if not os.access(TREE / program, os.X_OK):
                return "is no program of the tree"
            known = self.text(program, "--help") if flags else ""
            # tools/test names presets, which CMakePresets.json has.
            if program == "tools/test" and rest and rest[0] not in ("browser", "[PRESET]"):
                return "" if f'"name": "{rest[0]}"' in (TREE / "CMakePresets.json").read_text() else "names no preset"
        elif program in ("tocsin", "build/release/bin/tocsin"):
            path = []
            while rest and re.fullmatch(r"[a-z][a-z-]*", rest[0]) and self.text(self.tocsin, "help", *path, rest[0]):
                path.append(rest.pop(0))
            if rest and rest[0] == "help":
                path, rest = ["help"], rest[1:]
            if not path and flags not in (["--help"], ["--version"], ["--version", "--json"]) and words[1:2] != ["COMMAND"]:
                return "names no command"
            known = self.text(self.tocsin, "help", *path) + "--version --help --json " + self.text(self.tocsin, "help", "settings")
        elif program == "ctest":
            return ""
        else:
            return "neither in PROSE_NOT_ASKED nor a program of ours"
        unknown = [flag for flag in flags if not re.search(re.escape(flag) + r"\b", known)]
        return f"has no {' '.join(unknown)}" if unknown else ""


def asked_for(tocsin):
    """Problems of commands that are held against what their programs say they know: those in prose, those in blocks that
    take too long, and those in the headers of scripts."""
    ask = Help(tocsin)
    commands = []
    for page in pages(TREE):
        text = (TREE / page).read_text("utf-8")
        commands += [(page, one) for one in commands_in_prose(text) if one not in table.PROSE_NOT_ASKED]
        for block in blocks(TREE, page):
            if block.language == "sh" and listed(table.NOT_RUN, block)[1] in (table.MINUTES, table.BENCH):
                lines = block.text.splitlines()
                commands += [(str(block), line) for line in lines if re.match(r"(build/release/bin/)?(tocsin|bench/)", line)]
    for script in [*(TREE / "bench" / "load").iterdir(), TREE / "tools" / "test", TREE / "tools" / "setup"]:
        head = "".join(script.read_text("utf-8").splitlines(True)[:40]) if script.is_file() else ""
        for line in re.findall(r"^[# ] {1,3}((?:tools|bench/load)/[\w-]+(?: [\w=.,:/-]+)*)", head, re.M):
            commands.append((script.name, line.split("  ")[0]))
    problems = [f"{where}: `{one}` {why}" for where, one in commands if (why := ask.problem(one))]
    named = {one for page in pages(TREE) for one in commands_in_prose((TREE / page).read_text("utf-8"))}
    problems += [f"table.py: no page names `{one}` any more" for one in table.PROSE_NOT_ASKED if one not in named]
    return problems, len(commands)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tocsin", required=True, help="the executable")
    arguments.add_argument("--page", action="append", help="only this page; repeatable")
    arguments.add_argument("--keep", action="store_true", help="keep the folder of what failed")
    how = arguments.parse_args()
    chosen = how.page or pages(TREE)
    order = {page: at for at, page in enumerate(table.ORDER)}
    shared = sorted((page for page in chosen if page not in table.FROM_NOTHING), key=lambda page: (order.get(page, len(order)), page))
    stages = [([page], False) for page in table.FROM_NOTHING if page in chosen] + ([(shared, True)] if shared else [])
    problems, ran = [], 0
    for these, running in stages:
        found, count = run_pages(how.tocsin, these, running, how.keep)
        problems += found
        ran += count
    if not how.page:
        problems += stale_entries()
        there_are = tests_of(TREE)
        for page in [*pages(TREE), "docs/reference/command-line.md", "CHANGELOG.md"]:
            problems += broken_links(TREE, page)
            problems += [f"{block}: what is {block.language}?" for block in blocks(TREE, page) if block.language not in table.LANGUAGES]
            named = tests_named((TREE / page).read_text("utf-8"))
            problems += [f"{page}: there is no test {one}" for one in named if one not in there_are]
        found, asked = asked_for(how.tocsin)
        problems += found
        print(f"{ran} blocks ran, {asked} commands were asked for")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
