"""Faults and the journal of calls."""

import json

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.sandbox.aws.clusters import CLUSTER, World, code_of
from tests.sandbox.aws.faults import AwsFaults, MadeCall, admin_request

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

# One call of each service, as (service, operation, arguments, action, a field of the answer).
CALLS = [
    ("redshift", "describe_clusters", {}, "DescribeClusters", "Clusters"),
    ("iam", "list_roles", {}, "ListRoles", "Roles"),
    ("ec2", "describe_vpcs", {}, "DescribeVpcs", "Vpcs"),
    ("s3", "list_buckets", {}, "ListBuckets", "Buckets"),
    ("s3", "get_bucket_location", {"Bucket": "sparkify-raw"}, "GetBucketLocation", "ResponseMetadata"),
    ("secretsmanager", "list_secrets", {}, "ListSecrets", "SecretList"),
    ("sts", "get_caller_identity", {}, "GetCallerIdentity", "Account"),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "action", "result"), CALLS)
def test_a_call_of_any_service_fails_as_often_as_asked(
    world: World, faults: AwsFaults, service, operation, arguments, action, result
):
    faults.error(service, action, "Throttling", message="slow down", status=400, times=2)
    call = getattr(world.client(service), operation)
    for _ in range(2):
        with pytest.raises(ClientError, match="slow down") as caught:
            call(**arguments)
        assert caught.value.response["Error"]["Code"] == "Throttling"
    assert result in call(**arguments)
    assert faults.actions() == [f"{service}:{action}"] * 3


@pytest.mark.parametrize(("service", "operation", "arguments", "action", "result"), CALLS)
def test_a_connection_of_any_service_is_dropped(
    world: World, faults: AwsFaults, service, operation, arguments, action, result
):
    faults.drop(service, action)
    call = getattr(world.client(service), operation)
    with pytest.raises(ConnectionClosedError):
        call(**arguments)
    assert result in call(**arguments)


def test_a_call_dropped_before_it_is_carried_out_changes_nothing(world: World, faults: AwsFaults):
    redshift = world.client("redshift")
    faults.drop("redshift", "CreateCluster")
    with pytest.raises(ConnectionClosedError):
        redshift.create_cluster(ClusterIdentifier="dropped", **CLUSTER)
    assert code_of(redshift.describe_clusters, ClusterIdentifier="dropped") == "ClusterNotFound"


def test_a_call_dropped_after_it_has_been_carried_out_has_its_effect(world: World, faults: AwsFaults):
    redshift, s3 = world.client("redshift"), world.client("s3")
    faults.drop_after("redshift", "CreateCluster")
    with pytest.raises(ConnectionClosedError):
        redshift.create_cluster(ClusterIdentifier="unanswered", **CLUSTER)
    assert world.status("unanswered") == "creating"
    faults.drop_after("s3", "PutObject")
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket="sparkify-work", Key="unanswered", Body=b"there")
    assert s3.get_object(Bucket="sparkify-work", Key="unanswered")["Body"].read() == b"there"


@pytest.mark.parametrize("status", ["incompatible-network", "hardware-failure"])
def test_a_creation_fails_into_a_status(world: World, faults: AwsFaults, status: str):
    redshift, name = world.client("redshift"), f"failed-{status}"
    faults.end_in(status)
    redshift.create_cluster(ClusterIdentifier=name, **CLUSTER)
    assert world.status(name) == "creating"
    world.time.pass_phase()
    cluster = redshift.describe_clusters(ClusterIdentifier=name)["Clusters"][0]
    assert (cluster["ClusterStatus"], cluster["ClusterAvailabilityStatus"]) == (status, "Failed")
    assert "Endpoint" not in cluster
    assert code_of(redshift.pause_cluster, ClusterIdentifier=name) == "InvalidClusterState"
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    assert world.status(name) == "deleting"


