"""The IAM role that the cluster takes: it reads the source bucket and the work bucket, and nothing else."""

import json
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster.plan import ClusterPlan, is_ours, tag_list
from sparkify.failures import FatalError

_POLICY_NAME = "read-source-and-work-bucket"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def make_role(aws: Aws, plan: ClusterPlan) -> str:
    """Make the role, or bring one of ours up to date; return what was done.

    Raises:
        FatalError: a role of that name is somebody else's.
    """
    did = "is there"
    if (role := find_role(aws, plan)) is None:
        did = "made" if _create(aws, plan) else did
    elif not is_ours(role.get("Tags", [])):
        raise FatalError(
            f"The IAM role {plan.role_name} is there and not ours.",
            "Remove it, or choose another cluster identifier.",
        )
    aws.iam.put_role_policy(
        RoleName=plan.role_name, PolicyName=_POLICY_NAME, PolicyDocument=json.dumps(role_policy(plan))
    )
    return f"IAM role {plan.role_name} {did}: reads {plan.source_bucket} and {plan.work_bucket}."


def _create(aws: Aws, plan: ClusterPlan) -> bool:
    """Create the role; return False if a try before this one has made it without hearing of it."""
    boundary = f"arn:aws:iam::{aws.account}:policy/{plan.boundary_name}"
    try:
        aws.iam.create_role(
            RoleName=plan.role_name,
            AssumeRolePolicyDocument=json.dumps(_TRUST),
            Description=f"Redshift cluster {plan.identifier} reads S3",
            # Whoever may make a role and write its policy could give it every right.
            PermissionsBoundary=boundary,
            Tags=tag_list(plan.tags),
        )
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            raise FatalError(
                f"The policy {boundary} is missing, which bounds what the cluster's role may do. Make it as "
                "docs/aws.md says."
            ) from error
        if code_of(error) != "EntityAlreadyExists":
            raise
        return False
    return True


def remove_role(aws: Aws, plan: ClusterPlan) -> str:
    """Remove the role with its policies, unless it is not ours or another cluster uses it."""
    role = find_role(aws, plan)
    if role is None:
        return f"IAM role {plan.role_name}: nothing to do."
    if not is_ours(role.get("Tags", [])):
        return f"IAM role {plan.role_name} is not ours: left as it is."
    if users := _find_clusters_with(aws, role["Arn"]):
        return f"IAM role {plan.role_name} is used by {', '.join(users)}: left as it is."
    try:
        _delete(aws, plan.role_name)
    except ClientError as error:
        # Another teardown may have been faster.
        if code_of(error) != "NoSuchEntity":
            raise
    return f"IAM role {plan.role_name} removed."


def _delete(aws: Aws, role: str) -> None:
    for attached in aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        aws.iam.detach_role_policy(RoleName=role, PolicyArn=attached["PolicyArn"])
    for name in aws.iam.list_role_policies(RoleName=role)["PolicyNames"]:
        aws.iam.delete_role_policy(RoleName=role, PolicyName=name)
    aws.iam.delete_role(RoleName=role)


def find_role(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - boto's role or None
    """Return the role as IAM describes it, or None."""
    try:
        return aws.iam.get_role(RoleName=plan.role_name)["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return None
        raise


def _find_clusters_with(aws: Aws, arn: str) -> list[str]:
    pages = aws.redshift.get_paginator("describe_clusters").paginate()
    return [
        cluster["ClusterIdentifier"]
        for page in pages
        for cluster in page["Clusters"]
        if any(role["IamRoleArn"] == arn for role in cluster.get("IamRoles", []))
    ]


def role_policy(plan: ClusterPlan) -> dict[str, Any]:
    """Return what the cluster may do: read the two buckets."""
    buckets = [f"arn:aws:s3:::{bucket}" for bucket in sorted({plan.source_bucket, plan.work_bucket})]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": buckets},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"{bucket}/*" for bucket in buckets]},
        ],
    }
