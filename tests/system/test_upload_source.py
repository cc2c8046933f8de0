"""upload_source: a folder to S3, once and again, broken off, and into a bucket that has yet to be made."""

import hashlib
import itertools
import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.config import Config
from botocore.exceptions import ClientError

import sparkify.aws
from sparkify.s3 import upload
from tests.sandbox.aws.faults import aws_faults
from tests.system.conftest import ROOT

EVENTS = "log_data/2018/11/2018-11-01-events.json"
SONGS = [f"song_data/A/A/{letter}/TRAA{letter}128F424C983.json" for letter in "ABC"]
FILES = {EVENTS: b'{"page":"Home"}\n', **{key: f'{{"song_id":"{key}"}}'.encode() for key in SONGS}}
SETTINGS = ["PutBucketTagging", "PutPublicAccessBlock", "PutBucketEncryption", "PutBucketPolicy"]
TAGS = [{"Key": "managed-by", "Value": "sparkify-warehouse"}]

_numbers = itertools.count()


@pytest.fixture
def dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags" / "upload_source.py")).dags["upload_source"]


@pytest.fixture
def run(dag, sandbox):
    """The DAG's task by itself; keywords are params."""
    from airflow.sdk.execution_time.context import VariableAccessor

    def run(folder, **params):
        operator = dag.get_task("upload").prepare_for_execution()
        variables = VariableAccessor(deserialize_json=False)
        context = {"params": {"folder": str(folder), "bucket": "", **params}, "var": {"value": variables}}
        operator.render_template_fields(context)
        return operator.execute(context)

    return run


@pytest.fixture
def faults(sandbox):
    with aws_faults(sandbox) as found:
        yield found


@pytest.fixture
def bucket(source):
    """The bucket that the Variable names, in use by somebody who set it up otherwise."""
    source.put("elsewhere/kept.json", "{}")
    return source.bucket


@pytest.fixture
def missing_bucket(monkeypatch):
    """The Variable names a bucket that does not exist."""
    name = f"missing-{next(_numbers)}"
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET", name)
    return name


@pytest.fixture
def folder(tmp_path):
    return fill(tmp_path / "source")


def fill(folder: Path, files=FILES) -> Path:
    for key, content in files.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def objects(s3, bucket):
    return {entry["Key"]: entry for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def contents(s3, bucket):
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in objects(s3, bucket)}


def puts(faults):
    return sorted(call.resources["Key"] for call in faults.calls("s3") if call.action == "PutObject")


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def assert_private(s3, bucket):
    """No public access, encrypted, and closed to everything but TLS."""
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == TAGS


