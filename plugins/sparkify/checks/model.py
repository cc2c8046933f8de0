"""What every check is: its common fields, the SQL it asks and how it judges the answer."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from sparkify.warehouse.sql import Value, quote_identifier, quote_table

EXAMPLES = 3
_SUBQUERY = re.compile(r"\bSELECT\b", re.IGNORECASE)
Row: TypeAlias = Sequence[Any]


def _constant(value: object) -> object:
    if not isinstance(value, bool | int | float | str):
        raise ValueError("must be text, a number, true or false (quote a date)")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a number")
    return value


def _table(name: str) -> str:
    quote_table(name)
    return name


def _column(name: str) -> str:
    quote_identifier(name)
    return name


TableName = Annotated[str, AfterValidator(_table)]
ColumnName = Annotated[str, AfterValidator(_column)]
Constant = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr, BeforeValidator(_constant)]
Number = Annotated[float, BeforeValidator(_number)]
Columns = Annotated[list[ColumnName], Field(min_length=1)]
Sql = Annotated[str, Field(min_length=1, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: the names of its columns and its rows."""

    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check saw, what it wanted to see, and whether the two agree.

    Args:
        passed: whether they agree.
        observed: what it saw.
        expected: what it wanted to see.
        value: what it saw as a number, which becomes part of the history that it compares with.
    """

    passed: bool
    observed: str
    expected: str
    value: float | None = None


class Model(BaseModel):
    """A part of a checks file: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(Model, ABC):
    """One question to the warehouse whose answer is either right or wrong.

    The SQL that a check gives uses `%(name)s` placeholders; `window_start` and `window_end` stand for the
    run's window as naive UTC, every other name is in `parameters`.
    """

    kind: str
    table: TableName = Field(description="table the check is about, `table` or `schema.table`")
    name: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="name in reports, by default made from the other fields",
    )
    severity: Literal["error", "warn"] = Field(
        "error", description="`error` (the default) fails the task, `warn` is logged"
    )
    description: str = Field("", description="what a failure means, shown with it")

    @property
    def title(self) -> str:
        """The name in reports: the given one, or one made from the check's parts."""
        return self.name or self.default_name

    @property
    @abstractmethod
    def default_name(self) -> str:
        """A name made from the check's parts."""

    @abstractmethod
    def question(self) -> str:
        """Return the one query that decides."""

    @abstractmethod
    def judge(self, answer: Answer) -> Verdict:
        """Decide from the answer to `question`.

        Raises:
            ValueError: the answer has a shape that cannot be judged.
        """

    def examples(self) -> str | None:
        """Return a query for at most three offenders, or None where the answer already shows all there is."""
        return None

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The values of the check's own placeholders."""
        return {}

    @property
    def uses_window(self) -> bool:
        """Whether the check needs to know the run's window."""
        return "%(window_start)s" in self.question() or "%(window_end)s" in self.question()


class TableCheck(Check):
    """A check of one table's rows, all of them or those that `where` leaves."""

    where: Sql | None = Field(None, description="SQL condition that limits the rows")

    def shared(self) -> "Shared | None":
        """Return how a scan of the rows that is made for other checks, too, answers this one, if it can."""
        return None


@dataclass(frozen=True, slots=True)
class Shared:
    """A scan that several checks may share.

    Args:
        source: what is scanned, as SQL for FROM … WHERE.
        asked: aggregates over it, whose values are the check's answer.
        where: the condition of the check's rows, where `source` is without it.
        merged: how the aggregates of parts of the rows make that of all: counts are added, as sums are. None
            where they do not.
    """

    source: str
    asked: Sequence[str]
    where: str | None = None
    merged: Literal["COUNT", "SUM", "MIN", "MAX"] | None = None


class WindowedCheck(TableCheck):
    """A check of rows that may be limited to the run's window."""

    window_column: ColumnName | None = Field(
        None, description="timestamp column that limits the rows to the run's window"
    )

    @property
    def source(self) -> str:
        """The table with its conditions, as SQL for FROM … WHERE."""
        return restrict(self.table, self.window_column, self.where)


class CountingCheck(WindowedCheck):
    """A check that is decided by how many rows there are, and how many of them meet conditions."""

    @property
    @abstractmethod
    def counted(self) -> Sequence[str]:
        """The conditions whose rows are counted; the answer has the number of all rows before these."""

    def question(self) -> str:
        """Count, in one pass."""
        return f"SELECT {', '.join(self._counts)} FROM {self.source}"

    def shared(self) -> Shared:
        """Count while others do."""
        if self.where and has_subquery(self.where):
            return Shared(self.source, self._counts, merged="COUNT")
        return Shared(restrict(self.table, self.window_column), self._counts, self.where, "COUNT")

    @property
    def _counts(self) -> list[str]:
        return ["COUNT(*)", *(f"COUNT(CASE WHEN {condition} THEN 1 END)" for condition in self.counted)]


def has_subquery(sql: str) -> bool:
    """Say whether a condition may hold a query of its own; Redshift takes few of them outside of WHERE."""
    return _SUBQUERY.search(sql) is not None


def restrict(table: str, window_column: str | None, where: str | None = None) -> str:
    """Return `table WHERE …` for the rows inside the window and the condition."""
    conditions = []
    if window_column:
        column = quote_identifier(window_column)
        conditions.append(f"{column} >= %(window_start)s AND {column} < %(window_end)s")
    if where:
        # On lines of its own: the condition may end in a comment.
        conditions.append(f"(\n{where}\n)")
    return quote_table(table) + (" WHERE " + " AND ".join(conditions) if conditions else "")
