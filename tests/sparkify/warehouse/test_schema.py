"""DDL: what is missing is made, what lacks columns is named, and where all is there nothing is run."""

import pytest

from sparkify.failures import FatalError
from sparkify.warehouse.schema import made_relation, make_missing, with_ops

SHOPS = """
-- Shops (all of them), one a row.
CREATE TABLE IF NOT EXISTS shops (
    id INTEGER NOT NULL,
    "Name" VARCHAR(32) DEFAULT 'a, (b)', -- the sign, above the door
    area DECIMAL(8, 2),
    PRIMARY KEY (id)
)
SORTKEY (id)
"""
OPEN = "CREATE VIEW open_shops AS SELECT id FROM shops"


@pytest.fixture
def statements(orders):
    orders.execute("DROP TABLE IF EXISTS shops CASCADE")
    yield [*with_ops(()), SHOPS, OPEN]
    orders.execute("DROP TABLE IF EXISTS shops CASCADE")


def test_what_is_missing_is_made_and_then_one_query_is_all_that_runs(statements, session):
    assert make_missing(session, statements) == ["shops", "open_shops"]
    session.statements.clear()
    assert make_missing(session, statements) == []
    assert len(session.statements) == 1


def test_a_schema_without_its_tables_is_filled(statements, session, orders):
    orders.execute("DROP TABLE ops.changes")
    assert make_missing(session, statements) == ["ops.changes", "shops", "open_shops"]
    assert orders.query("SELECT COUNT(*) FROM ops.changes") == [(0,)]


def test_a_table_of_the_same_name_in_another_schema_is_another_table(statements, session, orders):
    orders.execute("CREATE TABLE ops.shops (id INTEGER)")
    assert "shops" in make_missing(session, statements)


def test_columns_that_a_table_lacks_are_named_and_nothing_is_made(statements, session, orders):
    orders.execute("CREATE TABLE shops (id INTEGER)")
    with pytest.raises(FatalError, match=r'shops ADD COLUMN "Name" VARCHAR.*shops ADD COLUMN area DECIMAL'):
        make_missing(session, statements)
    assert orders.query("SELECT COUNT(*) FROM pg_views WHERE viewname = 'open_shops'") == [(0,)]


def test_the_columns_of_a_statement_are_those_that_it_defines():
    made = made_relation(SHOPS)
    assert made.name == "shops"
    assert made.columns == {
        "id": "id INTEGER NOT NULL",
        "name": "\"Name\" VARCHAR(32) DEFAULT 'a, (b)'",
        "area": "area DECIMAL(8, 2)",
    }
    assert made_relation("CREATE TABLE IF NOT EXISTS a AS SELECT (1) AS one").columns == {}
    assert made_relation("CREATE TABLE IF NOT EXISTS a (LIKE b)").columns == {}
