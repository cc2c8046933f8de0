"""The life of a Serverless cluster: namespace and workgroup, made and removed by steps safe to run again."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, NotYet, code_of
from sparkify.cluster.cluster import GOING, Cluster
from sparkify.cluster.network import PORT, find_security_group, find_subnet_group
from sparkify.cluster.plan import EXPIRES_TAG, OWNER, OWNER_TAG, ClusterPlan
from sparkify.cluster.role import find_role
from sparkify.cluster.workgroup import (
    MISSING,
    find_cluster,
    find_namespace,
    find_newest_snapshot,
    find_workgroup,
    list_usage_limits,
)
from sparkify.failures import FatalError

# The administrator, whose password AWS keeps: it grants, and owns nothing.
ADMIN = "admin"
# On a namespace whose data are still to come, from the snapshot that is its value.
_RESTORE_TAG = "sparkify:restore"
_LIMIT = {"usageType": "serverless-compute", "period": "daily", "breachAction": "deactivate"}


def make_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Make namespace, workgroup and usage limit, or go on where a try before has ended; return what was done.

    Raises:
        FatalError: something of that name is somebody else's.
        NotYet: AWS is still making or removing a part.
    """
    cluster = _find_ours(aws, plan)
    if cluster and cluster.status in GOING:
        raise NotYet(f"The cluster {plan.identifier} is {cluster.status}.")
    did = "is there"
    if find_namespace(aws, plan.identifier) is None:
        _create_namespace(aws, plan)
        did = "made"
    if find_workgroup(aws, plan.identifier) is None:
        namespace = _require_quiet(find_namespace(aws, plan.identifier), plan)
        _create_workgroup(aws, plan, namespace)
        did = "made"
    workgroup = _require_quiet(find_workgroup(aws, plan.identifier), plan)
    namespace = _require_quiet(find_namespace(aws, plan.identifier), plan)
    _limit_usage(aws, plan, workgroup)
    _restore(aws, plan, namespace)
    _tag(aws, plan, namespace)
    return (
        f"Namespace and workgroup {plan.identifier} {did}: {workgroup['baseCapacity']} RPUs, at most "
        f"{plan.daily_rpu_hours} RPU-hours a day; expires {_describe_expiry(plan)}."
    )


def pause_cluster(_aws: Aws, plan: ClusterPlan) -> str:
    """Say that there is no such thing.

    Raises:
        FatalError: always.
    """
    raise FatalError(
        f"{plan.identifier} is Serverless, which has no pause and no resume: without queries it computes "
        "nothing and costs its storage only. Teardown removes it."
    )


resume_cluster = pause_cluster


def remove_cluster(aws: Aws, plan: ClusterPlan) -> str:
    """Remove usage limits, workgroup and namespace, one after the other; return what was done.

    Raises:
        FatalError: something of that name is somebody else's, or no final snapshot can be made.
        NotYet: AWS is still removing a part, or changes it.
    """
    cluster = _find_ours(aws, plan)
    if cluster is None:
        return f"Cluster {plan.identifier}: nothing to do."
    namespace, workgroup = find_namespace(aws, plan.identifier), find_workgroup(aws, plan.identifier)
    if workgroup is not None:
        _require_quiet(workgroup, plan)
        _require_quiet(namespace, plan)
        _remove_workgroup(aws, plan, workgroup)
        raise NotYet(f"The workgroup {plan.identifier} is being removed; its namespace follows.")
    if namespace["status"].lower() in GOING:
        return f"Cluster {plan.identifier} is being removed already."
    _require_quiet(namespace, plan)
    return _remove_namespace(aws, plan)


def _find_ours(aws: Aws, plan: ClusterPlan) -> Cluster | None:
    """Return the plan's cluster.

    Raises:
        FatalError: it is somebody else's, or its workgroup is.
    """
    cluster = find_cluster(aws, plan.identifier)
    if cluster is None:
        return None
    workgroup = find_workgroup(aws, plan.identifier)
    if cluster.is_ours and (workgroup is None or workgroup["namespaceName"] == plan.identifier):
        return cluster
    raise FatalError(
        f"The namespace or workgroup {plan.identifier} was not made by this DAG (it has no tag "
        f"{OWNER_TAG}={OWNER}): nothing is done to it. Choose another cluster identifier."
    )


def _require_quiet(described: Any, plan: ClusterPlan) -> Any:  # noqa: ANN401 - boto's forms
    """Return what AWS says it is done with.

    Raises:
        NotYet: it is on its way, or another try has just removed it.
    """
    if described is None or described["status"] != "AVAILABLE":
        status = described["status"].lower() if described else "gone"
        raise NotYet(f"The cluster {plan.identifier} is {status}.")
    return described


def _create_namespace(aws: Aws, plan: ClusterPlan) -> None:
    role = find_role(aws, plan)
    if role is None:
        raise FatalError(f"The role {plan.role_name} is missing: run the steps before this one.")
    tags = plan.cluster_tags
    if plan.from_snapshot and (snapshot := find_newest_snapshot(aws, plan)):
        tags[_RESTORE_TAG] = snapshot
    _call(
        plan,
        aws.serverless.create_namespace,
        namespaceName=plan.identifier,
        dbName=plan.database,
        adminUsername=ADMIN,
        manageAdminPassword=True,
        iamRoles=[role["Arn"]],
        defaultIamRoleArn=role["Arn"],
        tags=_tag_list(tags),
    )


