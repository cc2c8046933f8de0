"""What is asked about a cluster, whichever kind it is: each kind answers in a module of its own."""

from datetime import datetime
from typing import Protocol

from sparkify.aws import Aws
from sparkify.cluster import cluster, workgroup
from sparkify.cluster.cluster import Cluster
from sparkify.cluster.plan import ClusterPlan


class Look(Protocol):
    """A kind of cluster, to look at."""

    def find_cluster(self, aws: Aws, identifier: str, /) -> Cluster | None:
        """Return the cluster, or None where there is none of that name."""

    def find_our_clusters(self, aws: Aws, /) -> list[Cluster]:
        """Return every cluster that our DAG made in the region."""

    def find_users_of_role(self, aws: Aws, arn: str, /) -> list[str]:
        """Return the names of the clusters that have the role."""

    def find_newest_snapshot(self, aws: Aws, plan: ClusterPlan, /) -> str | None:
        """Return the newest available manual snapshot of the plan's cluster, or None."""

    def describe_costs(self, aws: Aws, cluster: Cluster, now: datetime, /) -> str:
        """Return what the cluster has cost at most."""

    def find_loader(self, aws: Aws, plan: ClusterPlan, /) -> str:
        """Return the name of the database user who loads."""

    def get_master_login(self, aws: Aws, plan: ClusterPlan, /) -> tuple[str, str]:
        """Return the name and a password of the master user."""

    def name_connection(self, plan: ClusterPlan, /) -> dict[str, str]:
        """Return what in an Airflow connection's extra names the cluster."""


LOOKS: dict[str, Look] = {"provisioned": cluster, "serverless": workgroup}


def look_of(plan: ClusterPlan) -> Look:
    """Return the plan's kind of cluster, to look at."""
    return LOOKS[plan.kind]
