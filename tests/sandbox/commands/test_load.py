"""`load` brings a folder to S3: everything once, then only what changed."""

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.commands import cli
from sandbox.demo.upload import UploadError, upload
from sandbox.parts.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def bucket(s3: "S3Client", tmp_path: Path) -> Iterator[str]:
    name = f"upload-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    s3.create_bucket(Bucket=name)
    yield name
    for key in contents(s3, name):
        s3.delete_object(Bucket=name, Key=key)
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two event files, three songs, and files nobody asked for."""
    write(tmp_path, "log_data/2018/11/2018-11-01-events.json", b'{"page":"Home"}\n')
    write(tmp_path, "log_data/2018/11/2018-11-02-events.json.gz", gzip.compress(b'{"page":"Home"}\n'))
    for name in ("TRAAA", "TRAAB", "TRÄÄC"):
        write(tmp_path, f"song_data/A/A/A/{name}.json", f'{{"song_id":"{name}"}}'.encode())
    write(tmp_path, "song_data/._TRAAA.json", b"of a file manager")
    write(tmp_path, "README.txt", b"not a source file")
    return tmp_path


def write(folder: Path, key: str, content: bytes) -> None:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def contents(s3: "S3Client", bucket: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.json*")
        if not path.name.startswith(".")
    }


def test_every_source_file_arrives_under_its_relative_path(
    sandbox: Settings, s3: "S3Client", bucket: str, folder: Path
):
    done = upload(sandbox, folder, bucket=bucket, show=False)

    assert contents(s3, bucket) == files(folder)
    assert (done.uploaded, done.unchanged, done.deleted) == (5, 0, 0)
    assert done.size == sum(len(content) for content in files(folder).values())
    for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        content = (folder / entry["Key"]).read_bytes()
        assert entry["ETag"] == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def test_a_second_upload_touches_nothing(sandbox: Settings, s3: "S3Client", bucket: str, folder: Path):
    upload(sandbox, folder, bucket=bucket, show=False)
    before = s3.list_objects_v2(Bucket=bucket)["Contents"]

    done = upload(sandbox, folder, bucket=bucket, show=False)

    assert (done.uploaded, done.unchanged) == (0, 5)
    assert s3.list_objects_v2(Bucket=bucket)["Contents"] == before


def test_what_changed_is_replaced(sandbox: Settings, s3: "S3Client", bucket: str, folder: Path):
    upload(sandbox, folder, bucket=bucket, show=False)
    write(folder, "log_data/2018/11/2018-11-01-events.json", b'{"page":"Help"}\n')  # the same length
    write(folder, "song_data/A/A/A/NEW.json", b"{}")

    done = upload(sandbox, folder, bucket=bucket, show=False)

    assert (done.uploaded, done.unchanged) == (2, 4)
    assert contents(s3, bucket) == files(folder)


def test_what_is_gone_stays_unless_deletion_is_asked_for(
    sandbox: Settings, s3: "S3Client", bucket: str, folder: Path
):
    s3.put_object(Bucket=bucket, Key="elsewhere/kept.json", Body=b"{}")
    upload(sandbox, folder, bucket=bucket, show=False)
    (folder / "song_data/A/A/A/TRAAA.json").unlink()

    assert upload(sandbox, folder, bucket=bucket, show=False).deleted == 0
    assert "song_data/A/A/A/TRAAA.json" in contents(s3, bucket)

    assert upload(sandbox, folder, bucket=bucket, delete=True, show=False).deleted == 1
    assert contents(s3, bucket) == {**files(folder), "elsewhere/kept.json": b"{}"}


def test_a_file_without_a_folder_is_compared_too(
    sandbox: Settings, s3: "S3Client", bucket: str, tmp_path: Path
):
    write(tmp_path, "one.json", b"{}")
    assert upload(sandbox, tmp_path, bucket=bucket, show=False).uploaded == 1
    assert upload(sandbox, tmp_path, bucket=bucket, show=False).unchanged == 1


def test_an_empty_file_is_uploaded(sandbox: Settings, s3: "S3Client", bucket: str, tmp_path: Path):
    write(tmp_path, "log_data/empty.json", b"")
    upload(sandbox, tmp_path, bucket=bucket, show=False)
    assert contents(s3, bucket) == {"log_data/empty.json": b""}


@pytest.fixture
def awkward(folder: Path) -> Path:
    """The folder with files that cannot be uploaded beside those that can."""
    songs = folder / "song_data/A/A/A"
    Path(os.fsdecode(os.fsencode(songs) + b"/caf\xe9.json")).write_bytes(b"{}")
    (songs / "red\x1b[31m\nnext.json").write_bytes(b"{}")
    (songs / "gone.json").symlink_to(folder / "nowhere")
    os.mkfifo(songs / "pipe.json")
    (songs / "circle").symlink_to(folder, target_is_directory=True)
    deep = folder.joinpath(*["d" * 200] * 5)
    deep.mkdir(parents=True)
    (deep / ("é" * 20 + ".json")).write_bytes(b"{}")
    return folder


def test_what_cannot_be_uploaded_is_named_and_the_others_follow(
    sandbox: Settings, s3: "S3Client", bucket: str, awkward: Path, capsys: pytest.CaptureFixture[str]
):
    s3.put_object(Bucket=bucket, Key="song_data/old.json", Body=b"{}")
    assert cli.main(["load", str(awkward), "--bucket", bucket, "--delete"]) == 1
    written = capsys.readouterr()
    assert "5 files uploaded" in written.out
    for reason in (
        r"caf\xe9.json has a name that is not UTF-8",
        "gone.json cannot be read: No such file",
        "pipe.json is no file",
        r"red\x1b[31m\nnext.json has control characters in its name",
        "has a key of 1,050 bytes, and S3 takes 1,024",
        "5 files were not uploaded",
    ):
        assert reason in written.err
    assert "\x1b[31m" not in written.err + written.out
    # Nothing is deleted after a look that was not complete.
    assert "song_data/old.json" in contents(s3, bucket)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_and_a_folder_that_are_closed_are_named(
    sandbox: Settings, bucket: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "song_data/A/A/A/TRAAA.json").chmod(0)
    (folder / "log_data/2018").chmod(0)
    try:
        assert upload(sandbox, folder, bucket=bucket, show=False).failed == 2
    finally:
        (folder / "log_data/2018").chmod(0o700)
    assert capsys.readouterr().err.count("cannot be read: Permission denied") == 2


def test_a_missing_folder_is_named(sandbox: Settings, tmp_path: Path):
    with pytest.raises(UploadError, match="nowhere"):
        upload(sandbox, tmp_path / "nowhere")


def test_a_folder_without_source_files_is_named(sandbox: Settings, tmp_path: Path):
    with pytest.raises(UploadError, match=str(tmp_path)):
        upload(sandbox, tmp_path)


def test_a_missing_bucket_is_named(sandbox: Settings, folder: Path):
    with pytest.raises(UploadError, match=r"no-such-bucket.*does not exist"):
        upload(sandbox, folder, bucket="no-such-bucket", show=False)


def test_the_command_prints_what_it_did(
    sandbox: Settings, bucket: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["load", str(folder), "--bucket", bucket]) == 0
    assert f"s3://{bucket}: 5 files uploaded" in capsys.readouterr().out
    assert cli.main(["load", str(folder), "--bucket", bucket, "--delete"]) == 0
    assert "0 files uploaded (0.0 MB), 5 unchanged, 0 deleted" in capsys.readouterr().out
