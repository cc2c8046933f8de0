"""The check of the newest row's age: freshness."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from sparkify.checks.model import Answer, ColumnName, Number, TableCheck, Verdict, restrict
from sparkify.checks.query_kinds import shown
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.sql import Value, quote_identifier


class Freshness(TableCheck):
    """The newest row is at most so many hours older than the window's end, or than now.

    Later rows are not looked at. So a window that is loaded again long afterwards is judged as it was then.
    """

    kind: Literal["freshness"]
    column: ColumnName = Field(description="timestamp column, in UTC")
    max_age_hours: Number = Field(gt=0, le=87_600, description="hours that the newest row may be older")
    relative_to: Literal["window_end", "now"] = Field(
        "window_end",
        description="older than what: `window_end` (the default) or `now`, which old windows fail",
    )

    @property
    def default_name(self) -> str:
        """`freshness table(column)`."""
        return f"freshness {self.table}({self.column})"

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The moment, unless the run's window gives it."""
        return {"now": utc_now()} if self.relative_to == "now" else {}

    def question(self) -> str:
        """Look for the newest row in these hours only, and not through all history."""
        seconds = round(self.max_age_hours * 3600)
        since = f"{quote_identifier(self.column)} >= DATEADD(second, -{seconds}, {self._moment})"
        return f"{self._newest} AND {since}"

    def judge(self, answer: Answer) -> Verdict:
        """Pass when there is one."""
        (newest,) = answer.rows[0]
        observed = "no row in these hours" if newest is None else f"newest {shown(newest)}"
        return Verdict(
            newest is not None, observed, f"at most {self.max_age_hours:g} h before {self.relative_to}"
        )

    def examples(self) -> str:
        """Return the newest row of all before that moment."""
        return self._newest

    @property
    def _newest(self) -> str:
        column = quote_identifier(self.column)
        rows = f"(SELECT {column} FROM {restrict(self.table, None, self.where)}) AS checked"
        return f"SELECT MAX({column}) AS newest FROM {rows} WHERE {column} < {self._moment}"

    @property
    def _moment(self) -> str:
        return f"CAST(%({self.relative_to})s AS TIMESTAMP)"
