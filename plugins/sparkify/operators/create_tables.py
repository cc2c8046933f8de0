"""CreateTablesOperator: the schema's DDL, safe to run before every load."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator
from sparkify.warehouse.session import Session

_HARMLESS = re.compile(r"\bIF\s+NOT\s+EXISTS\b|\bOR\s+REPLACE\b", re.IGNORECASE)


class CreateTablesOperator(WarehouseOperator):
    """Run DDL statements that do nothing when their object exists, in one transaction.

    Args:
        sql: the statements, or `.sql` files below the DAG's template_searchpath, one statement each, in the
            order in which the objects can be made. Each says IF NOT EXISTS.

    Raises:
        AirflowFailException: a statement is wrong or not allowed; none of them took effect.
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
        if unsafe := [sql for sql in self.sql if not _HARMLESS.search(sql)]:
            raise AirflowFailException(
                f"A second run would fail: write IF NOT EXISTS in {unsafe[0].strip()!r}"
            )
        self.run_in_warehouse(self._create)
        self.log.info("%d tables and schemas are there.", len(self.sql))

    def _create(self, session: Session) -> None:
        for statement in self.sql:
            session.execute(statement)
        session.commit()
