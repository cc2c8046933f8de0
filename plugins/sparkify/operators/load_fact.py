"""LoadFactOperator: one SELECT over staging tables into a fact table."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from airflow.sdk import Context

from sparkify.operators.base import LoadOperator
from sparkify.star.audits import Audits
from sparkify.star.loading import LateArrivals, LoadJob, load
from sparkify.warehouse.ledger import TaskRun


class LoadFactOperator(LoadOperator):
    """Load a fact table from a SELECT so that running it again changes nothing.

    Args:
        table: the fact table.
        sql: the SELECT, or a `.sql` file below the DAG's template_searchpath. It names the target's columns
            and may use `%(window_start)s` and `%(window_end)s`.
        mode: `window`: replace the window's rows; `append`: add rows whose key is new; `replace`: the table
            becomes what the SELECT gives.
        time_column: mode `window`: the target's column that places a row in a window.
        key_columns: mode `append`: the columns that identify a row.
        audits: what must hold for the incoming rows, or the load is rolled back; by default that
            `key_columns` are there and unique.
        late_arrivals_from: a SELECT, or a `.sql` file, of `load_id`s of a staging table that facts may have
            missed.
        late_arrivals_sql: an UPDATE, or a `.sql` file, that completes earlier facts from the loads in the
            temp table `late_loads`; it runs only when `late_arrivals_from` gives loads it has not seen.
        late_windows_of: a staging table: windows of it that were staged again because their files changed
            are loaded again, too, once each.
        late_windows_after: tables that must have taken in such a window first.

    Returns:
        Rows and seconds of the load.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: an audit failed or the SQL is wrong; the table is as it was.
    """

    template_fields: Sequence[str] = (
        "sql",
        "late_arrivals_from",
        "late_arrivals_sql",
        *LoadOperator.template_fields,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **LoadOperator.template_fields_renderers,
        "sql": "sql",
        "late_arrivals_from": "sql",
        "late_arrivals_sql": "sql",
    }
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        sql: str,
        mode: Literal["window", "append", "replace"] = "window",
        time_column: str | None = None,
        key_columns: Sequence[str] = (),
        audits: Audits | None = None,
        late_arrivals_sql: str | None = None,
        late_arrivals_from: str | None = None,
        late_windows_of: str | None = None,
        late_windows_after: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if mode == "window" and not time_column:
            raise ValueError("Mode window needs time_column")
        if mode == "append" and not key_columns:
            raise ValueError("Mode append needs key_columns, or a retry would add its rows again")
        if (late_arrivals_sql is None) != (late_arrivals_from is None):
            raise ValueError("Give late_arrivals_sql and late_arrivals_from together")
        if late_windows_of and mode != "window":
            raise ValueError("late_windows_of goes with mode window")
        self.sql = sql
        self.mode = mode
        self.time_column = time_column
        self.key_columns = key_columns
        self.audits = audits or Audits(not_null=key_columns, unique=key_columns)
        self.late_arrivals_sql = late_arrivals_sql
        self.late_arrivals_from = late_arrivals_from
        self.late_windows_of = late_windows_of
        self.late_windows_after = late_windows_after

    def execute(self, context: Context) -> dict[str, Any]:
        """Load the facts of this run."""
        late = None
        if self.late_arrivals_sql and self.late_arrivals_from:
            late = LateArrivals(self.late_arrivals_from, self.late_arrivals_sql)
        job = LoadJob(
            table=self.table,
            mode=self.mode,
            select=self.sql,
            run=TaskRun.of(context),
            window=self.window(context) if self.mode == "window" or "%(window_" in self.sql else None,
            late_windows_of=self.late_windows_of,
            late_windows_after=self.late_windows_after,
            time_column=self.time_column,
            key_columns=self.key_columns,
            audits=self.audits,
            late_arrivals=late,
        )
        return self.report(self.run_in_warehouse(lambda session: load(session, job, self.log)))
