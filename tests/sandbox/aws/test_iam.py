"""Calls are allowed by attached policies only, within boundaries, and roles taken by whom they trust."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.aws.client import client
from tests.sandbox.aws.iam_callers import (
    ACCOUNT,
    TRUST,
    Caller,
    allow,
    deny,
    long_policy,
    numbers,
    policy,
    refusal,
)

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

CLUSTER = {
    "ClusterIdentifier": "iam-c",
    "NodeType": "ra3.large",
    "ClusterType": "single-node",
    "MasterUsername": "sparkify",
    "ManageMasterPassword": True,
}


@pytest.fixture
def caller(world: Any) -> Caller:
    return Caller(world)


@pytest.fixture
def bucket(world: Any) -> Iterator[str]:
    s3, name = world.client("s3"), f"iam-{next(numbers)}"
    s3.create_bucket(Bucket=name)
    yield name
    for entry in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=entry["Key"])
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize(
    ("service", "method", "arguments", "action", "resource", "code"),
    [
        (
            "iam",
            "create_user",
            {"UserName": "x"},
            "iam:CreateUser",
            "arn:aws:iam::{a}:user/x",
            "AccessDenied",
        ),
        ("redshift", "describe_clusters", {}, "redshift:DescribeClusters", "{r}:cluster:*", "AccessDenied"),
        ("ec2", "describe_vpcs", {}, "ec2:DescribeVpcs", "*", "UnauthorizedOperation"),
        ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", '"*"', "AccessDenied"),
        (
            *("secretsmanager", "get_secret_value", {"SecretId": "s"}, "secretsmanager:GetSecretValue"),
            *("arn:aws:secretsmanager:us-east-1:{a}:secret:s", "AccessDeniedException"),
        ),
    ],
)
def test_a_user_without_policies_may_do_nothing_and_is_told_what_is_missing(
    caller, service, method, arguments, action, resource, code
):
    got, message = refusal(getattr(caller.client(service), method), **arguments)
    assert got == code
    resource = resource.format(a=ACCOUNT, r=f"arn:aws:redshift:us-east-1:{ACCOUNT}")
    assert message.endswith(
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def test_everybody_may_ask_who_he_is(caller):
    caller.may(deny("*"))
    assert caller.client("sts").get_caller_identity()["Arn"] == caller.arn


def test_the_sandboxs_own_key_may_do_everything(world):
    assert world.client("iam").list_users()["Users"] is not None


def test_a_policy_allows_its_resources_only(caller, bucket):
    caller.may(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/in/*"))
    s3 = caller.client("s3")
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"x")
    code, message = refusal(s3.put_object, Bucket=bucket, Key="out", Body=b"x")
    assert code == "AccessDenied"
    assert f'on resource: "arn:aws:s3:::{bucket}/out" because' in message


def test_a_denial_counts_before_whatever_allows(caller, bucket):
    caller.may(allow("s3:*"), deny("s3:DeleteObject", f"arn:aws:s3:::{bucket}/kept/*"))
    s3 = caller.client("s3")
    for key in ("kept/a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="b")
    _, message = refusal(s3.delete_object, Bucket=bucket, Key="kept/a")
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_listing_may_be_limited_to_a_prefix(caller, bucket):
    caller.may(allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", StringLike={"s3:prefix": ["in/*"]}))
    s3 = caller.client("s3")
    s3.list_objects_v2(Bucket=bucket, Prefix="in/2018")
    assert refusal(s3.list_objects_v2, Bucket=bucket, Prefix="out")[0] == "AccessDenied"
    assert refusal(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"


def test_a_missing_object_is_forbidden_to_who_may_not_list(caller, bucket):
    caller.may(allow("s3:GetObject"))
    code, message = refusal(caller.client("s3").get_object, Bucket=bucket, Key="none")
    assert code == "AccessDenied"
    assert "s3:ListBucket" in message
    caller.may(allow(["s3:GetObject", "s3:ListBucket"]))
    assert refusal(caller.client("s3").get_object, Bucket=bucket, Key="none")[0] == "NoSuchKey"


def test_of_many_deletions_those_that_are_allowed_happen(world, caller, bucket):
    for key in ("in/a", "in/b", "out/c"):
        world.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    caller.may(allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/in/*"))
    keys = [{"Key": key} for key in ("in/a", "out/c", "in/b")]
    done = caller.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert sorted(entry["Key"] for entry in done["Deleted"]) == ["in/a", "in/b"]
    assert [(e["Key"], e["Code"]) for e in done["Errors"]] == [("out/c", "AccessDenied")]
    left = world.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in left] == ["out/c"]
    done = caller.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": keys[1:2]})
    assert "Deleted" not in done
    assert len(done["Errors"]) == 1


def test_a_copy_needs_its_source_to_be_readable(world, caller, bucket):
    world.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    copy = {"Bucket": bucket, "Key": "b", "CopySource": f"{bucket}/a"}
    caller.may(allow("s3:PutObject"))
    assert "s3:GetObject" in refusal(caller.client("s3").copy_object, **copy)[1]
    caller.may(allow(["s3:PutObject", "s3:GetObject"]))
    caller.client("s3").copy_object(**copy)


def test_groups_and_managed_policies_count_in_their_default_version(world, caller):
    iam = world.client("iam")
    group, arn = f"g-{caller.name}", f"arn:aws:iam::{ACCOUNT}:policy/p-{caller.name}"
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=policy(allow("ec2:DescribeVpcs")))
    iam.add_user_to_group(GroupName=group, UserName=caller.name)
    caller.client("ec2").describe_vpcs()
    iam.create_policy(PolicyName=f"p-{caller.name}", PolicyDocument=policy(allow("iam:ListUsers")))
    assert refusal(caller.client("iam").list_users)[0] == "AccessDenied"
    iam.attach_user_policy(UserName=caller.name, PolicyArn=arn)
    caller.client("iam").list_users()
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("iam:ListRoles")), SetAsDefault=True)
    assert refusal(caller.client("iam").list_users)[0] == "AccessDenied"


def test_a_role_is_made_within_a_boundary_or_not_at_all(world, caller):
    iam = world.client("iam")
    name = f"r-{caller.name}"
    boundary = iam.create_policy(PolicyName=f"b-{caller.name}", PolicyDocument=policy(allow("s3:GetObject")))
    arn = boundary["Policy"]["Arn"]
    bounded = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    caller.may(
        allow(["iam:CreateRole", "iam:PutRolePolicy"], f"arn:aws:iam::{ACCOUNT}:role/{name}", **bounded)
    )
    mine = caller.client("iam")
    role = {"RoleName": name, "AssumeRolePolicyDocument": policy(TRUST)}
    assert refusal(mine.create_role, **role)[0] == "AccessDenied"
    other = f"arn:aws:iam::{ACCOUNT}:policy/sparkify-boundary"
    assert refusal(mine.create_role, **role, PermissionsBoundary=other)[0] == "AccessDenied"
    mine.create_role(**role, PermissionsBoundary=arn)
    mine.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("*")))
    # The role has every right and may do what the boundary allows.
    iam.put_user_policy(UserName=caller.name, PolicyName="q", PolicyDocument=policy(allow("sts:AssumeRole")))
    taken = caller.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="me"
    )
    keys = taken["Credentials"]
    session = client(
        world.settings,
        "iam",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    _, message = refusal(session.list_users)
    assert message.endswith("because no permissions boundary allows the iam:ListUsers action")
    assert f"assumed-role/{name}/me is not" in message
    iam.delete_role_permissions_boundary(RoleName=name)
    session.list_users()
    assert refusal(mine.put_role_policy, RoleName=name, PolicyName="q", PolicyDocument=policy(allow("*")))
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)


def test_a_role_is_taken_only_by_whom_it_trusts(world, caller):
    iam, name = world.client("iam"), f"r-{caller.name}"
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    service = TRUST | {"Principal": {"Service": "redshift.amazonaws.com"}}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(service))
    take = {"RoleArn": arn, "RoleSessionName": "me"}
    caller.may(allow("sts:AssumeRole", arn))
    sts = caller.client("sts")
    assert refusal(sts.assume_role, **take)[0] == "AccessDenied"
    external = {"Condition": {"StringEquals": {"sts:ExternalId": "42"}}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy(TRUST | external))
    assert refusal(sts.assume_role, **take)[0] == "AccessDenied"
    sts.assume_role(**take, ExternalId="42")
    caller.may(allow("s3:ListBucket"))
    # One who is named needs no policy of his own; one of the account does.
    assert refusal(sts.assume_role, **take, ExternalId="42")[0] == "AccessDenied"
    named = TRUST | {"Principal": {"AWS": caller.arn}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy(named))
    sts.assume_role(**take)
    iam.delete_role(RoleName=name)


def test_tags_of_resource_and_request_are_conditions(world, caller):
    ec2 = world.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    groups = "arn:aws:ec2:us-east-1:123456789012:security-group/*"
    ours = {"StringEquals": {"aws:ResourceTag/managed-by": "me"}}
    caller.may(
        allow("ec2:CreateSecurityGroup", [groups, f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/*"]),
        allow("ec2:CreateTags", groups, StringEquals={"ec2:CreateAction": "CreateSecurityGroup"}),
        allow("ec2:DeleteSecurityGroup", groups, **ours),
    )
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "managed-by", "Value": "me"}]}]
    name = {"GroupName": caller.name, "Description": "d", "VpcId": vpc}
    mine = caller.client("ec2")
    made = mine.create_security_group(**name, TagSpecifications=tags)["GroupId"]
    theirs = ec2.create_security_group(**name | {"GroupName": f"{caller.name}-2"})["GroupId"]
    mine.delete_security_group(GroupId=made)
    assert refusal(mine.delete_security_group, GroupId=theirs)[0] == "UnauthorizedOperation"
    # To tag what is there is another thing than to make it with tags.
    tag = {"Resources": [theirs], "Tags": tags[0]["Tags"]}
    assert refusal(mine.create_tags, **tag)[0] == "UnauthorizedOperation"
    ec2.delete_security_group(GroupId=theirs)


@pytest.mark.parametrize(
    ("missing", "word"),
    [
        ("iam:PassRole", "role/"),
        ("secretsmanager:CreateSecret", "redshift!iam-c-sparkify"),
        ("ec2:DescribeSubnets", "*"),
        ("iam:CreateServiceLinkedRole", "AWSServiceRoleForRedshift"),
        ("redshift:CreateCluster", "cluster:iam-c"),
    ],
)
def test_a_cluster_needs_what_redshift_does_in_the_callers_name(world, caller, missing, word):
    role = world.client("iam").get_role(RoleName="sparkify-redshift")["Role"]["Arn"]
    every = ["redshift:*", "ec2:Describe*", "secretsmanager:*", "iam:CreateServiceLinkedRole"]
    passing = allow("iam:PassRole", role, StringEquals={"iam:PassedToService": "redshift.amazonaws.com"})
    caller.may(allow(every), passing, deny(missing))
    cluster = CLUSTER | {"IamRoles": [role]}
    code, message = refusal(caller.client("redshift").create_cluster, **cluster)
    assert code == "AccessDenied"
    assert f"perform: {missing} on resource:" in message
    assert word in message


def test_a_trust_policy_that_is_none_trusts_nobody(world, caller):
    world.client("iam").create_role(RoleName=f"t-{caller.name}", AssumeRolePolicyDocument="{}")
    arn = f"arn:aws:iam::{ACCOUNT}:role/t-{caller.name}"
    caller.may(allow("sts:AssumeRole"))
    assert refusal(caller.client("sts").assume_role, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
    world.client("iam").delete_role(RoleName=f"t-{caller.name}")


def test_managed_policies_have_limits_in_size_and_number(world, caller):
    iam = world.client("iam")
    arns = [
        iam.create_policy(PolicyName=f"m{next(numbers)}", PolicyDocument=long_policy(6144))["Policy"]["Arn"]
        for _ in range(11)
    ]
    too_long = {"PolicyName": "long", "PolicyDocument": long_policy(6145)}
    assert refusal(iam.create_policy, **too_long) == (
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
    )
    for arn in arns[:10]:
        iam.attach_user_policy(UserName=caller.name, PolicyArn=arn)
    assert refusal(iam.attach_user_policy, UserName=caller.name, PolicyArn=arns[10]) == (
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerUser: 10",
    )
    assert refusal(iam.delete_policy, PolicyArn=arns[0])[0] == "DeleteConflict"
    assert refusal(iam.delete_user, UserName=caller.name)[0] == "DeleteConflict"
    iam.detach_user_policy(UserName=caller.name, PolicyArn=arns[0])
    iam.delete_policy(PolicyArn=arns[0])


def test_policies_of_aws_can_be_attached_and_count(world: Any, caller: Caller, bucket: str):
    s3, iam = caller.client("s3"), caller.iam
    world.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam.attach_user_policy(UserName=caller.name, PolicyArn=arn)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"y")[0] == "AccessDenied"
    world.client("s3").delete_object(Bucket=bucket, Key="k")

    names = {one["PolicyName"] for one in iam.list_policies(Scope="AWS")["Policies"]}
    assert {"AmazonS3FullAccess", "AmazonRedshiftFullAccess", "AdministratorAccess"} <= names
    role = f"role-{caller.name}"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(TRUST))
    for name in ("AmazonRedshiftAllCommandsFullAccess", "service-role/AWSGlueServiceRole"):
        iam.attach_role_policy(RoleName=role, PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == {
        "AmazonRedshiftAllCommandsFullAccess",
        "AWSGlueServiceRole",
    }
    unknown = {"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/NoSuchPolicy"}
    assert refusal(iam.attach_role_policy, **unknown)[0] == "NoSuchEntity"
