"""Pipeline runs in a process of their own, which stops, waits or dies at named points of its statements.

The process executes the operators of the DAG file as a worker would: templates rendered, connections and
Variables from the environment, SIGTERM answered by on_kill. The points are made here, around the session's
methods: production code has no hooks.

A point is called `<task> <before|after> <VERB> <n>`: `load_users after LOCK 1` follows the first LOCK of the
task. `PUBLISH` stands for the COMMIT of a transaction that holds a lock, `PAUSE` for the pause before a new
try. Of CORRECT, a task of the DAG replay_rejected, what it does with S3 is a point, too: `PUTOBJECT`.
Patterns of points are those of fnmatch.
"""

import contextlib
import fnmatch
import os
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.context import VariableAccessor
from airflow.sdk.execution_time.timeout import timeout
from botocore.client import BaseClient

from dags import replay_rejected
from sparkify.warehouse import tries
from sparkify.warehouse.session import Session
from tests.faults.datasets import BY_NAME, SPARKIFY
from tests.faults.mutations import MUTATIONS
from tests.faults.reference import Window

WAREHOUSE = "AIRFLOW_CONN_REDSHIFT_DEFAULT"
TASKS = SPARKIFY.tasks
CORRECT = "correct"


@dataclass(frozen=True)
class Plan:
    """What one process does.

    Args:
        windows: of naive UTC times, one for each run of the tasks.
        environment: all variables of the process.
        dataset: name of the one whose DAG runs.
        tasks: in the order in which they run; by default all that load.
        run_id: Airflow's name of the run.
        is_scheduled: the windows are data intervals; otherwise they are params.
        pause: patterns of the points at which the run says where it is and waits.
        kill: pattern of the point at which the process kills itself with SIGKILL.
        mutation: name of the fault that is built into the pipeline's code, see mutations.py.
        timeout: a task's execution_timeout in seconds.
        look_back_days: the DAG's param.
        params: further ones of the DAG.
    """

    windows: tuple[Window, ...]
    environment: Mapping[str, str] = field(repr=False)
    dataset: str = SPARKIFY.name
    tasks: tuple[str, ...] = ()
    run_id: str = "fault_test"
    is_scheduled: bool = False
    pause: tuple[str, ...] = ()
    kill: str = ""
    mutation: str = ""
    timeout: float = 300
    look_back_days: int = 3
    params: Mapping[str, Any] = field(default_factory=dict)


class Points:
    """Counts the points of a run and does at each what the plan wants there."""

    def __init__(self, plan: Plan, parent: Connection) -> None:
        self.plan = plan
        self.parent = parent
        self.untold: list[str] = []
        self.task = ""
        self.counts: Counter[str] = Counter()
        self.holds_lock = False

    def enter(self, task: str) -> None:
        self.task, self.counts = task, Counter()

    @contextlib.contextmanager
    def around(self, verb: str) -> Iterator[None]:
        verb = "PUBLISH" if verb == "COMMIT" and self.holds_lock else verb
        self.holds_lock = verb == "LOCK" or (self.holds_lock and verb not in {"PUBLISH", "ROLLBACK"})
        self.counts[verb] += 1
        name = f"{verb} {self.counts[verb]}"
        self.reach(f"{self.task} before {name}")
        yield
        self.reach(f"{self.task} after {name}")

    def reach(self, point: str) -> None:
        if self.plan.kill and fnmatch.fnmatch(point, self.plan.kill):
            os.kill(os.getpid(), signal.SIGKILL)
        self.untold.append(point)
        if any(fnmatch.fnmatch(point, pattern) for pattern in self.plan.pause):
            self.tell("waits", point)
            self.parent.recv()
        # A parent that waits for another run reads nothing from this one, which may hold what that one needs.
        elif select.select([], [self.parent], [], 0)[1]:
            self.tell("passed")

    def tell(self, kind: str, text: str = "") -> None:
        """Tell the parent what happened, and every point that was passed since it was last told."""
        self.parent.send((kind, text, self.untold))
        self.untold = []


def run_plan(plan: Plan, parent: Connection) -> None:
    """Run the plan's tasks; tell the parent every point, then `done` or `failed` with the error."""
    with Path(os.devnull).open("w") as silence:
        os.dup2(silence.fileno(), sys.stdout.fileno())
    os.environ.clear()
    os.environ.update(plan.environment)
    time.tzset()
    if plan.mutation:
        MUTATIONS[plan.mutation]()
    points = Points(plan, parent)
    _watch(points)
    try:
        for window in plan.windows:
            for task in plan.tasks or BY_NAME[plan.dataset].tasks:
                points.enter(task)
                execute(task, window, plan)
    except (Exception, AirflowTaskTimeout, SystemExit):
        points.tell("failed", traceback.format_exc())
    else:
        points.tell("done")


def _watch(points: Points) -> None:
    run, commit, rollback = Session._run, Session.commit, Session.rollback

    @contextlib.contextmanager
    def watched_run(session: Session, sql: str, *values: Any) -> Iterator[Any]:
        with points.around(sql.split(maxsplit=1)[0].upper()), run(session, sql, *values) as cursor:
            yield cursor

    def watched(call: Callable[[Session], None], verb: str) -> Callable[[Session], None]:
        def method(session: Session) -> None:
            with points.around(verb):
                call(session)

        return method

    call = BaseClient._make_api_call

    def watched_call(client: BaseClient, operation: str, *arguments: Any) -> Any:
        with points.around(operation.upper()) if points.task == CORRECT else contextlib.nullcontext():
            return call(client, operation, *arguments)

    def pause(_seconds: float) -> None:
        with points.around("PAUSE"):
            pass

    Session._run = watched_run  # type: ignore[method-assign]
    Session.commit = watched(commit, "COMMIT")  # type: ignore[method-assign]
    Session.rollback = watched(rollback, "ROLLBACK")  # type: ignore[method-assign]
    BaseClient._make_api_call = watched_call  # type: ignore[method-assign]
    tries.time = SimpleNamespace(sleep=pause)  # type: ignore[assignment]


def prepare(task_id: str, window: Window, plan: Plan) -> tuple[Any, Any]:
    """Render one task; return its operator and context."""
    under_test = BY_NAME[plan.dataset]
    dag = replay_rejected.dag if task_id == CORRECT else under_test.dag
    operator = dag.get_task(task_id).prepare_for_execution()
    start, end = (moment.replace(tzinfo=UTC) for moment in window)
    context: Any = {
        "ti": SimpleNamespace(
            dag_id=dag.dag_id, run_id=plan.run_id, task_id=task_id, xcom_push=lambda **_values: None
        ),
        "params": {**under_test.params, "look_back_days": plan.look_back_days, **plan.params},
        "var": {"value": VariableAccessor(deserialize_json=False)},
    }
    if plan.is_scheduled:
        context |= {"data_interval_start": start, "data_interval_end": end}
    else:
        context["params"] |= {"window_start": start.isoformat(), "window_end": end.isoformat()}
    operator.render_template_fields(context)
    return operator, context


def execute(task_id: str, window: Window, plan: Plan) -> Any:
    """Execute one task as Airflow's task runner does."""
    operator, context = prepare(task_id, window, plan)
    signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
    try:
        with timeout(plan.timeout):
            return operator.execute(context)
    except AirflowTaskTimeout:
        operator.on_kill()
        raise
