"""Who has the policies of include/iam may do what is done, and every action of them is needed."""

import dataclasses
import json
import os
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sparkify.aws import Aws
from sparkify.cluster.cluster import find_our_clusters
from sparkify.cluster.life import pause_cluster, resume_cluster
from sparkify.cluster.login import connect_as_master
from sparkify.cluster.role import role_policy
from sparkify.cluster.status import show_connection, show_leftovers, show_status
from sparkify.operators import UploadFolderOperator
from tests.contexts import task_context
from tests.sandbox.aws.faults import Asked
from tests.sparkify.cluster.steps import PLAN, do, provision, tear_down
from tests.system.iam_policies import (
    AIRFLOW,
    FOLDER,
    as_list,
    document_of,
    is_allowed,
    needless,
    statements_of,
    user_with,
    values_of,
    variables_of,
)

pytest_plugins = ("tests.sparkify.cluster.steps",)

FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
VALUES = values_of(PLAN)
POLICIES = {name: document_of(name, VALUES) for name in FILES}
# What a user may keep in a bucket.
KEYS = ("theirs", "log_data/a.json", "manifests.json", "jsonpaths")


@pytest.mark.parametrize("name", FILES)
def test_a_policy_fits_the_quota_of_managed_policies(name):
    assert len("".join(POLICIES[name].split())) <= 6144


@pytest.mark.parametrize("name", FILES)
def test_no_statement_allows_everything_on_anything(name):
    for statement in statements_of(POLICIES[name]):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in as_list(statement["Action"])), statement["Sid"]


@pytest.mark.parametrize("name", FILES)
def test_only_what_has_no_resource_of_its_own_is_allowed_on_any(name):
    for statement in statements_of(POLICIES[name]):
        if statement["Resource"] == "*":
            words = r":(Describe\w+|GetRandomPassword|CreateDefaultVpc|List\w+s|\w+UsageLimit)$"
            assert all(re.search(words, action) for action in as_list(statement["Action"])), statement["Sid"]


@pytest.mark.parametrize(
    ("secret", "allowed"),
    [
        ("redshift!steps-sparkify-a1B2c3", True),
        ("redshift!steps-sparkify", True),
        ("redshift!steps-two-sparkify-a1B2c3", False),
        ("redshift!steps-sparkify2-a1B2c3", False),
        ("redshift!steps-sparkify-abcdef-a1B2c3", False),
    ],
)
def test_no_other_clusters_secret_matches(secret, allowed):
    arn = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{secret}"
    asked = Asked("", "secretsmanager:DeleteSecret", arn, {}, allowed=True)
    assert is_allowed([POLICIES["airflow-cluster"]], asked) is allowed


def test_the_boundary_lets_the_role_do_all_that_its_policy_says():
    (boundary,) = statements_of(POLICIES["cluster-boundary"])
    for statement in role_policy(PLAN)["Statement"]:
        assert set(as_list(statement["Action"])) <= set(as_list(boundary["Action"]))
        assert set(as_list(statement["Resource"])) <= set(as_list(boundary["Resource"]))


@pytest.fixture
def airflow(world: Any, aws: Aws) -> Iterator[Aws]:
    """The clients of a user who has Airflow's policies."""
    documents = {name: POLICIES[name] for name in AIRFLOW}
    with user_with(world.settings, "airflow", documents) as key, pytest.MonkeyPatch.context() as patch:
        for name, value in variables_of(key, os.environ).items():
            patch.setenv(name, value)
        yield Aws("aws_default", PLAN.region)


@pytest.fixture
def cluster_asked(world: Any, airflow: Aws, faults: Any) -> list[Asked]:
    """What every action of the cluster DAGs needs."""
    keeping = dataclasses.replace(PLAN, final_snapshot=True)
    faults.forget_asked()
    provision(world, airflow)
    provision(world, airflow, dataclasses.replace(PLAN, allowed_cidr="10.7.0.0/24", hours_to_live=0))
    for step in (pause_cluster, resume_cluster):
        do(world, airflow, step)
        world.time.pass_phase()
    for show in (show_status, show_connection):
        show(airflow, PLAN)
    with pytest.raises(ClientError, match="PostgreSQL is down"):  # there is none in this world
        connect_as_master(airflow, PLAN)
    assert [cluster.identifier for cluster in find_our_clusters(airflow)] == [PLAN.identifier]
    airflow.s3.put_object(Bucket=PLAN.work_bucket, Key="manifests/1", Body=b"{}")
    airflow.s3.create_multipart_upload(Bucket=PLAN.work_bucket, Key="manifests/2")
    # Somebody else has given the role more.
    iam = world.client("iam")
    iam.attach_role_policy(RoleName=PLAN.role_name, PolicyArn=_local_policy(iam))
    tear_down(world, airflow, keeping)
    show_leftovers(airflow, PLAN)
    provision(world, airflow, dataclasses.replace(PLAN, from_snapshot=True))
    tear_down(world, airflow)
    return list(faults.asked())


