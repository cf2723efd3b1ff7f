"""What a stream can show: colours, and how many columns."""

from __future__ import annotations

import os
from typing import NamedTuple, TextIO

CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1"}


class Style(NamedTuple):
    """Plain text by default; ``width`` is a terminal's columns, None where nothing may be cut."""

    color: bool = False
    width: int | None = None

    @classmethod
    def of(cls, stream: TextIO | None) -> Style:
        """Ask the stream; NO_COLOR (no-color.org) and a dumb terminal switch colours off."""
        if stream is None or not is_terminal(stream):
            return cls()
        color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        try:
            width = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            width = 0
        return cls(color, width or 80)

    def paint(self, text: str, *names: str) -> str:
        """Give the text in these colours."""
        if not self.color or not names or not text:
            return text
        return f"\x1b[{';'.join(CODES[name] for name in names)}m{text}\x1b[0m"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sees this stream as it is written."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def clean(text: str) -> str:
    """Show control characters as escapes: a file's name or a value must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == " " else each.encode("unicode_escape").decode() for each in text
    )


def clean_lines(text: str) -> str:
    """Show control characters as escapes, but for the ends of lines."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.split("\n"))


def cells(text: str) -> int:
    """Count the columns that a text takes (Unicode Standard Annex 11, and combining marks)."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def shorten(text: str, width: int) -> str:
    """Cut a text to a number of columns, with an ellipsis."""
    if cells(text) <= width:
        return text
    kept = ""
    for each in text:
        if cells(kept + each) > width - 1:
            break
        kept += each
    return f"{kept}…"
