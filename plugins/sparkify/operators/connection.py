"""An Airflow connection to the warehouse: its address checked, its session named, opened in time."""

import ipaddress
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import Connection as AirflowConnection
from botocore.exceptions import BotoCoreError, ClientError

from sparkify.aws import Aws
from sparkify.cluster.network import describe_admission
from sparkify.failures import FatalError, NoAnswerError, describe
from sparkify.warehouse.session import Connection

# A security group that lets nobody in drops packets: without a limit a client waits for minutes.
_CONNECT_SECONDS = 30


def server_of(hook: DbApiHook, conn_id: str) -> AirflowConnection:
    """Return a hook's connection; RedshiftSQLHook keeps its own, and each look-up asks the API server."""
    return _kept(hook) or hook.get_connection(conn_id)


def _kept(hook: DbApiHook) -> AirflowConnection | None:
    server = getattr(hook, "conn", None)
    return server if isinstance(server, AirflowConnection) else None


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


def make_opener(hook: DbApiHook, name: str) -> Callable[[], Connection]:
    """Return what opens one connection of a hook, once.

    RedshiftSQLHook.get_conn tries five times whatever the error is, a wrong password too; `run_load` knows
    which errors pass. redshift_connector would look for a session's name in the call stack, and read the
    whole of it from source files: a quarter of the processor time of a short task.

    Args:
        hook: of type redshift or postgres.
        name: the session's in STL_CONNECTION_LOG, unless the connection's extra has an application_name.
    """
    get_conn = type(hook).get_conn
    connect = partial(getattr(get_conn, "__wrapped__", get_conn), hook)
    if not (server := _kept(hook)):
        return connect
    given = server.extra_dejson
    server.extra = json.dumps({"application_name": name, "timeout": _CONNECT_SECONDS, **given})
    return partial(_open, connect, hook, server, limits_statements="timeout" in given)


def _open(
    connect: Callable[[], Any], hook: DbApiHook, server: AirflowConnection, *, limits_statements: bool
) -> Any:  # noqa: ANN401 - the driver's
    try:
        connection = connect()
    except Exception as error:
        if "time out" not in str(describe(error)):
            raise
        raise NoAnswerError(_explain_silence(hook, server)) from error
    if not limits_statements:
        # The driver has one limit for connecting and for every answer after that.
        connection._usock.settimeout(None)
    return connection


def _explain_silence(hook: DbApiHook, server: AirflowConnection) -> str:
    extra, host = server.extra_dejson, server.host or ""
    name = extra.get("cluster_identifier") or (host.partition(".")[0] if ".redshift." in host else "")
    said = f"nothing came back from {name or host} within {extra['timeout']} s"
    if not name:
        return f"{said}. Check host and port, and that the cluster's security group admits this worker."
    aws = Aws(getattr(hook, "aws_conn_id", "aws_default"), extra.get("region", ""))
    try:
        admission = describe_admission(aws, name)
    except (BotoCoreError, ClientError) as error:
        admission = f"Its security group cannot be looked at from here ({error})."
    return (
        f"{said}. {admission} Provision again with allowed_cidr the network that this worker is in, or empty "
        "for the VPC's own; a worker outside of the VPC needs a VPN or a peering, too."
    )


def _is_host(text: str | None) -> bool:
    """Tell whether a connection's host can be one: a name, an address or, for libpq, a socket's folder."""
    if not text or text.startswith("/") or not set(text) & set(":/@ "):
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False
