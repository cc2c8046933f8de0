"""A change of S3 that is refused changes nothing, and stands in nobody's way."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws
from tests.sandbox.aws.client import body, kill_and_restart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures",)

LARGE = 300_000  # lies in a file from the beginning
NO_TAG = "aws:x=1"


def test_a_bucket_that_is_refused_is_not_made(aws_s3: "S3Client", aws_bucket: str):
    no_acl: Any = {"ACL": "none-of-these"}
    with pytest.raises(ClientError, match="InvalidRequest"):
        aws_s3.create_bucket(Bucket="refused", **no_acl)
    assert "refused" not in [one["Name"] for one in aws_s3.list_buckets()["Buckets"]]
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"k")
    aws_s3.create_bucket(Bucket="refused")
    aws_s3.delete_bucket(Bucket="refused")


@pytest.mark.parametrize("size", [5, LARGE])
def test_an_object_that_is_refused_leaves_the_former(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, size: int
):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"1" * size, Metadata={"n": "1"}, Tagging="a=b")
    before = aws_s3.list_objects_v2(Bucket=aws_bucket)["Contents"]
    for key in ("k", "new"):
        with pytest.raises(ClientError, match="InvalidTag"):
            aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=b"2" * size, Tagging=NO_TAG)
        with pytest.raises(ClientError, match="InvalidTag"):
            aws_s3.copy_object(
                Bucket=aws_bucket,
                Key=key,
                CopySource=f"{aws_bucket}/k",
                StorageClass="STANDARD_IA",
                TaggingDirective="REPLACE",
                Tagging=NO_TAG,
            )
    assert body(aws_s3, aws_bucket, "k") == b"1" * size
    assert aws_s3.head_object(Bucket=aws_bucket, Key="k")["Metadata"] == {"n": "1"}
    assert aws_s3.get_object_tagging(Bucket=aws_bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert [one["Key"] for one in aws_s3.list_objects(Bucket=aws_bucket)["Contents"]] == ["k"]
    kill_and_restart(aws)
    assert aws_s3.list_objects_v2(Bucket=aws_bucket)["Contents"] == before


def test_a_version_that_is_refused_leaves_the_former(aws_s3: "S3Client"):
    bucket = "refuses-versions"
    aws_s3.create_bucket(Bucket=bucket)
    aws_s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [aws_s3.put_object(Bucket=bucket, Key="k", Body=text)["VersionId"] for text in (b"1", b"2")]
    with pytest.raises(ClientError, match="InvalidTag"):
        aws_s3.put_object(Bucket=bucket, Key="k", Body=b"3", Tagging=NO_TAG)
    listed = aws_s3.list_object_versions(Bucket=bucket)["Versions"]
    assert {one["VersionId"] for one in listed} == set(versions)
    assert body(aws_s3, bucket, "k") == b"2"
    for version in versions:
        aws_s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    aws_s3.delete_bucket(Bucket=bucket)


def test_a_key_with_markers_is_kept_where_versioning_is_suspended(aws_s3: "S3Client"):
    bucket = "suspended"
    aws_s3.create_bucket(Bucket=bucket)
    aws_s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    aws_s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    aws_s3.delete_object(Bucket=bucket, Key="k")
    aws_s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(ClientError, match="versioning is suspended"):
        aws_s3.delete_object(Bucket=bucket, Key="k")
    found = aws_s3.list_object_versions(Bucket=bucket)
    assert (len(found["Versions"]), len(found["DeleteMarkers"])) == (1, 1)