def _local_policy(iam: Any) -> str:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
    }
    made = iam.create_policy(PolicyName=f"somebodys-{uuid.uuid4()}", PolicyDocument=json.dumps(document))
    return str(made["Policy"]["Arn"])


def test_the_policy_for_clusters_allows_every_step_and_no_action_of_it_is_needless(cluster_asked):
    assert {(one.action, one.resource) for one in cluster_asked if not one.allowed} == set()
    policy, others = POLICIES["airflow-cluster"], [POLICIES["airflow-load"]]
    assert needless(policy, others, cluster_asked) == set()
    more = policy.replace('"s3:AbortMultipartUpload"', '"s3:AbortMultipartUpload", "s3:GetObject"')
    assert needless(more, others, cluster_asked) == {("EmptyWorkBucket", "s3:GetObject")}
    _refuses_what_has_not_our_tag(cluster_asked)


def _refuses_what_has_not_our_tag(cluster_asked: list[Asked]) -> None:
    """Without our tag AWS itself refuses to change anything that can have one."""
    stripped = [
        dataclasses.replace(one, context={k: v for k, v in one.context.items() if ":ResourceTag/" not in k})
        for one in cluster_asked
    ]
    policy = [POLICIES["airflow-cluster"]]
    allowed = {one.action for one in stripped if is_allowed(policy, one)}
    changing = {action for action in allowed if not re.search(r":(Describe|Get|List)\w+$", action)}
    assert {action for action in changing if not action.startswith(("s3:", "secretsmanager:"))} == {
        *("iam:CreateRole", "iam:TagRole", "iam:PassRole", "iam:CreateServiceLinkedRole"),
        *("ec2:CreateSecurityGroup", "ec2:CreateTags", "redshift:CreateCluster", "redshift:CreateTags"),
        *("redshift:RestoreFromClusterSnapshot", "redshift:CreateClusterSnapshot"),
        "redshift:CreateClusterSubnetGroup",
    }
    # Of S3 only objects below what the pipeline writes: AWS knows no tags of buckets unless they opt in.
    for key in KEYS:
        arn = f"arn:aws:s3:::{PLAN.work_bucket}/{key}"
        assert not is_allowed(policy, Asked("", "s3:DeleteObject", arn, {}, allowed=True))


def test_airflow_cannot_make_itself_an_administrator(world, airflow):
    iam = airflow.iam
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    role = {
        "RoleName": PLAN.role_name,
        "AssumeRolePolicyDocument": everything.replace('"Resource": "*"', '"Principal": "*"'),
        "Tags": [{"Key": "managed-by", "Value": "sparkify-warehouse"}],
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.create_role(**role)
    world.client("iam").create_role(**role)
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.put_role_policy(RoleName=PLAN.role_name, PolicyName="p", PolicyDocument=everything)
    for call in (iam.put_role_permissions_boundary, iam.delete_role_permissions_boundary):
        arguments = {"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
        with pytest.raises(ClientError, match="AccessDenied"):
            call(RoleName=PLAN.role_name, **(arguments if "put" in call.__name__ else {}))
    world.client("iam").delete_role(RoleName=PLAN.role_name)


def test_the_policy_for_uploads_allows_every_call_and_no_action_of_it_is_needless(
    world, aws, faults, tmp_path
):
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "a.json").write_text("{}")
    upload = UploadFolderOperator(
        task_id="upload",
        folder=str(tmp_path),
        bucket=PLAN.source_bucket,
        subfolders=["log_data"],
        region=PLAN.region,
        tags=PLAN.tags,
    )
    s3 = world.client("s3")
    s3.create_bucket(Bucket=PLAN.source_bucket)
    with (
        user_with(world.settings, "uploads", {"upload": POLICIES["airflow-upload"]}) as key,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in variables_of(key, os.environ).items():
            patch.setenv(name, value)
        faults.forget_asked()
        upload.execute(task_context())  # sets up a bucket that is there, empty
        s3.delete_object(Bucket=PLAN.source_bucket, Key="log_data/a.json")
        s3.delete_bucket(Bucket=PLAN.source_bucket)
        upload.execute(task_context())  # makes it
    assert {one.action for one in faults.asked() if not one.allowed} == set()
    assert needless(POLICIES["airflow-upload"], [], faults.asked()) == set()
