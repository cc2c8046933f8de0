"""The IAM policies of include/iam, and what a call of AWS's API needs of them."""

import fnmatch
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sparkify.cluster_plan import ClusterPlan
from tests.pipeline.conftest import ROOT
from tests.sandbox.aws_faults import MadeCall

FOLDER = ROOT / "include" / "iam"
ACCOUNT = "123456789012"
Need = tuple[str, str]

# Where the action of a policy is not called as the call is. From AWS's service authorization reference.
RENAMED = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
}
OF_OBJECTS = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}


def policy(name: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """The statements of a file with its placeholders filled in."""
    text = (FOLDER / f"{name}.json").read_text()
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    statements: list[dict[str, Any]] = json.loads(text)["Statement"]
    return statements


def values_of(plan: ClusterPlan) -> dict[str, str]:
    """What stands for the placeholders."""
    return {
        "ACCOUNT": ACCOUNT,
        "REGION": plan.region,
        "CLUSTER": plan.identifier,
        "SOURCE_BUCKET": plan.source_bucket,
        "WORK_BUCKET": plan.work_bucket,
        "DB_USER": plan.user,
        "DATABASE": plan.database,
    }


def refused(statements: Iterable[Mapping[str, Any]], calls: Iterable[MadeCall], region: str) -> set[Need]:
    """What the calls need and the statements do not allow."""
    statements = list(statements)
    return {need for call in calls for need in needs(call, region) if not allows(statements, need)}


def unused(statements: Iterable[Mapping[str, Any]], calls: Iterable[MadeCall], region: str) -> set[str]:
    """The actions that the statements allow and no call needs."""
    allowed = {action for statement in statements for action in as_list(statement["Action"])}
    return allowed - {action for call in calls for action, _ in needs(call, region)}


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(statements: Iterable[Mapping[str, Any]], need: Need) -> bool:
    """Whether a statement allows the action on the resource, given that its condition holds."""
    action, resource = need
    return any(
        statement["Effect"] == "Allow"
        and action in as_list(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, one) for one in as_list(statement["Resource"]))
        for statement in statements
    )


def needs(call: MadeCall, region: str) -> list[Need]:
    """The permissions that a call needs; asking who one is needs none."""
    action = f"{call.service}:{call.action}"
    action = RENAMED.get(action, action)
    # The driver takes 127.0.0.1 for a domain of one's own first, is refused, and then asks by name.
    if call.service == "sts" or "CustomDomainName" in call.parameters:
        return []
    arns = {"s3": _s3, "redshift": _redshift, "iam": _iam, "ec2": _ec2}[call.service]
    found = [(action, arn) for arn in arns(action, call.resources, f"{region}:{ACCOUNT}")]
    if call.action in {"CreateCluster", "RestoreFromClusterSnapshot"}:
        found.append(
            ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{call.resources['ClusterIdentifier']}-cluster")
        )
    if call.action == "CreateSecurityGroup":
        found.append(("ec2:CreateTags", f"arn:aws:ec2:{region}:{ACCOUNT}:security-group/sg-1"))
    if call.action == "CreateRole":
        found.append(("iam:TagRole", found[0][1]))
    return found


def _s3(action: str, named: Mapping[str, Any], _where: str) -> list[str]:
    bucket = f"arn:aws:s3:::{named['Bucket']}"
    return [f"{bucket}/{named.get('Key') or 'any'}"] if action in OF_OBJECTS else [bucket]


def _iam(_action: str, named: Mapping[str, Any], _where: str) -> list[str]:
    return [f"arn:aws:iam::{ACCOUNT}:role/{named['RoleName']}"]


def _ec2(action: str, named: Mapping[str, Any], where: str) -> list[str]:
    if action.startswith("ec2:Describe"):
        return ["*"]
    if action == "ec2:CreateSecurityGroup":
        return [f"arn:aws:ec2:{where}:vpc/{named['VpcId']}", f"arn:aws:ec2:{where}:security-group/sg-1"]
    return [f"arn:aws:ec2:{where}:security-group/{named['GroupId']}"]


def _redshift(action: str, named: Mapping[str, Any], where: str) -> list[str]:
    start, cluster = f"arn:aws:redshift:{where}", named.get("ClusterIdentifier", "*")
    if action == "redshift:GetClusterCredentials":
        found = [f"{start}:dbuser:{cluster}/{named['DbUser']}"]
        return found + [f"{start}:dbname:{cluster}/{named['DbName']}"] * ("DbName" in named)
    if action in {"redshift:CreateTags", "redshift:DeleteTags"}:
        return [str(named["ResourceName"])]
    if action in {"redshift:DescribeClusterSnapshots", "redshift:DescribeClusterSubnetGroups"}:
        return ["*"]
    if "SubnetGroup" in action:
        return [f"{start}:subnetgroup:{named['ClusterSubnetGroupName']}"]
    found = [f"{start}:cluster:{cluster}"]
    if snapshot := named.get("SnapshotIdentifier") or named.get("FinalClusterSnapshotIdentifier"):
        found.append(f"{start}:snapshot:{cluster}/{snapshot}")
    return found
