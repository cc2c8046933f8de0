"""The checks of one column's values: accepted_values, range, matches. NULL is left out of each."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from sparkify.checks.model import EXAMPLES, Answer, ColumnName, Constant, CountingCheck, Number, Verdict
from sparkify.checks.pattern import check_pattern
from sparkify.warehouse.sql import Value, quote_identifier, quote_literal


def _bound(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value != value:  # noqa: PLR0124 - NaN
        raise ValueError("must be a number or text (quote a date)")
    return value


Bound = Annotated[StrictInt | StrictFloat | StrictStr, BeforeValidator(_bound)]
Pattern = Annotated[StrictStr, AfterValidator(check_pattern)]


class ValueCheck(CountingCheck):
    """A check that no value of a column breaks, or so few that it does not matter."""

    column: ColumnName = Field(description="column to look at")
    allowed_share: Number = Field(
        0, ge=0, lt=1, description="share of the rows, such as 0.01, that may have another value"
    )

    @property
    def default_name(self) -> str:
        """`kind table(column)`."""
        return f"{self.kind} {self.table}({self.column})"

    @property
    def counted(self) -> Sequence[str]:
        """The rows with another value."""
        return [self.other]

    @property
    @abstractmethod
    def other(self) -> str:
        """The condition, as SQL, that values meet which should not be there; NULL must not meet it."""

    @property
    @abstractmethod
    def wanted(self) -> str:
        """What values should be, for people."""

    def judge(self, answer: Answer) -> Verdict:
        """Pass when no row has another value, or no larger share of them than may."""
        total, others = answer.rows[0]
        # As a decimal: a hundredth of 700 is 7.
        passed = others <= Decimal(str(self.allowed_share)) * total
        expected = f"{self.wanted}, but for {self.allowed_share:.4%}" if self.allowed_share else self.wanted
        return Verdict(passed, f"{others} others of {total} rows", expected)

    def examples(self) -> str:
        """Return the most frequent other values."""
        column = quote_identifier(self.column)
        rows = f"(SELECT {column} FROM {self.source}) AS checked"
        return (
            f"SELECT {column}, COUNT(*) AS row_count FROM {rows} WHERE {self.other}"
            f" GROUP BY {column} ORDER BY row_count DESC, {column} LIMIT {EXAMPLES}"
        )


class AcceptedValues(ValueCheck):
    """Every value of the column is one of the list; NULL is left out."""

    kind: Literal["accepted_values"]
    values: list[Constant] = Field(min_length=1, description="the values it may have")

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The accepted values, to be bound."""
        return {f"value_{number}": value for number, value in enumerate(self.values)}

    @property
    def other(self) -> str:
        """Not in the list, which holds no NULL, so that this is unknown where the column is NULL."""
        accepted = ", ".join(f"%({name})s" for name in self.parameters)
        return f"{quote_identifier(self.column)} NOT IN ({accepted})"

    @property
    def wanted(self) -> str:
        """The list."""
        return f"one of {', '.join(str(value) for value in self.values)}"


class Range(ValueCheck):
    """Every value of the column lies between min and max, both included; NULL is left out."""

    kind: Literal["range"]
    min: Bound | None = Field(None, description="least value, a number or text (quote a date)")
    max: Bound | None = Field(None, description="greatest value; one of the two may be left out")

    @model_validator(mode="after")
    def _bounded(self) -> "Range":
        if not self.parameters:
            raise ValueError("neither min nor max is given: give at least one")
        if len({isinstance(value, str) for value in self.parameters.values()}) > 1:
            raise ValueError("one of min and max is text, the other a number")
        # Text is compared as the column's type has it, which is not known here.
        if isinstance(self.min, int | float) and isinstance(self.max, int | float) and self.min > self.max:
            raise ValueError(f"min {self.min} is greater than max {self.max}")
        return self

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The bounds, to be bound."""
        bounds = {"min": self.min, "max": self.max}
        return {name: value for name, value in bounds.items() if value is not None}

    @property
    def other(self) -> str:
        """Less or more."""
        signs = {"min": "<", "max": ">"}
        column = quote_identifier(self.column)
        return " OR ".join(f"{column} {signs[name]} %({name})s" for name in self.parameters)

    @property
    def wanted(self) -> str:
        """The bounds."""
        if self.max is None:
            return f"at least {self.min}"
        return f"at most {self.max}" if self.min is None else f"{self.min} to {self.max}"


class Matches(ValueCheck):
    """Every value of the column has a part that matches the pattern; NULL is left out."""

    kind: Literal["matches"]
    pattern: Pattern = Field(description="POSIX regular expression; `^` and `$` tie it to the value's ends")

    @property
    def other(self) -> str:
        """No match. Redshift wants a constant for a pattern; this one holds nothing that has two readings."""
        return f"{quote_identifier(self.column)} !~ {quote_literal(self.pattern)}"

    @property
    def wanted(self) -> str:
        """The pattern."""
        return f"a match of {self.pattern}"
