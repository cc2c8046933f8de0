"""FindExpiredOperator: the clusters that the reaper has to stop."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from sparkify.cluster.expiry import find_expired_clusters
from sparkify.operators.aws_step import AwsOperator
from sparkify.operators.loading_runs import runs_under_way


class FindExpiredOperator(AwsOperator):
    """Find clusters of ours whose time has passed, unless a load runs.

    Args:
        action: `pause` or `teardown`, what is to be done with them.
        region: where to look.
        loading_tag: while a run of a DAG with this tag is under way nothing is found.
        aws_conn_id: the Airflow connection with the credentials.

    Returns:
        For each cluster the conf of a run of `redshift_cluster` that stops it.

    Raises:
        AirflowSkipException: a load runs; the next run looks again.
    """

    template_fields: Sequence[str] = ("action", "region", *AwsOperator.template_fields)

    def __init__(self, *, action: str, region: str, loading_tag: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.action = action
        self.region = region
        self.loading_tag = loading_tag

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Look for expired clusters."""
        expired = self.call_aws(self.region, lambda aws: find_expired_clusters(aws, datetime.now(UTC)))
        if self.action == "pause":
            # An idle workgroup costs what a paused cluster does.
            expired = [
                (kind, cluster)
                for kind, cluster in expired
                if kind == "provisioned" and cluster.status not in {"paused", "pausing"}
            ]
        for kind, cluster in expired:
            where = f"{cluster.identifier} ({kind}, {cluster.status})"
            self.log.info("%s expired at %s", where, cluster.expires_at)
        if not expired:
            self.log.info("No cluster of ours has expired.")
            return []
        if loading := runs_under_way(context, self.dag.fileloc, self.loading_tag):
            dag_id, running = loading
            raise AirflowSkipException(
                f"{running} runs of {dag_id} are under way; the next hour looks again."
            )
        return [
            {"action": self.action, "kind": kind, "identifier": cluster.identifier}
            for kind, cluster in expired
        ]
