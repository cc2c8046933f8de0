"""ForgetRowsOperator: old rows of staging tables and of the records in `ops` are removed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Context

from sparkify.failures import FatalError
from sparkify.operators.base import WarehouseOperator
from sparkify.operators.lineage import Data, Lineage
from sparkify.operators.task_failures import translate_failures
from sparkify.warehouse.columns import columns_of
from sparkify.warehouse.ledger import TaskRun, utc_now
from sparkify.warehouse.old_records import RECORDS, forget_records
from sparkify.warehouse.retention import FEWEST_DAYS, Forgetting, StagedTable, WaitingChangeError
from sparkify.warehouse.session import Session


class ForgetRowsOperator(WarehouseOperator):
    """Remove rows of staging tables and records in `ops` that are older than so many days.

    Beside loads: a file's time or a month of records in each transaction, oldest first. Tables that are made
    from a staging table keep their rows. A window that is loaded again is staged again, too.

    Args:
        staged: the staging tables: of each `table`, `time_column` and `key_pattern`, as they are staged.
        keep_days: for each of these tables, and for `ops.changes` (with `ops.changes_taken`), `ops.loads`,
            `ops.quality_results` (with `ops.quality_measures`), `ops.rejected_rows` (with `ops.settled_rows`)
            and `ops.staged_files`, how many days stay; those with none keep all. Records that something
            still asks for stay however old they are.
        settled_days: rows that were staged within so many days stay, however old they are: a run that loads
            an old window has that long to come to its end.

    Returns:
        The number of rows that went, by table.

    Raises:
        AirflowException: a table has yet to take in changes of rows that are to be removed; they stay until
            it has. All others are removed.
        AirflowFailException: a table or a number of days is none.
    """

    template_fields: Sequence[str] = ("keep_days", "settled_days", *WarehouseOperator.template_fields)

    def __init__(
        self,
        *,
        staged: Sequence[Mapping[str, Any]],
        keep_days: Mapping[str, int | str | None],
        settled_days: float | str = 7,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.staged = {
            one["table"].lower(): StagedTable(
                one["table"].lower(), one["time_column"], one.get("key_pattern")
            )
            for one in staged
        }
        if unknown := set(keep_days) - {*self.staged, *(f"ops.{name}" for name in RECORDS)}:
            raise ValueError(f"No tables with a retention: {', '.join(sorted(unknown))}")
        self.keep_days = dict(keep_days)
        self.settled_days = settled_days

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return "removing old rows"

    def execute(self, context: Context) -> dict[str, int]:
        """Remove what is too old."""
        with translate_failures(f"{self.task_id}: reading the numbers of days"):
            days = {table: _days(table, kept) for table, kept in self.keep_days.items() if str(kept or "")}
            settled = timedelta(days=float(self.settled_days))
        if not days:
            self.log.info("No table has a retention: every row stays.")
            return {}
        rows = self.run_in_warehouse(
            lambda session: self._forget(session, TaskRun.of(context), days, settled)
        )
        self.trace = lambda: Lineage((), [Data(name=table) for table, count in rows.items() if count])
        return rows

    def _forget(
        self, session: Session, run: TaskRun, days: Mapping[str, int], settled: timedelta
    ) -> dict[str, int]:
        rows, waiting = dict[str, int](), list[str]()
        for table in days:
            if not columns_of(session, table):
                self.log.info("%s is not there.", table)
                continue
            before = utc_now() - timedelta(days=days[table])
            if table not in self.staged:
                rows[table] = forget_records(session, table.removeprefix("ops."), before, self.log)
                continue
            try:
                forgetting = Forgetting(self.staged[table], before, utc_now() - settled, run)
                rows[table] = forgetting.forget(session, self.log)
            except WaitingChangeError as error:
                waiting.append(str(error))
        if waiting:
            raise WaitingChangeError("; ".join(waiting))
        return rows


def _days(table: str, kept: int | str | None) -> int:
    if not str(kept).isdecimal() or int(str(kept)) < FEWEST_DAYS:
        raise FatalError(
            f"{kept!r} is no number of days to keep {table}: give a whole number from {FEWEST_DAYS} on, or "
            "none to keep every row."
        )
    return int(str(kept))
