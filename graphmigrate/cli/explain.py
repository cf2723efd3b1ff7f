"""``explain``: what an error code means, and its page in ``docs/errors`` where it has one; the wheel carries the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.completion import codes
from graphmigrate.cli.options import command, suggest
from graphmigrate.errors import TITLES, UsageError

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.cli.render.style import Style

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "error_pages", PACKAGE.parent / "docs" / "errors")  # of a wheel, of a checkout
WITHOUT_PAGE = "The message and its hint, printed where it happens, say the rest."


@command("explain")
@click.argument("code", required=False, metavar="[CODE]", shell_complete=codes)
def explain(cli: CliContext, code: str | None) -> None:
    """Show what an error code means and what to do.

    For example: graphmigrate explain GM602. Without a code it lists all of them. Needs no database.
    """
    from graphmigrate.cli.reports import CodeReport, CodesReport

    if code is None:
        listed = tuple(CodeReport(each, title) for each, title in TITLES.items())
        cli.result(CodesReport(listed), lambda _: [f"{each.code}  {each.title}" for each in listed])
        return
    known = _known(code)
    text = page_of(known)
    report = CodeReport(known, TITLES[known], text)
    cli.result(report, lambda style: _lines(text, style))


def page_of(code: str) -> str:
    """Return the page of a code as Markdown; a code without one gets its title and where the rest stands."""
    for folder in PLACES:
        page = folder / f"{code}.md"
        if page.is_file():
            return page.read_text(encoding="utf-8")
    return f"# {code}: {TITLES[code]}\n\n{WITHOUT_PAGE}\n"


def _known(code: str) -> str:
    """Read ``GM602``, ``gm602``, ``602`` or ``error[GM602]:``; raises UsageError (GM150)."""
    digits = re.search(r"\d+", code)
    wanted = f"GM{digits[0]:0>3}" if digits else code.upper()
    if wanted in TITLES:
        return wanted
    near = suggest(wanted, list(TITLES))
    hint = "'graphmigrate explain' lists the codes."
    raise UsageError(
        f"There is no error code {code!r}.", hint=f"{near} {hint}" if near else hint, code="GM150"
    )


def _lines(text: str, style: Style) -> list[str]:
    """Return the page as it is written; a terminal gets its headings in bold and no fences."""
    lines = text.rstrip().splitlines()
    if style.width is None:
        return lines
    kept = [line for line in lines if not line.startswith("```")]
    return [style.paint(line.lstrip("# "), "bold") if line.startswith("#") else line for line in kept]
