"""What stands in the pages: fenced blocks, and commands named in prose."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Block:
    page: str  # Relative to the tree.
    line: int
    language: str  # Of the fence; empty if it names none.
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def pages(tree: Path) -> list[str]:
    """Every page of prose. The reference of the command line is made by the program, and its examples are parsed by
    DocumentedCommandsTest."""
    found = [path.relative_to(tree).as_posix() for path in sorted((tree / "docs").rglob("*.md"))]
    found.remove("docs/reference/command-line.md")
    return ["README.md", "CONTRIBUTING.md", "SECURITY.md", *found]


def blocks(tree: Path, page: str) -> list[Block]:
    text = (tree / page).read_text("utf-8")
    out = []
    for found in re.finditer(r"^( *)```(\S*)\n(.*?)^\1```$", text, re.M | re.S):
        indent, language, inside = found.groups()
        lines = [line.removeprefix(indent) for line in inside.splitlines(True)]
        out.append(Block(page, text.count("\n", 0, found.start()) + 1, language, "".join(lines)))
    return out


def without_blocks(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.M | re.S)


def anchors(text: str) -> set[str]:
    """What can stand behind a `#` in a link to a page, as GitHub makes it of headings."""
    heads = [re.sub(r"`|\[([^]]*)\]\([^)]*\)", r"\1", head) for head in re.findall(r"^#+ (.*)$", without_blocks(text), re.M)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(tree: Path, page: str) -> list[str]:
    """Links of a page to files, folders and headings that are not there."""
    text = without_blocks((tree / page).read_text("utf-8"))
    out = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        target = (tree / page).parent / name if name else tree / page
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists():
            out.append(f"{page}: there is no {link}")
        elif anchor and anchor not in anchors(target.read_text("utf-8")):
            out.append(f"{page}: {name or page} has no heading #{anchor}")
    return out


def tests_of(tree: Path) -> set[str]:
    """`Suite` and `Suite.Name` of every C++ test."""
    out = set()
    for file in (tree / "tests").rglob("*.cpp"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.read_text("utf-8"), re.M):
            out |= {suite, f"{suite}.{name}"}
    return out


def tests_named(text: str) -> list[str]:
    """Tests that a page says hold something."""
    return re.findall(r"`((?:[A-Z]\w+\.[A-Z][a-z]*[A-Z]\w{8,})|(?:[A-Z]\w+Test))`", without_blocks(text))


# A word that a command in prose begins with. What begins otherwise is no command, but a name.
PROGRAMS = (
    r"(?:tocsin|tools/(?:setup|test|test-package|demo)|bench/load/[\w-]+|redis-cli|redis-server|systemctl|systemd-\w+|curl"
    r"|openssl|cmake|ctest|cpack|apt|apt-get|jq|kill|chmod|mount|docker|kubectl|sudo|node|promtool|chromium)"
)


def commands_in_prose(text: str) -> list[str]:
    """Inline code that is a command with at least one word behind it, or a script of the tree."""
    spans = [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", without_blocks(text))]
    return [span for span in spans if re.fullmatch(rf"{PROGRAMS}( .+)?", span) and (" " in span or "/" in span)]


def is_shown_by(shown: str, printed: str) -> str:
    """The first line of `shown` that is not among the lines of `printed`, in that order; empty if all are. Numbers may
    differ, and so may shares of time, whose words depend on how fast the machine is; `…` stands for anything."""
    lines = iter(printed.splitlines())
    for wanted in (line for line in shown.splitlines() if line.strip() and line.strip() != "…"):
        if not any(re.fullmatch(loose(wanted), line.rstrip()) for line in lines):
            return wanted
    return ""


# `idle 98 %, redis 2 %`. A lane that is younger than a second has none yet.
SHARES = r"[a-z]+ \d+ %(?:, [a-z]+ \d+ %)*"


def loose(line: str) -> str:
    pieces = re.split("(" + SHARES + r"|…|[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d[\d ,.]*|\s+)", line.rstrip())
    return "".join(
        rf"({SHARES})?" if re.fullmatch(SHARES, piece)
        else r".*" if piece == "…"
        else r"[0-9a-f-]{36}" if re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", piece)
        else r"[\dTZ:.-]+" if re.match(r"\d{4}-\d\d-\d\dT", piece)
        else r"\d[\d ,.]*" if re.match(r"\d", piece)
        else r"\s*" if piece.isspace()
        else re.escape(piece)
        for piece in pieces
        if piece
    )
