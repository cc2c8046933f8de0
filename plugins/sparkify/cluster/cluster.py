"""A cluster as AWS describes it: found, told whose it is, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster.plan import EXPIRES_TAG, OWNER, OWNER_TAG, ClusterPlan, price_of
from sparkify.failures import FatalError

# States that end by themselves, and states that no waiting ends.
ON_THE_WAY = (
    "creating",
    "modifying",
    "rebooting",
    "renaming",
    "resizing",
    "rotating-keys",
    "resuming",
    "pausing",
)
GOING = ("final-snapshot", "deleting")
GONE = "gone"
MISSING = ("ClusterNotFound", "ClusterNotFoundFault")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as AWS describes it.

    Args:
        status: as AWS says it, for example `available`.
        host: where it answers, None while it has no endpoint.
        created: aware time, None while AWS does not say.
    """

    identifier: str
    status: str
    node_type: str
    nodes: int
    host: str | None
    port: int | None
    created: datetime | None
    tags: Mapping[str, str]

    @classmethod
    def of(cls, described: Any) -> "Cluster":  # noqa: ANN401 - boto's cluster
        """Return a cluster from AWS's own form of it."""
        endpoint = described.get("Endpoint") or {}
        return cls(
            identifier=described["ClusterIdentifier"],
            status=described["ClusterStatus"],
            node_type=described["NodeType"],
            nodes=described["NumberOfNodes"],
            host=endpoint.get("Address"),
            port=endpoint.get("Port"),
            created=described.get("ClusterCreateTime"),
            tags={tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
        )

    @property
    def is_ours(self) -> bool:
        """Whether our DAG made it: only its tag tells."""
        return self.tags.get(OWNER_TAG) == OWNER

    @property
    def is_incompatible(self) -> bool:
        """Whether it is in one of the states, incompatible-…, in which AWS makes no snapshot."""
        return self.status.startswith("incompatible-")

    @property
    def hourly_price(self) -> float | None:
        """USD an hour while it runs, or None where the price is not known."""
        return price_of(self.node_type, self.nodes)

    @property
    def expires_at(self) -> datetime | None:
        """When the reaper may act (aware), or None for never.

        Raises:
            FatalError: somebody gave the tag a value that is no time.
        """
        text = self.tags.get(EXPIRES_TAG)
        try:
            return datetime.fromisoformat(text).astimezone(UTC) if text else None
        except ValueError:
            raise FatalError(
                f"The tag {EXPIRES_TAG} of cluster {self.identifier} is {text!r}, no time such as "
                "2026-11-24T18:00:00+00:00. Provision again with hours_to_live, which sets it."
            ) from None


def find_cluster(aws: Aws, identifier: str) -> Cluster | None:
    """Return the cluster, or None where there is none of that name."""
    described = describe_cluster(aws, identifier)
    return Cluster.of(described) if described else None


def find_our_clusters(aws: Aws) -> list[Cluster]:
    """Return every cluster that our DAG made in the region."""
    pages = aws.redshift.get_paginator("describe_clusters").paginate()
    return [cluster for page in pages for cluster in map(Cluster.of, page["Clusters"]) if cluster.is_ours]


def describe_cluster(aws: Aws, identifier: str) -> Any:  # noqa: ANN401 - boto's cluster or None
    """Return the cluster in AWS's own form, or None where there is none of that name."""
    try:
        clusters = aws.redshift.describe_clusters(ClusterIdentifier=identifier)["Clusters"]
    except ClientError as error:
        if code_of(error) in MISSING:
            return None
        raise
    return clusters[0] if clusters else None


def describe_costs(_aws: Aws, cluster: Cluster, now: datetime) -> str:
    """Return what the cluster has cost at most by the hourly price, as if it had never been paused."""
    price, size = cluster.hourly_price, f"{cluster.nodes} x {cluster.node_type}"
    if price is None or cluster.created is None:
        return f"{size}; its hourly price is not known here."
    hours = (now - cluster.created) / timedelta(hours=1)
    return (
        f"{size} at about USD {price:.3f} an hour (us-east-1, on demand): at most "
        f"USD {price * hours:.2f} for the {hours:.1f} hours since it was made; paused hours cost storage."
    )


def find_users_of_role(aws: Aws, arn: str) -> list[str]:
    """Return the names of the clusters that have the role."""
    pages = aws.redshift.get_paginator("describe_clusters").paginate()
    return [
        cluster["ClusterIdentifier"]
        for page in pages
        for cluster in page["Clusters"]
        if any(role["IamRoleArn"] == arn for role in cluster.get("IamRoles", []))
    ]


def find_loader(_aws: Aws, plan: ClusterPlan) -> str:
    """Return the name of the database user who loads."""
    return plan.loader


def get_master_login(aws: Aws, plan: ClusterPlan) -> tuple[str, str]:
    """Return the master user and a password for minutes, so that nobody reads the one AWS keeps."""
    login = aws.redshift.get_cluster_credentials(
        ClusterIdentifier=plan.identifier, DbName=plan.database, DbUser=plan.user, AutoCreate=False
    )
    return login["DbUser"], login["DbPassword"]


def name_connection(plan: ClusterPlan) -> dict[str, str]:
    """Return what in an Airflow connection's extra names the cluster."""
    return {"cluster_identifier": plan.identifier}


def find_newest_snapshot(aws: Aws, plan: ClusterPlan) -> str | None:
    """Return the newest available manual snapshot of the plan's cluster, or None."""
    pages = aws.redshift.get_paginator("describe_cluster_snapshots").paginate(SnapshotType="manual")
    snapshots = [
        snapshot
        for page in pages
        for snapshot in page["Snapshots"]
        if snapshot["ClusterIdentifier"] == plan.identifier and snapshot["Status"] == "available"
    ]
    newest = max(snapshots, key=lambda snapshot: snapshot["SnapshotCreateTime"], default=None)
    return newest["SnapshotIdentifier"] if newest else None
