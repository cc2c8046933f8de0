"""What databases, schemas, tables and columns there are, as the Data API lists them."""

import re
from collections.abc import Sequence
from typing import Any

import psycopg

from sandbox.aws.data_api.messages import Values, invalid, refuse
from sandbox.aws.data_api.results import column
from sandbox.aws.data_api.sessions import Login, blocks, session, words
from sandbox.parts.settings import Settings

_PAGE = 1000  # API reference: the most that MaxResults may be
_DATABASES = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE $1 ORDER BY 1"
_TABLES = """SELECT c.relname, n.nspname, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
AND n.nspname <> 'information_schema'
AND n.nspname LIKE $1 AND c.relname LIKE $2 ORDER BY 2, 1"""
_COLUMNS = """SELECT a.attname, n.nspname, c.relname, a.atttypid::int, a.atttypmod, a.attnotnull,
pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v')
AND n.nspname LIKE $1 AND c.relname LIKE $2 ORDER BY n.nspname, c.relname, a.attnum"""


def list_databases(settings: Settings, login: Login, values: Values) -> Values:
    """ListDatabases."""
    found = [name for (name,) in _rows(settings, login, _DATABASES)]
    databases, token = page(found, values)
    return {"Databases": databases, "NextToken": token}


def list_schemas(settings: Settings, login: Login, values: Values) -> Values:
    """ListSchemas, of the database that the login is for."""
    _check_database(login, values)
    found = [name for (name,) in _rows(settings, login, _SCHEMAS, values.get("SchemaPattern", "%"))]
    schemas, token = page(found, values)
    return {"Schemas": schemas, "NextToken": token}


def list_tables(settings: Settings, login: Login, values: Values) -> Values:
    """ListTables, without those of the system."""
    _check_database(login, values)
    patterns = values.get("SchemaPattern", "%"), values.get("TablePattern", "%")
    found = [
        {"name": name, "schema": schema, "type": kind}
        for name, schema, kind in _rows(settings, login, _TABLES, *patterns)
    ]
    tables, token = page(found, values)
    return {"Tables": tables, "NextToken": token}


def describe_table(settings: Settings, login: Login, values: Values) -> Values:
    """DescribeTable: the columns of a table, or of all that match."""
    _check_database(login, values)
    named = (_escaped(values[name]) if name in values else "%" for name in ("Schema", "Table"))
    found = [_column(*row) for row in _rows(settings, login, _COLUMNS, *named)]
    columns, token = page(found, values)
    return {"TableName": values.get("Table"), "ColumnList": columns, "NextToken": token}


def page(found: Sequence[Any], values: Values) -> tuple[Sequence[Any], str | None]:
    """A page of a list, and the token of the next if there is one.

    Raises:
        RefusalError: The token is none of this API's.
    """
    token = values.get("NextToken") or "from-0"
    if not re.fullmatch("from-[0-9]{1,9}", token):
        raise invalid("NextToken is none of this API's.")
    start = int(token.removeprefix("from-"))
    end = start + (values.get("MaxResults") or _PAGE)
    return found[start:end], f"from-{end}" if end < len(found) else None


def _check_database(login: Login, values: Values) -> None:
    if values["Database"] != login.database:
        raise invalid("Database is another than ConnectedDatabase: the sandbox has no queries across them.")


def _rows(settings: Settings, login: Login, sql: str, *values: str) -> list[list[str | None]]:
    """The rows of a query, in the user's own session."""
    try:
        with session(settings, login) as connection:
            return [
                [_text(block.get_value(row, number)) for number in range(block.nfields)]
                for block in blocks(connection, sql, values)
                for row in range(block.ntuples)
            ]
    except psycopg.Error as error:
        raise refuse("DatabaseConnectionException", words(error)) from error


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _escaped(name: str) -> str:
    """A name as a pattern that matches it alone."""
    return re.sub(r"([\\%_])", r"\\\1", name)


def _column(*row: str | None) -> Values:
    name, schema, table, number, modifier, is_needed, default = row
    found = column(str(name), int(number or 0), int(modifier or -1))
    more = {"schemaName": schema, "tableName": table, "columnDefault": default}
    # The Management Guide's example of describe-table: the length is the precision.
    return {**found, **more, "length": found["precision"], "nullable": int(is_needed != "t")}
