"""The life of a cluster: made, paused, resumed and removed by steps that are safe to run again."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, NotYet, code_of
from sparkify.cluster.cluster import (
    GOING,
    MISSING,
    ON_THE_WAY,
    Cluster,
    describe_cluster,
    find_cluster,
    find_newest_snapshot,
)
from sparkify.cluster.network import PORT, find_security_group
from sparkify.cluster.plan import EXPIRES_TAG, OWNER, OWNER_TAG, ClusterPlan, tag_list
from sparkify.cluster.restore import announce_restore, end_restore, is_restored_by_us
from sparkify.cluster.role import find_role, judge_refusal
from sparkify.failures import FatalError


def make_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Begin to make the cluster, or set off one that is there towards `available`; return what was done.

    Raises:
        FatalError: a cluster of that name is somebody else's, or cannot become available.
        NotYet: one of that name is just being paused or removed, or the role is not known to Redshift yet.
    """
    cluster = _find_ours(aws, plan)
    if cluster is None:
        return _create(aws, plan)
    if cluster.status in (*GOING, "pausing"):
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}.")
    if cluster.is_incompatible:
        raise FatalError(_explain_broken(cluster))
    if cluster.status == "paused":
        return resume_cluster(aws, plan)
    _tag(aws, plan)
    return (
        f"Cluster {plan.identifier} is there ({cluster.status}) and stays as it is, whatever node_type, "
        f"nodes and from_snapshot say; it now expires {_describe_expiry(plan)}."
    )


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
    return f"Cluster {plan.identifier} is being resumed; it now expires {_describe_expiry(plan)}."


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
        raise FatalError(_explain_no_snapshot(cluster))
    return _delete(aws, plan, f"{plan.identifier}-final-{datetime.now(UTC):%Y%m%d-%H%M%S}")


def _create(aws: Aws, plan: ClusterPlan) -> str:
    role = find_role(aws, plan)
    settings = _gather_settings(aws, plan, role)
    snapshot = find_newest_snapshot(aws, plan) if plan.from_snapshot else None
    try:
        if snapshot:
            _restore(aws, plan, snapshot, settings)
        else:
            _create_empty(aws, plan, settings)
    except ClientError as error:
        judge_refusal(role, error)
        # A try before this one may have made it without hearing of it, or somebody else just now.
        if code_of(error) not in {"ClusterAlreadyExists", "ClusterAlreadyExistsFault"}:
            raise
        _find_ours(aws, plan)
    origin = f" from snapshot {snapshot}, with its database and master user" if snapshot else ""
    if plan.from_snapshot and not snapshot:
        origin = " empty, for there is no snapshot that from_snapshot could begin with"
    return f"Cluster {plan.identifier} is being made{origin}; it expires {_describe_expiry(plan)}."


def _gather_settings(aws: Aws, plan: ClusterPlan, role: Any) -> dict[str, Any]:  # noqa: ANN401 - boto's role
    """Return what a new cluster and a restored one are made with."""
    group = find_security_group(aws, plan)
    if role is None or group is None:
        raise FatalError(
            f"Role or security group of {plan.identifier} is missing: run the steps before this one."
        )
    return {
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


def _restore(aws: Aws, plan: ClusterPlan, snapshot: str, settings: dict[str, Any]) -> None:
    announce_restore(aws, plan)
    aws.redshift.restore_from_cluster_snapshot(
        SnapshotIdentifier=snapshot, NumberOfNodes=plan.nodes, **settings
    )
    _tag(aws, plan)
    end_restore(aws, plan)


def _create_empty(aws: Aws, plan: ClusterPlan, settings: dict[str, Any]) -> None:
    aws.redshift.create_cluster(
        **_choose_size(plan),
        DBName=plan.database,
        MasterUsername=plan.user,
        Tags=tag_list(plan.cluster_tags),
        **settings,
    )


def _choose_size(plan: ClusterPlan) -> Any:  # noqa: ANN401 - arguments of CreateCluster
    if plan.nodes == 1:
        return {"ClusterType": "single-node"}
    return {"ClusterType": "multi-node", "NumberOfNodes": plan.nodes}


def _delete(aws: Aws, plan: ClusterPlan, snapshot: str | None) -> str:
    what: Any = {"FinalClusterSnapshotIdentifier": snapshot} if snapshot else {}
    try:
        aws.redshift.delete_cluster(
            ClusterIdentifier=plan.identifier, SkipFinalClusterSnapshot=snapshot is None, **what
        )
    except ClientError as error:
        if code_of(error) not in {*MISSING, "InvalidClusterState", "InvalidClusterStateFault"}:
            raise
        return _judge_refusal(aws, plan, snapshot, error)
    if snapshot:
        return f"Cluster {plan.identifier} is being removed; its snapshot {snapshot} stays and is billed."
    return f"Cluster {plan.identifier} is being removed, without a final snapshot."


def _judge_refusal(aws: Aws, plan: ClusterPlan, snapshot: str | None, refusal: ClientError) -> str:
    """Return that there is nothing to do, or raise why the cluster stays as it is.

    Another teardown may have been faster; a cluster that stays is removed with its snapshot or not.
    """
    cluster = find_cluster(aws, plan.identifier)
    if cluster is None or cluster.status in GOING:
        return f"Cluster {plan.identifier} is being removed already."
    if cluster.status in ON_THE_WAY:
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}.") from None
    if not snapshot:
        raise refusal
    raise FatalError(_explain_no_snapshot(cluster)) from refusal