def test_every_json_file_arrives_under_its_path_and_nothing_else(run, s3, bucket, folder):
    fill(folder, {"README.json": b"{}", "other_data/a.json": b"{}", "log_data/notes.txt": b"none"})
    fill(folder, {"song_data/._TRAAA.json": b"x", "song_data/A/.checkpoints/TRAAA.json": b"{}"})
    os.mkfifo(folder / "log_data" / "pipe.json")

    done = run(folder)

    assert contents(s3, bucket) == {**FILES, "elsewhere/kept.json": b"{}"}
    found = objects(s3, bucket)
    for key, content in FILES.items():
        assert found[key]["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'  # noqa: S324 - as S3 does
    seconds = done.pop("seconds")
    assert seconds > 0
    size = sum(map(len, FILES.values()))
    assert done == {"files": 4, "uploaded": 4, "skipped": 0, "ignored": 4, "links": 0, "bytes": size}


def test_a_second_run_puts_nothing(run, s3, bucket, folder, faults):
    run(folder)
    before = objects(s3, bucket)
    faults.forget_calls()

    done = run(folder)

    assert puts(faults) == []
    assert (done["uploaded"], done["skipped"], done["bytes"]) == (0, 4, 0)
    assert objects(s3, bucket) == before


def test_only_what_changed_is_put_and_nothing_is_deleted(run, s3, bucket, folder, faults):
    run(folder)
    fill(folder, {EVENTS: b'{"page":"Help"}\n', SONGS[0]: b"longer than it has been, by far: {}"})
    (folder / SONGS[1]).unlink()
    faults.forget_calls()

    done = run(folder)

    assert puts(faults) == [EVENTS, SONGS[0]]
    assert (done["uploaded"], done["skipped"]) == (2, 1)
    assert contents(s3, bucket)[EVENTS] == b'{"page":"Help"}\n'
    assert contents(s3, bucket)[SONGS[1]] == FILES[SONGS[1]]
    assert not [action for action in faults.actions("s3") if "Delete" in action]


def test_what_was_uploaded_in_parts_is_uploaded_again(run, s3, bucket, folder, faults):
    begun = s3.create_multipart_upload(Bucket=bucket, Key=EVENTS)
    part = {"Bucket": bucket, "Key": EVENTS, "UploadId": begun["UploadId"]}
    tag = s3.upload_part(**part, PartNumber=1, Body=FILES[EVENTS])["ETag"]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert objects(s3, bucket)[EVENTS]["ETag"].endswith('-1"')

    run(folder)

    assert EVENTS in puts(faults)
    assert run(folder)["uploaded"] == 0


def test_a_large_file_is_sent_from_disk(run, s3, bucket, folder, monkeypatch):
    monkeypatch.setattr(upload, "_SMALL_BYTES", 10)
    run(folder)
    assert contents(s3, bucket) == {**FILES, "elsewhere/kept.json": b"{}"}
    assert run(folder)["uploaded"] == 0


def test_a_missing_bucket_is_made_private_and_tls_only(run, s3, missing_bucket, folder):
    run(folder)
    assert_private(s3, missing_bucket)
    assert s3.get_bucket_location(Bucket=missing_bucket)["LocationConstraint"] is None
    assert contents(s3, missing_bucket) == FILES


def test_a_missing_bucket_is_made_in_the_region_of_the_variable(run, s3, missing_bucket, folder, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", "eu-west-1")
    run(folder)
    assert s3.get_bucket_location(Bucket=missing_bucket)["LocationConstraint"] == "eu-west-1"
    assert_private(s3, missing_bucket)


def test_the_bucket_is_made_over_the_endpoint_of_its_region(run, bucket, folder, monkeypatch):
    # AWS refuses a LocationConstraint other than the endpoint's; the sandbox has one endpoint.
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", "eu-west-1")
    used = []
    monkeypatch.setattr(
        "sparkify.operators.upload_folder.provide_bucket", lambda s3, *_: used.append(s3.meta.region_name)
    )
    run(folder)
    assert used == ["eu-west-1"]


@pytest.mark.parametrize("action", SETTINGS)
def test_a_bucket_that_could_not_be_set_up_is_set_up_by_the_next_run(
    run, s3, missing_bucket, folder, faults, action
):
    faults.error("s3", action, "AccessDenied", message="no", status=403)
    with pytest.raises(AirflowFailException, match=f"{action} was refused, AccessDenied"):
        run(folder)
    assert objects(s3, missing_bucket) == {}

    run(folder)

    assert_private(s3, missing_bucket)
    assert contents(s3, missing_bucket) == FILES


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_made_without_an_answer_is_taken_for_made(
    run, s3, missing_bucket, folder, faults, monkeypatch, region
):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", region)
    faults.drop_after("s3", "CreateBucket")
    run(folder)
    assert faults.actions("s3").count("s3:CreateBucket") == 2
    assert_private(s3, missing_bucket)


def test_a_bucket_in_use_keeps_its_settings(run, s3, bucket, folder):
    run(folder)
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
    assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"


def test_an_empty_bucket_that_somebody_set_up_keeps_its_settings(run, s3, source, folder):
    tags = [{"Key": "owner", "Value": "somebody"}]
    s3.put_bucket_tagging(Bucket=source.bucket, Tagging={"TagSet": tags})
    run(folder)
    assert s3.get_bucket_tagging(Bucket=source.bucket)["TagSet"] == tags
    assert code_of(s3.get_bucket_policy, Bucket=source.bucket) == "NoSuchBucketPolicy"


def test_an_empty_bucket_with_a_policy_keeps_it(run, s3, source, folder):
    allow = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:*"}
    statement = {**allow, "Sid": "Theirs", "Resource": f"arn:aws:s3:::{source.bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=source.bucket, Policy=policy)
    run(folder)
    assert json.loads(s3.get_bucket_policy(Bucket=source.bucket)["Policy"]) == json.loads(policy)
    assert code_of(s3.get_bucket_tagging, Bucket=source.bucket) == "NoSuchTagSet"


def test_who_may_only_list_and_put_can_use_an_empty_bucket(run, s3, source, folder, faults):
    faults.error("s3", "GetBucketPolicy", "AccessDenied", status=403)
    assert run(folder)["uploaded"] == 4
    assert "s3:PutBucketPolicy" not in faults.actions("s3")


def test_the_work_bucket_is_no_place_for_source_files(run, s3, bucket, folder, faults, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_WORK_BUCKET", bucket)
    with pytest.raises(AirflowFailException, match=r"are one.*sparkify_source_bucket.*sparkify_work_bucket"):
        run(folder)
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_WORK_BUCKET", "other")
    with pytest.raises(AirflowFailException, match="are one"):
        run(folder, bucket="other")
    assert faults.actions("s3") == []


def test_a_bucket_name_of_another_account_is_refused_with_a_remedy(run, missing_bucket, folder, faults):
    faults.error("s3", "CreateBucket", "BucketAlreadyExists", status=409)
    with pytest.raises(AirflowFailException, match=f"{missing_bucket} is taken by another account.*Choose"):
        run(folder)


def test_a_bucket_that_may_not_be_seen_is_refused_for_good(run, bucket, folder, faults):
    faults.error("s3", "HeadBucket", "403", status=403)
    with pytest.raises(AirflowFailException, match="HeadBucket was refused"):
        run(folder)


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_what_a_lost_connection_left_undone_is_done_by_the_next_run(
    run, s3, bucket, folder, faults, monkeypatch, capsys, kind
):
    monkeypatch.setattr(sparkify.aws, "_CONFIG", Config(retries={"total_max_attempts": 1}))
    keys = [f"song_data/B/TRB{number:03}.json" for number in range(100)]
    fill(folder, dict.fromkeys(keys, b"{}"))
    getattr(faults, kind)("s3", "PutObject", Key=keys[20])

    with pytest.raises(AirflowException, match="to s3://") as caught:
        run(folder)

    assert not isinstance(caught.value, AirflowFailException)
    assert "Stopped after" in capsys.readouterr().out
    present = set(objects(s3, bucket))
    assert (keys[20] in present) is (kind == "drop_after")
    assert 10 < len(present) < 105
    faults.forget_calls()
    done = run(folder)
    assert puts(faults) == sorted({*keys, *FILES} - present)
    assert done["skipped"] == len(present) - 1  # kept.json is none of its files
    assert set(objects(s3, bucket)) == {*keys, *FILES, "elsewhere/kept.json"}


def test_a_refused_file_ends_the_task_for_good_and_the_other_files_are_not_tried(run, bucket, folder, faults):
    fill(folder, {f"song_data/B/TRB{number:03}.json": b"{}" for number in range(100)})
    faults.error("s3", "PutObject", "AccessDenied", status=403, times=100)
    with pytest.raises(AirflowFailException, match=r"PutObject was refused, AccessDenied.*the right"):
        run(folder)
    assert len(puts(faults)) < 100


@pytest.mark.parametrize("given", ["", "source", "/nowhere/at/all"])
def test_a_folder_that_is_none_is_refused_with_what_to_enter(
    run, s3, missing_bucket, folder, monkeypatch, given
):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(AirflowFailException, match=r"no folder on this worker.*Enter the absolute path"):
        run(given)
    assert code_of(s3.head_bucket, Bucket=missing_bucket) == "404"


def test_a_folder_without_files_is_refused_with_what_to_enter(run, s3, missing_bucket, folder):
    with pytest.raises(AirflowFailException, match=r"no .json file in log_data/ or song_data/.*Enter the"):
        run(folder / "log_data")
    assert code_of(s3.head_bucket, Bucket=missing_bucket) == "404"


def test_a_file_that_cannot_be_read_is_named(run, bucket, folder, monkeypatch):
    find_files = upload.find_files

    def find_and_lose(*arguments):
        found = find_files(*arguments)
        (folder / EVENTS).unlink()
        return found

    monkeypatch.setattr("sparkify.operators.upload_folder.find_files", find_and_lose)
    with pytest.raises(AirflowFailException, match=f"{EVENTS} cannot be read: No such file"):
        run(folder)


def test_what_cannot_be_uploaded_fails_the_task_and_the_others_arrive(run, s3, bucket, folder, capsys):
    strange = os.fsencode(folder / "log_data/2018/11") + b"/caf\xe9.json"
    for name in (strange, os.fsencode(folder / "song_data/red\x1b[31m.json")):
        Path(os.fsdecode(name)).write_bytes(b"{}")
    os.mkfifo(folder / "song_data/pipe.json")
    with pytest.raises(AirflowFailException, match=r"2 files of .* were not uploaded") as caught:
        run(folder)
    assert {key: content for key, content in contents(s3, bucket).items() if key in FILES} == FILES
    assert not [key for key in objects(s3, bucket) if "caf" in key or "pipe" in key or "red" in key]
    said = capsys.readouterr().out + str(caught.value)
    assert r"caf\xe9.json has a name that is not UTF-8" in said
    assert r"red\x1b[31m.json has control characters" in said
    assert "song_data/pipe.json" in said
    assert "\x1b" not in said
    assert said.encode()


def test_links_are_followed_to_files_inside_the_folder_only(run, s3, bucket, folder, tmp_path):
    outside = fill(tmp_path / "outside")
    (folder / "log_data" / "secret.json").symlink_to(outside / EVENTS)
    (folder / "log_data" / "2017").symlink_to(outside / "log_data", target_is_directory=True)
    (folder / "log_data" / "nothing.json").symlink_to(tmp_path / "nothing")
    (folder / "log_data" / "circle").symlink_to(folder / "log_data", target_is_directory=True)
    (folder / "log_data" / "same.json").symlink_to(folder / EVENTS)

    done = run(folder)

    same = {"log_data/same.json": FILES[EVENTS]}
    assert contents(s3, bucket) == {**FILES, **same, "elsewhere/kept.json": b"{}"}
    assert (done["files"], done["links"], done["ignored"]) == (5, 4, 0)


def test_a_subfolder_that_is_a_link_to_elsewhere_is_not_followed(run, missing_bucket, folder, tmp_path):
    linking = tmp_path / "linking"
    linking.mkdir()
    (linking / "log_data").symlink_to(folder / "log_data", target_is_directory=True)
    with pytest.raises(AirflowFailException, match="1 links that are not followed"):
        run(linking)


def test_the_folder_itself_may_be_a_link(run, bucket, folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert run(tmp_path / "link")["uploaded"] == 4


def test_the_log_says_how_far_it_is(s3, bucket, folder, caplog, monkeypatch):
    monkeypatch.setattr(upload, "_SECONDS_BETWEEN_LINES", 0)
    found = upload.find_files(folder, ["log_data", "song_data"])
    with caplog.at_level(logging.INFO):
        done = upload.upload(s3, bucket, found, logging.getLogger("test"))
    assert [line.split(" uploaded")[0] for line in caplog.messages] == [
        f"{number} of 4 files: {number}" for number in (1, 2, 3, 4)
    ]
    assert str(done).startswith("4 of 4 files: 4 uploaded (0.0 MB), 0 skipped, ")


def test_the_dag_uploads_to_the_bucket_of_its_params(dag, s3, source, folder):
    s3.create_bucket(Bucket=f"{source.bucket}-other")
    at = datetime(2032, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_numbers))
    run = dag.test(logical_date=at, run_conf={"folder": str(folder), "bucket": f"{source.bucket}-other"})
    assert run.state == "success"
    assert contents(s3, f"{source.bucket}-other") == FILES
    assert objects(s3, source.bucket) == {}


@pytest.mark.parametrize("conf", [{"folder": "relative"}, {"folder": "/x", "bucket": "No_Name"}])
def test_the_params_are_checked_before_a_run(dag, conf):
    from airflow.sdk.exceptions import ParamValidationError

    def check():
        dag.params.update(conf)
        dag.params.validate()

    with pytest.raises(ParamValidationError):
        check()
