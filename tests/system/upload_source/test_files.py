"""upload_source: a folder to S3, once and again, and broken off."""

import hashlib
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.config import Config

import sparkify.aws
from sparkify.s3 import upload
from tests.system.upload_source.conftest import (
    EVENTS,
    FILES,
    SONGS,
    _numbers,
    code_of,
    contents,
    fill,
    objects,
    puts,
)


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
