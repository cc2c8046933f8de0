"""A folder of source files brought to S3: what is there with the same content stays, nothing is deleted."""

import errno
import hashlib
import os
import socket
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.failures import FatalError
from sparkify.source import SourceFile, list_prefix
from sparkify.text import printable
from sparkify.warehouse.session import Log

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_SUFFIX = ".json"
_THREADS = 8  # below the ten connections that a boto3 client keeps
_SECONDS_BETWEEN_LINES = 5.0
_SMALL_BYTES = 8_000_000
_LONGEST_KEY = 1024  # bytes of UTF-8
_SHOWN = 5  # names in a line of the log


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """What a folder has to offer.

    Args:
        subfolders: the folders that were looked at.
        files: the files to upload, by their keys: their paths inside the folder.
        ignored: what is no `.json` file, as paths inside the folder.
        links: links that are not followed, as paths inside the folder.
        problems: what should be uploaded and cannot, each with its reason.
    """

    subfolders: Sequence[str]
    files: Mapping[str, Path]
    ignored: Sequence[str]
    links: Sequence[str]
    problems: Sequence[str] = ()

    def __str__(self) -> str:
        text = f"{len(self.files):,} {_SUFFIX} files"
        for paths, what in ((self.ignored, "other files ignored"), (self.links, "links not followed")):
            if paths:
                shown = ", ".join(map(printable, paths[:_SHOWN])) + (", …" if len(paths) > _SHOWN else "")
                text += f"; {len(paths):,} {what} ({shown})"
        return text


@dataclass(slots=True)
class Upload:
    """How far an upload has come.

    Args:
        files: how many there are in all.
        uploaded: how many were sent.
        skipped: how many were there already with the same content.
        size: bytes sent.
        seconds: since it began.
        problems: what could not be uploaded, each with its reason.
        began: on the monotonic clock.
    """

    files: int
    uploaded: int = 0
    skipped: int = 0
    size: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, size: int | None) -> None:
        """Count one file: the bytes sent, or None for one that was there already."""
        if size is None:
            self.skipped += 1
        else:
            self.uploaded += 1
            self.size += size

    def __str__(self) -> str:
        return (
            f"{self.uploaded + self.skipped:,} of {self.files:,} files: {self.uploaded:,} uploaded "
            f"({self.size / 1e6:,.1f} MB), {self.skipped:,} skipped, {self.seconds:,.1f} s"
        )


def find_files(folder: Path, subfolders: Sequence[str]) -> LocalFiles:
    """Return the `.json` files below the subfolders.

    What is hidden, or in a hidden folder, is ignored: file managers and notebooks leave copies there. Links
    are followed to files inside the folder only.

    Args:
        folder: an absolute path on this machine.
        subfolders: the folders inside it to look at; one that is not there is empty.

    What cannot be uploaded is among `problems`: a name that is no UTF-8, a key that is too long for S3, a
    folder that cannot be read.

    Raises:
        FatalError: the folder is missing or holds no such file; it says what to enter.
    """
    wanted = " or ".join(f"{name}/" for name in subfolders)
    if not (folder.is_absolute() and os.path.isdir(folder)):  # noqa: PTH112 - False where it may not be seen
        raise FatalError(
            f"{str(folder)!r} is no folder on this worker ({socket.gethostname()}). Enter the absolute path "
            f"of a folder there that holds {wanted}."
        )
    try:
        local = _sort(folder.resolve(), subfolders)
    except OSError as error:
        raise FatalError(_explain_unreadable(error)) from error
    if not local.files and not local.problems:
        raise FatalError(
            f"{folder} on this worker ({socket.gethostname()}) holds no {_SUFFIX} file in {wanted} "
            f"({len(local.ignored)} other files, {len(local.links)} links that are not followed). "
            f"Enter the folder that holds {wanted}."
        )
    return local


