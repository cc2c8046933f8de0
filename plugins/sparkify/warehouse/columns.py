"""Columns: what the catalog says of a table's columns."""

from dataclasses import dataclass

from sparkify.warehouse.session import Session

# Without a schema a name means the first such table on the search path, whose first schema may lack it.
_SCHEMA = """
SELECT nspname
FROM pg_class
INNER JOIN pg_namespace ON pg_class.relnamespace = pg_namespace.oid
WHERE relname = %(table)s AND PG_TABLE_IS_VISIBLE(pg_class.oid)
"""
# Visible to every user; the catalog tables of PostgreSQL beneath it do not tell a default from an identity.
_COLUMNS = """
SELECT column_name, data_type, column_default, is_nullable
FROM svv_redshift_columns
WHERE
    database_name = CURRENT_DATABASE()
    AND schema_name = %(schema)s
    AND table_name = %(table)s
ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Args:
        name: as the catalog has it.
        type: as DDL writes it.
        fills_itself: it has a DEFAULT or is an IDENTITY.
        not_null: it takes no NULL.
    """

    name: str
    type: str
    fills_itself: bool
    not_null: bool


def columns_of(session: Session, table: str) -> list[Column]:
    """Return the columns of `table` or `schema.table` in order; none where the catalog does not show it."""
    schema, _, name = table.lower().rpartition(".")
    schemas = [(schema,)] if schema else session.query(_SCHEMA, {"table": name})
    rows = [
        row for (schema,) in schemas for row in session.query(_COLUMNS, {"schema": schema, "table": name})
    ]
    return [
        Column(name, kind, default is not None, nullable.upper() == "NO")
        for name, kind, default, nullable in rows
    ]
