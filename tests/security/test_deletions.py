"""Nothing of the user's is deleted or changed by a mix-up of buckets, clusters and names."""

import dataclasses
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.s3.utils import _VersionedKeyStore

import sparkify.aws
import sparkify.cluster.life
from sandbox.parts import environment
from sparkify.aws import Aws, NotYet
from sparkify.cluster.bucket import make_work_bucket, remove_work_bucket
from sparkify.cluster.cluster import find_cluster, find_our_clusters
from sparkify.cluster.life import make_cluster, pause_cluster, remove_cluster, resume_cluster
from sparkify.cluster.network import make_network, remove_network
from sparkify.cluster.plan import PlanError, tag_list
from sparkify.cluster.role import make_role
from sparkify.failures import FatalError
from sparkify.operators import ClusterStepOperator, StageToRedshiftOperator, UploadFolderOperator
from tests.sandbox.aws.clusters import CLUSTER
from tests.sparkify.cluster.steps import PLAN, do, make_boundary

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


@pytest.fixture(scope="module")
def aws(world) -> Iterator[Aws]:
    """The clients that the steps use, made once: that takes longer than the calls."""
    make_boundary(world, PLAN)
    variables = environment.variables(world.settings)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AIRFLOW_CONN_AWS_DEFAULT", *environment.aws_variables(world.settings)):
            patch.setenv(name, variables[name])
        # boto's own retries would hide a fault, and pause before they do.
        patch.setattr(sparkify.aws, "_CONFIG", Config(retries={"total_max_attempts": 1}))
        yield Aws("aws_default", PLAN.region)


@pytest.fixture(autouse=True)
def no_cluster(request) -> Iterator[None]:
    """No cluster is left by a test that may make one."""
    yield
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        redshift = world.client("redshift")
        for _ in range(3):
            for one in redshift.describe_clusters()["Clusters"]:
                if one["ClusterStatus"] not in {"deleting", "final-snapshot"}:
                    name = one["ClusterIdentifier"]
                    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
            world.time.pass_phase()


def make_ours(world) -> None:
    """A cluster as `make_cluster` makes it, for what the steps ask of it."""
    redshift = world.client("redshift")
    redshift.create_cluster(ClusterIdentifier="steps", Tags=tag_list(PLAN.cluster_tags), **CLUSTER)
    world.time.pass_phase()


KEEPING = dataclasses.replace(PLAN, final_snapshot=True)
SOURCE, WORK = PLAN.source_bucket, PLAN.work_bucket
SPELLINGS = [
    SOURCE,
    f"s3://{SOURCE}",
    f"S3://{SOURCE}/",
    f"s3a://{SOURCE}/log_data/",
    f"{SOURCE}/",
    f"{SOURCE}/manifests",
    f"arn:aws:s3:::{SOURCE}",
    f"arn:aws-cn:s3:::{SOURCE}/*",
    f" {SOURCE}\n",
    SOURCE.upper(),
]
OTHER_SPELLINGS = ["", "s3://other", "other/", "arn:aws:s3:::other", "other-s3alias"]
INCOMPATIBLE = ["incompatible-hsm", "incompatible-network", "incompatible-parameters", "incompatible-restore"]


