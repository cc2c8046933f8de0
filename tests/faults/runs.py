"""Pipeline runs in processes of their own, and the warehouse and source that they work on."""

import json
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.faults.child import WAREHOUSE, Plan, run_plan
from tests.faults.datasets import SPARKIFY
from tests.faults.reference import Window

PATIENCE_SECONDS = 60.0
# What Airflow gives a task that it ends to come to an end by itself.
GRACE_SECONDS = 5.0
# The driver looks through the whole stack for a name where it is given none.
APPLICATION = "fault_test"


def wait_until(ready: Callable[[], Any], what: str) -> None:
    """Wait for a condition of the outside world; fail the test when it does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)


@dataclass
class Run:
    """A run in progress."""

    process: Any
    pipe: Connection
    points: list[str] = field(default_factory=list)
    error: str = ""
    is_done: bool = False
    has_ended: bool = False
    pause: str = ""
    exitcode: int | None = None

    def wait_for_pause(self) -> str:
        """The point at which the run waits now; empty when it has ended instead."""
        if self.exitcode is not None:
            return ""
        while not self.has_stopped:
            if not self.pipe.poll(PATIENCE_SECONDS):
                self.kill()
                raise AssertionError(f"the run hangs after {self.points[-1:]}")
        if not self.pause:
            self._release()
        return self.pause

    def _release(self) -> None:
        """Wait for the end of the process and give back its files, of which a test may have a thousand."""
        self.process.join(PATIENCE_SECONDS)
        self.exitcode = self.process.exitcode
        assert self.exitcode is not None, "the process said its last and did not end"
        self.process.close()
        self.pipe.close()

    @property
    def has_stopped(self) -> bool:
        """Whether the run waits at a point or has ended; reads what it said so far."""
        if self.exitcode is not None:
            return True
        try:
            while not self.pause and self.pipe.poll():
                self._note(*self.pipe.recv())
        except (EOFError, ConnectionError):
            self.has_ended = True
        return self.has_ended or bool(self.pause)

    def _note(self, kind: str, text: str, points: list[str]) -> None:
        self.points += points
        match kind:
            case "failed":
                self.error = text
            case "done":
                self.is_done = True
        self.pause = text if kind == "waits" else ""

    def wait_at(self, point: str) -> None:
        """Wait until the run waits at `point`."""
        assert self.wait_for_pause() == point, self.error or self.points[-3:]

    def go(self) -> None:
        """Let a waiting run go on."""
        self.pause = ""
        self.pipe.send("go")

    def finish(self) -> "Run":
        """Let the run go on to its end and assert that it succeeded."""
        while self.wait_for_pause():
            self.go()
        assert self.is_done, self.error or f"exit code {self.exitcode}"
        return self

    def fail(self) -> str:
        """Let the run go on to its end; return its error."""
        while self.wait_for_pause():
            self.go()
        assert self.error, "the run succeeded" if self.is_done else f"exit code {self.exitcode}"
        return self.error

    def die(self) -> None:
        """Assert that the run killed itself."""
        assert not self.wait_for_pause()
        assert self.exitcode == -9, self.error or "the run passed the point of its death by"

    def kill(self) -> None:
        if self.exitcode is None:
            self.process.kill()
            self._release()

    def end_from_ui(self) -> None:
        """End the run as the supervisor of a task that was marked failed does: SIGTERM.

        SIGKILL would follow; the run must not need it.
        """
        self.process.terminate()
        self.process.join(GRACE_SECONDS)
        assert self.process.exitcode is not None, "SIGTERM did not end the run"
        self.pause = ""


class Runner:
    """Starts runs; each is forked from a process that has Airflow and the DAG loaded already."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = dict(environment or {})
        self.mutation = ""
        self.started: list[Run] = []
        self.windows: defaultdict[str, list[Window]] = defaultdict(list)

    def start(self, *windows: Window, dataset: str = SPARKIFY.name, **options: Any) -> Run:
        """Start runs over `windows`, one after the other in one process; see Plan for the rest."""
        self.windows[dataset] += windows
        here, there = _CONTEXT.Pipe()
        environment = {**os.environ, **self.environment}
        environment[WAREHOUSE] = _named(environment[WAREHOUSE])
        plan = Plan(windows, environment, dataset=dataset, mutation=self.mutation, **options)
        process = _CONTEXT.Process(target=run_plan, args=(plan, there))
        process.start()
        there.close()
        self.started.append(Run(process, here))
        return self.started[-1]

    def run(self, *windows: Window, **options: Any) -> Run:
        """Run over `windows` and return when all is done."""
        return self.start(*windows, **options).finish()

    def close(self) -> None:
        for run in self.started:
            run.kill()


def _named(connection: str) -> str:
    """An Airflow connection whose sessions have a name on the server."""
    fields = json.loads(connection)
    fields["extra"] = {**fields["extra"], "application_name": APPLICATION}
    return json.dumps(fields)


def _forking_context() -> Any:
    context = multiprocessing.get_context("forkserver")
    # The server imports these before it forks; it finds them by PYTHONPATH only.
    context.set_forkserver_preload(["pytest", "tests.faults.warm", "tests.faults.child"])
    paths = [str(REPOSITORY), str(REPOSITORY / "plugins"), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    return context


_CONTEXT = _forking_context()


def moments(*texts: str) -> Window:
    """A window from two UTC times such as 2018-11-15T09."""
    start, end = (datetime.fromisoformat(text) for text in texts)
    return start, end


def hours(day: str, numbers: Iterable[int]) -> list[Window]:
    """The hours of a day as windows."""
    at = datetime.fromisoformat(day)
    return [(at.replace(hour=n), at.replace(hour=n + 1)) for n in numbers]


def mostly_long(values: Iterable[str], ordinary: str) -> list[Any]:
    """Parameters of a test of which all but one belong to the long scenarios."""
    return [v if v == ordinary else pytest.param(v, marks=pytest.mark.long) for v in values]
