"""The check of a number against its own past: anomaly."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from statistics import median
from typing import Literal, Self, cast

from pydantic import Field, PrivateAttr, StrictInt, model_validator

from sparkify.checks.model import (
    Answer,
    ColumnName,
    Number,
    Shared,
    Sql,
    TableCheck,
    Verdict,
    has_subquery,
    restrict,
)

# The least that the median deviation counts as, as a share of the median: a number that never moved may.
_FLOOR_SHARE = 0.1
_DISTINCT = re.compile(r"\bDISTINCT\b", re.IGNORECASE)
_MERGED = re.compile(r"(COUNT|SUM|MIN|MAX)\((?:\w+|\*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Usual:
    """What a number usually is.

    Args:
        middle: the median of the samples.
        spread: how far from it is still usual.
    """

    middle: float
    spread: float

    @classmethod
    def of(cls, samples: Sequence[float], deviations: float, floor: float | None) -> "Usual":
        """Return what is usual after at least one sample.

        Args:
            samples: of other windows.
            deviations: how many median absolute deviations are usual.
            floor: the least that this deviation counts as; None for a tenth of the median, at least 1.
        """
        middle = median(samples)
        deviation = median(abs(sample - middle) for sample in samples)
        least = max(1.0, abs(middle) * _FLOOR_SHARE) if floor is None else floor
        return cls(middle, deviations * max(deviation, least))

    def __contains__(self, value: float) -> bool:
        return abs(value - self.middle) <= self.spread

    def __str__(self) -> str:
        return f"{self.middle:g} ± {self.spread:g}"


class Anomaly(TableCheck):
    """A number of the window is as in the same hour of other weeks; silent until it knows enough.

    It is compared with windows of the same length that begin whole weeks before or after, as they were when
    they were last checked.
    """

    kind: Literal["anomaly"]
    window_column: ColumnName = Field(description="timestamp column that limits the rows to the run's window")
    measure: Sql = Field("COUNT(*)", description="SQL aggregate that gives the number, by default `COUNT(*)`")
    deviations: Number = Field(
        6, gt=0, description="median absolute deviations that it may be off the median, by default 6"
    )
    floor: Number | None = Field(
        None,
        ge=0,
        description="least that this deviation counts as, by default 1, or a tenth of the median if more",
    )
    weeks: StrictInt = Field(
        8, ge=1, le=52, description="weeks to look back and, for an old window, ahead; by default 8"
    )
    samples: StrictInt = Field(
        6, ge=1, description="windows that it has to know before it says anything, by default 6"
    )

    _history: Sequence[float] = PrivateAttr(())

    @model_validator(mode="after")
    def _can_ever_know_enough(self) -> "Anomaly":
        if self.samples > self.weeks:
            raise ValueError(
                f"samples {self.samples} is more than weeks {self.weeks}: it would never say a word"
            )
        return self

    @property
    def default_name(self) -> str:
        """`anomaly table(measure)`."""
        return f"anomaly {self.table}({self.measure})"

    @property
    def source(self) -> str:
        """The table with its conditions, as SQL for FROM … WHERE."""
        return restrict(self.table, self.window_column, self.where)

    @property
    def measure_id(self) -> str:
        """What is measured, as a short text: another question begins a history of its own."""
        return hashlib.sha256(self.question().encode()).hexdigest()

    def knowing(self, history: Sequence[float]) -> Self:
        """Return this check, which knows what it has measured over other windows."""
        check = self.model_copy()
        check._history = tuple(history)
        return check

    def question(self) -> str:
        """Ask for the number."""
        return f"SELECT {self.measure} AS measure FROM {self.source}"

    def shared(self) -> Shared | None:
        """Measure while others count."""
        if _DISTINCT.search(self.measure):
            # It would have all rows sorted for the others, too.
            return None
        merged = _MERGED.fullmatch(self.measure)
        if merged is None or (self.where and has_subquery(self.where)):
            return Shared(self.source, [self.measure])
        how = cast('Literal["COUNT", "SUM", "MIN", "MAX"]', merged[1].upper())
        return Shared(restrict(self.table, self.window_column), [self.measure], self.where, how)

    def judge(self, answer: Answer) -> Verdict:
        """Pass when the number is about what it was, or it is not known what that is."""
        (measured,) = answer.rows[0]
        if measured is None:
            return Verdict(True, "nothing to measure", "a number")
        if not isinstance(measured, Real | Decimal) or not math.isfinite(measured):
            raise ValueError(f"measure must give a number, not {measured}")
        value, known = float(measured), len(self._history)
        if known < self.samples:
            return Verdict(True, f"{value:g}", f"not known yet ({known} of {self.samples} samples)", value)
        usual = Usual.of(self._history, self.deviations, self.floor)
        return Verdict(value in usual, f"{value:g}", f"{usual} (of {known} other weeks)", value)