class TestOneBucket:
    @pytest.mark.parametrize("work", SPELLINGS)
    def test_as_source_and_work_bucket_is_refused_by_the_plan_however_it_is_spelled(self, work):
        with pytest.raises(PlanError, match=r"are one.*sparkify_source_bucket.*sparkify_work_bucket"):
            dataclasses.replace(PLAN, work_bucket=work)
        with pytest.raises(PlanError, match="are one"):
            dataclasses.replace(PLAN, source_bucket=work, work_bucket=SOURCE)

    @pytest.mark.parametrize("work", OTHER_SPELLINGS)
    def test_names_that_do_not_tell_the_bucket_are_refused(self, work):
        with pytest.raises(PlanError, match=r"plain name.*sparkify_source_bucket and sparkify_work_bucket"):
            dataclasses.replace(PLAN, work_bucket=work)

    def test_every_step_of_the_dag_is_refused_before_it_calls_aws(self):
        plan = dataclasses.asdict(PLAN) | {"work_bucket": f"s3://{SOURCE}/"}
        for step in (make_work_bucket, remove_work_bucket, remove_cluster):
            with pytest.raises(AirflowFailException, match="are one"):
                ClusterStepOperator(task_id="step", step=step, plan=plan).execute({})

    @pytest.mark.parametrize("work", SPELLINGS[:3])
    def test_is_no_place_for_manifests(self, work):
        stage = StageToRedshiftOperator(
            task_id="s", table="t", bucket=SOURCE, work_bucket=work, mode="append", prefix="log_data/"
        )
        with pytest.raises(AirflowFailException, match="are one"):
            stage.execute({})

    @pytest.mark.parametrize("work", SPELLINGS[:3])
    def test_is_not_uploaded_to(self, aws, tmp_path, faults, work):
        (tmp_path / "log_data").mkdir()
        (tmp_path / "log_data" / "a.json").write_text("{}")
        upload = UploadFolderOperator(
            task_id="u", folder=str(tmp_path), bucket=SOURCE, work_bucket=work, subfolders=["log_data"]
        )
        with pytest.raises(AirflowFailException, match="are one"):
            upload.execute({})
        assert faults.actions("s3") == []


@pytest.fixture
def s3(world) -> Iterator[Any]:
    """S3; the work bucket is gone afterwards, whatever has become of it."""
    yield world.client("s3")
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.get(WORK)
    if bucket is not None:
        bucket.keys = _VersionedKeyStore()  # also what may not be deleted
        bucket.policy = None
        bucket.multiparts.clear()
        world.client("s3").delete_bucket(Bucket=WORK)


def keys_of(s3, bucket=WORK) -> list[str]:
    found = s3.list_object_versions(Bucket=bucket)
    return sorted(one["Key"] for one in [*found.get("Versions", []), *found.get("DeleteMarkers", [])])


def settings_of(s3, bucket=WORK) -> dict[str, Any]:
    """What somebody can have set up for a bucket, None where nothing is."""
    found: dict[str, Any] = {}
    for name, call, field in (
        ("tags", s3.get_bucket_tagging, "TagSet"),
        ("policy", s3.get_bucket_policy, "Policy"),
        ("life cycle", s3.get_bucket_lifecycle_configuration, "Rules"),
        ("public access", s3.get_public_access_block, "PublicAccessBlockConfiguration"),
    ):
        try:
            found[name] = call(Bucket=bucket)[field]
        except ClientError:
            found[name] = None
    return found


THEIR_RULE = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 7}}


