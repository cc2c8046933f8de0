"""The IAM role that the cluster takes for its loader: it reads source and work bucket, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, NotYet, code_of
from sparkify.cluster.kinds import look_of
from sparkify.cluster.plan import ClusterPlan, is_ours, tag_list
from sparkify.failures import FatalError

# IAM User Guide, "Changes that I make are not always immediately visible", names no time; minutes are ample.
_SPREAD_WITHIN = timedelta(minutes=10)
_POLICY_NAME = "read-source-and-work-bucket"
# Management Guide, "Granting permissions to Amazon Redshift Serverless": both names.
_SERVICES: dict[str, str | list[str]] = {
    "provisioned": "redshift.amazonaws.com",
    "serverless": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"],
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
    else:
        aws.iam.update_assume_role_policy(RoleName=plan.role_name, PolicyDocument=_trust(aws, plan))
    aws.iam.put_role_policy(
        RoleName=plan.role_name, PolicyName=_POLICY_NAME, PolicyDocument=json.dumps(role_policy(plan))
    )
    reads = f"reads {plan.source_bucket} and {plan.work_bucket} for {plan.loader}"
    return f"IAM role {plan.role_name} {did}: {reads}."


def _trust(aws: Aws, plan: ClusterPlan) -> str:
    """Return who may take the role: Redshift, in the name of the loader of this one cluster.

    Any user of a cluster may COPY with its role unless the role asks for the user's ARN as external id
    (Management Guide, "Restricting access to IAM roles").
    """
    loader = f"arn:aws:redshift:{aws.region}:{aws.account}:dbuser:{plan.identifier}/{plan.loader}"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": _SERVICES[plan.kind]},
        "Action": "sts:AssumeRole",
    }
    # On Serverless that ARN holds the workgroup's id, and there is no workgroup without a role.
    if plan.kind == "provisioned":
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": loader}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _create(aws: Aws, plan: ClusterPlan) -> bool:
    """Create the role; return False if a try before this one has made it without hearing of it."""
    boundary = f"arn:aws:iam::{aws.account}:policy/{plan.boundary_name}"
    try:
        aws.iam.create_role(
            RoleName=plan.role_name,
            AssumeRolePolicyDocument=_trust(aws, plan),
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
    if users := look_of(plan).find_users_of_role(aws, role["Arn"]):
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


def judge_refusal(role: Any, refusal: ClientError) -> None:  # noqa: ANN401 - boto's role
    """Say whether Redshift refuses a role because it does not know it yet.

    Args:
        role: as IAM describes it.
        refusal: what Redshift said; what is not about a role passes.

    Raises:
        NotYet: the role is so young that Redshift may not have heard of it.
        FatalError: it is not, so that Redshift must not take it.
    """
    if code_of(refusal) != "InvalidParameterValue" or "IAM role" not in str(refusal):
        return
    if datetime.now(UTC) - role["CreateDate"] < _SPREAD_WITHIN:
        raise NotYet(f"Redshift does not know the new IAM role {role['RoleName']} yet.") from refusal
    raise FatalError(
        f"Redshift refuses the IAM role {role['RoleName']}, and it is too old to be unknown yet: {refusal}",
        "Its trust policy has to let redshift.amazonaws.com take it. Remove the role and provision again.",
    ) from refusal


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
