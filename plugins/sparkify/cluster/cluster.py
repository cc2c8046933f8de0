"""The Redshift cluster: made, paused, resumed and removed by steps that are safe to run again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, NotYet, code_of
from sparkify.cluster.network import PORT, find_security_group
from sparkify.cluster.plan import EXPIRES_TAG, OWNER, OWNER_TAG, ClusterPlan, price_of, tag_list
from sparkify.cluster.restore import announce_restore, end_restore, is_restored_by_us
from sparkify.cluster.role import find_role
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
_MISSING = ("ClusterNotFound", "ClusterNotFoundFault")


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
    described = _describe(aws, identifier)
    return _read(described) if described else None


def our_clusters(aws: Aws) -> list[Cluster]:
    """Return every cluster that our DAG made in the region."""
    pages = aws.redshift.get_paginator("describe_clusters").paginate()
    return [one for page in pages for one in map(_read, page["Clusters"]) if one.is_ours]


def make_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to make the cluster, or set off one that is there towards `available`; return what was done.

    Raises:
        FatalError: a cluster of that name is somebody else's, or cannot become available.
        NotYet: one of that name is just being paused or removed.
    """
    cluster = _find_ours(aws, plan)
    if cluster is None:
        return _create(aws, plan)
    if cluster.status in (*GOING, "pausing"):
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}.")
    if cluster.is_incompatible:
        raise FatalError(_broken(cluster))
    if cluster.status == "paused":
        return resume_cluster(aws, plan)
    _tag(aws, plan)
    return f"Cluster {plan.identifier} is there ({cluster.status}); it now expires {_expiry(plan)}."


def pause_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to pause the cluster; return what was done.

    Raises:
        FatalError: there is no such cluster of ours.
        NotYet: it is not yet in a state in which AWS pauses it.
    """
    cluster = _require(aws, plan)
    if cluster.status in {"paused", "pausing"}:
        return f"Cluster {plan.identifier} is {cluster.status}: nothing to do."
    if cluster.status != "available":
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}; AWS pauses an available one.")
    aws.redshift.pause_cluster(ClusterIdentifier=plan.identifier)
    return f"Cluster {plan.identifier} is being paused; only its storage is billed from then on."


def resume_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to resume the cluster; return what was done.

    Raises:
        FatalError: there is no such cluster of ours.
        NotYet: it is not yet in a state in which AWS resumes it.
    """
    cluster = _require(aws, plan)
    if cluster.status in {"available", "resuming", "creating", "modifying"}:
        return f"Cluster {plan.identifier} is {cluster.status}: nothing to do."
    if cluster.status != "paused":
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}; AWS resumes a paused one.")
    _tag(aws, plan)
    aws.redshift.resume_cluster(ClusterIdentifier=plan.identifier)
    return f"Cluster {plan.identifier} is being resumed; it now expires {_expiry(plan)}."


