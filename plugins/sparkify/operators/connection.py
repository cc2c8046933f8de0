"""An Airflow connection to the warehouse: its address checked, its session named, opened once."""

import ipaddress
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import Connection as AirflowConnection

from sparkify.failures import FatalError
from sparkify.warehouse.session import Connection


def check_host(connection: AirflowConnection, what: str) -> None:
    """Refuse a connection whose host cannot be one, before a driver waits for it.

    Args:
        connection: the Airflow connection.
        what: the action, for the message.

    Raises:
        FatalError: the message says what belongs into which field.
    """
    if not _is_host(connection.host):
        raise FatalError(
            f"{what} failed: the host {connection.host!r} is no host's name. AWS shows an endpoint as "
            "host:port/database:",
            "in the Airflow connection give host, port and schema (the database) in fields of their own.",
        )


def name_session(hook: DbApiHook, name: str) -> None:
    """Name the session for STL_CONNECTION_LOG, unless the connection's extra has an application_name.

    redshift_connector would look for a name in the call stack, and read the whole of it from source files: a
    quarter of the processor time of a short task.
    """
    connection = getattr(hook, "conn", None)
    if isinstance(connection, AirflowConnection):
        connection.extra = json.dumps({"application_name": name, **connection.extra_dejson})


def make_opener(hook: DbApiHook) -> Callable[[], Connection]:
    """Return what opens one connection of a hook, once.

    RedshiftSQLHook.get_conn tries five times whatever the error is, a wrong password too; `run_load` knows
    which errors pass.
    """
    get_conn = type(hook).get_conn
    return partial(getattr(get_conn, "__wrapped__", get_conn), hook)


def _is_host(text: str | None) -> bool:
    """Tell whether a connection's host can be one: a name, an address or, for libpq, a socket's folder."""
    if not text or text.startswith("/") or not set(text) & set(":/@ "):
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False
