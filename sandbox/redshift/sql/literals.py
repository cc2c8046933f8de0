"""Literals as PostgreSQL reads them: where they end, and what they mean."""

import re

# A repetition here is never followed by something that can fail: no text makes the scan go back.
_BITS = re.compile(r"[^']*")  # two quotes end one literal and begin another
_PLAIN = re.compile(r"[^']*(?:''[^']*)*")
_ESCAPED = re.compile(r"[^'\\]*(?:(?:\\.|'')[^'\\]*)*", re.DOTALL)
# A literal goes on, with the same escapes, behind white space that holds the end of a line.
_CONTINUES = re.compile(r"[ \t\f]*(?:--[^\n\r]*)?[\n\r](?:[ \t\n\r\f]+|--[^\n\r]*[\n\r])*")
# PostgreSQL, "String Constants with C-Style Escapes": numbers in octal and hexadecimal are bytes.
_ESCAPE = re.compile(
    rb"''|\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def literal_parts(text: str, start: int, *, backslash_escapes: bool) -> list[tuple[int, int]] | None:
    """Where each part of a literal begins and ends, without its quotes; None when it is never closed.

    Args:
        text: The text it stands in.
        start: Its position, with a prefix if it has one.
        backslash_escapes: Whether a backslash escapes in ordinary literals.
    """
    opening = start if text.startswith("'", start) else start + 1
    prefix = text[start:opening].lower()
    # N'…' is the word NCHAR and an ordinary literal.
    body = _ESCAPED if prefix == "e" or backslash_escapes else _PLAIN
    if prefix in ("b", "x"):
        body = _BITS
    parts: list[tuple[int, int]] = []
    while True:
        match = body.match(text, opening + 1)
        assert match  # noqa: S101 - it matches nothing, too
        if not text.startswith("'", match.end()):
            return None
        parts.append(match.span())
        line_end = _CONTINUES.match(text, match.end() + 1)
        if line_end is None or not text.startswith("'", line_end.end()):
            return parts
        opening = line_end.end()


def literal_value(text: str, *, backslash_escapes: bool) -> str | None:
    """The text that a literal stands for; None for a bit string.

    Args:
        text: The whole literal.
        backslash_escapes: Whether a backslash escapes in ordinary literals.
    """
    if text[0] == "$":
        tag = text.index("$", 1) + 1
        return text[tag:-tag]
    if text[0] in "bBxX":
        return None
    parts = literal_parts(text, 0, backslash_escapes=backslash_escapes) or []
    value = "".join(text[first:end] for first, end in parts)
    if text[0] in "eE" or backslash_escapes:
        escaped = value.encode(errors="surrogateescape")
        return _ESCAPE.sub(_meaning, escaped).decode(errors="surrogateescape")
    return value.replace("''", "'")


def _meaning(escape: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, other = escape.groups()
    if octal or hexadecimal:
        return bytes([int(octal, 8) & 0xFF if octal else int(hexadecimal, 16)])
    if short or long:
        code = int(short or long, 16)
        return chr(code).encode(errors="replace") if code <= 0x10FFFF else b"?"
    return _CONTROLS.get(other, other) if other else b"'"
