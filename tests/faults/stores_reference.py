"""What the tables of the stores dataset must hold, worked out from the raw files in plain Python."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.faults.reference import Row, Window, documents

STORE_FILES, SALES_FILES = "store_data/", "sales_data/"
IDENTITY = ("city", "brand", "location")
STORE_KEYS = (
    *("city", "brand", "ads", "region", "location", "nb_cash_register", "population", "blue_collar_rate"),
    *("white_collar_rate", "jobless_rate", "lt_25_yo", "25_35_yo", "gt_35_yo"),
)
# In the order of the table, in which what identifies a store stands first.
STORE_COLUMNS = (*IDENTITY, "region", "ads", *STORE_KEYS[5:])

Document = Mapping[str, Any]


def store_id(document: Document) -> str:
    identity = "|".join(document[name] for name in IDENTITY)
    return hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()


def month_of(sale: Document) -> datetime:
    return datetime.fromisoformat(sale["month"])


def is_accepted(key: str, sale: Document) -> bool:
    """Whether a sale has all that places it, and stands in the file of its month."""
    placed = all(sale[name] is not None for name in (*IDENTITY, "month"))
    return placed and key.endswith(f"/{month_of(sale):%Y-%m}-sales.json")


def accepted_sales(key: str, body: bytes) -> list[Document]:
    """The sales of a file; of one with a row that is not accepted nothing is staged."""
    sales = documents(body)
    return sales if all(is_accepted(key, sale) for sale in sales) else []


def facts_of_sales(body: bytes) -> Iterator[tuple[datetime, str]]:
    """The rows of store_sales that a file makes: month, and all else in one text."""
    for sale in documents(body):
        if all(sale[name] is not None for name in (*IDENTITY, "month")):
            yield month_of(sale), f"{store_id(sale)} {float(sale['actual']):.0f}"


class StoresReference:
    """The tables that any sequence of runs must end in.

    Args:
        objects: key → content of the source as it is now.
        windows: every window that was staged, in any order; they may overlap.
    """

    def __init__(self, objects: Mapping[str, bytes], windows: Iterable[Window]) -> None:
        staged = list(windows)
        self.sales = [
            sale
            for key, body in objects.items()
            if key.startswith(SALES_FILES)
            for sale in accepted_sales(key, body)
            if any(start <= month_of(sale) < end for start, end in staged)
        ]
        self.stores = [
            {name.lower(): value for name, value in document.items()}
            for key, body in objects.items()
            if key.startswith(STORE_FILES) and staged
            for document in documents(body)
        ]

    def tables(self) -> dict[str, list[Row]]:
        """Every table's rows, sorted by their representation; staging tables without load_id."""
        rows = {
            "staging_stores": [tuple(store[name] for name in STORE_KEYS) for store in self.stores],
            "staging_sales": [
                (
                    *(sale[name] for name in IDENTITY),
                    month_of(sale),
                    float(sale["budget"]),
                    float(sale["actual"]),
                )
                for sale in self.sales
            ],
            "stores": [(store_id(store), *(store[name] for name in STORE_COLUMNS)) for store in self.stores],
            "store_sales": list(
                {
                    (store_id(sale), month_of(sale), float(sale["budget"]), float(sale["actual"]))
                    for sale in self.sales
                }
            ),
        }
        return {table: sorted(found, key=repr) for table, found in rows.items()}
