"""DDL: the tables of the pipeline's own records, and those of a dataset."""

import re
from collections.abc import Iterable
from importlib.resources import files

from sparkify.warehouse.sql import split_statements

_TABLE = re.compile(r"\bCREATE\s+TABLE\s+IF\s+NOT\s+EXISTS\s+([\w.]+)", re.IGNORECASE)


def with_ops(sql: Iterable[str]) -> list[str]:
    """Return the statements that make the schema `ops` and then those of `sql`, one by one.

    Args:
        sql: texts of one or more statements, in the order in which they can be run.
    """
    own = files("sparkify.warehouse").joinpath("ops.sql").read_text("utf-8")
    return [statement for text in (own, *sql) for statement in split_statements(text)]


def made_table(statement: str) -> str | None:
    """Return the table that a statement makes, or None where it makes another thing."""
    match = _TABLE.search(statement)
    return match.group(1) if match else None
