"""Connections to a sandbox's warehouse: through the endpoint, and past it."""

import psycopg

from sandbox.parts.postgres import PORT
from sandbox.parts.settings import Settings


def connect(settings: Settings) -> psycopg.Connection:
    """A connection through the endpoint."""
    return _connect(settings, "127.0.0.1", settings.redshift_port)


def connect_directly(settings: Settings) -> psycopg.Connection:
    """A connection to PostgreSQL's own socket."""
    return _connect(settings, str(settings.socket_dir), int(PORT))


def _connect(settings: Settings, host: str, port: int) -> psycopg.Connection:
    return psycopg.connect(
        host=host,
        port=port,
        user=settings.user,
        password=settings.password,
        dbname=settings.database,
        sslmode="disable",
        autocommit=True,
    )
