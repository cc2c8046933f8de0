"""The policies of include/iam allow the calls that are made, and no more than they have to."""

import dataclasses
import json
import re
import uuid

import pytest

from sparkify.cluster.life import pause_cluster, resume_cluster
from sparkify.cluster.status import show_connection, show_leftovers, show_status
from sparkify.operators import UploadFolderOperator
from tests.contexts import task_context
from tests.sparkify.cluster.steps import PLAN, do, provision, tear_down
from tests.system.conftest import ROOT
from tests.system.iam_policies import FOLDER, allows, as_list, needs, policy, refused, unused, values_of

pytest_plugins = ("tests.sparkify.cluster.steps",)

FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
VALUES = values_of(PLAN)
# What a user may keep in a bucket.
KEYS = ("theirs", "log_data/a.json", "manifests.json", "jsonpaths")
# Calls that AWS makes in the name of the caller, or only for an account's first cluster.
MADE_BY_AWS = ("secretsmanager:", "iam:CreateServiceLinkedRole", "ec2:Describe")


@pytest.mark.parametrize("name", FILES)
def test_no_statement_allows_everything_on_anything(name):
    for statement in policy(name, VALUES):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in as_list(statement["Action"])), statement["Sid"]


@pytest.mark.parametrize("name", FILES)
def test_only_what_has_no_resource_of_its_own_is_allowed_on_any(name):
    for statement in policy(name, VALUES):
        if statement["Resource"] == "*":
            words = r":(Describe\w+|GetRandomPassword|CreateDefaultVpc|List\w+s|\w+UsageLimit)$"
            assert all(re.search(words, action) for action in as_list(statement["Action"])), statement["Sid"]


@pytest.fixture
def cluster_calls(world, aws, faults):
    """The calls of every action of the cluster DAG."""
    keeping = dataclasses.replace(PLAN, final_snapshot=True)
    provision(world, aws)
    provision(world, aws, dataclasses.replace(PLAN, allowed_cidr="10.7.0.0/24", hours_to_live=0))
    s3 = world.client("s3")
    s3.put_object(Bucket=PLAN.work_bucket, Key="manifests/1", Body=b"{}")
    ours = faults.calls()
    faults.forget_calls()
    for step in (pause_cluster, resume_cluster):
        do(world, aws, step)
        world.time.pass_phase()
    for show in (show_status, show_connection):
        show(aws, PLAN)
    role = world.client("iam")
    ours += faults.calls()
    role.attach_role_policy(RoleName=PLAN.role_name, PolicyArn=_local_policy(role))
    faults.forget_calls()
    tear_down(world, aws, keeping)
    show_leftovers(aws, PLAN)
    provision(world, aws, dataclasses.replace(PLAN, from_snapshot=True))
    return [call for call in ours + faults.calls() if call.action != "PutObject"]


def _local_policy(iam) -> str:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
    }
    made = iam.create_policy(PolicyName=f"somebodys-{uuid.uuid4()}", PolicyDocument=json.dumps(document))
    return str(made["Policy"]["Arn"])


def test_the_policy_for_clusters_allows_every_call_and_holds_no_other(cluster_calls):
    statements = policy("airflow-cluster", VALUES)
    assert refused(statements, cluster_calls, PLAN.region) == set()
    others = {a for a in unused(statements, cluster_calls, PLAN.region) if not a.startswith(MADE_BY_AWS)}
    # Only where an upload in parts was begun.
    assert others == {"s3:AbortMultipartUpload"}


def test_aws_itself_refuses_to_change_what_has_not_our_tag(cluster_calls):
    statements = policy("airflow-cluster", VALUES)
    needed = {need for call in cluster_calls for need in needs(call, PLAN.region)}
    allowed = {action for action, arn in needed if allows(statements, (action, arn), ours=False)}
    changing = {action for action in allowed if not re.search(r":(Describe|Get|List)\w+$", action)}
    assert {action for action in changing if not action.startswith("s3:")} == {
        *("iam:CreateRole", "iam:PassRole", "ec2:CreateSecurityGroup", "ec2:CreateTags"),
        *("redshift:CreateCluster", "redshift:RestoreFromClusterSnapshot", "redshift:CreateClusterSnapshot"),
        *("redshift:CreateClusterSubnetGroup", "redshift:CreateTags"),
    }
    # Of S3 only objects below what the pipeline writes: AWS knows no tags of buckets unless they opt in.
    deletes = {arn for action, arn in needed if action.startswith("s3:DeleteObject")}
    assert not any(
        allows(statements, ("s3:DeleteObject", f"arn:aws:s3:::{PLAN.work_bucket}/{key}")) for key in KEYS
    )
    assert deletes


def test_the_policy_for_uploads_allows_every_call_and_holds_no_other(world, aws, faults, tmp_path):
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
    faults.forget_calls()
    upload.execute(task_context())  # sets up a bucket that is there, empty
    s3.delete_object(Bucket=PLAN.source_bucket, Key="log_data/a.json")
    s3.delete_bucket(Bucket=PLAN.source_bucket)
    upload.execute(task_context())  # makes it
    ours = [call for call in faults.calls() if call.action not in {"DeleteObject", "DeleteBucket"}]
    statements = policy("airflow-upload", VALUES)
    assert refused(statements, ours, PLAN.region) == set()
    assert unused(statements, ours, PLAN.region) == set()


def test_the_policy_for_people_allows_the_commands_of_the_documentation_and_no_other():
    page = (ROOT / "docs" / "aws.md").read_text()
    commands = set(re.findall(r"\baws (iam|ec2|redshift) ([a-z-]+)", page))
    called = {f"{service}:{words.title().replace('-', '')}" for service, words in commands}
    assert {a for statement in policy("person", VALUES) for a in as_list(statement["Action"])} == called
