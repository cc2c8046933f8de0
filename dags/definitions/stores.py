"""Stores: a chain of electronics stores and what each of them sells in a month."""

from definitions.dataset import Dataset

STORES = Dataset(
    name="stores",
    folders=("store_data", "sales_data"),
    schema=("stores/schema.sql",),
    tables=("staging_stores", "staging_sales", "stores", "store_sales"),
    published=("stores", "store_sales"),
    files_of_windows={
        "table": "staging_sales",
        "key_pattern": "sales_data/%Y/%Y-%m-sales.json",
        "time_column": "month",
        "key_columns": ["city", "brand", "location"],
    },
    window_loads={"store_sales": "stores/sales.sql"},
    window_column="month",
    interval="month",
)