def remove_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to remove the cluster, with a final snapshot if the plan says so; return what was done.

    Raises:
        FatalError: the cluster is somebody else's, or no snapshot can be made and one is asked for.
        NotYet: it is on its way to a state in which AWS removes it.
    """
    cluster = _find_ours(aws, plan)
    if cluster is None:
        return f"Cluster {plan.identifier}: nothing to do."
    if cluster.status in GOING:
        return f"Cluster {plan.identifier} is being removed already ({cluster.status})."
    if cluster.status in ON_THE_WAY:
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}; AWS removes it after that.")
    if not plan.final_snapshot:
        return _delete(aws, plan, None)
    if cluster.is_incompatible:
        raise FatalError(_without_snapshot(cluster))
    return _delete(aws, plan, f"{plan.identifier}-final-{datetime.now(UTC):%Y%m%d-%H%M%S}")


def _delete(aws: Aws, plan: ClusterPlan, snapshot: str | None) -> str:
    what: Any = (
        {"FinalClusterSnapshotIdentifier": snapshot, "SkipFinalClusterSnapshot": False}
        if snapshot
        else {"SkipFinalClusterSnapshot": True}
    )
    try:
        aws.redshift.delete_cluster(ClusterIdentifier=plan.identifier, **what)
    except ClientError as error:
        if code_of(error) not in {*_MISSING, "InvalidClusterState", "InvalidClusterStateFault"}:
            raise
        # Another teardown may have been faster; a cluster that stays is removed with its snapshot or not.
        cluster = find_cluster(aws, plan.identifier)
        if cluster is None or cluster.status in GOING:
            return f"Cluster {plan.identifier} is being removed already."
        if cluster.status in ON_THE_WAY:
            raise NotYet(f"The cluster {plan.identifier} is {cluster.status}.") from None
        if not snapshot:
            raise
        raise FatalError(_without_snapshot(cluster)) from error
    if snapshot:
        return f"Cluster {plan.identifier} is being removed; its snapshot {snapshot} stays and is billed."
    return f"Cluster {plan.identifier} is being removed, without a final snapshot."


def describe_costs(cluster: Cluster, now: datetime) -> str:
    """Return what the cluster has cost at most by the hourly price, as if it had never been paused."""
    price, size = cluster.hourly_price, f"{cluster.nodes} x {cluster.node_type}"
    if price is None or cluster.created is None:
        return f"{size}; its hourly price is not known here."
    hours = (now - cluster.created) / timedelta(hours=1)
    return (
        f"{size} at about USD {price:.3f} an hour (us-east-1, on demand): at most "
        f"USD {price * hours:.2f} for the {hours:.1f} hours since it was made; paused hours cost storage."
    )


def newest_snapshot(aws: Aws, plan: ClusterPlan) -> str | None:
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


def _create(aws: Aws, plan: ClusterPlan) -> str:
    role, group = find_role(aws, plan), find_security_group(aws, plan)
    if role is None or group is None:
        raise FatalError(
            f"Role or security group of {plan.identifier} is missing: run the steps before this one."
        )
    network: Any = {
        "ClusterIdentifier": plan.identifier,
        "NodeType": plan.node_type,
        "Port": PORT,
        "ClusterSubnetGroupName": plan.subnet_group_name,
        "VpcSecurityGroupIds": [group["GroupId"]],
        "PubliclyAccessible": False,
        "Encrypted": True,
        "ManageMasterPassword": True,
        "IamRoles": [role["Arn"]],
        "DefaultIamRoleArn": role["Arn"],
        "PreferredMaintenanceWindow": "sun:04:00-sun:04:30",
        "AutomatedSnapshotRetentionPeriod": 1,
    }
    snapshot = newest_snapshot(aws, plan) if plan.from_snapshot else None
    try:
        if snapshot:
            announce_restore(aws, plan)
            aws.redshift.restore_from_cluster_snapshot(
                SnapshotIdentifier=snapshot, NumberOfNodes=plan.nodes, **network
            )
            _tag(aws, plan)
            end_restore(aws, plan)
        else:
            aws.redshift.create_cluster(
                **_size(plan),
                DBName=plan.database,
                MasterUsername=plan.user,
                Tags=tag_list(plan.cluster_tags),
                **network,
            )
    except ClientError as error:
        # A try before this one may have made it without hearing of it, or somebody else just now.
        if code_of(error) not in {"ClusterAlreadyExists", "ClusterAlreadyExistsFault"}:
            raise
        _find_ours(aws, plan)
    origin = f" from snapshot {snapshot}" if snapshot else ""
    return f"Cluster {plan.identifier} is being made{origin}; it expires {_expiry(plan)}."


def _size(plan: ClusterPlan) -> Any:  # noqa: ANN401 - arguments of CreateCluster
    if plan.nodes == 1:
        return {"ClusterType": "single-node"}
    return {"ClusterType": "multi-node", "NumberOfNodes": plan.nodes}


def _tag(aws: Aws, plan: ClusterPlan) -> None:
    arn = _arn(aws, plan.identifier)
    try:
        aws.redshift.create_tags(ResourceName=arn, Tags=tag_list(plan.cluster_tags))
    except ClientError as error:
        # API reference, CreateTags: "not in the available state". A cluster being restored may be such.
        if code_of(error) not in {"InvalidClusterState", "InvalidClusterStateFault"}:
            raise
        raise NotYet(f"The cluster {plan.identifier} cannot be given its tags yet.") from None
    if not plan.hours_to_live:
        aws.redshift.delete_tags(ResourceName=arn, TagKeys=[EXPIRES_TAG])


def _arn(aws: Aws, identifier: str) -> str:
    return f"arn:aws:redshift:{aws.region}:{aws.account}:cluster:{identifier}"


def _require(aws: Aws, plan: ClusterPlan) -> Cluster:
    cluster = _find_ours(aws, plan)
    if cluster is None:
        raise FatalError(f"There is no cluster {plan.identifier} in {aws.region}: provision it first.")
    if cluster.status in GOING:
        raise FatalError(f"The cluster {plan.identifier} is being removed ({cluster.status}).")
    if cluster.is_incompatible:
        raise FatalError(_broken(cluster))
    return cluster


def _find_ours(aws: Aws, plan: ClusterPlan) -> Cluster | None:
    """Return the plan's cluster, tagged first if it is a restore of ours that was cut short.

    Raises:
        FatalError: it is somebody else's.
    """
    described = _describe(aws, plan.identifier)
    if described is None:
        return None
    cluster = _read(described)
    if cluster.is_ours:
        return cluster
    if is_restored_by_us(aws, plan, described):
        _tag(aws, plan)
        end_restore(aws, plan)
        return cluster
    raise FatalError(
        f"The cluster {cluster.identifier} was not made by this DAG (it has no tag {OWNER_TAG}={OWNER}): "
        "nothing is done to it. Choose another cluster identifier; or, if this DAG is to have it, give it "
        f"that tag: aws redshift create-tags --resource-name {_arn(aws, cluster.identifier)} "
        f"--tags Key={OWNER_TAG},Value={OWNER}"
    )


def _broken(cluster: Cluster) -> str:
    return (
        f"The cluster {cluster.identifier} is {cluster.status} and cannot be used. Tear it down (action "
        "teardown), mend the network or the parameters, and provision again."
    )


def _without_snapshot(cluster: Cluster) -> str:
    return (
        f"The cluster {cluster.identifier} is {cluster.status}: no final snapshot can be made of it, and one "
        "is asked for, so it is not removed. It goes on being billed. Either mend what its status names in "
        "the Redshift console (network, parameter group, HSM, storage) and run teardown again; or, if its "
        "data may be lost or an earlier snapshot will do, run teardown with final_snapshot false."
    )


def _expiry(plan: ClusterPlan) -> str:
    return f"in {plan.hours_to_live:g} hours" if plan.hours_to_live else "never"


def _describe(aws: Aws, identifier: str) -> Any:  # noqa: ANN401 - boto's cluster or None
    try:
        found = aws.redshift.describe_clusters(ClusterIdentifier=identifier)["Clusters"]
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
    return found[0] if found else None


def _read(described: Any) -> Cluster:  # noqa: ANN401 - boto's cluster
    endpoint = described.get("Endpoint") or {}
    return Cluster(
        identifier=described["ClusterIdentifier"],
        status=described["ClusterStatus"],
        node_type=described["NodeType"],
        nodes=described["NumberOfNodes"],
        host=endpoint.get("Address"),
        port=endpoint.get("Port"),
        created=described.get("ClusterCreateTime"),
        tags={tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    )
