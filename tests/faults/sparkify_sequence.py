"""Random sequences of everything: files that come and change; runs overtaken, cut off, dead."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.faults.child import TASKS
from tests.faults.datasets import SPARKIFY
from tests.faults.proxy import S3Proxy
from tests.faults.reference import Window
from tests.faults.sequences import Share, points_of, step
from tests.faults.world import World
from tests.records import event

DAYS = ("2018-11-30", "2018-12-01")
START = datetime(2018, 11, 30, 22)
QUARTER = timedelta(minutes=15)
QUARTERS = 16
TITLES = ("Hit", "Old Title", "New Title", "Nowhere")
S3_KEYS = ("log_data/", "TRAAA", "manifests/")
S3_FAULTS = (("slow down", 2), ("missing", 1), ("truncated", 1))


def window_of(first: int, length: int) -> Window:
    """A window of quarters of an hour around midnight."""
    start = START + first * QUARTER
    return start, start + length * QUARTER


def pairs_of(windows: st.SearchStrategy[Window]) -> st.SearchStrategy[tuple[Window, Window]]:
    return st.one_of(st.tuples(windows, windows), windows.map(lambda window: (window, window)))


windows = st.builds(window_of, st.integers(0, QUARTERS - 1), st.integers(1, 8))
pairs = pairs_of(windows)
points = points_of(TASKS)
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


class Sequence(RuleBasedStateMachine):
    """One example; it begins with empty tables and an empty source.

    Attributes:
        journal: the steps of the sequence that runs.
        plays: what was done with Sparkify.
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
        self.plays = Share(self.world, SPARKIFY, lambda at: at + QUARTER)
        self.numbers = 0

    @property
    def shares(self) -> list[Share]:
        """What was done with every dataset."""
        return [self.plays]

    @initialize(days=st.sampled_from([0, 1, 3]))
    def choose_look_back(self, days: int) -> None:
        self.journal.append(f"look_back_days={days}")
        self.plays.look_back_days = days

    def put_day(self, day: str) -> None:
        self.world.put_events(day, self.events[day])
        self.plays.files_changed()

    def new_event(self, at: datetime, **fields: Any) -> None:
        self.numbers += 1
        happened = event(at.isoformat(), itemInSession=self.numbers, artist="Band", length=99.5, **fields)
        self.events[f"{at:%Y-%m-%d}"].append(happened)

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
            self.plays.file_has_gone(key)

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
        self.plays.files_changed()

    @step(window=windows)
    def run(self, window: Window) -> None:
        self.plays.run_at_once(window)

    @step(both=pairs)
    def run_two_at_once(self, both: tuple[Window, Window]) -> None:
        self.plays.run_at_once(*both)

    @step(both=pairs, point=points)
    def run_and_be_overtaken(self, both: tuple[Window, Window], point: str) -> None:
        self.plays.run_and_be_overtaken(both, point)

    @step(window=windows, point=points, fields=plays)
    def run_while_a_file_changes(self, window: Window, point: str, fields: dict[str, Any]) -> None:
        def change() -> None:
            self.new_event(**fields)
            self.put_day(f"{fields['at']:%Y-%m-%d}")

        self.plays.run_meanwhile(window, point, change)

    @step(window=windows, point=points)
    def run_and_lose_the_connection(self, window: Window, point: str) -> None:
        self.plays.run_and_lose_the_connection(window, point)

    @step(window=windows, key=st.sampled_from(S3_KEYS), fault=st.sampled_from(S3_FAULTS))
    def run_while_s3_fails(self, window: Window, key: str, fault: tuple[str, int]) -> None:
        self.plays.run_while_s3_fails(self.proxy, window, key, fault)

    @step(window=windows, point=points)
    def run_and_die(self, window: Window, point: str) -> None:
        self.plays.run_and_die(window, point)

    @invariant()
    def ledger_and_tables_agree(self) -> None:
        if done := [share.under_test for share in self.shares if share.is_done]:
            self.world.check(*done)
        else:
            wrong = self.world.contradictions()
            assert not wrong, wrong

    def teardown(self) -> None:
        for share in self.shares:
            if share.stale or share.undone:
                self.journal.append(f"run {share.under_test.name} again where it is not up to date")
                share.run_what_is_not_up_to_date()
                self.world.check(share.under_test)
