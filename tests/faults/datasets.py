"""The datasets as a scenario sees them: what their runs do, and what must be true of their tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from dags import sparkify_etl, stores_etl
from definitions.dataset import Dataset
from definitions.sparkify import SPARKIFY as SPARKIFY_DATASET
from definitions.stores import STORES as STORES_DATASET
from tests.faults import questions
from tests.faults.reference import Reference, Row, Window, documents, is_play, moment, play_id
from tests.faults.stores_reference import StoresReference, facts_of_sales

INCLUDE = Path(__file__).parents[2] / "include"
Tables = dict[str, list[Row]]
Fact = tuple[datetime, str]


@dataclass(frozen=True, kw_only=True)
class UnderTest:
    """A dataset under test.

    Args:
        dataset: what the DAG files say of it.
        dag: its DAG.
        tasks: those that load, in the order in which a run has them.
        params: the DAG's params of every run, beside window and look-back.
        fact: the table that its reader looks at.
        window_folder: the folder in the source whose files are staged window by window.
        reference: the tables after runs over these windows, from the source's objects.
        facts: the rows of the fact table that a file makes: the time of each, and what tells it from others.
        question: asks for these rows as they are; a third column says whether one refers to a missing row.
        in_between: what must be zero also while runs are under way or after they died.
        in_the_end: what must be zero once every run is done.
    """

    dataset: Dataset
    dag: Any
    tasks: tuple[str, ...]
    params: Mapping[str, Any]
    fact: str
    window_folder: str
    reference: Callable[[Mapping[str, bytes], Iterable[Window]], Tables]
    facts: Callable[[bytes], Iterable[Fact]]
    question: str
    in_between: Mapping[str, str]
    in_the_end: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.dataset.name

    @property
    def tables(self) -> tuple[str, ...]:
        return self.dataset.tables

    @property
    def kept(self) -> tuple[str, ...]:
        """The tables, and what loads keep beside them."""
        return (*self.tables, *self.dataset.beside.values())

    @cached_property
    def schema(self) -> list[str]:
        """The texts of the files that make the tables."""
        return [(INCLUDE / path).read_text() for path in self.dataset.schema]

    @cached_property
    def contradictions(self) -> dict[str, str]:
        """Questions of which each must be answered with zero at any time."""
        of_tables = [questions.of_table(table) for table in self.tables]
        strangers = questions.of_strangers(self.dataset.loaded_by, self.tables)
        return {k: sql for group in (*of_tables, self.in_between, strangers) for k, sql in group.items()}

    @property
    def followed(self) -> list[str]:
        """The tables whose changes the fact table takes in."""
        return [follow.table for follow in self.dag.get_task(self.tasks[-1]).follows]

    def owns(self, key: str) -> bool:
        """Whether a source file is of this dataset."""
        return key.startswith(tuple(f"{folder}/" for folder in self.dataset.folders))

    def is_of_windows(self, key: str) -> bool:
        """Whether a source file is staged window by window."""
        return key.startswith(f"{self.window_folder}/")

    def key(self, at: datetime) -> str:
        """The file that says what happened at a time."""
        return at.strftime(self.dataset.files_of_windows["key_pattern"])

    def period(self, at: datetime) -> Window:
        """The time of the file that holds a moment."""
        start = at.replace(hour=0, minute=0, second=0, microsecond=0)
        days = timedelta(days=1)
        while self.key(start - days) == self.key(at):
            start -= days
        end = start + days
        while self.key(end) == self.key(at):
            end += days
        return start, end

    def periods(self, window: Window) -> Iterator[Window]:
        """The times of all files that hold a part of a window."""
        at = window[0]
        while at < window[1]:
            yield self.period(at)
            at = self.period(at)[1]


def facts_of_events(body: bytes) -> Iterator[Fact]:
    """The plays that a file makes."""
    return ((moment(event["ts"]), play_id(event)) for event in documents(body) if is_play(event))


SPARKIFY = UnderTest(
    dataset=SPARKIFY_DATASET,
    dag=sparkify_etl.dag,
    tasks=(
        *("stage_events", "stage_songs", "load_users", "load_artists", "load_songs", "load_time"),
        "load_songplays",
    ),
    # Worlds are made of few files, and some of events in the file of another day.
    params={"song_prefix": "song_data/", "allow_no_songs": True, "keep_strays": True},
    fact="songplays",
    window_folder="log_data",
    reference=lambda objects, windows: Reference(objects, windows).tables(),
    facts=facts_of_events,
    question="""
        SELECT p.start_time, p.songplay_id, p.song_id IS NOT NULL AND s.song_id IS NULL
        FROM songplays AS p LEFT JOIN songs AS s ON p.song_id = s.song_id""",
    in_between=questions.OF_PLAYS_IN_BETWEEN,
    in_the_end=questions.OF_PLAYS,
)
STORES = UnderTest(
    dataset=STORES_DATASET,
    dag=stores_etl.dag,
    tasks=("stage_stores", "stage_sales", "load_stores", "load_sales"),
    params={},
    fact="store_sales",
    window_folder="sales_data",
    reference=lambda objects, windows: StoresReference(objects, windows).tables(),
    facts=facts_of_sales,
    question="SELECT month, store_id || ' ' || actual, FALSE FROM store_sales",
    in_between=questions.OF_SALES_IN_BETWEEN,
    in_the_end={},
)
BY_NAME: Mapping[str, UnderTest] = {under_test.name: under_test for under_test in (SPARKIFY, STORES)}
