"""Random sequences of everything: files that come and change; runs overtaken, cut off, dead."""

import functools
import os
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, reproduce_failure, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import DidNotReproduce
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.child import TASKS
from tests.faults.proxy import S3Proxy
from tests.faults.reference import Window
from tests.faults.runs import APPLICATION, Run
from tests.faults.world import IN_BETWEEN, World
from tests.records import event

DAYS = ("2018-11-30", "2018-12-01")
START = datetime(2018, 11, 30, 22)
QUARTER = timedelta(minutes=15)
QUARTERS = 16
TITLES = ("Hit", "Old Title", "New Title", "Nowhere")
MOMENTS = ("LOCK 1", "PUBLISH 1", "COMMIT 1", "COPY 1", "INSERT 2", "DELETE 1", "SELECT 2")
S3_KEYS = ("log_data/", "TRAAA", "manifests/")
S3_FAULTS = (("slow down", 2), ("missing", 1), ("truncated", 1))

# Ten parts of 20 sequences, so that workers can share them.
PARTS = range(10)
SEQUENCES = int(os.environ.get("FAULT_SEQUENCES", "20"))
STEPS = 7
REPLAY = os.environ.get("FAULT_REPLAY", "")
HOW_TO_REPLAY = """\
It took these steps:
{steps}
Run this sequence again with
    FAULT_REPLAY="{replay}" .venv/bin/python -m pytest 'tests/faults/test_random.py::{test}[0]'"""


def window_of(first: int, length: int) -> Window:
    """A window of quarters of an hour around midnight."""
    start = START + first * QUARTER
    return start, start + length * QUARTER


