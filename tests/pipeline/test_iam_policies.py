"""The policies of include/iam allow the calls that are made, and no more than they have to."""

import dataclasses
import json
import re

import pytest

from sparkify.cluster import pause_cluster, resume_cluster
from sparkify.cluster_status import show_connection, show_leftovers, show_status
from tests.pipeline.cluster_steps import PLAN, do, provision, tear_down
from tests.pipeline.iam_policies import FOLDER, allows, as_list, needs, policy

pytest_plugins = ("tests.pipeline.cluster_steps",)

FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
VALUES = {
    "ACCOUNT": "123456789012",
    "REGION": PLAN.region,
    "CLUSTER": PLAN.identifier,
    "SOURCE_BUCKET": PLAN.source_bucket,
    "WORK_BUCKET": PLAN.work_bucket,
    "DB_USER": PLAN.user,
    "DATABASE": PLAN.database,
}
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
            words = r":(Describe\w+|GetRandomPassword|CreateDefaultVpc)$"
            assert all(re.search(words, action) for action in as_list(statement["Action"])), statement["Sid"]


@pytest.fixture
def cluster_calls(world, aws, faults):
    """The calls of every action of the cluster DAG."""
    keeping = dataclasses.replace(PLAN, final_snapshot=True)
    provision(world, aws)
    provision(world, aws, dataclasses.replace(PLAN, allowed_cidr="10.7.0.0/24", hours_to_live=0))
    world.client("s3").put_object(Bucket=PLAN.work_bucket, Key="manifests/1", Body=b"{}")
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
    made = iam.create_policy(PolicyName="somebodys", PolicyDocument=json.dumps(document))
    return str(made["Policy"]["Arn"])


def test_the_policy_for_clusters_allows_every_call_and_holds_no_other(cluster_calls):
    statements = policy("airflow-cluster", VALUES)
    needed = {need for call in cluster_calls for need in needs(call, PLAN.region)}
    assert {need for need in needed if not allows(statements, need)} == set()
    actions = {action for statement in statements for action in as_list(statement["Action"])}
    unused = {a for a in actions - {action for action, _ in needed} if not a.startswith(MADE_BY_AWS)}
    # A final snapshot is made by DeleteCluster, which asks for this permission, too.
    assert unused == {"redshift:CreateClusterSnapshot"}