def _create_workgroup(aws: Aws, plan: ClusterPlan, namespace: Any) -> None:  # noqa: ANN401 - boto's form
    group, subnets = find_security_group(aws, plan), find_subnet_group(aws, plan)
    if group is None or subnets is None:
        raise FatalError(f"The network of {plan.identifier} is missing: run the steps before this one.")
    _call(
        plan,
        aws.serverless.create_workgroup,
        workgroupName=plan.identifier,
        namespaceName=namespace["namespaceName"],
        baseCapacity=plan.base_capacity,
        port=PORT,
        publiclyAccessible=False,
        securityGroupIds=[group["GroupId"]],
        subnetIds=[subnet["SubnetIdentifier"] for subnet in subnets["Subnets"]],
        tags=_tag_list(plan.tags),
    )


def _limit_usage(aws: Aws, plan: ClusterPlan, workgroup: Any) -> None:  # noqa: ANN401 - boto's form
    """Turn queries off for the rest of a day on which they have used what the plan allows."""
    arn = workgroup["workgroupArn"]
    ours = [
        one for one in list_usage_limits(aws, arn) if all(one[key] == value for key, value in _LIMIT.items())
    ]
    if not ours:
        limit = {**_LIMIT, "resourceArn": arn, "amount": plan.daily_rpu_hours}
        _call(plan, aws.serverless.create_usage_limit, **limit)
    elif ours[0]["amount"] != plan.daily_rpu_hours:
        aws.serverless.update_usage_limit(usageLimitId=ours[0]["usageLimitId"], amount=plan.daily_rpu_hours)


def _restore(aws: Aws, plan: ClusterPlan, namespace: Any) -> None:  # noqa: ANN401 - boto's form
    """Begin to restore the snapshot that the namespace was made for; a try that was cut short begins anew.

    Raises:
        NotYet: it has begun.
    """
    tags = aws.serverless.list_tags_for_resource(resourceArn=namespace["namespaceArn"])["tags"]
    snapshot = {tag["key"]: tag["value"] for tag in tags}.get(_RESTORE_TAG)
    if snapshot is None:
        return
    _call(
        plan,
        aws.serverless.restore_from_snapshot,
        namespaceName=plan.identifier,
        workgroupName=plan.identifier,
        snapshotName=snapshot,
        manageAdminPassword=True,
    )
    aws.serverless.untag_resource(resourceArn=namespace["namespaceArn"], tagKeys=[_RESTORE_TAG])
    raise NotYet(f"The cluster {plan.identifier} is being restored from {snapshot}.")


def _tag(aws: Aws, plan: ClusterPlan, namespace: Any) -> None:  # noqa: ANN401 - boto's form
    arn = namespace["namespaceArn"]
    aws.serverless.tag_resource(resourceArn=arn, tags=_tag_list(plan.cluster_tags))
    if not plan.hours_to_live:
        aws.serverless.untag_resource(resourceArn=arn, tagKeys=[EXPIRES_TAG])


def _remove_workgroup(aws: Aws, plan: ClusterPlan, workgroup: Any) -> None:  # noqa: ANN401 - boto's form
    for limit in list_usage_limits(aws, workgroup["workgroupArn"]):
        _call(plan, aws.serverless.delete_usage_limit, usageLimitId=limit["usageLimitId"])
    _call(plan, aws.serverless.delete_workgroup, workgroupName=plan.identifier)


def _remove_namespace(aws: Aws, plan: ClusterPlan) -> str:
    snapshot = f"{plan.identifier}-final-{datetime.now(UTC):%Y%m%d-%H%M%S}" if plan.final_snapshot else ""
    final = {"finalSnapshotName": snapshot} if snapshot else {}
    try:
        _call(plan, aws.serverless.delete_namespace, namespaceName=plan.identifier, **final)
    except ClientError as error:
        if not snapshot or code_of(error) != "ValidationException":
            raise
        raise FatalError(
            f"No final snapshot can be made of {plan.identifier}, so it is not removed: {error}. If its data "
            "may be lost, run teardown with final_snapshot false."
        ) from error
    kept = f"its snapshot {snapshot} stays and is billed" if snapshot else "without a final snapshot"
    return f"Cluster {plan.identifier} is being removed; {kept}."


def _call(plan: ClusterPlan, call: Any, **given: Any) -> None:  # noqa: ANN401 - boto's methods
    """Make a change; what is gone already need not be removed.

    Raises:
        NotYet: AWS is at work on it, has not heard of the role yet, or another try was faster.
    """
    try:
        call(**given)
    except ClientError as error:
        words, code = str(error), code_of(error)
        # UNCONFIRMED: that a role made seconds before is refused here as by CreateCluster, in such words.
        is_young = code == "ValidationException" and "IAM role" in words and "is not valid" in words
        if is_young or code == "ConflictException":
            raise NotYet(f"The cluster {plan.identifier} cannot be changed yet: {words}") from None
        if code != MISSING:
            raise


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of this service, whose keys have no capitals."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def _describe_expiry(plan: ClusterPlan) -> str:
    return f"in {plan.hours_to_live:g} hours" if plan.hours_to_live else "never"