def _tag(aws: Aws, plan: ClusterPlan) -> None:
    arn = _build_arn(aws, plan.identifier)
    try:
        aws.redshift.create_tags(ResourceName=arn, Tags=tag_list(plan.cluster_tags))
    except ClientError as error:
        # API reference, CreateTags: "not in the available state". A cluster being restored may be such.
        if code_of(error) not in {"InvalidClusterState", "InvalidClusterStateFault"}:
            raise
        raise NotYet(f"The cluster {plan.identifier} cannot be given its tags yet.") from None
    if not plan.hours_to_live:
        aws.redshift.delete_tags(ResourceName=arn, TagKeys=[EXPIRES_TAG])


def _build_arn(aws: Aws, identifier: str) -> str:
    return f"arn:aws:redshift:{aws.region}:{aws.account}:cluster:{identifier}"


def _require(aws: Aws, plan: ClusterPlan) -> Cluster:
    cluster = _find_ours(aws, plan)
    if cluster is None:
        raise FatalError(f"There is no cluster {plan.identifier} in {aws.region}: provision it first.")
    if cluster.status in GOING:
        raise FatalError(f"The cluster {plan.identifier} is being removed ({cluster.status}).")
    if cluster.is_incompatible:
        raise FatalError(_explain_broken(cluster))
    return cluster


def _find_ours(aws: Aws, plan: ClusterPlan) -> Cluster | None:
    """Return the plan's cluster, tagged first if it is a restore of ours that was cut short.

    Raises:
        FatalError: it is somebody else's.
    """
    described = describe_cluster(aws, plan.identifier)
    if described is None:
        return None
    cluster = Cluster.of(described)
    if cluster.is_ours:
        return cluster
    if is_restored_by_us(aws, plan, described):
        _tag(aws, plan)
        end_restore(aws, plan)
        return cluster
    raise FatalError(
        f"The cluster {cluster.identifier} was not made by this DAG (it has no tag {OWNER_TAG}={OWNER}): "
        "nothing is done to it. Choose another cluster identifier; or, if this DAG is to have it, give it "
        f"that tag: aws redshift create-tags --resource-name {_build_arn(aws, cluster.identifier)} "
        f"--tags Key={OWNER_TAG},Value={OWNER}"
    )


def _explain_broken(cluster: Cluster) -> str:
    return (
        f"The cluster {cluster.identifier} is {cluster.status} and cannot be used. Tear it down (action "
        "teardown), mend the network or the parameters, and provision again."
    )


def _explain_no_snapshot(cluster: Cluster) -> str:
    return (
        f"The cluster {cluster.identifier} is {cluster.status}: no final snapshot can be made of it, and one "
        "is asked for, so it is not removed. It goes on being billed. Either mend what its status names in "
        "the Redshift console (network, parameter group, HSM, storage) and run teardown again; or, if its "
        "data may be lost or an earlier snapshot will do, run teardown with final_snapshot false."
    )


def _describe_expiry(plan: ClusterPlan) -> str:
    return f"in {plan.hours_to_live:g} hours" if plan.hours_to_live else "never"
