"""The tables of the dataset `orders`, and sessions as loads have them."""

import contextlib
import logging
from contextlib import ExitStack

import pytest

from sparkify.warehouse.schema import with_ops
from sparkify.warehouse.session import Session
from tests.pipeline import source, warehouse
from tests.sandbox.redshift.endpoint_clients import connect_redshift, sys_lag
from tests.sparkify.orders import DDL

__all__ = ["source", "warehouse"]


@pytest.fixture(params=["redshift_default", "postgres_sandbox"])
def conn_id(request):
    return request.param


@pytest.fixture
def orders(sandbox, warehouse):
    dropped = [f"DROP TABLE IF EXISTS {table}" for table in DDL]
    made = [f"CREATE TABLE {table} {columns}" for table, columns in DDL.items()]
    warehouse.execute(*dropped, *with_ops(()), *made)
    with sys_lag(sandbox, 0.1):
        yield warehouse
    warehouse.execute(*dropped)


@pytest.fixture
def open_session(sandbox, orders):
    """Open sessions, each over a connection of its own; what they leave open ends with the test."""

    def close(connection):
        with contextlib.suppress(Exception):
            connection.close()

    def open_one():
        connection = connect_redshift(sandbox, user=sandbox.loader)
        opened.callback(close, connection)
        return Session(connection, logging.getLogger("tests"))

    with ExitStack() as opened:
        yield open_one


@pytest.fixture
def session(open_session):
    return open_session()