def _sort(root: Path, subfolders: Sequence[str]) -> LocalFiles:
    files: dict[str, Path] = {}
    ignored: list[str] = []
    links: list[str] = []
    problems: list[str] = []
    for path in (path for name in subfolders for path in _walk(root / name, problems)):
        key = path.relative_to(root).as_posix()
        if path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(root)):
            links.append(key)
        elif path.suffix == _SUFFIX and "/." not in f"/{key}" and path.is_file():
            if problem := _judge_key(key):
                problems.append(f"{printable(path)} {problem}")
            else:
                files[key] = path
        else:
            ignored.append(key)
    return LocalFiles(subfolders, files, ignored, links, problems)


def _judge_key(key: str) -> str:
    """Why a path cannot be a key of S3; empty where it can."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "has a name that is not UTF-8, as keys of S3 must be: rename it"
    # S3 user guide, "Naming Amazon S3 objects": to be avoided, as listings in XML cannot hold them.
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in key):
        return "has control characters in its name: rename it"
    return f"has a key of {size:,} bytes, and S3 takes {_LONGEST_KEY:,}" if size > _LONGEST_KEY else ""


def _walk(path: Path, problems: list[str]) -> Iterator[Path]:
    """Everything below a path that is no folder, in order; a link to a folder is given, not followed.

    A folder that cannot be read is added to `problems`.
    """
    if path.is_dir() and not path.is_symlink():
        try:
            inside = sorted(path.iterdir())
        except OSError as error:
            problems.append(_explain_unreadable(error))
            return
        for each in inside:
            yield from _walk(each, problems)
    elif path.exists() or path.is_symlink():
        yield path


def _explain_unreadable(error: OSError) -> str:
    return (
        f"{printable(error.filename)} cannot be read: {error.strerror}. Let the user that the worker runs as "
        "read it, then clear the task."
    )


def upload(s3: "S3Client", bucket: str, local: LocalFiles, log: Log) -> Upload:
    """Upload the files that are not in the bucket with the same content; the log says how far it is.

    The content is the same when size and ETag are: of an object that was put in one request and is not
    encrypted with KMS or a customer's key the ETag is the MD5. Others are uploaded again. Each file is put in
    one request, so it may have up to 5 GB, and a reader sees the old content or the new, never a part.

    Args:
        s3: a client; several threads use it.
        bucket: an existing bucket.
        local: the files.
        log: takes a line every few seconds.

    A file that cannot be read is among the problems of what is returned, and the others follow.

    Raises:
        botocore.exceptions.ClientError: S3 refuses; what has been uploaded stays.
        botocore.exceptions.BotoCoreError: S3 does not answer; likewise.
    """
    done = Upload(len(local.files), problems=[*local.problems])
    there = {file.key: file for name in local.subfolders for file in list_prefix(s3, bucket, f"{name}/")}
    with ThreadPoolExecutor(_THREADS) as pool:
        jobs = [pool.submit(_put, s3, bucket, key, path, there.get(key)) for key, path in local.files.items()]
        try:
            _count(jobs, done, log)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            log.warning(
                "Stopped after %s. What is uploaded stays; the next run goes on from there.", str(done)
            )
            raise
    return done


def _count(jobs: Sequence[Future[int | None]], done: Upload, log: Log) -> None:
    """Count the files as they come to their end, with a line in the log every few seconds."""
    said = done.began
    for job in as_completed(jobs):
        try:
            done.add(job.result())
        except OSError as error:
            done.problems.append(_explain_unreadable(error))
        done.seconds = time.monotonic() - done.began
        if time.monotonic() - said >= _SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            log.info("%s", str(done))  # as text: a handler may write it when it has changed


def _put(s3: "S3Client", bucket: str, key: str, path: Path, there: SourceFile | None) -> int | None:
    """Upload one file and return its bytes, or None if it is there."""
    with open(path, "rb", opener=_open_file) as file:
        size = os.fstat(file.fileno()).st_size
        if there is not None and there.size == size and there.etag == _hash(file):
            return None
        file.seek(0)
        # boto3 asks whether a file would be taken before it sends it; bytes it sends at once.
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=file.read() if size <= _SMALL_BYTES else file,
            ContentType="application/json",
        )
    return size


def _open_file(path: str, flags: int) -> int:
    """Open without waiting for a writer, should a pipe have taken the file's place meanwhile."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file any more", path)


def _hash(file: BufferedReader) -> str:
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
