"""Checksums of files: the same for one text, however an editor or Git stored its line ends."""

from __future__ import annotations

import hashlib


def checksum(content: bytes) -> str:
    """Give SHA-256, in hexadecimal, over the bytes with a byte-order mark dropped and CRLF read as LF."""
    return hashlib.sha256(content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")).hexdigest()
