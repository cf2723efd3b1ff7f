"""What pages say, held against the project without a database: commands and options, make targets, links, README's form."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from graphmigrate.cli.app import root as program
from graphmigrate.seeds.files import MAX_WHOLE
from graphmigrate.seeds.yaml import MAX_TEXT
from graphmigrate.server.model import RELEASES
from graphmigrate.settings import Settings
from graphmigrate.settings.placeholders import SET_PREFIX
from graphmigrate.settings.sources import NAMES, OTHER_VARIABLES, PREFIX
from tests.conftest import DEFAULT_VERSION, NEWEST_VERSION

ROOT = Path(__file__).parents[2]
HISTORY = {ROOT / "CHANGELOG.md"}  # names what was there in earlier versions too
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")} - HISTORY
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def split(command: str) -> list[str]:
    """The words of a command, without variables that are set in it; a quote that is open at its end is none."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return [word for word in words if "=" not in word or word.startswith("-")]


def commands(text: str, name: str) -> Iterator[list[str]]:
    """The words after a program's name: in code between backticks, and on the lines of shell blocks."""
    lines = []
    for language, block in BLOCK.findall(text):
        if language in {"sh", "console", "bash"}:
            lines += block.replace("\\\n", " ").splitlines()
        elif language in {"text", ""}:
            lines += [line for line in block.splitlines() if line.startswith("$ ")]
    lines += re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
    for line in lines:
        for part in re.split(r"&&|\|\||[;|&]|\$\(", re.sub(r"(^|\s)#.*$", "", line)):
            words = split(part)
            if words[:1] == ["$"]:
                words = words[1:]
            if words[:1] == [name]:
                yield words[1:]


@cache
def options_of(words: tuple[str, ...]) -> set[str] | None:
    """The options of a command or of its group; None where there is no such command."""
    context = click.Context(program)
    command: click.Command = program
    known = {option for each in program.params for option in each.opts}
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None:
            break
        command = found
        known |= {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    if command is program:
        return None
    if isinstance(command, click.Group) and (default := command.get_command(context, "load")):
        known |= {option for each in default.params for option in each.opts}  # seed is seed load
    return known | {"--help", "--version"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_exists(page: Path) -> None:
    for words in commands(page.read_text(), "graphmigrate"):
        own = words[: words.index("--")] if "--" in words else words
        own = [word.rstrip("…,.:)") for word in own]
        named = tuple(word for word in own if re.fullmatch(r"[a-z][a-z-]*", word))
        first = own[0] if own else ""
        if not re.fullmatch(r"[a-z]+", first) or first == "help":
            continue  # graphmigrate COMMAND, or the program alone
        known = options_of(named)
        assert known is not None, f"graphmigrate {shlex.join(words)}"
        for word in own:
            if word.startswith("--"):
                assert word.partition("=")[0] in known, f"graphmigrate {shlex.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_exists(page: Path) -> None:
    for words in commands(page.read_text(), "make"):
        assert set(filter(re.compile(r"[a-z-]+").fullmatch, words)) <= TARGETS, words


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    texts = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each).lower() for each in headings)
    return {re.sub(r"[^\w\- ]", "", each).replace(" ", "-") for each in texts}


@pytest.mark.parametrize("page", [*PAGES, *HISTORY], ids=name_of)
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text())):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        led = page.parent / file if file else page
        assert led.exists(), target
        assert not anchor or led.suffix != ".md" or anchor in anchors(led), target


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page's prose and the rows of its tables."""
    prose = re.sub(r"^#.*$", "", BLOCK.sub("", text), flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=\d\. |- )", prose):
        if not paragraph.strip() or paragraph.lstrip().startswith("|"):
            continue
        flat = re.sub(r"^\d\. \*\*.*?\*\* ", "", " ".join(paragraph.split()))
        yield from re.split(r"(?<=[.:)]) (?=[A-Z`\[])", flat)


