"""The tables of the dataset `orders`, and a session as loads have it."""

import pytest

from sparkify.warehouse.schema import with_ops
from tests.pipeline import source, warehouse
from tests.sparkify.orders import DDL

__all__ = ["source", "warehouse"]


@pytest.fixture(params=["redshift_default", "postgres_sandbox"])
def conn_id(request):
    return request.param


@pytest.fixture
def orders(warehouse):
    dropped = [f"DROP TABLE IF EXISTS {table}" for table in DDL]
    made = [f"CREATE TABLE {table} {columns}" for table, columns in DDL.items()]
    warehouse.execute(*dropped, *with_ops(()), *made)
    yield warehouse
    warehouse.execute(*dropped)
