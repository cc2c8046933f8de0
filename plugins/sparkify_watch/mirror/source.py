"""The warehouse as the web server reads it: one short session over the connection of the loads."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook
from airflow.sdk import Connection as AirflowConnection

from sparkify.cluster.status import CONN_ID
from sparkify.operators.connection import check_host, make_opener
from sparkify.warehouse.session import Session

SECONDS = 5
"""How long connecting and each statement may take."""

_log = logging.getLogger(__name__)


def name_warehouse() -> str:
    """Return what tells the warehouse of the connection from others."""
    server = BaseHook.get_connection(CONN_ID)
    extra = server.extra_dejson
    named = extra.get("cluster_identifier") or extra.get("serverless_work_group") or ""
    return f"{server.host or named}:{server.port or ''}/{server.schema or ''}"


@contextmanager
def open_warehouse() -> Iterator[Session]:
    """Open a session that gives up after a few seconds of silence; it is closed whatever happens."""
    server = BaseHook.get_connection(CONN_ID)
    check_host(server, "Looking into the warehouse")
    hook: DbApiHook = server.get_hook()  # type: ignore[no-untyped-call]
    _limit(hook)
    connection = make_opener(hook, "airflow.warehouse_page")()
    try:
        session = Session(connection, _log)
        session.execute(f"SET statement_timeout TO {SECONDS * 1000}")
        session.commit()
        yield session
    finally:
        with suppress(Exception):
            connection.close()


def _limit(hook: DbApiHook) -> None:
    """Let the driver of Redshift wait no longer than that, whatever the connection's extra says."""
    server = getattr(hook, "conn", None)
    if isinstance(server, AirflowConnection) and server.conn_type == "redshift":
        server.extra = json.dumps(server.extra_dejson | {"timeout": SECONDS})
