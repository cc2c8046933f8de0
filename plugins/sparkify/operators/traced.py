"""What operators have in common towards the OpenLineage provider, which asks them where it is installed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.operators.sql import BaseSQLOperator

from sparkify.operators.lineage import Lineage

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class Traced:
    """A task that can say what it read and wrote.

    Attributes:
        trace: returns it once the task has ended; `execute` sets it, and only the provider calls it.
    """

    trace: Callable[[], Lineage] = Lineage

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any]":
        """Return nothing yet: files and rows are known at the end."""
        return self._describe(Lineage())

    def get_openlineage_facets_on_complete(self, _task_instance: object) -> "OperatorLineage[Any, Any]":
        """Return what the task read and wrote, as far as it came."""
        return self._describe(self.trace())

    def _describe(self, lineage: Lineage) -> "OperatorLineage[Any, Any]":
        from sparkify.operators.openlineage import describe  # noqa: PLC0415 - optional provider

        hook = None
        if isinstance(self, BaseSQLOperator) and (lineage.inputs or lineage.outputs):
            hook = self.get_db_hook()
        return describe(lineage, hook)
