"""``explain``: the page of an error code, from ``docs/errors``; the wheel carries the pages beside this package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.completion import codes
from graphmigrate.cli.options import command, suggest
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from graphmigrate.cli.render.style import Style
    from graphmigrate.cli.session import Session

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "error_pages", PACKAGE.parent / "docs" / "errors")  # of a wheel, of a checkout
TITLE = re.compile(r"# (GM\d{3}): (.+)")


@command("explain")
@click.argument("code", required=False, metavar="[CODE]", shell_complete=codes)
def explain(session: Session, code: str | None) -> None:
    """Show what an error code means and what to do: its cause, cure and an example.

    For example: graphmigrate explain GM602. Without a code it lists all of them. Needs no database.
    """
    from graphmigrate.cli.reports import CodeReport, CodesReport

    titles = titles_of_codes()
    if code is None:
        listed = tuple(CodeReport(each, title) for each, title in titles.items())
        session.result(CodesReport(listed), lambda _: [f"{each.code}  {each.title}" for each in listed])
        return
    known = _known(code, titles)
    text = (_folder() / f"{known}.md").read_text(encoding="utf-8")
    report = CodeReport(known, titles[known], text)
    session.result(report, lambda style: _lines(text, style))


def titles_of_codes() -> dict[str, str]:
    """Give every code that has a page, with the page's title."""
    titles = {}
    for path in sorted(_folder().glob("GM*.md")):
        with path.open(encoding="utf-8") as page:
            found = TITLE.match(page.readline())
        if found:
            titles[found[1]] = found[2]
    return titles


def _folder() -> Path:
    return next((each for each in PLACES if each.is_dir()), PLACES[0])


def _known(code: str, titles: dict[str, str]) -> str:
    """Read ``GM602``, ``gm602``, ``602`` or ``error[GM602]:``; raises UsageError (GM175)."""
    digits = re.search(r"\d+", code)
    wanted = f"GM{digits[0]:0>3}" if digits else code.upper()
    if wanted in titles:
        return wanted
    near = suggest(wanted, list(titles))
    hint = "'graphmigrate explain' lists the codes."
    raise UsageError(
        f"There is no error code {code!r}.", hint=f"{near} {hint}" if near else hint, code="GM175"
    )


def _lines(text: str, style: Style) -> list[str]:
    """Give the page as it is written; a terminal gets its headings in bold and no fences."""
    lines = text.rstrip().splitlines()
    if style.width is None:
        return lines
    kept = [line for line in lines if not line.startswith("```")]
    return [style.paint(line.lstrip("# "), "bold") if line.startswith("#") else line for line in kept]
