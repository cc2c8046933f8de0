"""DDL: the tables of the pipeline's own records, and tables and views of a dataset."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import named_values, quote_table, split_statements

_MADE = re.compile(r"\bCREATE\s+(?:(TABLE)\s+IF\s+NOT\s+EXISTS|(VIEW))\s+([\w.]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view that a statement makes."""

    kind: Literal["TABLE", "VIEW"]
    name: str


def with_ops(sql: Iterable[str]) -> list[str]:
    """Return the statements that make the schema `ops` and then those of `sql`, one by one.

    Args:
        sql: texts of one or more statements, in the order in which they can be run.
    """
    own = files("sparkify.warehouse").joinpath("ops.sql").read_text("utf-8")
    return [statement for text in (own, *sql) for statement in split_statements(text)]


def made_relation(statement: str) -> Relation | None:
    """Return the table or view that a statement makes, or None where it makes another thing."""
    match = _MADE.search(statement)
    return Relation("TABLE" if match[1] else "VIEW", match[3]) if match else None


def create_missing(session: Session, statements: Sequence[str]) -> None:
    """Make what is not there; a view is never replaced, which would lock out its readers."""
    views = [made.name for sql in statements if (made := made_relation(sql)) and made.kind == "VIEW"]
    present = _find_views(session, views) if views else set()
    for statement in statements:
        made = made_relation(statement)
        if made is None or made.kind == "TABLE" or made.name not in present:
            session.execute(statement)


def drop(session: Session, relations: Sequence[Relation]) -> None:
    """Drop tables and views, the last first, with whatever is in them.

    No CASCADE: it would take views along that this project knows nothing of.
    """
    for relation in reversed(relations):
        session.execute(f"DROP {relation.kind} IF EXISTS {quote_table(relation.name)}")


def _find_views(session: Session, names: Sequence[str]) -> set[str]:
    """Return those of the views that are there, as they are named."""
    [(current,)] = session.query("SELECT CURRENT_SCHEMA()")
    places, values = named_values("view", [name.rpartition(".")[2] for name in names])
    rows = session.query(f"SELECT schemaname, viewname FROM pg_views WHERE viewname IN ({places})", values)
    there = {(schema, view) for schema, view in rows}
    split = {name: name.rpartition(".") for name in names}
    return {name for name, (schema, _, view) in split.items() if (schema or current, view) in there}
