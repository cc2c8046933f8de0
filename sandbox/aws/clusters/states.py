"""What a cluster refuses in which status.

The API reference only says "the cluster must be available" (pause, modify, snapshot) or "paused" (resume).
For deletion it names no statuses; those below are what the Airflow provider's waiter `cluster_deletable`
takes for deletable (UNCONFIRMED: AWS's full list, and a final snapshot of a paused cluster, allowed here).
"""

from moto.redshift.exceptions import RedshiftClientError

from sandbox.aws.clusters.cluster import FAILED, LivingCluster

_NEEDED: dict[str, frozenset[str]] = {
    "paused": frozenset(("available",)),
    "resumed": frozenset(("paused",)),
    "modified": frozenset(("available",)),
    "copied to a snapshot": frozenset(("available",)),
    "deleted": frozenset(("available", "paused", *FAILED)),
    "logged in to": frozenset(("available",)),
}


def require_snapshot(cluster: LivingCluster) -> None:
    """Refuse a final snapshot of a cluster that has failed.

    API reference, DeleteCluster: InvalidClusterState is "the specified cluster is not in the available
    state". It does not say that this is about the snapshot: UNCONFIRMED, and the safe side.
    """
    if cluster.status in FAILED:
        raise RedshiftClientError(
            "InvalidClusterState",
            f"Cluster {cluster.cluster_identifier} is in status {cluster.status}: it has no final snapshot.",
        )


def require(cluster: LivingCluster, change: str) -> None:
    """Refuse a change that the cluster's status does not allow.

    Args:
        cluster: The cluster.
        change: A participle, such as ``paused``.

    Raises:
        RedshiftClientError: InvalidClusterState, with a message that names the status.
    """
    if cluster.status not in _NEEDED[change]:
        needed = " or ".join(sorted(_NEEDED[change] - FAILED))
        raise RedshiftClientError(
            "InvalidClusterState",
            f"Cluster {cluster.cluster_identifier} is in status {cluster.status} and cannot be {change}: "
            f"it must be {needed}.",
        )
