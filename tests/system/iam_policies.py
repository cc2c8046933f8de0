"""The IAM policies of include/iam, and what a call of AWS's API needs of them."""

import fnmatch
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sparkify.cluster.plan import ClusterPlan
from tests.sandbox.aws.faults import MadeCall
from tests.system.conftest import ROOT

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
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
OF_OBJECTS = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
# Calls that give tags to what they are about.
TAGGING = {
    *("s3:TagResource", "iam:CreateRole", "redshift:CreateTags"),
    *("redshift:CreateCluster", "redshift:CreateClusterSubnetGroup"),
}
OWNER = {"managed-by": "sparkify-warehouse"}


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
        "DB_USER": plan.loader,
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


def allows(statements: Iterable[Mapping[str, Any]], need: Need, *, ours: bool = True) -> bool:
    """Whether a statement allows the action on the resource, one with our tag or without it."""
    action, resource = need
    context = _context(action, ours=ours)
    return any(
        statement["Effect"] == "Allow"
        and action in as_list(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, one) for one in as_list(statement["Resource"]))
        and all(
            context.get(key) == value
            for key, value in statement.get("Condition", CERTAIN)["StringEquals"].items()
        )
        for statement in statements
    )


CERTAIN: dict[str, dict[str, str]] = {"StringEquals": {}}


def _context(action: str, *, ours: bool) -> dict[str, str]:
    """What AWS compares conditions with; an operator other than StringEquals is a KeyError above."""
    found = {
        "iam:PassedToService": "redshift.amazonaws.com",
        "iam:AWSServiceName": "redshift.amazonaws.com",
        "ec2:CreateAction": "CreateSecurityGroup",
    }
    if ours:
        found |= {f"aws:ResourceTag/{key}": value for key, value in OWNER.items()}
    if action in TAGGING:
        found |= {f"aws:RequestTag/{key}": value for key, value in OWNER.items()}
        found["aws:RequestTag/sparkify:work-bucket"] = "steps"
    return found


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
    if "FinalClusterSnapshotIdentifier" in call.resources:
        found += [("redshift:CreateClusterSnapshot", arn) for _, arn in found]
        found += [("redshift:CreateClusterSnapshot", _snapshot(call.resources, f"{region}:{ACCOUNT}"))]
    if call.action == "DeleteObjects":
        found += [("s3:DeleteObjectVersion", arn) for _, arn in found]
    if call.action == "CreateBucket" and call.resources["Bucket"].endswith("-work"):
        found.append(("s3:TagResource", found[0][1]))
    return found


def _s3(action: str, named: Mapping[str, Any], _where: str) -> list[str]:
    bucket = f"arn:aws:s3:::{named['Bucket']}"
    # The keys to be deleted are in the body; all of them are below what the pipeline writes.
    return [f"{bucket}/{named.get('Key') or 'manifests/any'}"] if action in OF_OBJECTS else [bucket]


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
    return [*found, _snapshot(named, where)] if "SnapshotIdentifier" in named else found


def _snapshot(named: Mapping[str, Any], where: str) -> str:
    name = named.get("SnapshotIdentifier") or named["FinalClusterSnapshotIdentifier"]
    return f"arn:aws:redshift:{where}:snapshot:{named['ClusterIdentifier']}/{name}"