def quarters(*windows: Window) -> set[datetime]:
    """The beginning of every quarter of an hour in the windows."""
    return {start + n * QUARTER for start, end in windows for n in range((end - start) // QUARTER)}


def cover(quarters: Iterable[datetime]) -> list[Window]:
    """The fewest windows that hold these quarters of an hour."""
    found: list[Window] = []
    for start in sorted(quarters):
        if found and start == found[-1][1]:
            found[-1] = (found[-1][0], start + QUARTER)
        else:
            found.append((start, start + QUARTER))
    return found


windows = st.builds(window_of, st.integers(0, QUARTERS - 1), st.integers(1, 8))
pairs = st.one_of(st.tuples(windows, windows), windows.map(lambda window: (window, window)))
points = st.builds(
    lambda task, side, moment: f"{task} {side} {moment}",
    st.sampled_from(TASKS),
    st.sampled_from(["before", "after"]),
    st.sampled_from(MOMENTS),
)
days = st.sampled_from(DAYS)
plays = st.builds(
    lambda quarter, late, user, level, title, page: {
        "at": START + quarter * QUARTER + timedelta(milliseconds=late),
        "userId": user,
        "level": level,
        "song": title,
        "page": page,
    },
    st.integers(0, QUARTERS - 1),
    st.sampled_from([0, 1, 899_999]),
    st.sampled_from(["1", "2", ""]),
    st.sampled_from(["free", "paid"]),
    st.sampled_from(TITLES),
    st.sampled_from(["NextSong", "NextSong", "Home"]),
)


def step(**arguments: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that is written down."""

    def decorate(function: Callable[..., None]) -> Any:
        @functools.wraps(function)
        def noted(self: "Sequence", **values: Any) -> None:
            self.journal.append(f"{function.__name__}({', '.join(f'{k}={v}' for k, v in values.items())})")
            function(self, **values)

        return rule(**arguments)(noted)

    return decorate


class Sequence(RuleBasedStateMachine):
    """One example; it begins with empty tables and an empty source.

    Attributes:
        journal: the steps of the sequence that runs.
        stale: quarters of an hour that a run was for and whose file has changed; a run of their own or one
            that looks back on their day brings them up to date.
        undone: quarters whose run died or whose file has gone: only a run of their own helps.
        look_back_days: of every run of the sequence.
    """

    world: World
    proxy: S3Proxy
    journal: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.journal.clear()
        self.world.empty_tables()
        self.world.delete_everything()
        self.events: dict[str, list[dict[str, Any]]] = {day: [] for day in DAYS}
        self.stale: set[datetime] = set()
        self.undone: set[datetime] = set()
        self.look_back_days = 0
        self.numbers = 0

    @initialize(days=st.sampled_from([0, 1, 3]))
    def choose_look_back(self, days: int) -> None:
        self.journal.append(f"look_back_days={days}")
        self.look_back_days = days

    def start(self, window: Window, **plan: Any) -> Run:
        return self.world.start(window, look_back_days=self.look_back_days, **plan)

    def put_day(self, day: str) -> None:
        self.world.put_events(day, self.events[day])
        self.files_changed()

    def new_event(self, at: datetime, **fields: Any) -> None:
        self.numbers += 1
        happened = event(at.isoformat(), itemInSession=self.numbers, artist="Band", length=99.5, **fields)
        self.events[f"{at:%Y-%m-%d}"].append(happened)

    def files_changed(self) -> None:
        self.stale |= quarters(*self.world.runner.windows)

    def has_run(self, *done: Window) -> None:
        """Windows have run from their beginning to their end since a file changed."""
        self.stale -= {at for at in self.stale if any(self.looks_at(at.date(), window) for window in done)}
        self.undone -= quarters(*done)

    def looks_at(self, day: date, window: Window) -> bool:
        first = window[0] - timedelta(days=self.look_back_days)
        return first.date() <= day <= (window[1] - QUARTER).date()

    @step(found=st.lists(plays, min_size=1, max_size=4), day=days)
    def replace_events(self, found: list[dict[str, Any]], day: str) -> None:
        self.events[day].clear()
        for fields in found:
            if f"{fields['at']:%Y-%m-%d}" == day:
                self.new_event(**fields)
        self.put_day(day)

    @step(fields=plays, twice=st.booleans())
    def add_late_event(self, fields: dict[str, Any], twice: bool) -> None:
        day = f"{fields['at']:%Y-%m-%d}"
        self.new_event(**fields)
        self.events[day] += self.events[day][-1:] * twice
        self.put_day(day)

    @step(day=days)
    def delete_day(self, day: str) -> None:
        self.events[day].clear()
        for key in [key for key in self.world.objects if day in key]:
            self.world.delete(key)
            gone = {at for at in quarters(*self.world.runner.windows) if f"{at:%Y-%m-%d}" == day}
            self.undone |= gone

    @step(n=st.integers(0, 2), title=st.sampled_from(TITLES), name=st.sampled_from(["Band", "Band feat. X"]))
    def put_song(self, n: int, title: str, name: str) -> None:
        self.world.put_song(
            f"TRAAA{n}",
            song_id=f"SO{n}",
            artist_id=f"AR{n // 2}",
            artist_name=name,
            title=title,
            duration=99.5,
            year=len(self.world.versions),
        )
        self.files_changed()

    @step(window=windows)
    def run(self, window: Window) -> None:
        self.start(window).finish()
        self.has_run(window)

    @step(both=pairs)
    def run_two_at_once(self, both: tuple[Window, Window]) -> None:
        for started in [self.start(window) for window in both]:
            started.finish()
        self.has_run(*both)

    @step(both=pairs, point=points)
    def run_and_be_overtaken(self, both: tuple[Window, Window], point: str) -> None:
        slow = self.start(both[0], pause=(point,))
        slow.wait_for_pause()
        fast = self.start(both[1])
        self.world.wait_until_blocked(fast)
        slow.finish()
        fast.finish()
        self.has_run(*both)

    @step(window=windows, point=points, fields=plays)
    def run_while_a_file_changes(self, window: Window, point: str, fields: dict[str, Any]) -> None:
        slow = self.start(window, pause=(point,))
        slow.wait_for_pause()
        self.new_event(**fields)
        self.put_day(f"{fields['at']:%Y-%m-%d}")
        slow.finish()

    @step(window=windows, point=points)
    def run_and_lose_the_connection(self, window: Window, point: str) -> None:
        cut_off = self.start(window, pause=(point,))
        if cut_off.wait_for_pause():
            self.world.admin(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %(run)s",
                {"run": APPLICATION},
            )
        cut_off.finish()
        self.has_run(window)

    @step(
        window=windows,
        key=st.sampled_from(["log_data/", "TRAAA", "manifests/"]),
        fault=st.sampled_from(S3_FAULTS),
    )
    def run_while_s3_fails(self, window: Window, key: str, fault: tuple[str, int]) -> None:
        self.proxy.add(key, *fault)
        self.start(window).finish()
        self.proxy.faults.clear()
        self.has_run(window)

    @step(window=windows, point=points)
    def run_and_die(self, window: Window, point: str) -> None:
        dying = self.start(window, kill=point)
        self.undone |= quarters(window)
        dying.wait_for_pause()
        assert dying.is_done or dying.exitcode == -9, dying.error
        if dying.is_done:
            self.has_run(window)

    @invariant()
    def ledger_and_tables_agree(self) -> None:
        if self.stale or self.undone or not self.world.runner.windows:
            assert self.world.contradictions(IN_BETWEEN) == []
        else:
            self.world.check()

    def teardown(self) -> None:
        if self.stale or self.undone:
            self.journal.append("run again what is not up to date")
            self.world.run(*cover(self.stale | self.undone))
            self.world.check()


def run_machine(world: World, proxy: S3Proxy, part: int, sequences: int, test: str) -> None:
    """Run sequences that depend on `part` only; on failure say how to run the one that failed."""
    journal: list[str] = []
    machine = seed(part)(type("Sequence", (Sequence,), {"world": world, "proxy": proxy, "journal": journal}))
    if REPLAY:
        version, blob = REPLAY.split(":")
        machine = reproduce_failure(version, blob.encode())(machine)
    limits = settings(
        max_examples=sequences,
        stateful_step_count=STEPS,
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


def test_a_few_random_sequences_end_in_the_same_tables(world, endpoint, proxy):
    run_machine(world, proxy, 0, 4, "test_random_sequences_end_in_the_same_tables")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", PARTS)
def test_random_sequences_end_in_the_same_tables(world, endpoint, proxy, part):
    run_machine(world, proxy, part, SEQUENCES, "test_random_sequences_end_in_the_same_tables")
