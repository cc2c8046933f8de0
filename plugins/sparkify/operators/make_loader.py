"""MakeLoaderOperator: the database user who loads, made by the cluster's master user."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from airflow.sdk import Context

from sparkify.aws import Aws
from sparkify.cluster.kinds import look_of
from sparkify.cluster.login import connect_as_master
from sparkify.cluster.plan import ClusterPlan
from sparkify.operators.aws_step import AwsOperator
from sparkify.operators.task_failures import translate_failures
from sparkify.warehouse.grants import make_loader
from sparkify.warehouse.schema import made_relation, with_ops
from sparkify.warehouse.session import Session
from sparkify.warehouse.tries import run_load


class MakeLoaderOperator(AwsOperator):
    """Make the user who loads and the group that reads; give the user the tables that the master user owns.

    For this alone the master user logs in. A run after the first gives what is missing.

    Args:
        plan: the fields of ClusterPlan.
        sql: the DDL of all tables, as for CreateTablesOperator.
        group: the group.
        published: the tables that the group may read.
        aws_conn_id: the Airflow connection with the credentials.

    Raises:
        AirflowFailException: what no retry mends, such as a table of a third user; nothing was changed.
        AirflowException: what may pass; nothing was changed.
    """

    template_fields: Sequence[str] = ("plan", "sql", "group", *AwsOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        plan: Mapping[str, Any],
        sql: Sequence[str],
        group: str,
        published: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.plan = dict(plan)
        self.sql = list(sql)
        self.group = group
        self.published = published

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Make, and hand over."""
        with translate_failures(f"{self.task_id}: reading the plan"):
            plan = ClusterPlan.of(self.plan)
        what = f"making the loader of cluster {plan.identifier} as its master user"
        loader, given = self.call_aws(plan.region, lambda aws: self._make(aws, plan, what), what)
        self.log.info("%s loads. %s", loader, f"It was given {', '.join(given)}." if given else "")

    def _make(self, aws: Aws, plan: ClusterPlan, what: str) -> tuple[str, list[str]]:
        loader = look_of(plan).find_loader(aws, plan)
        relations = [made.name for sql in with_ops(self.sql) if (made := made_relation(sql))]

        def make(session: Session) -> list[str]:
            return make_loader(session, loader, self.group, relations, self.published)

        connect = partial(connect_as_master, aws, plan)
        what = f"{self.task_id}: {what}"
        return loader, run_load(connect, make, what=what, log=self.log, journal=[])
