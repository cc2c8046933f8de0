"""Buckets are made private, and those that are in use are left as they are."""

import json

import pytest

from sparkify.failures import FatalError
from sparkify.s3.bucket_names import check_buckets
from sparkify.s3.buckets import create_bucket, exists, provide_bucket, tags_of

REGION, TAGS = "us-east-1", {"made-by": "tests"}


@pytest.fixture
def bucket(s3, request):
    """A name that no bucket has; one that has it in the end is removed."""
    name = f"buckets-{abs(hash(request.node.name))}"
    yield name
    for entry in s3.list_objects_v2(Bucket=name).get("Contents", ()):
        s3.delete_object(Bucket=name, Key=entry["Key"])
    s3.delete_bucket(Bucket=name)


def policy_of(s3, bucket):
    [statement] = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    return statement


def test_a_bucket_that_is_made_is_private_encrypted_tagged_and_takes_tls_only(s3, bucket):
    assert not exists(s3, bucket)
    assert provide_bucket(s3, bucket, REGION, TAGS) == f"Bucket {bucket} made: private, encrypted, TLS only."
    assert exists(s3, bucket)
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert (set(block.values()), len(block)) == ({True}, 4)
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert policy_of(s3, bucket)["Effect"] == "Deny"
    assert policy_of(s3, bucket)["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert tags_of(s3, bucket) == TAGS


def test_a_bucket_that_is_set_up_is_left_as_it_is(s3, bucket):
    provide_bucket(s3, bucket, REGION, TAGS)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "of", "Value": "its owner"}]})
    assert "left as they are" in provide_bucket(s3, bucket, REGION, TAGS)
    assert tags_of(s3, bucket) == {"of": "its owner"}


@pytest.mark.parametrize("use", ["file", "tags"])
def test_a_bucket_in_use_is_left_as_it_is_though_it_has_no_policy(s3, bucket, use):
    create_bucket(s3, bucket, REGION, {"of": "its owner"} if use == "tags" else {})
    if use == "file":
        s3.put_object(Bucket=bucket, Key="a", Body=b"")
    before = tags_of(s3, bucket)
    assert "left as they are" in provide_bucket(s3, bucket, REGION, TAGS)
    assert tags_of(s3, bucket) == before


def test_what_a_run_left_half_way_is_set_up_by_the_next(s3, bucket):
    create_bucket(s3, bucket, REGION, TAGS)
    create_bucket(s3, bucket, REGION, TAGS)
    assert "was empty and not set up; it is now" in provide_bucket(s3, bucket, REGION, TAGS)
    assert policy_of(s3, bucket)["Sid"] == "TlsOnly"


@pytest.mark.parametrize(
    "spelling", ["raw", "RAW", "s3://raw", "s3a://raw/orders", "arn:aws:s3:::raw", " raw/"]
)
def test_one_bucket_in_any_spelling_is_not_source_and_work_bucket_at_once(spelling):
    with pytest.raises(FatalError, match="Source and work bucket are one"):
        check_buckets(spelling, "raw")
    with pytest.raises(FatalError, match="Source and work bucket are one"):
        check_buckets("raw", spelling)


@pytest.mark.parametrize("name", ["", "a", "raw/orders", "raw-s3alias", "raw--ol-s3", "räw"])
def test_what_is_no_buckets_plain_name_is_refused_for_either(name):
    for names in ((name, "other"), ("other", name)):
        with pytest.raises(FatalError, match=r"is not a bucket's plain name"):
            check_buckets(*names)