class TestWorkBucket:
    @pytest.mark.parametrize("tags", [{}, {"owner": "us"}, PLAN.tags, {"sparkify:work-bucket": "other"}])
    def test_that_was_there_is_neither_set_up_nor_removed(self, aws, s3, tags):
        s3.create_bucket(Bucket=WORK)
        if tags:
            tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
            s3.put_bucket_tagging(Bucket=WORK, Tagging={"TagSet": tag_set})
        before = settings_of(s3)
        assert "sparkify:work-bucket=steps" in make_work_bucket(aws, PLAN)
        assert settings_of(s3) == before
        assert "not ours" in remove_work_bucket(aws, PLAN)
        s3.put_object(Bucket=WORK, Key="manifests/1", Body=b"")
        assert "not ours" in remove_work_bucket(aws, PLAN)
        assert keys_of(s3) == ["manifests/1"]

    def test_is_ours_from_its_first_moment_so_that_the_next_try_goes_on(self, aws, s3, faults):
        faults.drop("s3", "PutPublicAccessBlock")
        with pytest.raises(Exception, match="Connection"):
            make_work_bucket(aws, PLAN)
        assert {tag["Key"] for tag in settings_of(s3)["tags"]} >= {"sparkify:work-bucket", "managed-by"}
        assert "private, encrypted" in make_work_bucket(aws, PLAN)
        assert all(settings_of(s3).values())

    def test_lets_nothing_expire_but_what_the_pipeline_writes(self, aws, s3):
        make_work_bucket(aws, PLAN)
        for rule in settings_of(s3)["life cycle"]:
            assert rule["Filter"]["Prefix"] in {"manifests/", "jsonpaths/"}

    def test_keeps_the_rules_and_tags_that_somebody_added(self, aws, s3):
        make_work_bucket(aws, PLAN)
        ours = settings_of(s3)["life cycle"]
        s3.put_bucket_lifecycle_configuration(
            Bucket=WORK, LifecycleConfiguration={"Rules": [{**ours[0], "Status": "Disabled"}, THEIR_RULE]}
        )
        tags = [*settings_of(s3)["tags"], {"Key": "costs", "Value": "7"}]
        s3.put_bucket_tagging(Bucket=WORK, Tagging={"TagSet": tags})
        make_work_bucket(aws, PLAN)
        found = settings_of(s3)
        assert [rule["ID"] for rule in found["life cycle"]] == ["theirs", ours[0]["ID"]]
        assert found["life cycle"][1] == ours[0]
        assert {"Key": "costs", "Value": "7"} in found["tags"]

    def test_with_somebodys_files_stays_and_loses_only_what_is_ours(self, aws, s3):
        make_work_bucket(aws, PLAN)
        ours = settings_of(s3)["life cycle"]
        s3.put_bucket_lifecycle_configuration(
            Bucket=WORK, LifecycleConfiguration={"Rules": [*ours, THEIR_RULE]}
        )
        theirs = ["log_data/a.json", "manifests.json", "x/manifests/1"]
        for key in [*theirs, "manifests/1", "jsonpaths/ab/c.json"]:
            s3.put_object(Bucket=WORK, Key=key, Body=b"1")
        said = remove_work_bucket(aws, PLAN)
        assert all(key in said for key in theirs)
        assert keys_of(s3) == theirs
        assert settings_of(s3)["life cycle"] == [THEIR_RULE]

    @pytest.mark.parametrize(("versioned", "count"), [(False, 3), (True, 1001)])
    def test_is_removed_with_every_version_and_every_page(self, aws, s3, versioned, count):
        make_work_bucket(aws, PLAN)
        if versioned:
            s3.put_bucket_versioning(Bucket=WORK, VersioningConfiguration={"Status": "Enabled"})
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for number in range(count):
            backend.put_object(WORK, f"manifests/{number}.json", b"{}")
        for _ in range(2):
            s3.put_object(Bucket=WORK, Key="jsonpaths/1/a.json", Body=b"{}")
        s3.delete_object(Bucket=WORK, Key="manifests/1.json")
        s3.create_multipart_upload(Bucket=WORK, Key="manifests/part")
        assert remove_work_bucket(aws, PLAN) == f"Work bucket {WORK} removed."

    def test_with_an_older_version_or_a_begun_upload_of_somebodys_stays(self, aws, s3):
        make_work_bucket(aws, PLAN)
        s3.put_bucket_versioning(Bucket=WORK, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=WORK, Key="theirs", Body=b"1")
        s3.delete_object(Bucket=WORK, Key="theirs")
        s3.create_multipart_upload(Bucket=WORK, Key="part")
        assert "part, theirs" in remove_work_bucket(aws, PLAN)
        assert keys_of(s3) == ["theirs", "theirs"]
        assert s3.list_multipart_uploads(Bucket=WORK)["Uploads"]

    def test_tells_which_files_may_not_be_deleted(self, aws, s3):
        make_work_bucket(aws, PLAN)
        s3.put_object(Bucket=WORK, Key="manifests/held", Body=b"1")
        denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
        denied["Resource"] = f"arn:aws:s3:::{WORK}/manifests/held"
        policy = {"Version": "2012-10-17", "Statement": [denied]}
        s3.put_bucket_policy(Bucket=WORK, Policy=json.dumps(policy))
        with pytest.raises(FatalError, match=r"1 of 1 files .*manifests/held: Access Denied"):
            remove_work_bucket(aws, PLAN)
        assert keys_of(s3) == ["manifests/held"]
        make_work_bucket(aws, PLAN)
        assert json.loads(settings_of(s3)["policy"]) == policy

    def test_of_another_account_is_refused_by_s3_itself(self, aws, s3, monkeypatch):
        make_work_bucket(aws, PLAN)
        s3.put_object(Bucket=WORK, Key="manifests/1", Body=b"1")
        before = settings_of(s3)
        monkeypatch.setattr(Aws, "account", "999999999999")
        for step in (make_work_bucket, remove_work_bucket):
            with pytest.raises(ClientError, match="AccessDenied"):
                step(aws, PLAN)
        assert (keys_of(s3), settings_of(s3)) == (["manifests/1"], before)

    @pytest.mark.parametrize(
        ("code", "said"), [("NoSuchBucket", "nothing to do"), ("BucketNotEmpty", "stays")]
    )
    def test_that_somebody_removes_or_writes_to_meanwhile_is_left_to_s3(self, aws, s3, faults, code, said):
        make_work_bucket(aws, PLAN)
        faults.error("s3", "DeleteBucket", code, status=409)
        assert said in remove_work_bucket(aws, PLAN)


