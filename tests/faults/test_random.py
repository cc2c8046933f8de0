"""Random sequences of everything: files, late events, runs of any window, two at once, deaths."""

import os
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.faults.child import TASKS
from tests.faults.reference import Window
from tests.faults.world import CONSISTENCY, World
from tests.pipeline.records import event

DAYS = ("2018-11-30", "2018-12-01")
START = datetime(2018, 11, 30, 22)
QUARTERS = 16
TITLES = ("Hit", "Old Title", "New Title", "Nowhere")
NAMES = ("Band", "Band feat. Singer")
ALWAYS = ("plays that stand there twice", "plays that point to a song that is not there")
EXAMPLES = int(os.environ.get("FAULT_EXAMPLES", "10"))


def window_of(first: int, length: int) -> Window:
    """A window of quarters of an hour around midnight."""
    start = START + timedelta(minutes=15 * first)
    return start, start + timedelta(minutes=15 * length)


windows = st.builds(window_of, st.integers(0, QUARTERS - 1), st.integers(1, 8))
plays = st.builds(
    lambda quarter, late, user, level, title, page: {
        "at": START + timedelta(minutes=15 * quarter, milliseconds=late),
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


class Sequence(RuleBasedStateMachine):
    """One example; it begins with empty tables and an empty source."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.empty_tables()
        for key in self.world.objects:
            self.world.source.s3.delete_object(Bucket=self.world.source.bucket, Key=key)
        self.world.objects.clear()
        self.events: dict[str, list[dict[str, Any]]] = {day: [] for day in DAYS}
        self.numbers = 0

    def put_day(self, day: str) -> None:
        self.world.put_events(day, self.events[day])

    def new_event(self, at: datetime, **fields: Any) -> None:
        self.numbers += 1
        happened = event(at.isoformat(), itemInSession=self.numbers, artist="Band", length=99.5, **fields)
        self.events[f"{at:%Y-%m-%d}"].append(happened)

    @rule(found=st.lists(plays, min_size=1, max_size=4), day=st.sampled_from(DAYS))
    def replace_events(self, found: list[dict[str, Any]], day: str) -> None:
        self.events[day].clear()
        for fields in found:
            if f"{fields['at']:%Y-%m-%d}" == day:
                self.new_event(**fields)
        self.put_day(day)

    @rule(fields=plays, twice=st.booleans())
    def add_late_event(self, fields: dict[str, Any], twice: bool) -> None:
        day = f"{fields['at']:%Y-%m-%d}"
        self.new_event(**fields)
        self.events[day] += self.events[day][-1:] * twice
        self.put_day(day)

    @rule(n=st.integers(0, 2), title=st.sampled_from(TITLES), name=st.sampled_from(["Band", "Band feat. X"]))
    def put_song(self, n: int, title: str, name: str) -> None:
        self.world.put_song(
            f"TRAAA{n}",
            song_id=f"SO{n}",
            artist_id=f"AR{n // 2}",
            artist_name=name,
            title=title,
            duration=99.5,
            year=len(self.world.contents),
        )

    @rule(window=windows)
    def run(self, window: Window) -> None:
        self.world.run(window)

    @rule(first=windows, second=windows)
    def run_two_at_once(self, first: Window, second: Window) -> None:
        for started in [self.world.start(first), self.world.start(second)]:
            started.finish()

    @rule(window=windows, task=st.sampled_from(TASKS), seed=st.integers(0, 99))
    def run_and_die(self, window: Window, task: str, seed: int) -> None:
        verb = random.Random(seed).choice(["LOCK 1", "PUBLISH 1", "COMMIT 1", "INSERT 2", "DELETE 1"])
        dying = self.world.start(window, kill=f"{task} {('before', 'after')[seed % 2]} {verb}")
        dying.wait_for_pause()
        assert dying.is_done or dying.process.exitcode == -9, dying.error

    @invariant()
    def no_play_is_wrong(self) -> None:
        for what in ALWAYS:
            assert self.world.warehouse.query(CONSISTENCY[what]) == [(0,)], what

    def teardown(self) -> None:
        for window in sorted(set(self.world.runner.windows)):
            self.world.run(window)
        self.world.check()


def run_machine(world: World, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Sequence", (Sequence,), {"world": world}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_few_random_sequences_end_in_the_same_tables(world):
    run_machine(world, 2, 8)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_random_sequences_end_in_the_same_tables(world):
    """FAULT_EXAMPLES says how many sequences; ten take two to four minutes."""
    run_machine(world, EXAMPLES, 12)
