"""An analyst who reads a fact table all the time and must never see half of a window."""

import itertools
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import psycopg

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from tests.faults.datasets import Fact, UnderTest
from tests.faults.reference import Window

APPLICATION = "fault_reader"
PAUSE_SECONDS = 0.02


Change = tuple[set[Fact], set[Fact]]
Facts = frozenset[Fact]
NONE: Facts = frozenset()


def connect_reader(settings: Settings) -> psycopg.Connection:
    """Return a reader's connection, in autocommit mode, in which a lock waited for by 50 ms is an error."""
    options = "-c lock_timeout=50"
    return psycopg.connect(
        postgres.admin_dsn(settings), application_name=APPLICATION, options=options, autocommit=True
    )


class Reader(threading.Thread):
    """Reads from `start` to `stop`, whatever happens to the server, and keeps every change that it saw.

    Args:
        under_test: whose facts it reads, by one statement, so that all it tells is of one moment.
        connect: opens a connection in autocommit mode, in which waiting for a lock is an error; it is opened
            again when the server has closed it.
    """

    def __init__(self, under_test: UnderTest, connect: Callable[[], psycopg.Connection]) -> None:
        super().__init__(daemon=True)
        self.under_test = under_test
        self.connect = connect
        self.looks = self.polls = 0
        self.may_wait = False
        self.error: Exception | None = None
        self._changes: list[Change] = []
        self._seen: set[Fact] = set()
        self._dangling: set[str] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def run(self) -> None:
        pause = PAUSE_SECONDS
        while not self._stopped.is_set():
            try:
                with self.connect() as connection:
                    while not self._stopped.wait(pause):
                        pause = max(PAUSE_SECONDS, 10 * self._look(connection))
            except psycopg.errors.LockNotAvailable as error:
                if not self.may_wait:
                    self.error = error
                    return
            # The server went away, or nobody has made the table yet.
            except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
                self.looks += 1
                self._stopped.wait(pause)
            except Exception as error:
                self.error = error
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def forget(self) -> None:
        """Begin anew with empty tables; they must be empty by now."""
        with self._lock:
            self._seen.clear()
            self._changes.clear()
            self._dangling.clear()

    def _look(self, connection: psycopg.Connection) -> float:
        """Look once; return how many seconds it took."""
        began = time.perf_counter()
        with self._lock:
            rows = connection.execute(self.under_test.question).fetchall()
            found = {(at, fact) for at, fact, _ in rows}
            if found != self._seen:
                self._changes.append((found - self._seen, self._seen - found))
                self._seen = found
            self._dangling.update(fact for _, fact, dangles in rows if dangles)
            self.looks += 1
            self.polls += 1
        return time.perf_counter() - began

    def complaints(self, windows: Sequence[Window], versions: Iterable[tuple[str, bytes]]) -> list[str]:
        """What the reader saw since the tables were empty and must never see.

        Args:
            windows: of all runs.
            versions: key and content of every version of every file.
        """
        with self._lock:
            changes, dangling = list(self._changes), sorted(self._dangling)
        found = [f"the reader failed: {self.error!r}"] if self.error else []
        if dangling:
            found.append(f"the reader saw facts that pointed to what was not there: {dangling[:3]}")
        states = Stretches(self.under_test, windows, versions).wrong_states(changes)
        found += [f"the reader saw a part of a window only: {state}" for state in itertools.islice(states, 3)]
        return found


class IdleReader:
    """An analyst who has read every table and went home without ending the transaction.

    Args:
        tables: what is read.
        connect: opens a connection in autocommit mode.
    """

    def __init__(self, tables: Iterable[str], connect: Callable[[], psycopg.Connection]) -> None:
        self._connection = connect()
        self._connection.execute("BEGIN")
        for table in tables:
            self._connection.execute(f"SELECT * FROM {table}").fetchall()

    def stop(self) -> None:
        self._connection.close()


class Stretches:
    """Time cut wherever a window or a file begins or ends: every run loads a stretch wholly or not at all."""

    def __init__(
        self, under_test: UnderTest, windows: Sequence[Window], versions: Iterable[tuple[str, bytes]]
    ) -> None:
        self.under_test = under_test
        self.windows = windows
        periods = (period for window in windows for period in under_test.periods(window))
        self.cuts = sorted({*itertools.chain(*windows), *itertools.chain(*periods)})
        self.versions: dict[str, list[dict[int, Facts]]] = defaultdict(list)
        for key, body in versions:
            if under_test.is_of_windows(key):
                self.versions[key].append(self._cut(under_test.facts(body)))
        self._allowed: dict[int, set[Facts]] = {}

    def wrong_states(self, changes: Iterable[Change]) -> Iterator[str]:
        """Every state of a stretch that no run can have left it in."""
        state: dict[int, Facts] = defaultdict(frozenset)
        for appeared, vanished in changes:
            new, gone = self._cut(appeared), self._cut(vanished)
            for n in sorted(new.keys() | gone.keys()):
                was_loaded = bool(state[n])
                state[n] = (state[n] - gone.get(n, NONE)) | new.get(n, NONE)
                if state[n] not in self._allowed_in(n) and (state[n] or was_loaded):
                    yield f"{len(state[n])} facts in {self._name(n)}, {sorted(state[n])[:8]}"

    def _cut(self, facts: Iterable[Fact]) -> dict[int, Facts]:
        found: dict[int, set[Fact]] = defaultdict(set)
        for fact in facts:
            found[bisect_right(self.cuts, fact[0])].add(fact)
        return {n: frozenset(group) for n, group in found.items()}

    def _allowed_in(self, n: int) -> set[Facts]:
        """The states of a stretch that is loaded; one version of each file makes it."""
        if n not in self._allowed:
            choices = []
            for key, versions in self.versions.items():
                states = {version.get(n, NONE) for version in versions}
                if n == 0 or self.under_test.key(self.cuts[n - 1]) != key:
                    states.add(NONE)  # a row in another time's file: not every window reads that file
                if states != {NONE}:
                    choices.append(states)
            self._allowed[n] = {NONE.union(*parts) for parts in itertools.product(*choices)}
            if not self._is_in_a_window(n):
                self._allowed[n] = {NONE}
        return self._allowed[n]

    def _is_in_a_window(self, n: int) -> bool:
        return 0 < n < len(self.cuts) and any(s <= self.cuts[n - 1] < e for s, e in self.windows)

    def _name(self, n: int) -> str:
        ends = [str(cut) for cut in self.cuts]
        return f"[{ends[n - 1] if n else 'ever'}, {ends[n] if n < len(ends) else 'ever'})"
