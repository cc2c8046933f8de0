"""What is said of a bucket, and the versions in it, survive a kill."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws
from sparkify.s3.buckets import make_private

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
from tests.sandbox.aws.client import body, keys, kill_and_restart

pytest_plugins = ("tests.sandbox.aws.fixtures",)


def make_configured(s3: "S3Client", name: str) -> None:
    tags: Any = [{"Key": "sparkify:work-bucket", "Value": "c"}, {"Key": "ü", "Value": ""}]
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1", "Tags": tags},
        ACL="public-read",
    )
    make_private(s3, name)
    rule: Any = {
        "ID": "r",
        "Status": "Enabled",
        "Filter": {"Prefix": "manifests/"},
        "Expiration": {"Days": 30},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_cors(
        Bucket=name, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    )
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )


def told(s3: "S3Client", name: str) -> dict[str, Any]:
    """What S3 tells about a bucket."""
    found: dict[str, Any] = {}
    for setting in (
        *(
            "tagging",
            "lifecycle_configuration",
            "policy",
            "encryption",
            "versioning",
            "cors",
            "acl",
            "location",
        ),
        "ownership_controls",
    ):
        try:
            found[setting] = getattr(s3, f"get_bucket_{setting}")(Bucket=name)
        except ClientError as error:
            found[setting] = error.response
    found["public access"] = s3.get_public_access_block(Bucket=name)
    for answer in found.values():
        answer.pop("ResponseMetadata")
    return found


def test_everything_s3_tells_about_a_bucket_survives_a_kill(aws: Aws, aws_s3: "S3Client"):
    make_configured(aws_s3, "configured")
    before = told(aws_s3, "configured")
    assert [name for name, answer in before.items() if "Error" in answer] == []

    kill_and_restart(aws)
    after = told(aws_s3, "configured")
    kill_and_restart(aws)

    assert after == before
    assert told(aws_s3, "configured") == before
    aws_s3.delete_bucket(Bucket="configured")


def test_what_was_taken_from_a_bucket_does_not_come_back(aws: Aws, aws_s3: "S3Client"):
    for name in ("stripped", "made-again"):
        make_configured(aws_s3, name)
    for setting in ("tagging", "lifecycle", "policy", "encryption", "cors", "ownership_controls"):
        getattr(aws_s3, f"delete_bucket_{setting}")(Bucket="stripped")
    before = told(aws_s3, "stripped")
    aws_s3.delete_bucket(Bucket="made-again")
    aws_s3.create_bucket(Bucket="made-again")

    kill_and_restart(aws)

    assert told(aws_s3, "stripped") == before
    for setting in ("tagging", "lifecycle", "policy", "encryption", "cors", "ownership_controls"):
        with pytest.raises(ClientError):
            getattr(aws_s3, f"get_bucket_{setting}")(Bucket="made-again")
    for name in ("stripped", "made-again"):
        aws_s3.delete_bucket(Bucket=name)


def test_a_setting_of_the_sandboxes_own_bucket_survives_a_kill(aws: Aws, aws_s3: "S3Client"):
    tags: Any = {"TagSet": [{"Key": "a", "Value": "b"}]}
    aws_s3.put_bucket_tagging(Bucket="sparkify-work", Tagging=tags)
    kill_and_restart(aws)
    assert aws_s3.get_bucket_tagging(Bucket="sparkify-work")["TagSet"] == tags["TagSet"]
    aws_s3.delete_bucket_tagging(Bucket="sparkify-work")


@pytest.fixture
def versioned(aws_s3: "S3Client", aws_bucket: str) -> Iterator[str]:
    """A bucket with versions, which are removed again."""
    aws_s3.put_bucket_versioning(Bucket=aws_bucket, VersioningConfiguration={"Status": "Enabled"})
    yield aws_bucket
    found = aws_s3.list_object_versions(Bucket=aws_bucket)
    for entry in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        aws_s3.delete_object(Bucket=aws_bucket, Key=entry["Key"], VersionId=entry["VersionId"])


@pytest.mark.parametrize("size", [10, 400_000])
def test_older_versions_stay_whole(aws: Aws, aws_s3: "S3Client", versioned: str, size: int):
    aws_s3.put_object(Bucket=versioned, Key="k", Body=b"0" * size)
    kill_and_restart(aws)
    first = aws_s3.list_object_versions(Bucket=versioned)["Versions"][0]["VersionId"]
    later = [
        aws_s3.put_object(Bucket=versioned, Key="k", Body=letter * size) for letter in (b"1", b"2", b"3")
    ]
    ids = [first, *(answer["VersionId"] for answer in later)]
    aws_s3.delete_object(Bucket=versioned, Key="k")
    aws_s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[2])
    for number in (0, 1, 3):
        found = aws_s3.get_object(Bucket=versioned, Key="k", VersionId=ids[number])
        assert found["Body"].read() == str(number).encode() * size
    with pytest.raises(ClientError, match="NoSuchKey"):
        aws_s3.get_object(Bucket=versioned, Key="k")


def test_the_newest_version_that_was_not_deleted_survives_a_kill(
    aws: Aws, aws_s3: "S3Client", versioned: str
):
    newest: dict[str, str] = {}
    for content in (b"old", b"new"):
        for key in ("marked", "marked-with-many", "taken", "taken-with-many", "plain"):
            newest[key] = aws_s3.put_object(Bucket=versioned, Key=key, Body=content)["VersionId"]
    aws_s3.delete_object(Bucket=versioned, Key="marked")
    aws_s3.delete_object(Bucket=versioned, Key="taken", VersionId=newest["taken"])
    many: Any = [
        {"Key": "taken-with-many", "VersionId": newest["taken-with-many"]},
        {"Key": "marked-with-many"},
    ]
    aws_s3.delete_objects(Bucket=versioned, Delete={"Objects": many})

    kill_and_restart(aws)

    found = {key: body(aws_s3, versioned, key) for key in keys(aws_s3, versioned)}
    assert found == {"taken": b"old", "taken-with-many": b"old", "plain": b"new"}


def test_whatever_key_a_change_is_about_is_kept(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    """moto completes an upload that is of another key than the request names, and says so."""
    upload = aws_s3.create_multipart_upload(Bucket=aws_bucket, Key="k")["UploadId"]
    part = aws_s3.upload_part(Bucket=aws_bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"part")
    told = aws_s3.complete_multipart_upload(
        Bucket=aws_bucket,
        Key="other",
        UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )
    assert keys(aws_s3, aws_bucket) == [told["Key"]]
    kill_and_restart(aws)
    assert body(aws_s3, aws_bucket, told["Key"]) == b"part"


def test_logs_are_kept_whether_reads_or_changes_made_them(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    logger = 'uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
    aws_s3.create_bucket(Bucket="logs")
    aws_s3.put_bucket_acl(Bucket="logs", GrantWrite=logger, GrantReadACP=logger)
    logging: Any = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "p/"}}
    aws_s3.put_bucket_logging(Bucket=aws_bucket, BucketLoggingStatus=logging)
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"k")
    aws_s3.get_object(Bucket=aws_bucket, Key="k")
    found = keys(aws_s3, "logs")
    assert len(found) == 2
    kill_and_restart(aws)
    assert keys(aws_s3, "logs") == found
    assert all(body(aws_s3, "logs", key) for key in found)


def test_tags_are_told_of_a_bucket_of_any_partition(aws: Aws, aws_s3: "S3Client"):
    aws_s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "cn-north-1"})
    aws_s3.put_object(Bucket="far", Key="k", Body=b"k")
    kill_and_restart(aws)
    aws_s3.put_object_tagging(Bucket="far", Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert aws_s3.head_object(Bucket="far", Key="k")["TagCount"] == 1
    aws_s3.delete_object(Bucket="far", Key="k")
    aws_s3.delete_bucket(Bucket="far")
