"""Columns: what the catalog says of a table's columns."""

from dataclasses import dataclass

from sparkify.warehouse.session import Session

# Visible to every user; the catalog tables of PostgreSQL beneath it do not tell a default from an identity.
_COLUMNS = """
SELECT column_name, data_type, column_default, is_nullable
FROM svv_redshift_columns
WHERE
    database_name = CURRENT_DATABASE()
    AND schema_name IN ({schema})
    AND table_name = %(table)s
ORDER BY ordinal_position
"""
# Without a schema a name means the first such table on the search path, whose first schema may lack it.
_VISIBLE = """
    SELECT nspname
    FROM pg_class
    INNER JOIN pg_namespace ON pg_class.relnamespace = pg_namespace.oid
    WHERE relname = %(table)s AND PG_TABLE_IS_VISIBLE(pg_class.oid)
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
    sql = _COLUMNS.format(schema="%(schema)s" if schema else _VISIBLE)
    return [
        Column(name, kind, default is not None, nullable.upper() == "NO")
        for name, kind, default, nullable in session.ask(sql, {"schema": schema, "table": name})
    ]