class TestCluster:
    @pytest.mark.parametrize("status", [*INCOMPATIBLE, "storage-full", "hardware-failure"])
    def test_without_a_possible_snapshot_is_not_removed_unless_told_so(self, world, aws, faults, status):
        faults.end_in(status, ClusterIdentifier="steps")
        make_ours(world)
        with pytest.raises(FatalError, match=rf"steps is {status}.*final_snapshot false"):
            remove_cluster(aws, KEEPING)
        assert world.status("steps") == status
        assert "without a final snapshot" in remove_cluster(aws, PLAN)

    def test_that_aws_makes_no_snapshot_of_just_now_is_not_removed_without(self, world, aws, faults):
        make_ours(world)
        faults.error("redshift", "DeleteCluster", "InvalidClusterState")
        with pytest.raises(FatalError, match="final_snapshot false"):
            remove_cluster(aws, KEEPING)
        assert world.status("steps") == "available"

    def test_is_not_ours_by_its_role(self, world, aws):
        do(world, aws, make_role)
        arn = world.client("iam").get_role(RoleName=PLAN.role_name)["Role"]["Arn"]
        redshift = world.client("redshift")
        redshift.create_cluster(ClusterIdentifier="steps", IamRoles=[arn], **CLUSTER)
        world.time.pass_phase()
        self._is_left_alone(world, aws)

    @pytest.mark.parametrize(("marked", "with_role"), [(None, True), (0, False), (120, True)])
    def test_restored_by_somebody_is_not_ours(self, world, aws, marked, with_role):
        """The mark on our role tells of one restore: of this moment, and with this role."""
        do(world, aws, make_role)
        if marked is not None:
            since = (datetime.now(UTC) - timedelta(minutes=marked)).isoformat(timespec="seconds")
            tags = [{"Key": "restoring-since", "Value": since}]
            world.client("iam").tag_role(RoleName=PLAN.role_name, Tags=tags)
        redshift, name = world.client("redshift"), f"theirs-{uuid.uuid4().hex}"
        redshift.create_cluster(ClusterIdentifier="steps", **CLUSTER)
        world.time.pass_phase()
        redshift.delete_cluster(ClusterIdentifier="steps", FinalClusterSnapshotIdentifier=name)
        for _ in range(3):
            world.time.pass_phase()
        arn = world.client("iam").get_role(RoleName=PLAN.role_name)["Role"]["Arn"]
        roles = {"IamRoles": [arn]} if with_role else {}
        redshift.restore_from_cluster_snapshot(ClusterIdentifier="steps", SnapshotIdentifier=name, **roles)
        world.time.pass_phase()
        self._is_left_alone(world, aws)
        if marked is not None:
            world.client("iam").untag_role(RoleName=PLAN.role_name, TagKeys=["restoring-since"])

    def _is_left_alone(self, world, aws) -> None:
        for step in (make_cluster, pause_cluster, resume_cluster, remove_cluster):
            with pytest.raises(
                FatalError, match=r"not made by this DAG.*no tag managed-by=sparkify-warehouse"
            ):
                step(aws, PLAN)
        assert find_our_clusters(aws) == []
        found = find_cluster(aws, "steps")
        assert found is not None
        assert (found.status, dict(found.tags)) == ("available", {})

    @pytest.mark.parametrize("plan", [PLAN, KEEPING])
    def test_removed_by_two_teardowns_at_once_is_removed_once(self, world, aws, monkeypatch, plan):
        make_ours(world)
        look = sparkify.cluster.life._find_ours

        def look_and_lose(aws, plan):
            found = look(aws, plan)
            world.client("redshift").delete_cluster(ClusterIdentifier="steps", SkipFinalClusterSnapshot=True)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(sparkify.cluster.life, "_find_ours", look_and_lose)
            assert "is being removed already" in remove_cluster(aws, plan)


