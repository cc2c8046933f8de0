"""ClusterStepOperator: one step of making, pausing, resuming or removing a cluster."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException

from sparkify.aws import Aws, NotYet
from sparkify.cluster.cluster import GONE
from sparkify.cluster.kinds import look_of
from sparkify.cluster.plan import ClusterPlan
from sparkify.failures import FatalError
from sparkify.operators.aws_step import AwsOperator
from sparkify.operators.task_docs import with_doc
from sparkify.operators.task_failures import translate_failures

Step = Callable[[Aws, ClusterPlan], str]


class ClusterStepOperator(AwsOperator):
    """Run one step over AWS, safe to run again, and wait without a worker until the cluster has arrived.

    Args:
        step: a function of `sparkify.cluster`, which does what is missing and says what it did.
        plan: the fields of ClusterPlan.
        until: the state to wait for in the triggerer.
        poll_seconds: pause between two looks.
        wait_minutes: how long to wait before the task is tried again; the next try goes on waiting.
        aws_conn_id: the Airflow connection with the credentials.

    Returns:
        What was done, as text.

    Raises:
        AirflowFailException: what no retry mends, with the remedy.
        AirflowException: what may pass; Airflow's retries go on from here.
    """

    template_fields: Sequence[str] = ("plan", "poll_seconds", *AwsOperator.template_fields)

    def __init__(
        self,
        *,
        step: Step,
        plan: Mapping[str, Any],
        until: Literal["available", "paused", "gone"] | None = None,
        poll_seconds: int | str = 15,
        wait_minutes: float = 60,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_doc(step, kwargs))
        self.step = step
        self.plan = dict(plan)
        self.until = until
        self.poll_seconds = poll_seconds
        self.wait_minutes = wait_minutes

    def execute(
        self,
        context: Context,  # noqa: ARG002 - Airflow's signature
        event: dict[str, Any] | None = None,  # noqa: ARG002 - it says that a wait ended, not how the cluster is
        *,
        did: str = "",
        started: str = "",
    ) -> str:
        """Do the step, then wait; called again after every wait with what was done and since when."""
        started = started or datetime.now(UTC).isoformat()
        with translate_failures(f"{self.task_id}: reading the plan"):
            plan = ClusterPlan.of(self.plan)
        did, reason = (did, "") if did else self._try_step(plan)
        if did and self.until is not None:
            reason = self._look(plan)
        if reason:
            self._wait(reason, started, did)
        return did

    def _try_step(self, plan: ClusterPlan) -> tuple[str, str]:
        """Return what the step did, or an empty text and the reason why it has to wait."""

        def attempt(aws: Aws) -> tuple[str, str]:
            try:
                return self.step(aws, plan), ""
            except NotYet as reason:
                return "", str(reason)

        did, reason = self.call_aws(plan.region, attempt)
        if did:
            self.log.info("%s", did)
        return did, reason

    def _look(self, plan: ClusterPlan) -> str:
        """Return why there is more to wait for; empty when the cluster has arrived."""
        status = self.call_aws(plan.region, lambda aws: self._status(aws, plan))
        if status != self.until:
            return f"The cluster {plan.identifier} is {status}."
        self.log.info("The cluster %s is %s.", plan.identifier, status)
        return ""

    def _wait(self, reason: str, started: str, did: str) -> None:
        """Leave the worker for a while.

        The provider's triggers would wait for a cluster that is, say, incompatible-network until their tries
        are used up, and then fail the task without a word on the cluster. Therefore the task looks itself.

        Raises:
            TaskDeferred: always, unless this try has waited long enough.
            AirflowException: it has; the next try goes on.
        """
        waited = datetime.now(UTC) - datetime.fromisoformat(started)
        if waited >= timedelta(minutes=self.wait_minutes):
            raise AirflowException(f"{reason} Waited {waited} for {self.task_id}; the task tries again.")
        self.log.info("%s Waiting.", reason)
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=float(self.poll_seconds))),
            method_name="execute",
            kwargs={"started": started, "did": did},
        )

    def _status(self, aws: Aws, plan: ClusterPlan) -> str:
        cluster = look_of(plan).find_cluster(aws, plan.identifier)
        status = cluster.status if cluster else GONE
        if status != self.until and (cluster is None or cluster.is_incompatible):
            raise FatalError(
                f"The cluster {plan.identifier} is {status} instead of {self.until}. Tear it down (action "
                "teardown), mend the network or the parameters, and provision again."
            )
        return status
