"""The steps that differ between kinds of clusters: each kind takes them in a module of its own."""

from typing import Protocol

from sparkify.aws import Aws
from sparkify.cluster import life, serverless
from sparkify.cluster.plan import ClusterPlan


class Life(Protocol):
    """A kind of cluster, to change; every method returns what it did, as the modules say."""

    def make_cluster(self, aws: Aws, plan: ClusterPlan, /) -> str:
        """Begin to make the cluster, or set off one that is there towards `available`."""

    def pause_cluster(self, aws: Aws, plan: ClusterPlan, /) -> str:
        """Begin to pause the cluster."""

    def resume_cluster(self, aws: Aws, plan: ClusterPlan, /) -> str:
        """Begin to resume the cluster."""

    def remove_cluster(self, aws: Aws, plan: ClusterPlan, /) -> str:
        """Begin to remove the cluster, with a final snapshot if the plan says so."""


LIVES: dict[str, Life] = {"provisioned": life, "serverless": serverless}


def make_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to make the plan's cluster, or set off one that is there towards `available`."""
    return LIVES[plan.kind].make_cluster(aws, plan)


def pause_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to pause the plan's cluster."""
    return LIVES[plan.kind].pause_cluster(aws, plan)


def resume_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to resume the plan's cluster."""
    return LIVES[plan.kind].resume_cluster(aws, plan)


def remove_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to remove the plan's cluster, with a final snapshot if the plan says so."""
    return LIVES[plan.kind].remove_cluster(aws, plan)
