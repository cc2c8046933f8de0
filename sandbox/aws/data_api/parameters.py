"""Named parameters of a statement, which PostgreSQL's protocol numbers.

Management Guide, "Running SQL statements with parameters": a parameter is named with a colon before it, its
value is text, which the database converts; parameters stand for values, never for names.
"""

import re
from collections.abc import Sequence

from sandbox.aws.data_api.messages import invalid

# What a colon is no parameter's in: texts, names, comments, dollar quotes, and casts.
_PIECES = re.compile(
    r"""
    '(?:[^'\\]|''|\\.)*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | ::
    | (?<![\w:]):(?P<name>[0-9a-zA-Z_]+)
    """,
    re.VERBOSE | re.DOTALL,
)

Given = Sequence[dict[str, str]]


def names(sql: str) -> list[str]:
    """The parameters that a statement refers to, in the order of their first mention."""
    found = (piece["name"] for piece in _PIECES.finditer(sql))
    return list(dict.fromkeys(name for name in found if name))


def number(sql: str, given: Given) -> tuple[str, list[str]]:
    """The statement with ``$1`` and so on for its parameters, and their values in this order."""
    values = {one["name"]: one["value"] for one in given}
    if not values:  # without parameters a colon is none: '10:30'::time, or a slice
        return sql, []
    used = [name for name in names(sql) if name in values]

    def numbered(piece: re.Match[str]) -> str:
        name = piece["name"]
        return f"${used.index(name) + 1}" if name in used else piece[0]

    return _PIECES.sub(numbered, sql), [values[name] for name in used]


def check(statements: Sequence[str], given: Given) -> None:
    """Refuse parameters that no statement refers to, that are given twice, and references to none.

    API reference, BatchExecuteStatement: "Each provided parameter must be referenced by at least one SQL
    statement". That one statement's must be, too, and the words are UNCONFIRMED.

    Raises:
        RefusalError: ValidationException.
    """
    named = [one["name"] for one in given]
    if len(named) != len(set(named)):
        raise invalid("Parameters list contains duplicate names.")
    used = {name for sql in statements for name in names(sql)} if named else set()
    if unused := [name for name in named if name not in used]:
        raise invalid(f"Parameters list contains unused parameters. Unused parameters: {unused}")
    if absent := sorted(used - set(named)):
        raise invalid(f"Parameters list is missing parameters that the statement names: {absent}")
