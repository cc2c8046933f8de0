"""DDL: the tables of the pipeline's own records, and tables and views of a dataset."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from sparkify.failures import FatalError
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import named_values, quote_table, split_statements

_MADE = re.compile(
    r"\bCREATE\s+(?:(TABLE|SCHEMA)\s+IF\s+NOT\s+EXISTS|(VIEW))\s+([\w.]+)\s*(\()?", re.IGNORECASE
)
_COMMENT = re.compile(r"--[^\n]*")
_PARTS = re.compile(r"'(?:[^']|'')*'|[(),]")
_COLUMN = re.compile(r"\s*\"?(\w+)\"?\s")
_NO_COLUMN = {"primary", "foreign", "unique", "constraint", "like"}
# The catalog's own tables show every user all of it; SVV_REDSHIFT_COLUMNS shows what one may read.
_THERE = """
SELECT pg_namespace.nspname, pg_class.relname, pg_attribute.attname, CURRENT_SCHEMA()
FROM pg_namespace
LEFT JOIN pg_class ON pg_namespace.oid = pg_class.relnamespace AND pg_class.relname IN ({names})
LEFT JOIN pg_attribute ON pg_class.oid = pg_attribute.attrelid AND pg_attribute.attnum > 0
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view that a statement makes.

    Args:
        kind: what it is; a schema is made in the same way.
        name: in lower case.
        columns: of a table: the definition of each column by its name.
    """

    kind: Literal["TABLE", "VIEW", "SCHEMA"]
    name: str
    columns: Mapping[str, str]


def with_ops(sql: Iterable[str]) -> list[str]:
    """Return the statements that make the schema `ops` and then those of `sql`, one by one.

    Args:
        sql: texts of one or more statements, in the order in which they can be run.
    """
    own = files("sparkify.warehouse").joinpath("ops.sql").read_text("utf-8")
    return [statement for text in (own, *sql) for statement in split_statements(text)]


def made_relation(statement: str) -> Relation | None:
    """Return the table, view or schema that a statement makes, or None where it makes another thing."""
    text = _COMMENT.sub("", statement)
    match = _MADE.search(text)
    if match is None:
        return None
    kind: Literal["TABLE", "VIEW", "SCHEMA"] = "VIEW"
    if match[1]:
        kind = "TABLE" if match[1].upper() == "TABLE" else "SCHEMA"
    columns = _read_columns(text[match.end() :]) if kind == "TABLE" and match[4] else {}
    return Relation(kind, match[3].lower(), columns)


def make_missing(session: Session, statements: Sequence[str]) -> list[str]:
    """Make what is not there, return its names, and commit; where all is there, one query is all.

    A view is never replaced, which would lock out its readers.

    Args:
        session: with no transaction open.
        statements: as `with_ops` returns them.

    Raises:
        FatalError: a table lacks columns of its DDL; the message names them.
    """
    made = {sql: relation for sql in statements if (relation := made_relation(sql))}
    there = _find(session, [relation.name for relation in made.values()])
    _check_columns([relation for relation in made.values() if relation.name in there], there)
    missing = [sql for sql in statements if sql not in made or made[sql].name not in there]
    for statement in missing:
        session.execute(statement)
    session.commit()
    return [made[sql].name for sql in missing if sql in made]


def drop(session: Session, relations: Sequence[Relation]) -> None:
    """Drop tables and views, the last first, with whatever is in them.

    No CASCADE: it would take views along that this project knows nothing of.
    """
    for relation in reversed(relations):
        session.execute(f"DROP {relation.kind} IF EXISTS {quote_table(relation.name)}")


def _check_columns(relations: Sequence[Relation], there: Mapping[str, set[str]]) -> None:
    lacking = [
        f"ALTER TABLE {relation.name} ADD COLUMN {' '.join(definition.split())}"
        for relation in relations
        for name, definition in relation.columns.items()
        if name not in there[relation.name]
    ]
    if lacking:
        raise FatalError(
            "Tables are there without columns that their DDL has:",
            f"add them, empty or with a DEFAULT, or make the tables anew: {'; '.join(lacking)}",
        )


def _find(session: Session, names: Sequence[str]) -> dict[str, set[str]]:
    """Return those of the schemas, tables and views that are there, as they are named, with their columns."""
    places, values = named_values("name", sorted({name.rpartition(".")[2] for name in names}))
    there: dict[str, set[str]] = {}
    for schema, relation, column, current in session.ask(_THERE.format(names=places), values):
        there.setdefault(schema, set())
        if relation is not None:
            there.setdefault(f"{schema}.{relation}", set()).add(column)
            if schema == current:
                there.setdefault(relation, set()).add(column)
    return there


def _read_columns(text: str) -> dict[str, str]:
    """Return the columns of a CREATE TABLE, of which the text is what follows the first parenthesis."""
    pieces, begin, depth = list[str](), 0, 1
    for part in _PARTS.finditer(text):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        if depth == 0 or (depth == 1 and part[0] == ","):
            pieces.append(text[begin : part.start()])
            begin = part.end()
        if depth == 0:
            break
    named = ((match[1].lower(), piece.strip()) for piece in pieces if (match := _COLUMN.match(piece)))
    return {name: definition for name, definition in named if name not in _NO_COLUMN}
