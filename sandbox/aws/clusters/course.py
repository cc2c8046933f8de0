"""The course of a cluster's or a snapshot's life: which status it has at which moment."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


class Clock:
    """The moment a request is answered at; it stands still while one is.

    A phase that takes no time at all is therefore still seen in the answer to the request that begins it.
    """

    def __init__(self) -> None:
        self.now = time.monotonic()
        self._start = datetime.now(UTC) - timedelta(seconds=self.now)

    @property
    def moment(self) -> datetime:
        """The same as an aware time."""
        return self._start + timedelta(seconds=self.now)

    def tick(self) -> None:
        """Move on to the present."""
        self.now = time.monotonic()


@dataclass(frozen=True)
class _Phase:
    status: str
    end: float


class Course:
    """Passing statuses, one after the other, and the one that stays.

    Args:
        clock: Tells the moment.
        seconds: How long each passing status lasts.
        passing: Passing statuses in their order.
        final: The status afterwards; None where the thing is gone then.
    """

    def __init__(self, clock: Clock, seconds: float, passing: Sequence[str], final: str | None) -> None:
        self._clock = clock
        self._phases = [
            _Phase(status, clock.now + seconds * number) for number, status in enumerate(passing, start=1)
        ]
        self._final = final

    @property
    def status(self) -> str:
        """The status of this moment; what is gone keeps its last one."""
        running = (phase.status for phase in self._phases if self._clock.now <= phase.end)
        return next(running, self._final or self._phases[-1].status)

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left of it."""
        return self._final is None and all(self._clock.now > phase.end for phase in self._phases)
