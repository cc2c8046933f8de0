"""The checks of one table's rows: not_null, unique, foreign_key, row_count.

The planner of Redshift believes declared keys, so these queries never lean on one: SELECT DISTINCT or
COUNT(DISTINCT) over a declared primary key may be answered without looking (Amazon Redshift Database
Developer Guide, "Defining table constraints").
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, StrictInt, model_validator

from sparkify.checks.model import (
    EXAMPLES,
    Answer,
    ColumnName,
    Columns,
    CountingCheck,
    Model,
    TableName,
    Verdict,
    WindowedCheck,
    restrict,
)
from sparkify.warehouse.sql import quote_columns, quote_identifier


class NotNull(CountingCheck):
    """No row has a NULL in any of the columns."""

    kind: Literal["not_null"]
    columns: Columns = Field(description="columns that must have a value")

    @property
    def default_name(self) -> str:
        """`not_null table(columns)`."""
        return f"not_null {self.table}({', '.join(self.columns)})"

    @property
    def counted(self) -> Sequence[str]:
        """The NULLs of each column."""
        return [f"{quote_identifier(column)} IS NULL" for column in self.columns]

    def judge(self, answer: Answer) -> Verdict:
        """Pass when no column has a NULL."""
        total, *nulls = answer.rows[0]
        found = [f"{n} in {column}" for column, n in zip(self.columns, nulls, strict=True) if n]
        observed = f"NULLs: {', '.join(found)}" if found else "no NULL"
        return Verdict(not found, f"{observed} ({total} rows)", "no NULL")

    def examples(self) -> str:
        """Return whole rows, because a NULL alone says nothing."""
        condition = " OR ".join(self.counted)
        rows = f"(SELECT * FROM {self.source}) AS checked"
        return f"SELECT * FROM {rows} WHERE {condition} ORDER BY 1 LIMIT {EXAMPLES}"


class Unique(WindowedCheck):
    """No two rows have the same values in the columns; rows with a NULL among them are left out."""

    kind: Literal["unique"]
    columns: Columns = Field(description="columns that together are a key")

    @property
    def default_name(self) -> str:
        """`unique table(columns)`."""
        return f"unique {self.table}({', '.join(self.columns)})"

    def question(self) -> str:
        """Count the rows, and those that repeat the key of another."""
        repeated = "COUNT(CASE WHEN occurrence > 1 THEN 1 END) AS repeated"
        return f"SELECT COUNT(*) AS present, {repeated} FROM {self._numbered()}"

    def judge(self, answer: Answer) -> Verdict:
        """Pass when no row repeats another's key."""
        total, surplus = answer.rows[0]
        return Verdict(surplus == 0, f"{surplus} repeated of {total} rows", "no repeated key")

    def examples(self) -> str:
        """Return repeated keys, each once."""
        names = quote_columns(self.columns)
        return (
            f"SELECT {names} FROM {self._numbered()} WHERE occurrence = 2 ORDER BY {names} LIMIT {EXAMPLES}"
        )

    def _numbered(self) -> str:
        names = quote_columns(self.columns)
        present = " AND ".join(f"{quote_identifier(column)} IS NOT NULL" for column in self.columns)
        rows = f"(SELECT {names} FROM {self.source}) AS checked"
        number = f"ROW_NUMBER() OVER (PARTITION BY {names} ORDER BY {names}) AS occurrence"
        return f"(SELECT {names}, {number} FROM {rows} WHERE {present}) AS numbered"


class Reference(Model):
    """The table and columns that a foreign key points to."""

    table: TableName = Field(description="table the key points to")
    columns: Columns = Field(description="its columns, in the order of the key's")
    window_column: ColumnName | None = Field(
        None, description="timestamp column that limits the rows looked at to the run's window"
    )


class ForeignKey(WindowedCheck):
    """Every key exists in the table it points to; keys with a NULL are left out."""

    kind: Literal["foreign_key"]
    columns: Columns = Field(description="columns that together are the key")
    references: Reference = Field(description="`table`, `columns` and, optionally, `window_column`")

    @model_validator(mode="after")
    def _same_length(self) -> "ForeignKey":
        here, there = len(self.columns), len(self.references.columns)
        if here != there:
            raise ValueError(f"columns has {here} and references.columns {there}: give as many of each")
        return self

    @property
    def default_name(self) -> str:
        """`foreign_key table(columns) -> table(columns)`."""
        return f"foreign_key {self.table}({', '.join(self.columns)}) -> {self._target}"

    @property
    def _target(self) -> str:
        return f"{self.references.table}({', '.join(self.references.columns)})"

    def question(self) -> str:
        """Count the rows whose key is not found."""
        return f"SELECT COALESCE(SUM(row_count), 0) AS orphans FROM {self._orphans()}"

    def judge(self, answer: Answer) -> Verdict:
        """Pass when every key is found."""
        (orphans,) = answer.rows[0]
        return Verdict(orphans == 0, f"{orphans} without a match", f"every key in {self._target}")

    def examples(self) -> str:
        """Return the missing keys with the most rows."""
        names = quote_columns(self.columns)
        return f"SELECT * FROM {self._orphans()} ORDER BY row_count DESC, {names} LIMIT {EXAMPLES}"

    def _orphans(self) -> str:
        # Grouped, not joined: a planner that believes the declared key may leave the join out, and one
        # that has no statistics of freshly loaded tables may compare every row with every other.
        names = quote_columns(self.columns)
        parents = restrict(self.references.table, self.references.window_column)
        present = " AND ".join(f"{quote_identifier(column)} IS NOT NULL" for column in self.columns)
        keys = (
            f"SELECT {names}, 1 AS child, 0 AS parent FROM (SELECT {names} FROM {self.source}) AS children"
            f" WHERE {present}"
            f" UNION ALL SELECT {quote_columns(self.references.columns)}, 0, 1 FROM {parents}"
        )
        return (
            f"(SELECT {names}, SUM(child) AS row_count FROM ({keys}) AS all_keys"
            f" GROUP BY {names} HAVING SUM(parent) = 0) AS orphans"
        )


class RowCount(CountingCheck):
    """The number of rows lies between min and max, both included; one of the two may be left out."""

    kind: Literal["row_count"]
    min: StrictInt | None = Field(None, ge=0, description="fewest rows")
    max: StrictInt | None = Field(None, ge=0, description="most rows")

    @model_validator(mode="after")
    def _bounded(self) -> "RowCount":
        if self.min is None and self.max is None:
            raise ValueError("neither min nor max is given: give at least one")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is greater than max {self.max}")
        return self

    @property
    def default_name(self) -> str:
        """`row_count table`."""
        return f"row_count {self.table}"

    @property
    def counted(self) -> Sequence[str]:
        """Nothing but the rows."""
        return ()

    def judge(self, answer: Answer) -> Verdict:
        """Pass when the count is within the bounds."""
        (count,) = answer.rows[0]
        passed = (self.min is None or count >= self.min) and (self.max is None or count <= self.max)
        return Verdict(passed, f"{count} rows", self._expected)

    @property
    def _expected(self) -> str:
        if self.max is None:
            return f"at least {self.min}"
        if self.min is None:
            return f"at most {self.max}"
        return f"exactly {self.min}" if self.min == self.max else f"{self.min} to {self.max}"
