"""CreateTablesOperator: the schema's DDL, safe to run before every load."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator
from sparkify.operators.trace_tables import trace_tables
from sparkify.warehouse.schema import make_missing, with_ops

_HARMLESS = re.compile(r"\bIF\s+NOT\s+EXISTS\b|\bCREATE\s+VIEW\b", re.IGNORECASE)


class CreateTablesOperator(WarehouseOperator):
    """Make the pipeline's own tables (schema `ops`) and the tables and views of a dataset, unless they exist.

    Where all of them are there, one query is all that runs; what is missing is made in one transaction.

    Args:
        sql: DDL, or `.sql` files below the DAG's template_searchpath, with any number of statements, in the
            order in which the objects can be made. Each says IF NOT EXISTS, but for CREATE VIEW.

    Raises:
        AirflowFailException: a statement is wrong or not allowed, or a table lacks columns of its DDL; none
            of them took effect.
    """

    template_fields: Sequence[str] = ("sql", *WarehouseOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **WarehouseOperator.template_fields_renderers,
        "sql": "sql",
    }
    template_ext: Sequence[str] = (".sql",)

    def __init__(self, *, sql: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sql = list(sql)

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return "making tables"

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Make what is missing."""
        statements = with_ops(self.sql)
        if unsafe := [sql for sql in statements if not _HARMLESS.search(sql)]:
            raise AirflowFailException(f"A second run would fail: write IF NOT EXISTS in {unsafe[0]!r}")
        made = self.run_in_warehouse(lambda session: make_missing(session, statements))
        self.trace = lambda: trace_tables(statements, made)
        self.log.info("%d tables, views and schemas are there; made now: %s", len(statements), made or "none")
