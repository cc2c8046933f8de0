"""The steps that make, pause, resume and remove a cluster, against the sandbox's AWS API."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sparkify.aws import Aws, NotYet
from sparkify.cluster.bucket import make_work_bucket
from sparkify.cluster.cluster import find_cluster
from sparkify.cluster.life import make_cluster, pause_cluster, remove_cluster, resume_cluster
from sparkify.cluster.network import remove_network
from sparkify.cluster.plan import ClusterPlan, PlanError
from sparkify.cluster.role import make_role, remove_role
from sparkify.cluster.status import (
    check_connection,
    connection_json,
    show_connection,
    show_leftovers,
    show_status,
)
from sparkify.failures import FatalError
from tests.sandbox.aws.clusters import CLUSTER, World
from tests.sandbox.aws.faults import AwsFaults
from tests.sparkify.cluster.steps import MAKE, PLAN, REMOVE, do, do_once, provision, tear_down, what_is_there

pytest_plugins = ("tests.sparkify.cluster.steps",)


class TestProvision:
    def test_makes_a_private_encrypted_cluster_without_a_password(self, world, aws, faults):
        provision(world, aws)
        [made] = [call for call in faults.calls("redshift") if call.action == "CreateCluster"]
        assert "ManageMasterPassword" in made.parameters
        assert "MasterUserPassword" not in made.parameters
        cluster = world.client("redshift").describe_clusters(ClusterIdentifier="steps")["Clusters"][0]
        assert (cluster["Encrypted"], cluster["PubliclyAccessible"]) == (True, False)
        assert (cluster["ClusterStatus"], cluster["NodeType"]) == ("available", "ra3.large")
        assert cluster["DefaultIamRoleArn"] == cluster["IamRoles"][0]["IamRoleArn"]
        tags = {tag["Key"]: tag["Value"] for tag in cluster["Tags"]}
        assert tags["managed-by"] == "sparkify-warehouse"
        assert "expires_at" in tags

    def test_twice_in_a_row_makes_nothing_more(self, world, aws):
        provision(world, aws)
        there = what_is_there(world)
        did = provision(world, aws)
        assert what_is_there(world) == there
        assert all("is there" in line or "opens port" in line for line in did)
        assert "whatever node_type, nodes and from_snapshot say" in did[-1]

    def test_the_role_reads_two_buckets_and_nothing_else(self, world, aws):
        provision(world, aws)
        policy = world.client("iam").get_role_policy(
            RoleName="steps-cluster", PolicyName="read-source-and-work-bucket"
        )["PolicyDocument"]
        resources = {resource for part in policy["Statement"] for resource in part["Resource"]}
        assert resources == {
            *("arn:aws:s3:::steps-source", "arn:aws:s3:::steps-source/*"),
            *("arn:aws:s3:::steps-work", "arn:aws:s3:::steps-work/*"),
        }
        actions = json.dumps([part["Action"] for part in policy["Statement"]])
        assert "*" not in actions
        assert "Put" not in actions

    def test_the_role_admits_the_loader_of_this_cluster_alone_also_one_made_before(self, world, aws):
        iam = world.client("iam")
        iam.create_role(
            RoleName="steps-cluster",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
            Tags=[{"Key": "managed-by", "Value": "sparkify-warehouse"}],
        )
        for _ in range(2):
            do(world, aws, make_role)
            trust = iam.get_role(RoleName="steps-cluster")["Role"]["AssumeRolePolicyDocument"]
            [statement] = trust["Statement"]
            assert statement["Principal"] == {"Service": "redshift.amazonaws.com"}
            assert statement["Condition"] == {
                "StringEquals": {
                    "sts:ExternalId": "arn:aws:redshift:us-east-1:123456789012:dbuser:steps/loader"
                }
            }
            do(world, aws, remove_role)

    def test_the_work_bucket_is_private_encrypted_and_takes_tls_only(self, world, aws):
        provision(world, aws)
        s3 = world.client("s3")
        assert all(s3.get_public_access_block(Bucket="steps-work")["PublicAccessBlockConfiguration"].values())
        [rule] = s3.get_bucket_encryption(Bucket="steps-work")["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        [part] = json.loads(s3.get_bucket_policy(Bucket="steps-work")["Policy"])["Statement"]
        assert (part["Effect"], part["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        [expiry] = s3.get_bucket_lifecycle_configuration(Bucket="steps-work")["Rules"]
        assert expiry["Expiration"]["Days"] == 30

    def test_a_paused_cluster_is_resumed(self, world, aws):
        provision(world, aws)
        do(world, aws, pause_cluster)
        world.time.pass_phase()
        do(world, aws, make_cluster)
        assert world.status("steps") == "resuming"

    @pytest.mark.parametrize("kind", ["cluster", "role", "security group"])
    def test_what_is_not_ours_is_left_alone(self, world, aws, kind):
        if kind == "cluster":
            world.client("redshift").create_cluster(ClusterIdentifier="steps", **CLUSTER)
            world.time.pass_phase()
        elif kind == "role":
            world.client("iam").create_role(RoleName="steps-cluster", AssumeRolePolicyDocument="{}")
        else:
            world.client("ec2").create_security_group(GroupName="steps-redshift", Description="other")
        there = {name: found for name, found in what_is_there(world).items() if name != "buckets"}
        with pytest.raises(FatalError, match=r"not ours|not made by this DAG"):
            do(world, aws, *MAKE)
        if kind == "cluster":
            for step in (pause_cluster, remove_cluster):
                with pytest.raises(FatalError, match="not made by this DAG"):
                    do(world, aws, step)
            world.client("redshift").delete_cluster(ClusterIdentifier="steps", SkipFinalClusterSnapshot=True)
            world.time.pass_phase()
            tear_down(world, aws)
            return
        tear_down(world, aws)
        left = what_is_there(world)
        assert {name: set(there[name]) - set(left[name]) for name in there} == {name: set() for name in there}
        if kind == "role":
            world.client("iam").delete_role(RoleName="steps-cluster")
        else:
            world.client("ec2").delete_security_group(GroupName="steps-redshift")

    def test_restores_the_newest_final_snapshot_when_asked(self, world, aws, faults):
        provision(world, aws)
        keeping = dataclasses.replace(PLAN, final_snapshot=True)
        tear_down(world, aws, keeping)
        faults.forget_calls()
        did = provision(world, aws, dataclasses.replace(PLAN, from_snapshot=True))
        assert "with its database and master user; it expires" in did[-1]
        assert "redshift:RestoreFromClusterSnapshot" in faults.actions()
        cluster = find_cluster(aws, "steps")
        assert cluster is not None
        assert cluster.is_ours
        assert cluster.expires_at is not None

    def test_says_that_there_is_no_snapshot_to_begin_with(self, world, aws):
        did = provision(world, aws, dataclasses.replace(PLAN, from_snapshot=True))
        assert "empty, for there is no snapshot that from_snapshot could begin with" in did[-1]

    def test_makes_no_role_without_its_boundary(self, world, aws):
        other = dataclasses.replace(PLAN, identifier="unbounded")
        with pytest.raises(FatalError, match=r"policy/unbounded-boundary is missing.*docs/aws\.md"):
            do(world, aws, make_role, plan=other)

    def test_a_restored_cluster_is_ours_before_it_has_its_tags(self, world, aws, faults):
        provision(world, aws)
        tear_down(world, aws, dataclasses.replace(PLAN, final_snapshot=True))
        restoring = dataclasses.replace(PLAN, from_snapshot=True)
        do(world, aws, *MAKE[:3])
        faults.error("redshift", "CreateTags", "InternalFailure", status=500)
        with pytest.raises(ClientError):
            make_cluster(aws, restoring)
        faults.clear()
        world.time.pass_phase()
        do(world, aws, make_cluster, plan=restoring)
        cluster = find_cluster(aws, "steps")
        assert cluster is not None
        assert cluster.tags["managed-by"] == "sparkify-warehouse"


class TestPlan:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"identifier": "Sparkify"}, "lower-case"),
            ({"identifier": "a--b"}, "single hyphens"),
            ({"nodes": 0}, "at least one node"),
            ({"hours_to_live": -1}, "hours_to_live is 0"),
        ],
    )
    def test_what_aws_would_refuse_is_refused_before_anything_is_made(self, changes, words):
        with pytest.raises(PlanError, match=words):
            dataclasses.replace(PLAN, **changes)

    def test_values_that_became_text_are_read_back(self):
        values = {name: str(getattr(PLAN, name)) for name in PLAN.__dataclass_fields__}
        assert ClusterPlan.of(values) == PLAN


class TestPauseAndResume:
    def test_each_twice_in_a_row(self, world, aws):
        provision(world, aws)
        assert "being paused" in do(world, aws, pause_cluster)[0]
        assert "nothing to do" in do(world, aws, pause_cluster)[0]
        world.time.pass_phase()
        assert "nothing to do" in do(world, aws, pause_cluster)[0]
        assert "being resumed" in do(world, aws, resume_cluster)[0]
        assert "nothing to do" in do(world, aws, resume_cluster)[0]
        world.time.pass_phase()
        assert world.status("steps") == "available"

    def test_wait_for_a_cluster_that_is_just_being_made_or_paused(self, world, aws):
        do(world, aws, *MAKE)
        with pytest.raises(NotYet, match="is creating"):
            pause_cluster(aws, PLAN)
        world.time.pass_phase()
        do(world, aws, pause_cluster)
        with pytest.raises(NotYet, match="is pausing"):
            resume_cluster(aws, PLAN)
        do(world, aws, resume_cluster)
        assert world.status("steps") == "resuming"

    def test_resuming_gives_it_another_stretch_of_time(self, world, aws):
        provision(world, aws)
        first = find_cluster(aws, "steps").expires_at
        do(world, aws, pause_cluster)
        world.time.pass_phase()
        do(world, aws, resume_cluster, plan=dataclasses.replace(PLAN, hours_to_live=20))
        assert (find_cluster(aws, "steps").expires_at - first).total_seconds() > 11 * 3600

    def test_without_a_cluster_say_what_to_do(self, aws):
        for step in (pause_cluster, resume_cluster):
            with pytest.raises(FatalError, match="no cluster steps in us-east-1: provision it first"):
                step(aws, PLAN)


class TestTeardown:
    def test_leaves_nothing(self, world, aws, before):
        provision(world, aws)
        assert what_is_there(world) != before
        tear_down(world, aws)
        assert what_is_there(world) == before
        assert show_leftovers(aws, PLAN) == "Nothing of cluster steps is left."

    def test_twice_in_a_row_says_that_there_is_nothing_to_do(self, world, aws):
        provision(world, aws)
        tear_down(world, aws)
        assert all("nothing" in line for line in tear_down(world, aws))

    def test_keeps_a_snapshot_and_the_work_bucket_unless_told_otherwise(self, world, aws, before):
        keeping = dataclasses.replace(PLAN, final_snapshot=True, remove_work_bucket=False)
        provision(world, aws, keeping)
        tear_down(world, aws, keeping)
        left = what_is_there(world)
        [snapshot] = left["snapshots"]
        assert snapshot.startswith("steps-final-")
        assert left == {**before, "snapshots": [snapshot], "buckets": [*before["buckets"], "steps-work"]}
        assert f"but the snapshot {snapshot}, billed" in show_leftovers(aws, keeping)

    @pytest.mark.parametrize("done", range(len(MAKE) + 1))
    def test_after_a_provisioning_that_stopped_after_any_step_leaves_nothing(self, world, aws, before, done):
        do(world, aws, *MAKE[:done])
        tear_down(world, aws)
        assert what_is_there(world) == before

    @pytest.mark.parametrize("action", [pause_cluster, resume_cluster])
    def test_waits_for_a_cluster_that_is_pausing_or_resuming(self, world, aws, before, action):
        provision(world, aws)
        do(world, aws, pause_cluster)
        if action is resume_cluster:
            do(world, aws, resume_cluster)
        with pytest.raises(NotYet):
            remove_cluster(aws, PLAN)
        tear_down(world, aws)
        assert what_is_there(world) == before

    @pytest.mark.parametrize("status", ["incompatible-network", "incompatible-parameters"])
    def test_removes_a_cluster_that_cannot_become_available(self, world, aws, before, faults, status):
        faults.end_in(status, ClusterIdentifier="steps")
        provision(world, aws)
        assert world.status("steps") == status
        for step in (make_cluster, pause_cluster, resume_cluster):
            with pytest.raises(FatalError, match=f"{status}.*Tear it down"):
                step(aws, PLAN)
        tear_down(world, aws)
        assert what_is_there(world) == before

    def test_leaves_a_role_that_another_cluster_uses_and_names_it(self, world, aws):
        provision(world, aws)
        arn = world.client("iam").get_role(RoleName="steps-cluster")["Role"]["Arn"]
        other = world.create(IamRoles=[arn])
        said = tear_down(world, aws)
        assert f"used by {other}: left as it is" in " ".join(said)
        with pytest.raises(FatalError, match="Still there: IAM role steps-cluster"):
            show_leftovers(aws, PLAN)
        world.client("redshift").delete_cluster(ClusterIdentifier=other, SkipFinalClusterSnapshot=True)
        world.time.pass_phase()
        assert "removed" in do(world, aws, remove_role)[0]

    def test_waits_for_a_security_group_that_something_uses_and_names_it(self, world, aws, faults):
        provision(world, aws)
        faults.error("ec2", "DeleteSecurityGroup", "DependencyViolation", times=1)
        do(world, aws, remove_cluster)
        for _ in range(3):
            world.time.pass_phase()
        with pytest.raises(NotYet, match=r"security group steps-redshift \(sg-\w+\) cannot be removed"):
            remove_network(aws, PLAN)
        with pytest.raises(FatalError, match=r"Still there: .*Security group steps-redshift"):
            show_leftovers(aws, PLAN)
        assert "Removed: security group" in do(world, aws, remove_network)[0]

    def test_leaves_buckets_that_are_not_ours(self, world, aws):
        world.client("s3").create_bucket(Bucket="steps-work")
        world.client("s3").put_object(Bucket="steps-work", Key="theirs", Body=b"")
        provision(world, aws)
        said = tear_down(world, aws)
        assert "Work bucket steps-work is not ours: left as it is." in said
        world.client("s3").delete_object(Bucket="steps-work", Key="theirs")
        world.client("s3").delete_bucket(Bucket="steps-work")

    def test_removes_a_bucket_that_was_made_and_not_yet_set_up(self, world, aws, before, faults):
        faults.drop("s3", "PutPublicAccessBlock")
        with pytest.raises(BotoCoreError):
            make_work_bucket(aws, PLAN)
        tear_down(world, aws)
        assert what_is_there(world) == before

    def test_empties_a_work_bucket_that_holds_files(self, world, aws, before):
        provision(world, aws)
        for n in range(3):
            world.client("s3").put_object(Bucket="steps-work", Key=f"manifests/{n}", Body=b"{}")
        tear_down(world, aws)
        assert what_is_there(world) == before


class TestStatus:
    def test_says_what_exists_since_when_and_at_what_price(self, world, aws):
        provision(world, aws, dataclasses.replace(PLAN, nodes=2))
        said = show_status(aws, PLAN)
        assert "Cluster steps in us-east-1: available" in said
        assert "2 x ra3.large at about USD 1.086 an hour" in said
        assert "IAM role steps-cluster: there" in said
        tear_down(world, aws)
        assert "Cluster steps in us-east-1: none" in show_status(aws, PLAN)

    def test_the_connection_at_the_end_has_no_password(self, world, aws):
        provision(world, aws)
        said = show_connection(aws, PLAN)
        assert connection_json(PLAN) in said
        assert "127.0.0.1" in said
        assert "password" not in json.loads(connection_json(PLAN))

    def test_a_connection_to_another_cluster_is_refused_before_anything_is_made(self, aws, monkeypatch):
        other = connection_json(dataclasses.replace(PLAN, identifier="other"))
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", other)
        with pytest.raises(FatalError, match="is that of cluster other"):
            check_connection(aws, PLAN)
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", connection_json(PLAN))
        assert "is that of cluster steps" in check_connection(aws, PLAN)
        as_master = connection_json(dataclasses.replace(PLAN, loader=PLAN.user))
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", as_master)
        with pytest.raises(FatalError, match="logs in as sparkify; loads are loader's"):
            check_connection(aws, PLAN)
        monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT_DEFAULT")
        with pytest.raises(FatalError, match=r"no connection redshift_default[^{]*\{.*\"steps\""):
            check_connection(aws, PLAN)


def every_call(world: World, aws: Aws, faults: AwsFaults, do_it: Callable[[], Any]) -> list[tuple[str, str]]:
    faults.forget_calls()
    do_it()
    return sorted({(call.service, call.action) for call in faults.calls()})


class TestNetworkErrors:
    @pytest.mark.parametrize(
        "fault", ["drop_after", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("drop", "error"))]
    )
    def test_at_any_call_of_provision_and_teardown_end_complete_when_tried_again(
        self, world, aws, before, faults, fault
    ):
        def both() -> None:
            provision(world, aws)
            tear_down(world, aws)

        for service, action in every_call(world, aws, faults, both):
            if fault == "error":
                faults.error(service, action, "InternalFailure", status=500)
            else:
                getattr(faults, fault)(service, action)
            for attempt in (do_once(world, aws, *MAKE), do_once(world, aws, *REMOVE)):
                assert attempt, f"{service}:{action}"
            assert faults.pending() == [], "the fault did not happen"
            assert what_is_there(world) == before, f"{service}:{action}"

    def test_a_quota_ends_provisioning_with_its_words_and_teardown_leaves_nothing(
        self, world, aws, before, faults
    ):
        faults.error("redshift", "CreateCluster", "ClusterQuotaExceeded", message="too many")
        with pytest.raises(ClientError, match="too many"):
            do(world, aws, *MAKE)
        tear_down(world, aws)
        assert what_is_there(world) == before