def test_every_sentence_of_readme_is_a_command_or_a_link() -> None:
    """What README says is a link that is followed, a command or name that is looked up, or leads to a block below it."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 100
    found = list(sentences(text))
    assert len(found) > 20
    bare = [each for each in found if "](" not in each and "`" not in each and not each.endswith(":")]
    assert bare == []


def test_the_picture_of_the_model_shows_what_the_page_of_the_model_lists() -> None:
    picture = (ROOT / "docs" / "graph-model.svg").read_text()
    page = (ROOT / "docs" / "model.md").read_text()
    words = set(re.findall(r"<text[^>]*>([^<]+)</text>", picture))
    labels = set(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    title = re.search(r"<title[^>]*>([^<]*)</title>", picture)
    assert title
    triples = re.findall(r"(\w+) ([A-Z_]+) (\w+)", title[1])
    assert words == labels | {kind for _, kind, _ in triples}
    assert {label for start, _, end in triples for label in (start, end)} == labels
    seeds = "".join(each.read_text() for each in (ROOT / "seeds").glob("*.j2"))
    assert {kind for _, kind, _ in triples} == set(re.findall(r"-\[\w*:([A-Z_]+)", seeds))
    for page_with_it in ("README.md", "docs/model.md"):
        assert f"![{title[1]}](" in (ROOT / page_with_it).read_text()


def test_the_page_of_versions_names_the_tested_ones() -> None:
    page = (ROOT / "docs" / "reference" / "versions.md").read_text()
    tested = [each for each in RELEASES if each.series in {DEFAULT_VERSION, NEWEST_VERSION}]
    assert len(tested) == 2
    for each in tested:
        assert f"{each.series} ({each.version})" in page


def test_no_page_needs_a_program_from_elsewhere_to_be_drawn() -> None:
    """The site loads nothing from other hosts: diagrams are pictures of ours, or tables."""
    assert [page for page in PAGES if "```mermaid" in page.read_text()] == []
    for picture in (ROOT / "docs").rglob("*.svg"):
        addresses = set(re.findall(r"https?://[^\s\"'<)]+", picture.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}, picture
    assert "repo_url" not in re.sub(r"^#.*$", "", (ROOT / "zensical.toml").read_text(), flags=re.MULTILINE)


def variables() -> set[str]:
    """Every environment variable that the program, its images or its scripts read."""
    sources = [
        *(ROOT / "graphmigrate").rglob("*.py"),
        *(
            file
            for folder in ("docker", "scripts", "deploy")
            for file in (ROOT / folder).rglob("*")
            if file.is_file()
        ),
        *(
            ROOT / name
            for name in ("action.yml", "docker-compose.yml", "Makefile", "Dockerfile", "tests/conftest.py")
        ),
    ]
    text = "\n".join(each.read_text(errors="replace") for each in sources)
    known = set(re.findall(r"\b(?:NEO4J|GRAPHMIGRATE|INPUT)_[A-Z0-9_]+\b", text))
    for parameter in (each for command in every_command(program) for each in command.params):
        names = parameter.envvar or ()
        known |= {names} if isinstance(names, str) else set(names)
    return known | {f"{PREFIX}{name.upper()}" for name in (*NAMES, *OTHER_VARIABLES)}


def every_command(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from every_command(found)


def test_every_variable_that_a_page_names_is_read() -> None:
    known = variables()
    for page in PAGES:
        named = set(re.findall(r"\b(?:NEO4J|GRAPHMIGRATE)_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()))
        named = {name for name in named if not name.startswith(SET_PREFIX)}
        assert named <= known, f"{name_of(page)}: {sorted(named - known)}"


def test_the_page_of_containers_has_the_defaults_of_the_code() -> None:
    page = (ROOT / "docs/how-to/containers.md").read_text()
    command = program.get_command(click.Context(program), "entrypoint")
    assert command
    (timeout,) = (each.default for each in command.params if each.name == "timeout")
    for name, value in (("TIMEOUT", timeout), ("LOCK_TIMEOUT", Settings().lock_timeout)):
        (shown,) = re.findall(rf"^\| `GRAPHMIGRATE_{name}` \|.*; (\d+) \|$", page, re.MULTILINE)
        assert float(shown) == value, name


def test_the_page_of_seed_files_has_the_limits_of_the_code() -> None:
    page = (ROOT / "docs/how-to/seed-from-files.md").read_text()
    assert f"JSON up to {MAX_WHOLE >> 20} MiB, YAML up to {MAX_TEXT >> 20} MiB" in page


def test_the_page_of_the_architecture_names_files_that_are_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.split("## Where to change what")[1]
    assert table.count("\n| ") > 10
    for name in re.findall(r"`([\w/.-]+\.py)`", page):
        assert any((ROOT / folder / name).is_file() for folder in ("graphmigrate", ".")), name
    for name in re.findall(r"^\| `(\w+)`(?=[,| ])", page, re.MULTILINE):
        assert any((ROOT / "graphmigrate" / each).exists() for each in (name, f"{name}.py")), name