class TestNetwork:
    def test_of_the_same_names_is_named_and_left(self, world, aws):
        ec2, redshift = world.client("ec2"), world.client("redshift")
        group = ec2.create_security_group(GroupName=PLAN.security_group_name, Description="theirs")["GroupId"]
        subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
        redshift.create_cluster_subnet_group(
            ClusterSubnetGroupName=PLAN.subnet_group_name, Description="theirs", SubnetIds=subnets
        )
        said = remove_network(aws, PLAN)
        assert f"left as it is: subnet group {PLAN.subnet_group_name}, security group" in said
        assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        redshift.delete_cluster_subnet_group(ClusterSubnetGroupName=PLAN.subnet_group_name)
        ec2.delete_security_group(GroupId=group)

    def test_in_another_vpc_is_not_taken_for_ours(self, world, aws):
        ec2 = world.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        theirs = ec2.create_security_group(
            GroupName=PLAN.security_group_name, Description="theirs", VpcId=vpc
        )["GroupId"]
        with pytest.raises(FatalError, match="not ours"):
            make_network(aws, PLAN)
        remove_network(aws, PLAN)
        assert ec2.describe_security_groups(GroupIds=[theirs])["SecurityGroups"]
        ec2.delete_security_group(GroupId=theirs)
        ec2.delete_vpc(VpcId=vpc)


def test_a_restore_that_was_cut_short_becomes_ours_and_can_be_torn_down(world, aws, faults):
    make_ours(world)
    remove_cluster(aws, KEEPING)
    for _ in range(3):
        world.time.pass_phase()
    do(world, aws, make_role, make_network)
    restoring = dataclasses.replace(PLAN, from_snapshot=True)
    faults.drop("redshift", "CreateTags")
    with pytest.raises(Exception, match="Connection"):
        make_cluster(aws, restoring)
    faults.error("redshift", "CreateTags", "InvalidClusterState")
    with pytest.raises(NotYet, match="tags yet"):
        make_cluster(aws, restoring)
    world.time.pass_phase()
    assert not find_our_clusters(aws)
    assert "being removed" in remove_cluster(aws, PLAN)
    tags = world.client("iam").list_role_tags(RoleName=PLAN.role_name)["Tags"]
    assert "restoring-since" not in {tag["Key"] for tag in tags}
