"""Patterns that mean the same to Redshift and to PostgreSQL: what both read as POSIX has it.

Redshift documents `. * + ? | ^ $ [ ] ( ) {m,n}` for its operator `~` (Database Developer Guide, "POSIX
operators"). What else PostgreSQL understands, and what depends on the engine or on how constants are written,
is refused: escapes, classes such as `[:alpha:]` (ASCII only on Redshift), groups and repetitions with `?`.
"""

import re

_PIECE = re.compile(
    r"\[\^?+(?P<set>[^][\\]+)\]|(?P<times>[*+?]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\})"
    r"|(?P<begin>[(])|(?P<end>[)])|(?P<or>[|])|(?P<edge>[\^$])|[^][\\(){}*+?|^$\0]"
)
_SET = re.compile(r"-?(?:(?P<first>[^-])-(?P<last>[^-])|[^-])*-?")
_SPAN = re.compile(r"([^-])-([^-])")
_MOST_TIMES = 255
_ALLOWED = (
    "plain characters, . [a-z] [^a-z] (a|b) * + ? {m} {m,} {m,n} ^ and $; for a character that has a meaning "
    "write it in brackets, as in [.]"
)


def check_pattern(pattern: str) -> str:
    """Return the pattern as it is.

    Raises:
        ValueError: it is none, or one whose meaning depends on the engine; the message says what to use.
    """
    at, depth, before = 0, 0, "begin"
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            raise _refusal(pattern, at)
        kind = piece.lastgroup if piece["times"] is None else "times"
        depth += {"begin": 1, "end": -1}.get(kind or "", 0)
        if depth < 0 or not _may_follow(before, kind or "one") or not _is_sound(piece):
            raise _refusal(pattern, at)
        at, before = piece.end(), kind or "one"
    if depth or before in ("begin", "or"):
        raise _refusal(pattern, at)
    return pattern


def _may_follow(before: str, kind: str) -> bool:
    """Say whether a piece may stand there: what is repeated, or one of a choice, must stand before."""
    match kind:
        case "times":
            return before in ("one", "set", "end")
        case "or" | "end":
            return before not in ("begin", "or")
    return True


def _is_sound(piece: re.Match[str]) -> bool:
    """Say whether the spans of a set, or the numbers of a repetition, ascend."""
    if piece["set"]:
        ascends = all(first <= last for first, last in _SPAN.findall(piece["set"]))
        return ascends and _SET.fullmatch(piece["set"]) is not None
    if piece["least"] is None:
        return True
    return int(piece["least"]) <= int(piece["most"] or _MOST_TIMES) <= _MOST_TIMES


def _refusal(pattern: str, at: int) -> ValueError:
    where = f"at character {at + 1}, {pattern[at]!r}," if at < len(pattern) else "at its end"
    return ValueError(f"is no pattern that every warehouse reads alike, {where} use: {_ALLOWED}")
