"""What random sequences are made of: steps that are written down, and a dataset's part in a sequence."""

import functools
import os
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, reproduce_failure, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import DidNotReproduce
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.faults.datasets import UnderTest
from tests.faults.proxy import S3Proxy
from tests.faults.reference import Window
from tests.faults.runs import APPLICATION, Run
from tests.faults.world import World

MOMENTS = ("LOCK 1", "PUBLISH 1", "COMMIT 1", "COPY 1", "INSERT 2", "DELETE 1", "SELECT 2")
REPLAY = os.environ.get("FAULT_REPLAY", "")
HOW_TO_REPLAY = """\
It took these steps:
{steps}
Run this sequence again with
    FAULT_REPLAY="{replay}" .venv/bin/python -m pytest 'tests/faults/test_random.py::{test}'"""


def points_of(tasks: Iterable[str]) -> st.SearchStrategy[str]:
    """Points of a run, of which it need not pass every one."""
    return st.builds(
        lambda task, side, moment: f"{task} {side} {moment}",
        st.sampled_from(tuple(tasks)),
        st.sampled_from(["before", "after"]),
        st.sampled_from(MOMENTS),
    )


def step(**arguments: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that is written down."""

    def decorate(function: Callable[..., None]) -> Any:
        @functools.wraps(function)
        def noted(self: Any, **values: Any) -> None:
            self.journal.append(f"{function.__name__}({', '.join(f'{k}={v}' for k, v in values.items())})")
            function(self, **values)

        return rule(**arguments)(noted)

    return decorate


class Share:
    """What a sequence has done with one dataset.

    Args:
        next_unit: the end of the unit of time that begins at a moment; no window cuts a unit.

    Attributes:
        stale: units that a run was for and whose file has changed; a run of their own or one that looks back
            on the file brings them up to date.
        undone: units whose run died or whose file has gone: only a run of their own helps.
        look_back_days: of every run of the sequence.
    """

    def __init__(
        self, world: World, under_test: UnderTest, next_unit: Callable[[datetime], datetime]
    ) -> None:
        self.world = world
        self.under_test = under_test
        self.next_unit = next_unit
        self.stale: set[datetime] = set()
        self.undone: set[datetime] = set()
        self.look_back_days = 0

    @property
    def windows(self) -> list[Window]:
        """Those of every run so far."""
        return self.world.runner.windows[self.under_test.name]

    @property
    def is_done(self) -> bool:
        """Whether the tables are what the files say."""
        return bool(self.windows) and not self.stale and not self.undone

    def units(self, *windows: Window) -> set[datetime]:
        """The beginning of every unit in the windows."""
        found = set()
        for start, end in windows:
            at = start
            while at < end:
                found.add(at)
                at = self.next_unit(at)
        return found

    def files_changed(self) -> None:
        self.stale |= self.units(*self.windows)

    def file_has_gone(self, key: str) -> None:
        self.undone |= {at for at in self.units(*self.windows) if self.under_test.key(at) == key}

    def has_run(self, *done: Window) -> None:
        """Windows have run from their beginning to their end since a file changed."""
        self.stale -= {at for at in self.stale if any(self._looks_at(at, window) for window in done)}
        self.undone -= self.units(*done)

    def _looks_at(self, at: datetime, window: Window) -> bool:
        start, end = self.under_test.period(at)
        return end > window[0] - timedelta(days=self.look_back_days) and start < window[1]

    def start(self, window: Window, **plan: Any) -> Run:
        plan |= {"look_back_days": self.look_back_days, "dataset": self.under_test.name}
        return self.world.start(window, **plan)

    def run_at_once(self, *windows: Window) -> None:
        for started in [self.start(window) for window in windows]:
            started.finish()
        self.has_run(*windows)

    def run_and_be_overtaken(self, both: tuple[Window, Window], point: str) -> None:
        slow = self.start(both[0], pause=(point,))
        slow.wait_for_pause()
        fast = self.start(both[1])
        self.world.wait_until_blocked(fast)
        slow.finish()
        fast.finish()
        self.has_run(*both)

    def run_meanwhile(self, window: Window, point: str, change: Callable[[], None]) -> None:
        """Change files while a run waits at a point."""
        slow = self.start(window, pause=(point,))
        slow.wait_for_pause()
        change()
        slow.finish()

    def run_and_lose_the_connection(self, window: Window, point: str) -> None:
        cut_off = self.start(window, pause=(point,))
        if cut_off.wait_for_pause():
            self.world.admin(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %(run)s",
                {"run": APPLICATION},
            )
        cut_off.finish()
        self.has_run(window)

    def run_while_s3_fails(self, proxy: S3Proxy, window: Window, key: str, fault: tuple[str, int]) -> None:
        proxy.add(key, *fault)
        self.start(window).finish()
        proxy.faults.clear()
        self.has_run(window)

    def run_and_die(self, window: Window, point: str) -> None:
        dying = self.start(window, kill=point)
        self.undone |= self.units(window)
        dying.wait_for_pause()
        assert dying.is_done or dying.exitcode == -9, dying.error
        if dying.is_done:
            self.has_run(window)

    def run_what_is_not_up_to_date(self) -> None:
        self.world.run(*self._cover(self.stale | self.undone), dataset=self.under_test.name)
        self.stale.clear()
        self.undone.clear()

    def _cover(self, units: Iterable[datetime]) -> list[Window]:
        """The fewest windows that hold these units."""
        found: list[Window] = []
        for start in sorted(units):
            if found and start == found[-1][1]:
                found[-1] = (found[-1][0], self.next_unit(start))
            else:
                found.append((start, self.next_unit(start)))
        return found


def run_machine(
    sequence: type[RuleBasedStateMachine],
    parts: dict[str, Any],
    *,
    part: int,
    sequences: int,
    steps: int,
    test: str,
) -> None:
    """Run sequences that depend on `part` only; on failure say how to run the one that failed.

    Args:
        sequence: gives the steps; its attribute `journal` is a list of those that were taken.
        parts: further attributes of it.
        part: the seed.
        sequences: how many.
        steps: how many a sequence has at most.
        test: the test that runs such sequences, its parameter with it.
    """
    journal: list[str] = []
    machine = seed(part)(type("Sequence", (sequence,), {**parts, "journal": journal}))
    if REPLAY:
        version, blob = REPLAY.split(":")
        machine = reproduce_failure(version, blob.encode())(machine)
    limits = settings(
        max_examples=sequences,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=limits)
    except DidNotReproduce as error:
        # That is how Hypothesis says that a sequence passes which once failed.
        if "completed successfully" not in str(error):
            raise
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        blob = re.search(r"reproduce_failure\('([\d.]+)', b'(.+)'\)", notes)
        replay = ":".join(blob.groups()) if blob else "?"
        error.add_note(HOW_TO_REPLAY.format(steps="\n".join(journal), replay=replay, test=test))
        raise
