"""Listings of S3, page by page."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


pytest_plugins = ("tests.sandbox.aws.fixtures",)


@pytest.fixture
def catalogue(aws_s3: "S3Client", aws_bucket: str) -> list[str]:
    """The sorted keys of a bucket with something to list."""
    names = [f"a/{number:03}" for number in range(25)] + ["a", "a/ü &<b>.json", "a/+%2F", "b/1", "a-1"]
    for name in names:
        aws_s3.put_object(Bucket=aws_bucket, Key=name, Body=name.encode())
    return sorted(names)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/ü &", "b/1", "c"])
def test_a_listing_gives_every_key_once_and_in_order(
    aws_s3: "S3Client", aws_bucket: str, catalogue: list[str], prefix: str, size: int
):
    pages = aws_s3.get_paginator("list_objects_v2").paginate(
        Bucket=aws_bucket, Prefix=prefix, PaginationConfig={"PageSize": size}
    )
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert found == [name for name in catalogue if name.startswith(prefix)]


@pytest.mark.parametrize("prefix", ["", "a/", "a/ü &", "c"])
def test_a_plain_listing_tells_what_motos_own_does(
    aws_s3: "S3Client", aws_bucket: str, catalogue: list[str], prefix: str
):
    plain = aws_s3.list_objects_v2(Bucket=aws_bucket, Prefix=prefix)
    moto = aws_s3.list_objects_v2(Bucket=aws_bucket, Prefix=prefix, Delimiter="|")
    for name in ("Contents", "KeyCount", "MaxKeys", "IsTruncated", "Name", "Prefix", "EncodingType"):
        assert plain.get(name) == moto.get(name)


def test_a_listing_starts_after_a_key(aws_s3: "S3Client", aws_bucket: str, catalogue: list[str]):
    after = aws_s3.list_objects_v2(Bucket=aws_bucket, StartAfter="a/020", Delimiter="")
    assert [entry["Key"] for entry in after["Contents"]] == [name for name in catalogue if name > "a/020"]


def test_a_listing_with_a_delimiter_gives_folders(aws_s3: "S3Client", aws_bucket: str, catalogue: list[str]):
    found = aws_s3.list_objects_v2(Bucket=aws_bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in found["CommonPrefixes"]] == ["a/", "b/"]
    assert [entry["Key"] for entry in found["Contents"]] == ["a", "a-1"]


def test_a_listing_of_a_missing_bucket_is_refused(aws_s3: "S3Client"):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        aws_s3.list_objects_v2(Bucket="no-such-bucket")
