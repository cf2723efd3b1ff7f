"""What must not be printed, replaced by asterisks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A literal as Cypher writes it, or as it then stands in JSON. Where the two read differently, the longer one is taken.
_QUOTED = r"""(?:\\"(?:\\{3}"|(?!\\").)*\\"|'(?:\\\\'|\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_SPACE = r"(?:\s|\\[nrt])+"
_LITERAL = rf"(?is)(\bPASSWORD{_SPACE}(?:FROM{_SPACE})?){_QUOTED}(?:({_SPACE}TO{_SPACE}){_QUOTED})?"


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Replace the secrets, also as they look when quoted or written into a URI, and passwords of CREATE and ALTER USER."""
    for secret in secrets:
        for shape in sorted(_shapes(secret), key=len, reverse=True):
            text = text.replace(shape, "***")
    return re.sub(_LITERAL, _masked, text) if "password" in text.lower() else text


def _shapes(secret: str) -> set[str]:
    if secret.isascii() and secret.replace("-", "").replace("_", "").isalnum():
        return {secret}  # it looks the same everywhere
    import json
    from urllib.parse import quote

    json_ones = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, *json_ones, repr(secret)[1:-1], quote(secret), quote(secret, "")}


def _masked(found: re.Match[str]) -> str:
    return f"{found[1]}'***'{found[2]}'***'" if found[2] else f"{found[1]}'***'"
