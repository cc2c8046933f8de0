"""Columns: what the catalog says of a table's columns."""

from dataclasses import dataclass

from sparkify.warehouse.session import Session

# Visible to every user; the catalog tables of PostgreSQL beneath it do not tell a default from an identity.
_COLUMNS = """
SELECT column_name, data_type, column_default
FROM svv_redshift_columns
WHERE
    database_name = CURRENT_DATABASE()
    AND schema_name = COALESCE(%(schema)s, CURRENT_SCHEMA())
    AND table_name = %(table)s
ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type as DDL writes it, and whether it fills itself (DEFAULT or IDENTITY)."""

    name: str
    type: str
    fills_itself: bool


def columns_of(session: Session, table: str) -> list[Column]:
    """Return the columns of `table` or `schema.table` in order; none where the catalog does not show it."""
    schema, _, name = table.lower().rpartition(".")
    rows = session.query(_COLUMNS, {"schema": schema or None, "table": name})
    return [Column(name, kind, default is not None) for name, kind, default in rows]
