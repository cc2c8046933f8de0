"""GrantReadOperator: a group that may read the star schema."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from sparkify.operators.base import WarehouseOperator
from sparkify.warehouse.grants import grant_read, make_group
from sparkify.warehouse.session import Session


class GrantReadOperator(WarehouseOperator):
    """Let a group of database users read tables; make the group if there is none, which takes a superuser.

    Args:
        group: the group.
        tables: the tables, `name` or `schema.name`, of the connection's user.

    Raises:
        AirflowFailException: the connection's user may not do this.
    """

    template_fields: Sequence[str] = ("group", *WarehouseOperator.template_fields)

    def __init__(self, *, group: str, tables: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group = group
        self.tables = tables

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return f"letting group {self.group} read {', '.join(self.tables)}"

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Grant."""
        self.run_in_warehouse(self._grant)
        self.log.info("Group %s reads %s.", self.group, ", ".join(self.tables))

    def _grant(self, session: Session) -> None:
        make_group(session, self.group)
        grant_read(session, self.group, self.tables)
        session.commit()
