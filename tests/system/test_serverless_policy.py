"""Who has the policies for Serverless may do what is done with it, and every action of them is needed."""

import dataclasses
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sparkify.aws import Aws
from sparkify.cluster.kinds import look_of
from sparkify.cluster.status import show_connection, show_leftovers, show_status
from tests.sandbox.aws.faults import Asked
from tests.sparkify.cluster.test_serverless import PLAN, provision, tear_down
from tests.system.iam_policies import (
    AIRFLOW,
    document_of,
    is_allowed,
    needless,
    user_with,
    values_of,
    variables_of,
)

pytest_plugins = ("tests.sparkify.cluster.steps",)

NAMES = (*AIRFLOW, "airflow-serverless")
POLICIES = {name: document_of(name, values_of(PLAN)) for name in NAMES}


@pytest.fixture
def airflow(world: Any, aws: Aws) -> Iterator[Aws]:
    """The clients of a user who has Airflow's policies."""
    with user_with(world.settings, "airflow", POLICIES) as key, pytest.MonkeyPatch.context() as patch:
        for name, value in variables_of(key, os.environ).items():
            patch.setenv(name, value)
        yield Aws("aws_default", PLAN.region)


@pytest.fixture
def asked(world: Any, airflow: Aws, faults: Any) -> list[Asked]:
    """What every action of the cluster DAGs needs with Serverless."""
    faults.forget_asked()
    provision(world, airflow)
    provision(world, airflow, dataclasses.replace(PLAN, hours_to_live=0, daily_rpu_hours=3))
    look = look_of(PLAN)
    with pytest.raises(ClientError, match="PostgreSQL is down"):  # there is none in this world
        look.find_loader(airflow, PLAN)
    assert look.get_master_login(airflow, PLAN)[0] == "admin"
    for show in (show_status, show_connection):
        show(airflow, PLAN)
    assert [cluster.identifier for cluster in look.find_our_clusters(airflow)] == [PLAN.identifier]
    tear_down(world, airflow, dataclasses.replace(PLAN, final_snapshot=True))
    show_leftovers(airflow, PLAN)
    provision(world, airflow, dataclasses.replace(PLAN, from_snapshot=True))
    tear_down(world, airflow)
    api = world.client("redshift-serverless")
    for snapshot in api.list_snapshots()["snapshots"]:
        api.delete_snapshot(snapshotName=snapshot["snapshotName"])
    return list(faults.asked())


def test_every_call_is_allowed_no_action_is_needless_and_what_is_not_ours_stays(asked):
    assert {(one.action, one.resource) for one in asked if not one.allowed} == set()
    policy = POLICIES["airflow-serverless"]
    others = [document for name, document in POLICIES.items() if name != "airflow-serverless"]
    assert needless(policy, others, asked) == set()
    stripped = [
        dataclasses.replace(one, context={k: v for k, v in one.context.items() if ":ResourceTag/" not in k})
        for one in asked
    ]
    allowed = {one.action for one in stripped if is_allowed([policy], one)}
    changing = {action for action in allowed if not re.search(r":(Get|List|Describe)\w+$", action)}
    assert {action for action in changing if not action.startswith("secretsmanager:")} == {
        *("redshift-serverless:CreateNamespace", "redshift-serverless:CreateWorkgroup"),
        *("redshift-serverless:TagResource", "redshift-serverless:RestoreFromSnapshot", "iam:PassRole"),
        *("redshift-serverless:CreateUsageLimit", "redshift-serverless:UpdateUsageLimit"),
        "redshift-serverless:DeleteUsageLimit",
    }
    assert "redshift-serverless:GetCredentials" not in allowed
