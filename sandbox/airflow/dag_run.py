"""One run of the DAG by ``airflow dags test``: started, watched task by task, and explained when it fails."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from sandbox.parts.environment import variables
from sandbox.parts.settings import Settings
from sandbox.terminal.console import printable

STARTED, SUCCESS, RETRY = "started", "success", "up_for_retry"

# What airflow.sdk.definitions.dag and the execution API log in 3.3; a line starts with a time and a level.
_RECORD = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \[(\w+) *\] ")
_START = re.compile(r"\[DAG TEST\] starting task_id=(\S+)")
_STATE = re.compile(r"Task instance state updated .*\bnew_state=(\w+)")
_END = re.compile(r"\[DAG TEST\] end task task_id=(\S+)")
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class TaskEvent:
    """A task began (state ``started``), or ended in a state of Airflow's such as ``success``.

    Attributes:
        error: what it had to say if it did not succeed.
    """

    task_id: str
    state: str
    error: str = ""


class LogReader:
    """Reads the output of ``airflow dags test`` line by line.

    Attributes:
        errors: what the tasks that did not succeed had to say, a message each, without tracebacks.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._state = ""
        self._told = 0
        self._level = ""
        self._error: list[str] = []

    def read(self, line: str) -> TaskEvent | None:
        """Take in one line; return the event it tells of, if it does."""
        record = _RECORD.match(line)
        if record:
            self.finish()
            self._level = record[1]
        elif line.startswith(_TRACEBACK):
            self._level = "error"  # Airflow itself ended on it, outside any record
        if self._level in ("error", "critical"):
            self._error.append(line.rstrip("\n"))
        if start := _START.search(line):
            self._state, self._told = "", len(self.errors)
            return TaskEvent(start[1], STARTED)
        if state := _STATE.search(line):
            self._state = state[1]
        if end := _END.search(line):
            said = self.errors[self._told :] if self._state != SUCCESS else []
            return TaskEvent(end[1], self._state, said[-1] if said else "")
        return None

    def finish(self) -> None:
        """Close the record that is being read."""
        if self._error:
            self.errors.append(_message(self._error))
        self._error = []
        self._level = ""


class TaskProgress:
    """Shows a run's tasks: on a terminal a clock for each, elsewhere a line at start and end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<20}"),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, disable=not console.is_terminal)
        self._bar: TaskID | None = None
        self._name, self._began = "", 0.0

    def __enter__(self) -> Self:
        """Show that Airflow is starting: it takes seconds until its first task."""
        self._bars.start()
        self._begin("airflow")
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the tasks' times on the screen."""
        self._end("stopped")
        self._bars.stop()

    def watch(self, event: TaskEvent) -> None:
        """Show that a task began or ended."""
        if event.state == STARTED:
            self._end(SUCCESS)
            self._begin(event.task_id)
            return
        self._end(event.state)
        if event.error:
            self._console.print(f"    {printable(event.error.splitlines()[0])}", markup=False, soft_wrap=True)
        if event.state == RETRY:
            self._begin(f"waiting to try {event.task_id} again")

    def _begin(self, name: str) -> None:
        self._name, self._began = name, time.monotonic()
        self._bar = self._bars.add_task(name, total=1)
        if not self._console.is_terminal:
            self._console.print(f"  {name} …")

    def _end(self, state: str) -> None:
        if self._bar is None:
            return
        told = self._name if state == SUCCESS else f"{self._name}: {state.replace('_', ' ')}"
        self._bars.update(self._bar, completed=1, description=told)
        self._bar = None
        if not self._console.is_terminal:
            self._console.print(f"  {told}: {time.monotonic() - self._began:.1f} s")


def run_dag(
    settings: Settings,
    dag_id: str,
    *,
    logical_date: str,
    conf: Mapping[str, str],
    log: Path,
    watch: Callable[[TaskEvent], None],
) -> tuple[int, list[str]]:
    """Run a DAG once in a process of its own and wait for it.

    Args:
        settings: the sandbox it works on.
        dag_id: the DAG.
        logical_date: of the run, ISO 8601 with offset.
        conf: the run's params.
        log: file for everything Airflow prints; an earlier one is replaced.
        watch: told when a task starts and ends.

    Returns:
        Airflow's exit code, and the messages of what went wrong.
    """
    command = [
        sys.executable,
        "-m",
        "airflow",
        "dags",
        "test",
        dag_id,
        logical_date,
        "--conf",
        json.dumps(conf),
    ]
    environment = {**os.environ, **variables(settings), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    reader = LogReader()
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as copy,
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                copy.write(line)
                event = reader.read(line)
                if event:
                    watch(event)
        except BaseException:
            process.terminate()
            raise
    reader.finish()
    return process.returncode, reader.errors


def _message(record: list[str]) -> str:
    """Keep of an error record the exception below its last traceback, or else the line itself."""
    starts = [number for number, line in enumerate(record) if line == _TRACEBACK]
    if not starts:
        return _RECORD.sub("", "\n".join(record)).strip()
    last = starts[-1] + 1
    while last < len(record) and (record[last].startswith((" ", "\t")) or not record[last]):
        last += 1
    return "\n".join(record[last:]).strip()
