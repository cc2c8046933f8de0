"""KeepUpTablesOperator: VACUUM and ANALYZE where SVV_TABLE_INFO says so."""

import time
from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator
from sparkify.operators.lineage import Data, Lineage
from sparkify.operators.staging_job import is_true
from sparkify.warehouse.old_records import own_tables
from sparkify.warehouse.session import Session
from sparkify.warehouse.upkeep import Thresholds, Upkeep


class KeepUpTablesOperator(WarehouseOperator):
    """VACUUM and ANALYZE those tables of which SVV_TABLE_INFO says that they need it, one after the other.

    The user has to own the tables and to be granted SELECT on SVV_TABLE_INFO, or be a superuser.

    Args:
        tables: their names; those in `ops` are looked after as well. Those without rows need nothing, and
            those that are not there have none.
        unsorted_percent: VACUUM FULL a table of which more is unsorted.
        deleted_percent: VACUUM DELETE ONLY a table of which more is deleted rows.
        stats_off_percent: ANALYZE a table whose statistics are older, by the column `stats_off`.
        max_minutes: after that what runs is ended and what is left stays for the next run; small tables
            come first.
        boost: sort with BOOST, under which loads of the table wait.

    Returns:
        The statements that ran.

    Raises:
        AirflowFailException: something that was needed is not done; the message says what. Another run does
            what is left.
    """

    template_fields: Sequence[str] = (
        "unsorted_percent",
        "deleted_percent",
        "stats_off_percent",
        "max_minutes",
        "boost",
        *WarehouseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        tables: Sequence[str],
        unsorted_percent: int | str = 10,
        deleted_percent: int | str = 20,
        stats_off_percent: int | str = 10,
        max_minutes: float | str = 60,
        boost: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tables = tables
        self.unsorted_percent = unsorted_percent
        self.deleted_percent = deleted_percent
        self.stats_off_percent = stats_off_percent
        self.max_minutes = max_minutes
        self.boost = boost

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return "vacuuming and analyzing tables"

    def execute(self, context: Context) -> list[str]:  # noqa: ARG002 - Airflow's signature
        """Work on the tables."""
        thresholds = Thresholds(
            unsorted=int(self.unsorted_percent),
            deleted=int(self.deleted_percent),
            stats_off=int(self.stats_off_percent),
            boost=is_true(self.boost),
        )
        upkeep = Upkeep(thresholds, time.monotonic() + 60 * float(self.max_minutes), self.log)

        tables = [*self.tables, *own_tables()]

        def work(session: Session) -> None:
            upkeep.keep_up(session, tables)

        # Neither VACUUM nor ANALYZE changes what a table says.
        self.trace = lambda: Lineage([Data(name=table) for table in upkeep.tables_done])
        self.run_in_warehouse(work)
        if upkeep.problems:
            raise AirflowFailException(
                f"{len(upkeep.done)} statements are done, {len(upkeep.problems)} are not:\n"
                + "\n".join(f"  {problem}" for problem in upkeep.problems)
                + "\nAnother run does what is left; where time was short, give it more (max_minutes)."
            )
        self.log.info("Done: %d statements for %d tables.", len(upkeep.done), len(tables))
        return upkeep.done
