"""Tables to ask about, and how to ask."""

import textwrap
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import psycopg2
import redshift_connector

from sparkify.checks import read_suite, run_checks
from sparkify.warehouse.ledger import TaskRun
from sparkify.window import Window

DRIVERS = {"redshift_connector": redshift_connector, "psycopg2": psycopg2, "psycopg": psycopg}
FIRST_HOUR = Window(datetime(2018, 11, 1, 0, tzinfo=UTC), datetime(2018, 11, 1, 1, tzinfo=UTC))
NO_HOUR = Window(datetime(2018, 11, 9, 0, tzinfo=UTC), datetime(2018, 11, 9, 1, tzinfo=UTC))
RUN = TaskRun("quality_dag", "run_1", "check_quality")

TABLES = """
DROP SCHEMA IF EXISTS quality_test CASCADE;
CREATE SCHEMA quality_test;
CREATE TABLE quality_test.plays
    (id VARCHAR(16), user_id INTEGER, session_id INTEGER, level VARCHAR(16), at TIMESTAMP);
CREATE TABLE quality_test.people (user_id INTEGER, session_id INTEGER, since TIMESTAMP);
CREATE TABLE quality_test.nothing (id VARCHAR(16), level VARCHAR(16), at TIMESTAMP);
INSERT INTO quality_test.plays VALUES
    ('a', 1, 1, 'free', '2018-11-01 00:00:00'),
    ('b', 1, 2, 'paid', '2018-11-01 00:59:59.999'),
    ('b', 2, 1, '100% "o''ld"', '2018-11-01 01:00:00'),
    (NULL, NULL, 1, NULL, '2018-11-01 02:00:00'),
    (NULL, 3, NULL, 'paid', '2018-11-01 02:30:00');
INSERT INTO quality_test.people VALUES
    (1, 1, '2018-11-01 00:00:00'),
    (1, 2, '2018-11-01 00:30:00'),
    (2, 2, '2018-11-01 01:00:00'),
    (NULL, NULL, NULL)
"""


def connect(settings, driver):
    arguments = {
        "host": "127.0.0.1",
        "port": settings.redshift_port,
        "user": settings.loader,
        "password": settings.password,
    }
    if driver == "redshift_connector":
        return redshift_connector.connect(database=settings.database, ssl=False, **arguments)
    return DRIVERS[driver].connect(dbname=settings.database, **arguments)


def execute(connection, *statements):
    with closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.commit()


def suite_of(text):
    return read_suite(textwrap.dedent(text), "test")


def ask(session, check, window=None):
    [result] = run_checks(session, suite_of(f"checks: [{check}]").checks, window)
    assert not result.error
    return result


PLAYS = "table: quality_test.plays"
NOTHING = "table: quality_test.nothing"
PEOPLE = "references: {table: quality_test.people, columns"
