"""Source files on S3: listing them and telling their versions apart."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One version of one object.

    Args:
        size: in bytes.
        last_modified: naive UTC, as TIMESTAMP columns hold it.
    """

    bucket: str
    key: str
    etag: str
    size: int
    last_modified: datetime

    @property
    def url(self) -> str:
        """The `s3://` address."""
        return f"s3://{self.bucket}/{self.key}"


def list_prefix(s3: "S3Client", bucket: str, prefix: str) -> Iterator[SourceFile]:
    """Yield every file whose key starts with `prefix`, in key order; folder markers are left out.

    Raises:
        botocore.exceptions.ClientError: the bucket is missing or closed to us.
    """
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield _make_file(bucket, entry["Key"], entry["ETag"], entry["Size"], entry["LastModified"])


def find_keys(s3: "S3Client", bucket: str, keys: Iterable[str]) -> tuple[list[SourceFile], list[str]]:
    """Return the files that exist under `keys`, and the keys that do not.

    Raises:
        botocore.exceptions.ClientError: the bucket is missing or closed to us.
    """
    # A HEAD of a missing bucket says 404 and no more; a listing says NoSuchBucket and which.
    s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    files: list[SourceFile] = []
    missing: list[str] = []
    for key in keys:
        try:
            head = s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
                raise
            missing.append(key)
        else:
            files.append(_make_file(bucket, key, head["ETag"], head["ContentLength"], head["LastModified"]))
    return files, missing


def _make_file(bucket: str, key: str, etag: str, size: int, last_modified: datetime) -> SourceFile:
    naive = last_modified.astimezone(UTC).replace(tzinfo=None)
    return SourceFile(bucket, key, etag.strip('"'), size, naive)
