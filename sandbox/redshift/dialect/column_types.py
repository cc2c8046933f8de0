"""Column types: what Redshift has, with what lengths, and what PostgreSQL gets."""

from dataclasses import dataclass

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.casts import decimal_size
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import syntax_error
from sandbox.redshift.dialect.statement import Refusal

LONGEST_VARCHAR = 65535
LONGEST_CHAR = 4096

_VARCHAR = frozenset(("varchar", "nvarchar", "text", "character varying"))
_CHAR = frozenset(("char", "character", "nchar", "bpchar"))
_DECIMAL = frozenset(("decimal", "numeric"))
# Redshift's name -> PostgreSQL's.
_SIMPLE = {
    **{name: name for name in ("smallint", "int2", "integer", "int", "int4", "bigint", "int8")},
    **{name: name for name in ("real", "float4", "double precision", "float8", "float")},
    **{name: name for name in ("boolean", "bool", "date", "time", "timetz", "timestamp", "timestamptz")},
    **{f"{base} {zone} time zone": None for base in ("time", "timestamp") for zone in ("with", "without")},
    "interval": "interval",
}
_NOT_HERE = frozenset(
    ("super", "hllsketch", "geometry", "geography", "varbyte", "varbinary", "binary varying")
)
_LONG_NAMES = (
    ("character", "varying"),
    ("national", "character", "varying"),
    ("national", "character"),
    ("binary", "varying"),
    ("double", "precision"),
    ("timestamp", "with", "time", "zone"),
    ("timestamp", "without", "time", "zone"),
    ("time", "with", "time", "zone"),
    ("time", "without", "time", "zone"),
)
_INTERVAL_UNITS = frozenset(("year", "month", "day", "hour", "minute", "second", "to"))


@dataclass(frozen=True)
class ColumnType:
    """A column's type.

    Args:
        sql: PostgreSQL's type.
        length: For CHAR and VARCHAR the most bytes a value may have, else None.
    """

    sql: str
    length: int | None = None


def read_type(draft: Draft, index: int, column: str) -> tuple[ColumnType, Span]:
    """The type that begins at `index`, and the tokens it takes.

    Raises:
        Refusal: Redshift has no such type, or the sandbox does not.
    """
    name, last = _type_name(draft, index)
    arguments: list[str] = []
    if draft.is_operator(last + 1, "("):
        arguments = [draft.render(span).lower() for span in draft.arguments(last + 1)]
        last = draft.closing(last + 1)
    if draft.is_operator(last + 1, "["):
        raise _unsupported(column, f"{name}[]")
    return _column_type(name, arguments, column), Span(index, last)


def _type_name(draft: Draft, index: int) -> tuple[str, int]:
    for words in _LONG_NAMES:
        if draft.words_at(index, *words):
            return " ".join(words).replace("national character", "character"), index + len(words) - 1
    if index >= len(draft) or not draft.tokens[index].is_name:
        raise syntax_error(draft, index)
    last = index
    if draft.word(index) == "interval":
        while draft.word(last + 1) in _INTERVAL_UNITS:
            last += 1
    return (
        " ".join(draft.text(at).lower() for at in range(index, last + 1))
        if last > index
        else draft.word(index)
    ), last


def _column_type(name: str, arguments: list[str], column: str) -> ColumnType:
    if name in _VARCHAR:
        return _text("character varying", arguments, 256, LONGEST_VARCHAR)
    if name in _CHAR:
        return _text("character", arguments, 256 if name == "bpchar" else 1, LONGEST_CHAR)
    if name in _DECIMAL:
        return ColumnType(f"numeric({decimal_size(arguments)})")
    if name in _SIMPLE or name.startswith("interval "):
        given = f"({', '.join(arguments)})" if arguments else ""
        return ColumnType((_SIMPLE.get(name) or name) + given)
    if name in _NOT_HERE:
        raise Refusal(
            f'Column "{column}" has type "{name}", which the sandbox does not have',
            hint=absent_commands.COLUMN_TYPES.hint,
        )
    raise _unsupported(column, name)


def _text(sql: str, arguments: list[str], default: int, longest: int) -> ColumnType:
    given = arguments[0] if arguments else str(default)
    length = longest if given == "max" else int(given) if given.isdigit() else 0
    if length < 1 or len(arguments) > 1:
        raise Refusal(f"invalid length of type {sql}: {', '.join(arguments)}", "22023")
    if length > longest:
        raise Refusal(f"length for type {sql} cannot exceed {longest}", "22023")
    return ColumnType(f"{sql}({length})", length)


def _unsupported(column: str, name: str) -> Refusal:
    return Refusal(f'Column "{column}" has unsupported type "{name}".')
