"""Manifests: exactly the files that one COPY loads, written to the work bucket."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sparkify.source import SourceFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


# All that loads write to a work bucket is below these; include/iam allows reports beside them and no more.
MANIFESTS, JSONPATHS = "manifests/", "jsonpaths/"


def write_manifest(s3: "S3Client", bucket: str, load_id: str, files: Sequence[SourceFile | str]) -> str:
    """Write the manifest of one COPY and return its address, which no other has.

    Every entry is mandatory: by default COPY skips a listed file that is gone without a word.

    Args:
        s3: a boto3 client.
        bucket: the work bucket.
        load_id: the load; its manifests stand below it.
        files: what to load, or its addresses; at least one.
    """
    urls = [file if isinstance(file, str) else file.url for file in files]
    entries = [{"url": url, "mandatory": True} for url in urls]
    body = json.dumps({"entries": entries}, indent=1).encode()
    return _put(s3, bucket, f"{MANIFESTS}{load_id}/{uuid.uuid4().hex}.json", body)


def write_ledger_rows(s3: "S3Client", bucket: str, load_id: str, body: bytes) -> str:
    """Write the ledger rows of a load's files, compressed JSON, and return their address."""
    return _put(s3, bucket, f"{MANIFESTS}{load_id}-files.json.gz", body)


def write_jsonpaths(s3: "S3Client", bucket: str, name: str, text: str) -> str:
    """Write a jsonpaths file under a name made from its content and return its address.

    The same text always has the same address, so runs at the same time never see half of another's file.

    Args:
        s3: a boto3 client.
        bucket: the work bucket.
        name: the file's name in the project, kept so that people recognise it.
        text: the jsonpaths document.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return _put(s3, bucket, f"{JSONPATHS}{digest}/{PurePosixPath(name).name}", text.encode())


def _put(s3: "S3Client", bucket: str, key: str, body: bytes) -> str:
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    return f"s3://{bucket}/{key}"
