"""Bring a folder of source files to S3, replacing what changed."""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sandbox.errors import SandboxError
from sandbox.parts.parts import Aws
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from sandbox.terminal.console import note, printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SUFFIXES = (".json", ".json.gz")
_THREADS = 8
_SMALL_BYTES = 1_000_000
_LONGEST_KEY = 1024
_DELETE_LIMIT = 1000  # keys a DeleteObjects request may name


class UploadError(SandboxError):
    """The folder or the bucket of an upload cannot be used."""


@dataclass(frozen=True)
class Upload:
    """What an upload did; `size` counts the uploaded bytes, `failed` the files left out."""

    uploaded: int
    unchanged: int
    deleted: int
    size: int
    seconds: float
    failed: int = 0


def upload(
    settings: Settings, folder: Path, *, bucket: str = SOURCE_BUCKET, delete: bool = False, show: bool = True
) -> Upload:
    """Upload every ``*.json`` and ``*.json.gz`` file below `folder`; its key is its path inside the folder.

    A file that cannot be uploaded is named on standard error, and the others follow: one whose name is no
    UTF-8 or longer than a key may be, one that cannot be read or has vanished.

    A file whose object already has the same content (ETag = MD5) is left alone, so that its ETag and its
    LastModified stay.

    Args:
        settings: The sandbox.
        folder: Holds the files, as a rule in the folders log_data and song_data.
        bucket: An existing bucket.
        delete: Also remove the keys below the same top folders for which there is no file.
        show: Draw a progress bar on standard error.

    Raises:
        UploadError: The folder is missing or empty, the bucket is missing, or the sandbox is not up.
    """
    began = time.monotonic()
    files, problems = _files(folder)
    if not Aws(settings).is_reachable():
        raise UploadError(f"Nothing answers at {settings.aws_endpoint_url}. Start it: python -m sandbox up")
    s3 = s3_client(settings)
    present = _present(s3, bucket, {_top_folder(key) or key for key in files})
    with _progress(files, show) as progress:
        sizes = list(
            _put_all(
                lambda key, path: _put(s3, bucket, key, path, present.get(key)), files, progress, problems
            )
        )
    for problem in problems:
        note(f"Not uploaded: {problem}")
    # What could not even be looked at may be there: a folder that is closed must not empty the bucket.
    delete = delete and not problems
    surplus = [key for key in present if key not in files and _top_folder(key)] if delete else []
    _delete(s3, bucket, surplus)
    uploaded = [size for size in sizes if size is not None]
    return Upload(
        uploaded=len(uploaded),
        unchanged=len(sizes) - len(uploaded),
        deleted=len(surplus),
        size=sum(uploaded),
        seconds=time.monotonic() - began,
        failed=len(problems),
    )


def _files(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The files to upload by their keys, and what is wrong with the others."""
    if not folder.is_dir():
        raise UploadError(f"{printable(folder)} is not a folder.")
    files: dict[str, Path] = {}
    problems: list[str] = []

    def closed(error: OSError) -> None:
        problems.append(f"{printable(error.filename)} cannot be read: {error.strerror}")

    # Links to folders are not followed: they may lead in a circle.
    for parent, folders, names in os.walk(folder, onerror=closed):
        folders.sort()
        for path in (Path(parent, name) for name in sorted(names) if _is_source(name)):
            key = path.relative_to(folder).as_posix()
            if problem := _problem(path, key):
                problems.append(f"{printable(path)} {problem}")
            else:
                files[key] = path
    if not files and not problems:
        raise UploadError(
            f"There is no *.json or *.json.gz file below {printable(folder)}. "
            f"Sample data: python -m sandbox sample --out {printable(folder)}"
        )
    return files, problems


def _is_source(name: str) -> bool:
    return name.endswith(_SUFFIXES) and not name.startswith(".")


def _problem(path: Path, key: str) -> str:
    """Why a file cannot be an object of S3; empty where it can."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no file"
        size = len(key.encode())
    except UnicodeEncodeError:
        return "has a name that is not UTF-8, as keys of S3 must be: rename it"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    # S3 user guide, "Naming Amazon S3 objects": to be avoided, as listings in XML cannot hold them.
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in key):
        return "has control characters in its name: rename it"
    return f"has a key of {size:,} bytes, and S3 takes {_LONGEST_KEY:,}" if size > _LONGEST_KEY else ""


def _top_folder(key: str) -> str:
    """The first folder of a key with its slash; empty where it has none."""
    folder, slash, _ = key.partition("/")
    return folder + slash if slash else ""


def s3_client(settings: Settings) -> "S3Client":
    """A client of the sandbox's S3."""
    return boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
        region_name=settings.region,
        config=Config(
            max_pool_connections=_THREADS,
            proxies={},
            # A checksum over loopback would only cost time; the ETag is compared anyway.
            request_checksum_calculation="when_required",
            s3={"payload_signing_enabled": False, "addressing_style": "path"},
        ),
    )


def _present(s3: "S3Client", bucket: str, prefixes: Iterable[str]) -> dict[str, str]:
    """Keys and ETags below the prefixes."""
    etags = {}
    try:
        for prefix in prefixes:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                etags.update({entry["Key"]: entry["ETag"].strip('"') for entry in page.get("Contents", [])})
    except ClientError as error:
        raise UploadError(f"The bucket {bucket} cannot be listed: {error}.") from error
    return etags


@contextmanager
def _progress(files: dict[str, Path], show: bool) -> Iterator[Progress]:
    """A bar of files on standard error."""
    columns = (
        TextColumn("Uploading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not show) as progress:
        progress.add_task("upload", total=len(files))
        yield progress


def _put_all(
    put: Callable[[str, Path], int | None], files: dict[str, Path], progress: Progress, problems: list[str]
) -> Iterator[int | None]:
    """Upload the files, several at a time; yields each one's bytes, or None where nothing had changed.

    One that cannot be read is added to `problems`.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        jobs = [pool.submit(put, key, path) for key, path in files.items()]
        try:
            for job in as_completed(jobs):
                try:
                    yield job.result()
                except OSError as error:
                    problems.append(f"{printable(error.filename)} cannot be read: {error.strerror}")
                progress.advance(progress.task_ids[0])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _put(s3: "S3Client", bucket: str, key: str, path: Path, etag: str | None) -> int | None:
    """Upload one file in one part, which makes its ETag the MD5 of its content."""
    with open(path, "rb", opener=_open_file) as file:
        if etag == hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest():
            return None
        size = file.tell()
        file.seek(0)
        # For a file, boto3 first asks whether the server would take it; for bytes it does not.
        body = file.read() if size < _SMALL_BYTES else file
        kind = "application/gzip" if key.endswith(".gz") else "application/json"
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)
        except ClientError as error:
            target = f"s3://{bucket}/{printable(key)}"
            raise UploadError(f"{printable(path)} could not be uploaded to {target}: {error}.") from error
        return size


def _open_file(path: str, flags: int) -> int:
    """Open without waiting for a writer, should a pipe have taken the file's place meanwhile."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file any more", path)


def _delete(s3: "S3Client", bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), _DELETE_LIMIT):
        batch = keys[start : start + _DELETE_LIMIT]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True})
