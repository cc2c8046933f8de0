"""GrantReadOperator: a group that may read the star schema."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from sparkify.operators.base import WarehouseOperator
from sparkify.warehouse.grants import grant_read


class GrantReadOperator(WarehouseOperator):
    """Let a group of database users read tables; make the group if there is none.

    Args:
        group: the group.
        tables: the tables, all in one schema.
        schema_name: that schema.

    Raises:
        AirflowFailException: the connection's user may not do this.
    """

    template_fields: Sequence[str] = ("group", *WarehouseOperator.template_fields)

    def __init__(
        self, *, group: str, tables: Sequence[str], schema_name: str = "public", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.group = group
        self.tables = tables
        self.schema_name = schema_name

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return f"letting group {self.group} read {', '.join(self.tables)}"

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Grant."""
        self.run_in_warehouse(lambda session: grant_read(session, self.group, self.schema_name, self.tables))
        self.log.info("Group %s reads %s.", self.group, ", ".join(self.tables))
