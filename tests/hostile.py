"""Text that steers a terminal where it is printed as it is, and the check that a line does not."""

from __future__ import annotations

from hypothesis import strategies as st

# What steers a terminal: escape, bell, C1 control sequences, line ends, changes of direction, half a surrogate pair.
PIECES = [
    "\x1b[2J",
    "\x1b]0;x\x07",
    "\x9b31m",
    "\r",
    "\n",
    "\x85",
    "\u2028",
    "\u202e",
    "\u2066",
    "\udc9b",
    "\x00",
    "\t",
    "\x7f",
    "\U000e0001",
]

HOSTILE = st.lists(st.sampled_from([*PIECES, "a", " ", "`", "\\u001b"]), min_size=1).map("".join)


def assert_harmless(lines: list[str] | str) -> None:
    for line in lines.split("\n") if isinstance(lines, str) else lines:
        assert line.isprintable(), ascii(line)
