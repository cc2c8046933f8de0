"""Tables that checks ask about, and sessions over each driver that a connection may use."""

import logging
from contextlib import closing

import pytest

from sparkify.warehouse.schema import with_ops
from sparkify.warehouse.session import Session
from tests.sparkify.checks.asking import DRIVERS, TABLES, connect, execute
from tests.sparkify.checks.star import INCLUDE, STAR, STAR_TABLES, STAR_VIEWS, run


@pytest.fixture(scope="module")
def tables(sandbox):
    with closing(connect(sandbox, "redshift_connector")) as connection:
        execute(connection, *TABLES.split(";"))
        yield
        execute(connection, "DROP SCHEMA quality_test CASCADE")


@pytest.fixture(params=DRIVERS)
def session(request, sandbox, tables):
    with closing(connect(sandbox, request.param)) as connection:
        yield Session(connection, logging.getLogger("test"))


@pytest.fixture
def one_session(sandbox, tables):
    """A session over one driver, for what is alike with every driver."""
    with closing(connect(sandbox, "redshift_connector")) as connection:
        yield Session(connection, logging.getLogger("test"))


@pytest.fixture
def records(session):
    """Empty tables of `ops`; yields a function that reads one of them."""
    gone = [f"DROP TABLE IF EXISTS ops.{name}" for name in ("quality_results", "quality_measures")]
    execute(session.connection, *gone, *with_ops(()))

    def read(table, columns, order):
        rows = session.query(f"SELECT {columns} FROM ops.{table} ORDER BY {order}")
        session.rollback()
        return rows

    yield read
    session.rollback()
    execute(session.connection, *gone)


@pytest.fixture
def star(redshift):
    """A small star without fault for the hour 10:00 to 11:00, and an hour of plays around it."""
    drop = [f"DROP TABLE IF EXISTS {table} CASCADE" for table in STAR_TABLES]
    run(redshift, *drop, "DROP SCHEMA IF EXISTS ops CASCADE")
    schema = INCLUDE / "sparkify" / "schema"
    run(redshift, *with_ops((schema / f"{table}.sql").read_text() for table in (*STAR_TABLES, *STAR_VIEWS)))
    run(redshift, *STAR.split(";"))
    yield redshift
    redshift.rollback()
    run(redshift, *drop, "DROP SCHEMA ops CASCADE")
