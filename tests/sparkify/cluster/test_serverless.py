"""The same steps for Redshift Serverless, against the sandbox's AWS API."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sparkify.aws import NotYet
from sparkify.cluster.expiry import find_expired_clusters
from sparkify.cluster.network import remove_network
from sparkify.cluster.plan import ClusterPlan, PlanError
from sparkify.cluster.role import remove_role
from sparkify.cluster.status import (
    check_connection,
    connection_json,
    show_connection,
    show_leftovers,
    show_status,
)
from sparkify.cluster.steps import make_cluster, pause_cluster, remove_cluster, resume_cluster
from sparkify.cluster.workgroup import find_cluster
from sparkify.failures import FatalError
from tests.conftest import REPOSITORY
from tests.sandbox.aws.clusters import World
from tests.sparkify.cluster import steps
from tests.sparkify.cluster.steps import do, what_is_there

pytest_plugins = ("tests.sparkify.cluster.steps",)

PLAN = dataclasses.replace(steps.PLAN, kind="serverless")
MAKE = (*steps.MAKE[:3], make_cluster)
REMOVE = (remove_cluster, *steps.REMOVE[1:])


def everything(world: World) -> dict[str, list[str]]:
    """Everything in the account that could be ours."""
    api = world.client("redshift-serverless")
    return {
        **what_is_there(world),
        "namespaces": [one["namespaceName"] for one in api.list_namespaces()["namespaces"]],
        "workgroups": [one["workgroupName"] for one in api.list_workgroups()["workgroups"]],
        "usage limits": [one["usageLimitId"] for one in api.list_usage_limits()["usageLimits"]],
        "serverless snapshots": [one["snapshotName"] for one in api.list_snapshots()["snapshots"]],
    }


def provision(world: World, aws, plan: ClusterPlan = PLAN) -> list[str]:
    done = do(world, aws, *MAKE, plan=plan)
    world.time.pass_phase()
    return done


def tear_down(world: World, aws, plan: ClusterPlan = PLAN) -> list[str]:
    first = do(world, aws, remove_cluster, plan=plan)
    world.time.pass_phase()
    return first + do(world, aws, *REMOVE[1:], plan=plan)


@pytest.fixture(autouse=True)
def _nothing_stays(world, aws):
    yield
    tear_down(world, aws)
    api = world.client("redshift-serverless")
    for snapshot in api.list_snapshots()["snapshots"]:
        api.delete_snapshot(snapshotName=snapshot["snapshotName"])


@pytest.fixture
def before(world):
    return everything(world)


@pytest.fixture
def api(world):
    return world.client("redshift-serverless")


def workgroup_of(api) -> dict:
    return api.get_workgroup(workgroupName="steps")["workgroup"]


class TestProvision:
    def test_makes_a_private_workgroup_with_a_ceiling_of_costs(self, world, aws, api):
        provision(world, aws, dataclasses.replace(PLAN, base_capacity=16, daily_rpu_hours=5))
        workgroup = workgroup_of(api)
        assert (workgroup["status"], workgroup["baseCapacity"]) == ("AVAILABLE", 16)
        assert workgroup["publiclyAccessible"] is False
        assert len(workgroup["securityGroupIds"]) == 1
        [limit] = api.list_usage_limits(resourceArn=workgroup["workgroupArn"])["usageLimits"]
        assert (limit["usageType"], limit["amount"]) == ("serverless-compute", 5)
        assert (limit["period"], limit["breachAction"]) == ("daily", "deactivate")

    def test_its_password_is_kept_by_aws_and_its_role_is_the_default(self, world, aws, api, faults):
        provision(world, aws)
        [made] = [call for call in faults.calls() if call.action == "CreateNamespace"]
        assert "adminUserPassword" not in made.parameters
        namespace = api.get_namespace(namespaceName="steps")["namespace"]
        assert namespace["adminPasswordSecretArn"]
        assert namespace["defaultIamRoleArn"].endswith(":role/steps-cluster")
        tags = api.list_tags_for_resource(resourceArn=namespace["namespaceArn"])["tags"]
        found = {tag["key"]: tag["value"] for tag in tags}
        assert found["managed-by"] == "sparkify-warehouse"
        assert datetime.fromisoformat(found["expires_at"]) > datetime.now(UTC) + timedelta(hours=7)

    def test_redshift_serverless_may_take_the_role(self, world, aws):
        provision(world, aws)
        role = world.client("iam").get_role(RoleName="steps-cluster")["Role"]
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert set(statement["Principal"]["Service"]) == {
            "redshift.amazonaws.com",
            "redshift-serverless.amazonaws.com",
        }

    def test_twice_in_a_row_makes_nothing_more_and_gives_it_more_time(self, world, aws):
        provision(world, aws)
        there = everything(world)
        first = find_cluster(aws, "steps").expires_at
        did = provision(world, aws, dataclasses.replace(PLAN, hours_to_live=20))
        assert everything(world) == there
        assert "is there" in did[-1]
        assert find_cluster(aws, "steps").expires_at - first > timedelta(hours=11)

    def test_another_limit_replaces_the_first(self, world, aws, api):
        provision(world, aws)
        provision(world, aws, dataclasses.replace(PLAN, daily_rpu_hours=3))
        assert [one["amount"] for one in api.list_usage_limits()["usageLimits"]] == [3]

    def test_a_time_to_live_can_be_taken_away(self, world, aws):
        provision(world, aws)
        provision(world, aws, dataclasses.replace(PLAN, hours_to_live=0))
        assert find_cluster(aws, "steps").expires_at is None

    @pytest.mark.parametrize("kind", ["namespace", "workgroup", "workgroup of another namespace"])
    def test_what_is_not_ours_is_left_alone(self, world, aws, api, kind):
        name = "steps" if kind == "namespace" else "theirs"
        api.create_namespace(namespaceName=name)
        if kind == "workgroup of another namespace":
            do(world, aws, *steps.MAKE[:3])
            with pytest.raises(NotYet):
                make_cluster(aws, PLAN)
        world.time.pass_phase()
        if kind != "namespace":
            api.create_workgroup(workgroupName="steps", namespaceName=name)
            world.time.pass_phase()
        for step in (make_cluster, remove_cluster):
            with pytest.raises(FatalError, match="not made by this DAG"):
                do(world, aws, step, plan=PLAN)
        if kind != "namespace":
            api.delete_workgroup(workgroupName="steps")
            world.time.pass_phase()
        api.delete_namespace(namespaceName=name)
        world.time.pass_phase()

    def test_a_snapshot_is_restored_once(self, world, aws, faults):
        provision(world, aws)
        tear_down(world, aws, dataclasses.replace(PLAN, final_snapshot=True))
        restoring = dataclasses.replace(PLAN, from_snapshot=True)
        provision(world, aws, restoring)
        provision(world, aws, restoring)
        assert faults.actions().count("redshift-serverless:RestoreFromSnapshot") == 1
        assert find_cluster(aws, "steps").status == "available"

    def test_values_that_aws_would_refuse_are_refused_before_anything_is_made(self):
        for changes, words in (
            ({"kind": "other"}, "provisioned or serverless"),
            ({"base_capacity": 12}, "4, or 8 to 512 in steps of 8"),
            ({"daily_rpu_hours": 0}, "1 or more"),
            ({"identifier": "ab"}, "3 characters or more"),
        ):
            with pytest.raises(PlanError, match=words):
                dataclasses.replace(PLAN, **changes)


class TestTeardown:
    def test_leaves_nothing(self, world, aws, before):
        provision(world, aws)
        assert everything(world) != before
        tear_down(world, aws)
        assert everything(world) == before
        assert show_leftovers(aws, PLAN) == "Nothing of cluster steps is left."

    def test_twice_in_a_row_says_that_there_is_nothing_to_do(self, world, aws):
        provision(world, aws)
        tear_down(world, aws)
        assert all("nothing" in line for line in tear_down(world, aws))

    def test_keeps_a_snapshot_unless_told_otherwise(self, world, aws, before):
        keeping = dataclasses.replace(PLAN, final_snapshot=True)
        provision(world, aws)
        tear_down(world, aws, keeping)
        [snapshot] = everything(world)["serverless snapshots"]
        assert everything(world) == {**before, "serverless snapshots": [snapshot]}
        assert snapshot.startswith("steps-final-")
        world.time.pass_phase()
        assert f"but the snapshot {snapshot}, billed" in show_leftovers(aws, keeping)

    @pytest.mark.parametrize("tries", range(4))
    def test_after_a_provisioning_that_stopped_anywhere_leaves_nothing(self, world, aws, before, tries):
        do(world, aws, *MAKE[:3], plan=PLAN)
        for _ in range(tries):
            with pytest.raises(NotYet):
                make_cluster(aws, PLAN)
            world.time.pass_phase() if tries != 3 else None
        tear_down(world, aws)
        assert everything(world) == before

    def test_names_what_is_left_on_the_way(self, world, aws):
        provision(world, aws)
        with pytest.raises(NotYet, match="its namespace follows"):
            remove_cluster(aws, PLAN)
        with pytest.raises(FatalError, match=r"Still there: Cluster steps \(deleting\)"):
            show_leftovers(aws, PLAN)

    def test_leaves_a_role_that_another_namespace_uses_and_names_it(self, world, aws, api):
        provision(world, aws)
        arn = world.client("iam").get_role(RoleName="steps-cluster")["Role"]["Arn"]
        api.create_namespace(namespaceName="other", iamRoles=[arn])
        said = tear_down(world, aws)
        assert "used by other: left as it is" in " ".join(said)
        api.delete_namespace(namespaceName="other")
        world.time.pass_phase()
        assert "removed" in do(world, aws, remove_role, plan=PLAN)[0]

    def test_waits_for_the_security_group(self, world, aws):
        provision(world, aws)
        with pytest.raises(NotYet, match="security group steps-redshift"):
            remove_network(aws, PLAN)


class TestPause:
    @pytest.mark.parametrize("step", [pause_cluster, resume_cluster])
    def test_says_that_serverless_has_none(self, aws, step):
        with pytest.raises(FatalError, match="has no pause and no resume"):
            step(aws, PLAN)


class TestStatus:
    def test_says_what_exists_and_what_it_costs_at_most(self, world, aws):
        provision(world, aws, dataclasses.replace(PLAN, daily_rpu_hours=8))
        said = show_status(aws, PLAN)
        assert "Cluster steps in us-east-1: available" in said
        # Made just now, it may have touched two of the limit's days.
        assert "at most 8 RPU-hours or USD 3.00 a day" in said
        assert "at most USD 6.00 since it was made" in said
        tear_down(world, aws)
        assert "Cluster steps in us-east-1: none" in show_status(aws, PLAN)

    def test_says_that_nothing_limits_its_costs(self, world, aws, api):
        provision(world, aws)
        [limit] = api.list_usage_limits()["usageLimits"]
        api.delete_usage_limit(usageLimitId=limit["usageLimitId"])
        assert "no daily limit turns queries off" in show_status(aws, PLAN)

    def test_shows_half_of_one(self, world, aws):
        do(world, aws, *MAKE[:3], plan=PLAN)
        with pytest.raises(NotYet):
            make_cluster(aws, PLAN)
        world.time.pass_phase()
        assert "Cluster steps in us-east-1: incomplete" in show_status(aws, PLAN)

    def test_the_connection_at_the_end_names_the_workgroup_and_no_password(self, world, aws, monkeypatch):
        provision(world, aws)
        said = show_connection(aws, PLAN)
        assert connection_json(PLAN) in said
        assert "127.0.0.1" in said
        made = json.loads(connection_json(PLAN))
        assert made["extra"]["serverless_work_group"] == "steps"
        assert "password" not in made
        other = connection_json(dataclasses.replace(PLAN, identifier="other"))
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", other)
        with pytest.raises(FatalError, match="is that of cluster other"):
            check_connection(aws, PLAN)

    def test_the_connection_of_the_guide_is_the_one_that_the_dag_shows(self):
        section = (REPOSITORY / "docs" / "aws.md").read_text().partition("## Redshift Serverless")[2]
        found = re.search(r"AIRFLOW_CONN_REDSHIFT_DEFAULT='(.*?)'", section, re.DOTALL)
        assert found is not None
        plan = dataclasses.replace(PLAN, identifier="sparkify")
        assert json.loads(found[1]) == json.loads(connection_json(plan))

    def test_a_connection_of_the_other_kind_is_refused_before_anything_is_made(self, aws, monkeypatch):
        for plan, other in ((PLAN, steps.PLAN), (steps.PLAN, PLAN)):
            monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", connection_json(other))
            with pytest.raises(FatalError, match="is that of cluster steps"):
                check_connection(aws, plan)
            monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", connection_json(plan))
            assert "is that of cluster steps" in check_connection(aws, plan)


class TestReaper:
    def test_finds_namespaces_of_ours_whose_time_has_passed(self, world, aws, api):
        api.create_namespace(namespaceName="theirs")
        provision(world, aws)
        now = datetime.now(UTC)
        assert find_expired_clusters(aws, now) == []
        [(kind, found)] = find_expired_clusters(aws, now + timedelta(hours=9))
        assert (kind, found.identifier) == ("serverless", "steps")
        with pytest.raises(NotYet):
            remove_cluster(aws, PLAN)
        assert find_expired_clusters(aws, now + timedelta(hours=9)) == []
        api.delete_namespace(namespaceName="theirs")

    def test_finds_a_namespace_whose_workgroup_was_never_made(self, world, aws):
        do(world, aws, *MAKE[:3], plan=PLAN)
        with pytest.raises(NotYet):
            make_cluster(aws, PLAN)
        world.time.pass_phase()
        [(_, found)] = find_expired_clusters(aws, datetime.now(UTC) + timedelta(hours=9))
        assert (found.identifier, found.status) == ("steps", "incomplete")

    @pytest.mark.parametrize(
        ("service", "action"), [("redshift", "DescribeClusters"), ("redshift-serverless", "ListNamespaces")]
    )
    def test_looks_only_where_it_may(self, world, aws, faults, service, action):
        faults.error(service, action, "AccessDenied", status=403)
        assert find_expired_clusters(aws, datetime.now(UTC)) == []
        assert faults.pending() == []

    def test_fails_where_it_may_look_nowhere(self, world, aws, faults):
        faults.error("redshift", "DescribeClusters", "AccessDenied", status=403)
        for action in ("ListNamespaces", "ListWorkgroups"):
            faults.error("redshift-serverless", action, "AccessDeniedException", status=403)
        with pytest.raises(ClientError, match="AccessDenied"):
            find_expired_clusters(aws, datetime.now(UTC))


class TestNetworkErrors:
    @pytest.mark.parametrize(
        "fault", ["drop_after", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("drop", "error"))]
    )
    def test_at_any_call_of_provision_and_teardown_end_complete_when_tried_again(
        self, world, aws, before, faults, fault
    ):
        faults.forget_calls()
        provision(world, aws)
        tear_down(world, aws)
        calls = sorted(
            {(call.service, call.action) for call in faults.calls() if "serverless" in call.service}
        )
        assert len(calls) >= 12
        for service, action in calls:
            if fault == "error":
                faults.error(service, action, "InternalServerException", status=500)
            else:
                getattr(faults, fault)(service, action)
            for many in (MAKE, REMOVE):
                assert do_once(world, aws, many), f"{service}:{action}"
            assert faults.pending() == [], "the fault did not happen"
            assert everything(world) == before, f"{service}:{action}"


def do_once(world: World, aws, many) -> bool:
    """Do the steps as a task with retries does: after an error the same step once more."""
    for step in many:
        for _ in range(4):
            try:
                do(world, aws, step, plan=PLAN)
                break
            except (BotoCoreError, ClientError, FatalError):
                world.time.pass_phase()
        else:
            return False
        world.time.pass_phase()
    return True
