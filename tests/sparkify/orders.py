"""A dataset that is not Sparkify's: orders in files, their staging table, a fact and a dimension of them."""

import gzip
import json

from sparkify.operators import LoadDimensionOperator, LoadFactOperator, StageToRedshiftOperator
from tests.contexts import task_context

NINE, TEN, ELEVEN = (f"2020-05-01T{hour:02}:00:00+00:00" for hour in (9, 10, 11))
IN_WINDOW = "WHERE at >= %(window_start)s AND at < %(window_end)s"
DDL = {
    "staging_orders": "(id INTEGER, at TIMESTAMP, customer VARCHAR(20), cents INTEGER, load_id VARCHAR(64))",
    "orders": "(id INTEGER NOT NULL, at TIMESTAMP, customer VARCHAR(20), cents INTEGER)",
    "customers": "(customer VARCHAR(20) NOT NULL, cents INTEGER, last_at TIMESTAMP)",
}


def order(number, at=NINE, customer="ada", cents=100):
    return {"id": number, "at": at[:19].replace("T", " "), "customer": customer, "cents": cents}


def put_orders(source, key, *found, compress=False):
    body = "".join(json.dumps(one) + "\n" for one in found).encode()
    source.put(key, gzip.compress(body) if compress else body)


def stage_orders(source, conn_id, start=NINE, end=TEN, **arguments):
    operator = StageToRedshiftOperator(
        task_id="stage",
        table="staging_orders",
        conn_id=conn_id,
        bucket=source.bucket,
        work_bucket="sparkify-work",
        **{"mode": "window", "prefix": "orders/", "time_column": "at", **arguments},
    )
    return operator.execute(task_context(start, end)), operator


def ids(warehouse, table="staging_orders"):
    return [row[0] for row in warehouse.query(f"SELECT id FROM {table} ORDER BY id")]


def orders_operator(conn_id, **arguments):
    return LoadFactOperator(
        task_id="load",
        table="orders",
        conn_id=conn_id,
        **{
            "sql": f"SELECT id, at, customer, cents FROM staging_orders {IN_WINDOW};",
            "time_column": "at",
            **arguments,
        },
    )


def load_orders(conn_id, start=NINE, end=TEN, **arguments):
    return orders_operator(conn_id, **arguments).execute(task_context(start, end))


def load_customers(conn_id, start=NINE, end=TEN, **arguments):
    newest = "ROW_NUMBER() OVER (PARTITION BY customer ORDER BY at DESC, id DESC)"
    operator = LoadDimensionOperator(
        task_id="load",
        table="customers",
        conn_id=conn_id,
        **{
            "sql": f"SELECT customer, cents, at AS last_at FROM (SELECT *, {newest} AS n FROM staging_orders "
            f"{IN_WINDOW}) AS o WHERE n = 1",
            "mode": "upsert",
            "key_columns": ["customer"],
            "newer_by": "last_at",
            **arguments,
        },
    )
    return operator.execute(task_context(start, end))


def put_rows(warehouse, *rows):
    for number, at, customer, cents in rows:
        warehouse.execute(
            f"INSERT INTO staging_orders VALUES ({number}, '{at[:19]}', '{customer}', {cents}, 'x')"
        )