def test_a_fault_may_be_about_one_thing_only(world: World, faults: AwsFaults):
    one, other = world.create(), world.create()
    faults.error("redshift", "PauseCluster", "InternalFailure", ClusterIdentifier=other)
    redshift = world.client("redshift")
    redshift.pause_cluster(ClusterIdentifier=one)
    with pytest.raises(ClientError, match="InternalFailure"):
        redshift.pause_cluster(ClusterIdentifier=other)
    assert world.status(other) == "available"


def test_faults_are_listed_and_forgotten(world: World, faults: AwsFaults):
    faults.drop("iam", "GetRole", times=3, RoleName="r")
    (pending,) = faults.pending()
    assert (pending["kind"], pending["times"], pending["resources"]) == ("drop", 3, {"RoleName": "r"})
    faults.clear()
    assert faults.pending() == []


def test_the_journal_tells_actions_and_what_they_were_about(world: World, faults: AwsFaults):
    role = "arn:aws:iam::123456789012:role/sparkify-redshift"
    name = world.create(IamRoles=[role], Tags=[{"Key": "a", "Value": "b"}])
    world.client("s3").put_object(Bucket="sparkify-work", Key="a b/c", Body=b"x")
    world.client("iam").get_role(RoleName="sparkify-redshift")
    created, *_ = faults.calls("redshift")
    assert created.action == "CreateCluster"
    assert created.resources == {"ClusterIdentifier": name, "IamRoles": [role]}
    assert {"ClusterIdentifier", "IamRoles", "MasterUserPassword", "Tags"} <= set(created.parameters)
    (put,) = faults.calls("s3")
    assert put == MadeCall("s3", "PutObject", (), {"Bucket": "sparkify-work", "Key": "a b/c"})
    (got,) = faults.calls("iam")
    assert got == MadeCall("iam", "GetRole", ("RoleName",), {"RoleName": "sparkify-redshift"})


def test_the_journal_holds_no_secret(world: World, faults: AwsFaults):
    world.create(MasterUserPassword="Sparkify1Journal")
    secrets = world.client("secretsmanager")
    secrets.create_secret(Name="journal", SecretString="Sparkify1Journal")
    text = json.dumps([vars(call) for call in faults.calls()])
    assert '"SecretString"' in text
    assert "Sparkify1Journal" not in text


def test_the_objects_operations_have_their_own_names(world: World, faults: AwsFaults):
    s3 = world.client("s3")
    s3.put_object(Bucket="sparkify-work", Key="k", Body=b"x")
    s3.copy_object(Bucket="sparkify-work", Key="l", CopySource="sparkify-work/k")
    s3.head_object(Bucket="sparkify-work", Key="l")
    s3.list_objects_v2(Bucket="sparkify-work")
    s3.delete_objects(Bucket="sparkify-work", Delete={"Objects": [{"Key": "l"}]})
    s3.delete_object(Bucket="sparkify-work", Key="k")
    names = "PutObject CopyObject HeadObject ListObjectsV2 DeleteObjects DeleteObject"
    assert faults.actions("s3") == [f"s3:{name}" for name in names.split()]


def test_only_the_sandboxes_own_key_breaks_calls(world: World):
    settings = world.settings
    assert admin_request(settings, "GET", "faults", key_id="AKIAWRONG").status == 403
    assert admin_request(settings, "GET", "faults", service="s3").status == 403
    assert admin_request(settings, "GET", "secrets").status == 403
    iam = world.client("iam")
    iam.create_user(UserName="stranger")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    import dataclasses

    stranger = dataclasses.replace(
        settings, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    assert admin_request(stranger, "GET", "faults").status == 403


@pytest.mark.parametrize("fault", [{}, {"service": "s3", "action": "x", "kind": "explode"}, [], "no"])
def test_a_fault_that_makes_no_sense_is_refused(world: World, fault: object):
    assert admin_request(world.settings, "POST", "faults", fault).status == 400
