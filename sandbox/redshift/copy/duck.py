"""DuckDB as the reader and writer of Parquet files: of one folder's, with little memory, and of no other."""

from pathlib import Path

import duckdb

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "256MB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reaches the files of a folder only: no network, no other file, no extension.

    Args:
        folder: Where the files are.
    """
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    connection.execute(f"SET allowed_directories = [{quote_text(f'{folder}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def quote_text(text: str) -> str:
    """`text` as a literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """`name` as an identifier."""
    return '"' + name.replace('"', '""') + '"'
