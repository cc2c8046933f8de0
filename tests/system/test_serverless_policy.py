"""The policy for Serverless allows the calls that are made, on what they are about, and no others."""

import dataclasses
import fnmatch
import json

import pytest
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

from sparkify.cluster.status import connection_json, show_leftovers, show_status
from tests.sparkify.cluster.test_serverless import PLAN, provision, tear_down
from tests.system.iam_policies import FOLDER, as_list, values_of

pytest_plugins = ("tests.sparkify.cluster.steps",)

# The resource types of each action (Service Authorization Reference, "Amazon Redshift Serverless").
NAMESPACE, WORKGROUP, SNAPSHOT = "namespace", "workgroup", "snapshot"
RESOURCES = {
    "CreateNamespace": [NAMESPACE],
    "GetNamespace": [NAMESPACE],
    "DeleteNamespace": [NAMESPACE],
    "CreateWorkgroup": [WORKGROUP],
    "GetWorkgroup": [WORKGROUP],
    "DeleteWorkgroup": [WORKGROUP],
    "GetCredentials": [WORKGROUP],
    "TagResource": [NAMESPACE, WORKGROUP],
    "UntagResource": [NAMESPACE],
    "ListTagsForResource": [NAMESPACE],
    "ListSnapshots": [SNAPSHOT],
    "RestoreFromSnapshot": [SNAPSHOT],
    "ListNamespaces": [],
    "ListWorkgroups": [],
    "ListUsageLimits": [],
    "CreateUsageLimit": [],
    "UpdateUsageLimit": [],
    "DeleteUsageLimit": [],
}
# Made by Redshift in the caller's name, or with the administrator's password by `give_rights`.
ELSEWHERE = ("secretsmanager:", "iam:PassRole")


@pytest.fixture
def statements():
    text = (FOLDER / "airflow-serverless.json").read_text()
    for placeholder, value in values_of(PLAN).items():
        text = text.replace(placeholder, value)
    return json.loads(text)["Statement"]


@pytest.fixture
def called(world, aws, faults, monkeypatch):
    """The actions of Redshift Serverless that the DAGs call."""
    provision(world, aws)
    provision(world, aws, dataclasses.replace(PLAN, hours_to_live=0, daily_rpu_hours=3))
    show_status(aws, PLAN)
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", connection_json(PLAN))
    with pytest.raises(Exception, match="PostgreSQL is down"):  # the credentials are asked for
        RedshiftSQLHook(redshift_conn_id="redshift_default")._get_conn_params()
    tear_down(world, aws, dataclasses.replace(PLAN, final_snapshot=True))
    show_leftovers(aws, PLAN)
    provision(world, aws, dataclasses.replace(PLAN, from_snapshot=True))
    tear_down(world, aws)
    api = world.client("redshift-serverless")
    made = {call.action for call in faults.calls("redshift-serverless")} | {"ListWorkgroups"}
    for snapshot in api.list_snapshots()["snapshots"]:
        api.delete_snapshot(snapshotName=snapshot["snapshotName"])
    return made


def allowed(statements) -> set[str]:
    return {action for one in statements for action in as_list(one["Action"])}


def test_the_actions_are_those_that_are_called(statements, called):
    named = {action.removeprefix("redshift-serverless:") for action in allowed(statements)}
    assert {action for action in named if not action.startswith(ELSEWHERE)} == called


def test_each_action_is_allowed_on_its_resources_and_only_what_has_none_on_any(statements, called):
    for action in called:
        arns = [f"arn:aws:redshift-serverless:us-east-1:123456789012:{kind}/1" for kind in RESOURCES[action]]
        found = [
            resource
            for one in statements
            if f"redshift-serverless:{action}" in as_list(one["Action"])
            for resource in as_list(one["Resource"])
        ]
        assert ("*" in found) == (not arns), action
        assert all(any(fnmatch.fnmatchcase(arn, one) for one in found) for arn in arns), action


def test_what_changes_or_enters_something_that_is_there_needs_our_tag(statements):
    for action in ("DeleteNamespace", "DeleteWorkgroup", "UntagResource", "GetCredentials"):
        [one] = [one for one in statements if f"redshift-serverless:{action}" in as_list(one["Action"])]
        assert one["Condition"] == {"StringEquals": {"aws:ResourceTag/managed-by": "sparkify-warehouse"}}
    for action in ("CreateNamespace", "CreateWorkgroup"):
        [one] = [one for one in statements if f"redshift-serverless:{action}" in as_list(one["Action"])]
        assert one["Condition"] == {"StringEquals": {"aws:RequestTag/managed-by": "sparkify-warehouse"}}
