"""Airflow's callbacks: what each kind of alert looks at, and in which process.

Every callback ends well: whatever goes wrong with an alert is logged and touches no run.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseNotifier, Context, Variable
from airflow.sdk._shared.secrets_masker import redact

from sparkify.text import cut, printable
from sparkify_watch.alerts.memory import GOOD, Memory
from sparkify_watch.alerts.runs import Run, cluster_page_link, is_late
from sparkify_watch.alerts.states import (
    CLUSTER_EXPIRY,
    FAILED_RUN,
    QUALITY_ERROR,
    late_run_ended,
    run_ended,
    run_is_late,
)
from sparkify_watch.alerts.telling import PREFIX, tell
from sparkify_watch.alerts.wording import describe

_CAUSE = "cause_of_failure"
# Bytes of a cause: as much as a mail and a message of SNS hold easily.
_LONGEST_CAUSE = 3000


class AlertNotifier(BaseNotifier):
    """What the callbacks share: none has templates."""

    def render_template_fields(self, context: Context, jinja_env: object = None) -> None:
        """Render nothing; `airflow dags test` gives callbacks a DAG that could not."""


class CauseNotifier(AlertNotifier):
    """Keep why a task failed, for the alert of its run: `on_failure_callback` of tasks.

    Only the task's own process has the exception; only the DAG processor knows that the run has ended.
    """

    def notify(self, context: Mapping[str, Any]) -> None:
        """Push the exception's message as an XCom."""
        if error := context.get("exception"):
            context["ti"].xcom_push(
                _CAUSE, cut(printable(str(redact(str(error))), keep="\n"), _LONGEST_CAUSE)
            )


class RunNotifier(AlertNotifier):
    """Tell when runs of a DAG begin to fail, in a load or in a quality check, and when they succeed again.

    `on_failure_callback` and `on_success_callback` of a DAG: they run in the DAG processor, those of one DAG
    file one after the other.
    """

    def notify(self, context: Mapping[str, Any]) -> None:
        """Look at the run that has ended."""
        run, outcome = Run.of(context), _outcome(context)

        def change(memory: Memory, at: datetime) -> Memory:
            return run_ended(memory, outcome, run.window, at)

        tell(
            f"runs_{run.dag_id}",
            change,
            lambda memory, heard: describe(run.dag_id, memory, heard, _cause(context), run),
        )


class LateRunNotifier(AlertNotifier):
    """Tell of a load that is late, once: the callback of a deadline, awaited in the triggerer."""

    async def async_notify(self, context: Mapping[str, Any]) -> None:
        """Look at the run that has missed its deadline, in a thread: the triggerer has others to wait for."""
        await asyncio.to_thread(self.notify, context)

    def notify(self, context: Mapping[str, Any]) -> None:
        """Look at the run that has missed its deadline."""
        if not is_late(context["dag_run"]):
            return
        run = Run.of_deadline(context["dag_run"])
        cause = f"It has not ended by {context['deadline']['deadline_time']}."

        def change(memory: Memory, at: datetime) -> Memory:
            return run_is_late(memory, run.run_id, at)

        tell(
            f"late_{run.dag_id}",
            change,
            lambda memory, heard: describe(run.dag_id, memory, heard, cause, run),
        )


class LateLoadNotifier(AlertNotifier):
    """Tell when a load that was late has come: beside RunNotifier in a DAG with a deadline."""

    def notify(self, context: Mapping[str, Any]) -> None:
        """Look at the run that has ended."""
        run, succeeded = Run.of(context), _outcome(context) == GOOD
        cause = "The run that was late, or one after it, has succeeded."

        def change(memory: Memory, at: datetime) -> Memory:
            return late_run_ended(memory, run.run_id, at, succeeded=succeeded)

        tell(
            f"late_{run.dag_id}",
            change,
            lambda memory, heard: describe(run.dag_id, memory, heard, cause, run),
        )


class ExpiryNotifier(AlertNotifier):
    """Tell of clusters that soon expire: `on_success_callback` of the reaper's task, or when it skips."""

    def notify(self, context: Mapping[str, Any]) -> None:
        """Look at the clusters of the task's region, and at those that were told of before."""
        from sparkify.aws import Aws  # noqa: PLC0415 - only the reaper needs it
        from sparkify_watch.alerts.expiry import find_expiring  # noqa: PLC0415

        task, run = context["task"], Run.of(context)
        expiring = find_expiring(Aws(task.aws_conn_id, task.region), datetime.now(UTC))
        known = (key.removeprefix(f"{PREFIX}cluster_") for key in Variable.keys(f"{PREFIX}cluster_"))
        for name in sorted({*expiring, *known}):
            _tell_of_cluster(name, expiring.get(name, ""), run)


def _tell_of_cluster(name: str, cause: str, run: Run) -> None:
    state = CLUSTER_EXPIRY if cause else GOOD
    subject = f"cluster_{name}"
    why = cause or "It has been given more time, or is being removed."
    tell(
        subject,
        lambda memory, at: memory.turned(state, at),
        lambda memory, heard: describe(subject, memory, heard, why, run, cluster_page_link()),
    )


def _outcome(context: Mapping[str, Any]) -> str:
    """Return how the run of a DAG's callback ended."""
    if context.get("reason") == "success":
        return GOOD
    from sparkify.operators import DataQualityOperator  # noqa: PLC0415 - only a failed run needs it

    return QUALITY_ERROR if isinstance(context.get("task"), DataQualityOperator) else FAILED_RUN


def _cause(context: Mapping[str, Any]) -> str:
    """Return why the run of a DAG's callback failed, in the words of the task that failed last."""
    reason = str(context.get("reason", ""))
    if reason == "success":
        return "The run succeeded."
    if (instance := context.get("ti")) is None or reason != "task_failure":
        return f"The run failed: {reason}."
    said = instance.xcom_pull(task_ids=instance.task_id, key=_CAUSE)
    return str(said) if said else f"The task {instance.task_id} failed; its log has the cause."
