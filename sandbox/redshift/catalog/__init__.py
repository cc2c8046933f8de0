"""The functions, views and tables that the endpoint keeps in the warehouse's database."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox.errors import SandboxError
from sandbox.parts import postgres
from sandbox.parts.settings import Settings

_FOLDER = Path(__file__).parent
_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.1

# What every session of the warehouse starts with.
_DATABASE_SETTINGS = {
    "default_transaction_isolation": "repeatable read",  # Redshift's default is SNAPSHOT
    "standard_conforming_strings": "off",  # a backslash escapes in ordinary literals
    "escape_string_warning": "off",
    "TimeZone": "UTC",
    # A backend at work would notice only at its end that its client is gone.
    "client_connection_check_interval": "500ms",
    # Redshift joins on equality by hash or merge. PostgreSQL, which knows nothing of a table just filled,
    # would guess one row and loop: 35 s instead of 2 for a month of plays.
    "enable_nestloop": "off",
    # The master user has the rights of the users it makes, as Redshift's superusers have everybody's.
    "createrole_self_grant": "set, inherit",
}
# Redshift shows them to superusers, and to whom these grant it.
_SUPERUSERS_VIEWS = "svv_table_info, stv_tbl_perm, pg_user_info"
# The internal superuser's sessions (catalog, load logs) stay plain PostgreSQL.
_ADMIN_SETTINGS = {
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "allow_system_table_mods": "on",
}


def wait_for_postgres(settings: Settings) -> None:
    """Wait until PostgreSQL takes connections to the warehouse's database.

    Raises:
        SandboxError: It does not within a minute.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            postgres.connect_admin(settings).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"PostgreSQL does not answer in {settings.socket_dir}: {str(error).strip()}. "
                    "Start it with `python -m sandbox up`."
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def install(settings: Settings) -> None:
    """Bring the database's Redshift objects up to date; cheap when they are.

    Raises:
        SandboxError: A file of the catalog does not run.
    """
    files = sorted(_FOLDER.glob("*.sql"))
    version = _version(files)
    with postgres.connect_admin(settings) as connection:
        # Two endpoints before one PostgreSQL would change the same objects at once.
        connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(5439)")
        if _installed(connection) != version:
            _install(connection, settings, files, version)
        _show_to_loader(connection, settings)
        connection.execute("DELETE FROM pg_internal.sys_lag")
        lag = "INSERT INTO pg_internal.sys_lag VALUES (pg_catalog.make_interval(secs => %s))"
        connection.execute(lag, [settings.sys_lag_seconds])


def _install(connection: psycopg.Connection, settings: Settings, files: Sequence[Path], version: str) -> None:
    connection.execute("SET LOCAL allow_system_table_mods = on")
    connection.execute("SET LOCAL standard_conforming_strings = on")
    connection.execute("SET LOCAL client_min_messages = warning")
    for file in files:
        _run(connection, file)
    _set_defaults(connection, settings)
    _show_to_master(connection, settings)
    monitor = sql.SQL('GRANT "sys:monitor" TO {} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE')
    connection.execute(monitor.format(sql.Identifier(settings.user)))
    connection.execute(sql.SQL("COMMENT ON SCHEMA pg_internal IS {}").format(sql.Literal(version)))


def _version(files: Sequence[Path]) -> str:
    digest = hashlib.sha256(repr((_DATABASE_SETTINGS, _ADMIN_SETTINGS)).encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _installed(connection: psycopg.Connection) -> str | None:
    found = connection.execute(
        "SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace"
        " WHERE nspname = 'pg_internal'"
    ).fetchone()
    return found[0] if found else None


def _run(connection: psycopg.Connection, file: Path) -> None:
    try:
        connection.execute(file.read_bytes())
    except psycopg.Error as error:
        raise SandboxError(f"The endpoint's catalog file {file.name} does not run: {error}") from error


def _show_to_master(connection: psycopg.Connection, settings: Settings) -> None:
    grant = sql.SQL("GRANT SELECT ON {} TO {} WITH GRANT OPTION")
    connection.execute(grant.format(sql.SQL(_SUPERUSERS_VIEWS), sql.Identifier(settings.user)))


def _show_to_loader(connection: psycopg.Connection, settings: Settings) -> None:
    """Let the loader see what `redshift_cluster` lets it see on AWS, once it is there."""
    found = connection.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [settings.loader])
    if found.fetchone():
        grant = sql.SQL("GRANT SELECT ON pg_catalog.svv_table_info TO {}")
        connection.execute(grant.format(sql.Identifier(settings.loader)))


def _set_defaults(connection: psycopg.Connection, settings: Settings) -> None:
    targets = (
        (sql.SQL("DATABASE {}").format(sql.Identifier(settings.database)), _DATABASE_SETTINGS),
        (sql.SQL("ROLE {}").format(sql.Identifier(settings.admin_user)), _ADMIN_SETTINGS),
    )
    for target, defaults in targets:
        for name, value in defaults.items():
            statement = sql.SQL("ALTER {} SET {} = {}")
            connection.execute(statement.format(target, sql.Identifier(name), sql.Literal(value)))
