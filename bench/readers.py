"""``python -m bench.readers``: how long a dashboard of readers waits while loads run, and while none runs.

Waits are those for locks, as PostgreSQL times them. What statements take longer while loads run beside them
is the machine's doing.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from bench.__main__ import run_in_sandbox
from bench.dashboard import Seen, make_user
from bench.options import NOW, Options
from sandbox.parts.settings import REPOSITORY, Settings
from sandbox.terminal.console import note

LIMIT_MS = 50.0
"""By how much the longest wait may be longer while loads run."""


@dataclass
class Side:
    """One of the two that are compared.

    Attributes:
        seen: by all readers in all rounds.
        loads: how many ran meanwhile.
    """

    seen: Seen = field(default_factory=Seen)
    loads: int = 0

    @property
    def longest_wait(self) -> float:
        """Milliseconds of the longest wait for a lock; 0 where none took a whole one."""
        return max(self.seen.waits, default=0.0)

    @property
    def figures(self) -> dict[str, str]:
        """What is printed of it."""
        statements = sorted(self.seen.statements)
        return {
            "loads": f"{self.loads}",
            "statements": f"{len(statements):,}",
            "median ms": f"{median(statements):.1f}",
            "p99 ms": f"{statements[len(statements) * 99 // 100]:.1f}",
            "waits for a lock of 1 ms or more": f"{len(self.seen.waits)}",
            "longest of them, ms": f"{self.longest_wait:.1f}",
            f"over {LIMIT_MS:.0f} ms": f"{sum(wait > LIMIT_MS for wait in self.seen.waits)}",
        }


def main() -> int:
    """Measure and print; return 1 if a reader waited too long, else 0."""
    words = _parse()
    if not os.environ.get("AIRFLOW_CONN_REDSHIFT_DEFAULT"):
        return run_in_sandbox("bench.readers")
    still, loaded = _measure(Settings.load(), words)
    print(f"{words.readers} readers, each with {words.pause:g} s between an answer and the next question;")
    print(f"{words.rounds} times {words.seconds:g} s without loads and with loads\n")
    print(f"{'':<36}{'no load':>12}{'loads':>12}")
    for (name, one), other in zip(still.figures.items(), loaded.figures.values(), strict=True):
        print(f"{name:<36}{one:>12}{other:>12}")
    return int(loaded.longest_wait > still.longest_wait + LIMIT_MS)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.readers", description=__doc__)
    parser.add_argument("--readers", type=int, default=20, metavar="N", help="readers at once")
    parser.add_argument("--pause", type=float, default=4.0, metavar="S", help="seconds between questions")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="times that each side is measured")
    parser.add_argument("--seconds", type=float, default=40.0, metavar="S", help="length of each")
    parser.add_argument("--events", type=int, default=31_500, metavar="N", help="events of a day")
    return parser.parse_args()


def _measure(settings: Settings, words: argparse.Namespace) -> tuple[Side, Side]:
    from definitions.sparkify import SPARKIFY  # noqa: PLC0415 - only in the sandbox it is on the path

    loads = _loads(settings, words.events)
    make_user(settings, SPARKIFY.published)
    still, loaded = Side(), Side()
    for number in range(words.rounds):
        note(f"Round {number + 1} of {words.rounds} …")
        with _dashboard(words, still.seen):
            time.sleep(words.seconds)
        with _dashboard(words, loaded.seen):
            end = time.monotonic() + words.seconds
            while time.monotonic() < end:
                next(loads)()
                loaded.loads += 1
    return still, loaded


@contextmanager
def _dashboard(words: argparse.Namespace, seen: Seen) -> Iterator[None]:
    """Let readers ask meanwhile, in a process of their own; add what they see to `seen`."""
    command = [sys.executable, "-m", "bench.dashboard", str(words.readers), str(words.pause)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield
        finally:
            said, _ = process.communicate("")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    seen.add(Seen(**json.loads(said)))


def _loads(settings: Settings, events: int) -> Iterator[Callable[[], object]]:
    """Load a week; return loads without end: hours, and a day that was loaded before."""
    from bench import tasks  # noqa: PLC0415 - Airflow reads its configuration as it is imported
    from bench.source import make_source  # noqa: PLC0415

    note(f"Loading a week of {events:,} events a day …")
    make_source(settings, Options(songs=1_000, events=events, hours=1), settings.home / "sample")
    tasks.run(NOW - 7 * 24 * tasks.HOUR, NOW)
    hours = [lambda n=n: tasks.run_hour(NOW + n * tasks.HOUR) for n in range(4)]
    return itertools.cycle([*hours, lambda: tasks.run(NOW - 24 * tasks.HOUR, NOW)])


if __name__ == "__main__":
    sys.exit(main())
