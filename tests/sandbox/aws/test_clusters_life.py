"""The life of a cluster and of its snapshots, and what each status refuses."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings, SettingsError
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER, World, code_of

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


def test_a_new_cluster_is_creating_without_an_endpoint_and_then_available_with_one(world: World):
    redshift = world.client("redshift")
    created = redshift.create_cluster(ClusterIdentifier="first", **CLUSTER)["Cluster"]
    seen = redshift.describe_clusters(ClusterIdentifier="first")["Clusters"][0]
    for answer in (created, seen):
        assert answer["ClusterStatus"] == "creating"
        assert answer["ClusterAvailabilityStatus"] == "Modifying"
        assert "Endpoint" not in answer
    world.time.pass_phase()
    ready = redshift.describe_clusters(ClusterIdentifier="first")["Clusters"][0]
    assert ready["ClusterStatus"] == "available"
    assert ready["ClusterAvailabilityStatus"] == "Available"
    assert ready["Endpoint"]["Address"] == "127.0.0.1"
    assert ready["Endpoint"]["Port"] != world.settings.redshift_port  # no way round its security groups
    assert abs(ready["ClusterCreateTime"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_aws_has_by_default_is_so(world: World):
    name = world.create()
    cluster = world.client("redshift").describe_clusters(ClusterIdentifier=name)["Clusters"][0]
    assert cluster["Encrypted"] is True
    assert cluster["PubliclyAccessible"] is False
    assert cluster["AutomatedSnapshotRetentionPeriod"] == 1
    assert cluster["DBName"] == "dev"
    assert cluster["ClusterParameterGroups"][0]["ParameterGroupName"] == "default.redshift-2.0"
    assert "MasterPasswordSecretArn" not in cluster


def test_a_cluster_is_paused_and_resumed_step_by_step(world: World):
    name, redshift = world.create(), world.client("redshift")
    assert redshift.pause_cluster(ClusterIdentifier=name)["Cluster"]["ClusterStatus"] == "pausing"
    assert world.status(name) == "pausing"
    world.time.pass_phase()
    assert world.status(name) == "paused"
    assert redshift.resume_cluster(ClusterIdentifier=name)["Cluster"]["ClusterStatus"] == "resuming"
    assert world.status(name) == "resuming"
    world.time.pass_phase()
    assert world.status(name) == "available"


def test_a_cluster_is_modified_for_a_while(world: World):
    name, redshift = world.create(), world.client("redshift")
    changed = redshift.modify_cluster(ClusterIdentifier=name, AutomatedSnapshotRetentionPeriod=7)["Cluster"]
    assert (changed["ClusterStatus"], changed["AutomatedSnapshotRetentionPeriod"]) == ("modifying", 7)
    world.time.pass_phase()
    assert world.status(name) == "available"


def test_a_renamed_cluster_has_its_new_name_only(world: World):
    name, redshift = world.create(), world.client("redshift")
    redshift.modify_cluster(ClusterIdentifier=name, NewClusterIdentifier=f"{name}-new")
    assert code_of(redshift.describe_clusters, ClusterIdentifier=name) == "ClusterNotFound"
    assert world.status(f"{name}-new") == "renaming"


def test_a_deleted_cluster_is_deleting_and_then_not_found(world: World):
    name, redshift = world.create(), world.client("redshift")
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    assert world.status(name) == "deleting"
    world.time.pass_phase()
    assert code_of(redshift.describe_clusters, ClusterIdentifier=name) == "ClusterNotFound"


def test_a_final_snapshot_is_made_before_the_deletion_and_outlives_it(world: World):
    name, redshift = world.create(), world.client("redshift")
    redshift.delete_cluster(ClusterIdentifier=name, FinalClusterSnapshotIdentifier=f"{name}-end")
    assert world.status(name) == "final-snapshot"
    world.time.pass_phase()
    assert world.status(name) == "deleting"
    world.time.pass_phase()
    assert code_of(redshift.describe_clusters, ClusterIdentifier=name) == "ClusterNotFound"
    kept = redshift.describe_cluster_snapshots(ClusterIdentifier=name)["Snapshots"]
    assert [(one["SnapshotIdentifier"], one["Status"]) for one in kept] == [(f"{name}-end", "available")]


def test_a_restored_cluster_has_the_snapshots_settings(world: World):
    name, redshift = world.create(DBName="sparkify", NodeType="ra3.xlplus"), world.client("redshift")
    redshift.create_cluster_snapshot(ClusterIdentifier=name, SnapshotIdentifier=f"{name}-s")
    restored = f"{name}-r"
    arguments = {"ClusterIdentifier": restored, "SnapshotIdentifier": f"{name}-s"}
    assert code_of(redshift.restore_from_cluster_snapshot, **arguments) == "InvalidClusterSnapshotState"
    world.time.pass_phase()
    begun = redshift.restore_from_cluster_snapshot(**arguments)["Cluster"]
    assert (begun["ClusterStatus"], begun["RestoreStatus"]["Status"]) == ("creating", "restoring")
    world.time.pass_phase()
    cluster = redshift.describe_clusters(ClusterIdentifier=restored)["Clusters"][0]
    assert (cluster["ClusterStatus"], cluster["RestoreStatus"]["Status"]) == ("available", "completed")
    assert (cluster["DBName"], cluster["NodeType"]) == ("sparkify", "ra3.xlplus")
    assert cluster["PubliclyAccessible"] is False
    assert code_of(redshift.restore_from_cluster_snapshot, **arguments) == "ClusterAlreadyExists"


def test_a_snapshot_in_the_making_can_not_be_deleted(world: World):
    name, redshift = world.create(), world.client("redshift")
    made = redshift.create_cluster_snapshot(ClusterIdentifier=name, SnapshotIdentifier=f"{name}-s")
    assert made["Snapshot"]["Status"] == "creating"
    delete = {"SnapshotIdentifier": f"{name}-s"}
    assert code_of(redshift.delete_cluster_snapshot, **delete) == "InvalidClusterSnapshotState"
    world.time.pass_phase()
    redshift.delete_cluster_snapshot(**delete)
    assert code_of(redshift.describe_cluster_snapshots, **delete) == "ClusterSnapshotNotFound"


def test_automated_snapshots_go_with_their_cluster_only(world: World):
    name, other, redshift = world.create(), world.create(), world.client("redshift")
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    world.time.pass_phase()
    assert redshift.describe_cluster_snapshots(ClusterIdentifier=name)["Snapshots"] == []
    kept = redshift.describe_cluster_snapshots(ClusterIdentifier=other)["Snapshots"]
    assert [one["SnapshotType"] for one in kept] == ["automated"]


STATUSES = (
    "creating",
    "available",
    "pausing",
    "paused",
    "resuming",
    "modifying",
    "final-snapshot",
    "deleting",
)
CHANGES = {
    "pause_cluster": ({}, {"available"}),
    "resume_cluster": ({}, {"paused"}),
    "modify_cluster": ({"AutomatedSnapshotRetentionPeriod": 2}, {"available"}),
    "modify_cluster_iam_roles": ({}, {"available"}),
    "create_cluster_snapshot": ({"SnapshotIdentifier": "state-{name}"}, {"available"}),
    "get_cluster_credentials": ({"DbUser": "sparkify", "DurationSeconds": 0}, {"available"}),
    "delete_cluster": ({"SkipFinalClusterSnapshot": True}, {"available", "paused"}),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_status_refuses_what_it_does_not_allow(world: World, status: str, change: str):
    arguments, allowing = CHANGES[change]
    name = world.create(status)
    given = json.loads(json.dumps(arguments).replace("{name}", name))
    call = getattr(world.client("redshift"), change)
    if status in allowing:
        # The credentials' own refusal shows that the status did not stand in the way.
        if change == "get_cluster_credentials":
            assert code_of(call, ClusterIdentifier=name, **given) == "InvalidParameterValue"
        else:
            call(ClusterIdentifier=name, **given)
        return
    with pytest.raises(ClientError, match=f"is in status {status} ") as caught:
        call(ClusterIdentifier=name, **given)
    assert caught.value.response["Error"]["Code"] == "InvalidClusterState"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert world.status(name) == status


@pytest.mark.parametrize("status", STATUSES)
def test_an_identifier_is_taken_until_its_cluster_is_gone(world: World, status: str):
    name, redshift = world.create(status), world.client("redshift")
    assert code_of(redshift.create_cluster, ClusterIdentifier=name, **CLUSTER) == "ClusterAlreadyExists"


def test_an_identifier_is_free_again_when_its_cluster_is_gone(world: World):
    name = world.create("deleting")
    world.time.pass_phase()
    world.client("redshift").create_cluster(ClusterIdentifier=name, **CLUSTER)
    assert world.status(name) == "creating"


def test_a_paused_cluster_is_deleted_with_or_without_a_final_snapshot(world: World):
    redshift = world.client("redshift")
    for name, choice in (
        (world.create("paused"), {"SkipFinalClusterSnapshot": True}),
        (world.create("paused"), {"FinalClusterSnapshotIdentifier": "paused-end"}),
    ):
        redshift.delete_cluster(ClusterIdentifier=name, **choice)
        world.time.pass_phase()
        world.time.pass_phase()
        assert code_of(redshift.describe_clusters, ClusterIdentifier=name) == "ClusterNotFound"


def test_a_snapshot_identifier_is_taken_once(world: World):
    name, redshift = world.create(), world.client("redshift")
    redshift.create_cluster_snapshot(ClusterIdentifier=name, SnapshotIdentifier=f"{name}-s")
    again = code_of(redshift.create_cluster_snapshot, ClusterIdentifier=name, SnapshotIdentifier=f"{name}-s")
    final = code_of(
        redshift.delete_cluster, ClusterIdentifier=name, FinalClusterSnapshotIdentifier=f"{name}-s"
    )
    assert again == final == "ClusterSnapshotAlreadyExists"
    assert world.status(name) == "available"


@pytest.mark.parametrize(
    "change", ["pause_cluster", "resume_cluster", "modify_cluster", "describe_clusters", "delete_cluster"]
)
def test_a_cluster_that_does_not_exist_is_not_found(world: World, change: str):
    more = {"SkipFinalClusterSnapshot": True} if change == "delete_cluster" else {}
    call = getattr(world.client("redshift"), change)
    assert code_of(call, ClusterIdentifier="nobody", **more) == "ClusterNotFound"


def test_clusters_of_other_regions_live_their_own_lives(world: World):
    name = world.create("deleting")
    elsewhere = world.client("redshift", region_name="eu-west-1")
    elsewhere.create_cluster(ClusterIdentifier=name, **CLUSTER)
    world.time.pass_phase()
    assert code_of(world.client("redshift").describe_clusters, ClusterIdentifier=name) == "ClusterNotFound"
    found = elsewhere.describe_clusters(ClusterIdentifier=name)["Clusters"]
    assert found[0]["ClusterStatus"] == "available"


def test_the_environment_says_how_long_a_status_lasts(new_settings):
    settings = dataclasses.replace(new_settings(), cluster_seconds=0)
    part = Aws(settings)
    part.start()
    part.wait()
    redshift = client(settings, "redshift")
    created = redshift.create_cluster(ClusterIdentifier="quick", **CLUSTER)["Cluster"]
    assert created["ClusterStatus"] == "creating"
    described = redshift.describe_clusters(ClusterIdentifier="quick")["Clusters"][0]
    assert described["ClusterStatus"] == "available"
    part.stop()


@pytest.mark.parametrize("text", ["soon", "-1", "1e3", "nan", "inf", "3601", "٣"])
def test_a_duration_that_is_none_is_refused(monkeypatch, tmp_path, text: str):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("SANDBOX_CLUSTER_SECONDS", text)
    with pytest.raises(SettingsError, match="SANDBOX_CLUSTER_SECONDS"):
        Settings.load()


def test_the_duration_reaches_the_parts(monkeypatch, tmp_path):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("SANDBOX_CLUSTER_SECONDS", "0.25")
    settings = Settings.load()
    assert settings.cluster_seconds == 0.25
    assert settings.environment()["SANDBOX_CLUSTER_SECONDS"] == "0.25"
