"""The endpoint answers each statement of the suite as Redshift does."""

from contextlib import closing

import pytest

from tests.sandbox.conformance.cases import Asking, all_cases, difference
from tests.sandbox.redshift.endpoint_clients import connect_psycopg

CASES = all_cases()


@pytest.fixture(scope="module")
def asking(sandbox):
    with closing(connect_psycopg(sandbox, client_encoding="UTF8")) as connection:
        connection.autocommit = False
        yield Asking(connection)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_endpoint_answers_as_redshift(asking, case):
    assert difference(case, asking.answer(case)) is None, case.source


def test_every_statement_has_a_source():
    assert [case.name for case in CASES if not case.source] == []


def test_no_statement_stands_twice():
    seen = [(case.setup, case.sql) for case in CASES]
    assert [sql for number, (setup, sql) in enumerate(seen) if (setup, sql) in seen[:number]] == []
