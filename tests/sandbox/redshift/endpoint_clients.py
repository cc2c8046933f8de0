"""Connections to the endpoint for its tests, and endpoints of their own."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psycopg
import redshift_connector

from sandbox.parts.postgres import admin_dsn


def connect_psycopg(settings, **options):
    """A psycopg connection that commits every statement."""
    given = {"dbname": settings.database, "user": settings.user, "password": settings.password, **options}
    return psycopg.connect(host="127.0.0.1", port=settings.redshift_port, autocommit=True, **given)


def connect_redshift(settings, **options):
    """A redshift_connector connection."""
    given = {"database": settings.database, "user": settings.user, "password": settings.password, **options}
    return redshift_connector.connect(
        host="127.0.0.1", port=settings.redshift_port, **{"ssl": False, **given}
    )


class Client:
    """One connection, and what statements give, whichever driver runs them."""

    def __init__(self, connection):
        self.connection = connection

    def run(self, sql, *values):
        """The rows as tuples; None for a statement without rows."""
        cursor = self.connection.cursor()
        cursor.execute(sql, values or None)
        self.columns = [column[0] for column in cursor.description] if cursor.description else []
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else None

    def fail(self, sql, *values):
        """SQLSTATE and message of a statement that must fail; the session is usable afterwards."""
        try:
            self.run(sql, *values)
        except (redshift_connector.Error, psycopg.Error) as error:
            return says(error)
        raise AssertionError(f"did not fail: {sql}")


def says(error):
    """SQLSTATE and message of a driver's error."""
    if isinstance(error, psycopg.Error):
        return error.sqlstate, error.diag.message_primary
    return error.args[0]["C"], error.args[0]["M"]


def run_apart(settings, *statements, user=None):
    """The rows of the last statement, each run in a session of its own: PostgreSQL counts rows at its end."""
    rows = []
    for sql in statements:
        connection = connect_redshift(settings, user=user or settings.user)
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            rows = list(map(tuple, cursor.fetchall())) if cursor.description else []
        finally:
            connection.close()
    return rows


def admin_rows(settings, sql, *values):
    """Rows of a query by PostgreSQL's superuser, beside the endpoint."""
    with psycopg.connect(admin_dsn(settings), autocommit=True) as connection:
        return connection.execute(sql, values).fetchall()


@contextmanager
def sys_lag(settings, seconds):
    """Let rows come to the SYS views so many seconds late."""
    setting = "UPDATE pg_internal.sys_lag SET lag = make_interval(secs => %s) RETURNING lag"
    [_] = admin_rows(settings, setting, seconds)
    try:
        yield
    finally:
        admin_rows(settings, setting, settings.sys_lag_seconds)


def wait_until(condition, seconds=20):
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def waiting(settings, sessions=1):
    """Whether as many sessions wait for locks."""
    return len(admin_rows(settings, "SELECT 1 FROM pg_locks WHERE NOT granted")) == sessions


def in_background(function):
    """Run the function in a thread; the returned function waits for its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()

    def join():
        thread.join(30)
        return results[0]

    return join


@contextmanager
def endpoint(settings, port, aws_port=None):
    """A second endpoint process before the same PostgreSQL."""
    environment = {**os.environ, **settings.environment(), "SANDBOX_REDSHIFT_PORT": str(port)}
    if aws_port:
        environment["SANDBOX_AWS_PORT"] = str(aws_port)
    command = [sys.executable, "-m", "sandbox.redshift"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
