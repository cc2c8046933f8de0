"""Buckets: made private, encrypted, and open to TLS only."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sparkify.aws import code_of
from sparkify.failures import FatalError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import TagTypeDef

_NOT_PUBLIC: Any = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_ENCRYPTED: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def provide_bucket(s3: "S3Client", bucket: str, region: str, tags: Mapping[str, str]) -> str:
    """Make a bucket unless it is there; return what was done.

    One that holds nothing and has neither a policy nor other tags is set up like a new one, because a run
    that ended half-way leaves such. The settings of any other are left as they are.

    Args:
        s3: a client of `region`.
        bucket: its name.
        region: where to make it.
        tags: what to tag it with.

    Raises:
        FatalError: the name belongs to another account.
        botocore.exceptions.ClientError: AWS refuses to show the bucket, or to make it.
    """
    did = "made"
    if exists(s3, bucket):
        if not is_unfinished(s3, bucket, tags):
            return f"Bucket {bucket} is there; its settings are left as they are."
        did = "was empty and not set up; it is now"
    make_private_bucket(s3, bucket, region, tags)
    return f"Bucket {bucket} {did}: private, encrypted, TLS only."


def make_private_bucket(s3: "S3Client", bucket: str, region: str, tags: Mapping[str, str]) -> None:
    """Make a bucket, or take this account's own, and give it tags, privacy, encryption and a TLS-only policy.

    Doing it again changes nothing. Tags and policy that a bucket of this account has had are replaced, so it
    is for new buckets and for those that have neither.

    Args:
        s3: a client of `region`.
        bucket: its name.
        region: where to make it.
        tags: what to tag it with.

    Raises:
        FatalError: the name belongs to another account.
        botocore.exceptions.ClientError: AWS refuses one of the steps.
    """
    create_bucket(s3, bucket, region, {})
    if tags:
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": _write_tags(tags)})
    make_private(s3, bucket)


def make_private(s3: "S3Client", bucket: str, account: str = "") -> None:
    """Give a bucket privacy, encryption and, if it has no policy, one that denies requests without TLS.

    Args:
        s3: a client.
        bucket: its name.
        account: the account that has to own it; S3 refuses the calls for any other.
    """
    owner = _require_owner(account)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_NOT_PUBLIC, **owner)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=_ENCRYPTED, **owner)
    # Last: a bucket without a policy is one that was not finished.
    if not _has_policy(s3, bucket, account):
        s3.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps(_write_policy(s3.meta.partition, bucket)), **owner
        )


def create_bucket(s3: "S3Client", bucket: str, region: str, tags: Mapping[str, str]) -> None:
    """Make a bucket with its tags in one call, so that it is never without them; leave one that is there.

    Args:
        s3: a client of `region`.
        bucket: its name.
        region: where to make it.
        tags: with any of them the call needs the permission s3:TagResource.

    Raises:
        FatalError: the name belongs to another account.
    """
    # us-east-1 is no LocationConstraint; a client without a region has the pseudo-region aws-global.
    wanted: Any = {} if region in {"us-east-1", "aws-global"} else {"LocationConstraint": region}
    if tags:
        wanted["Tags"] = _write_tags(tags)
    try:
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": wanted} if wanted else {}))
    except ClientError as error:
        if code_of(error) == "BucketAlreadyExists":
            raise FatalError(
                f"The bucket name {bucket} is taken by another account: names are unique in all of AWS. "
                "Choose another and set the Airflow Variable that names it."
            ) from error
        # A try before this one may have made it without hearing of it.
        if code_of(error) != "BucketAlreadyOwnedByYou":
            raise


def exists(s3: "S3Client", bucket: str) -> bool:
    """Tell whether there is such a bucket that this account may see."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) == "404":
            return False
        raise
    return True


def is_unfinished(s3: "S3Client", bucket: str, tags: Mapping[str, str]) -> bool:
    """Tell whether a bucket may be one that `provide_bucket` did not set up to the end."""
    # In this order: an identity that may only list and write must be able to go on using a bucket.
    if s3.list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents"):
        return False
    try:
        return not _has_policy(s3, bucket) and tags_of(s3, bucket) in ({}, dict(tags))
    except ClientError as error:
        if code_of(error) == "AccessDenied":
            return False
        raise


def tags_of(s3: "S3Client", bucket: str, account: str = "") -> dict[str, str]:
    """Return a bucket's tags; with an account, only of a bucket that it owns."""
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket, **_require_owner(account))["TagSet"]
    except ClientError as error:
        if code_of(error) == "NoSuchTagSet":
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in tags}


def _has_policy(s3: "S3Client", bucket: str, account: str = "") -> bool:
    try:
        s3.get_bucket_policy(Bucket=bucket, **_require_owner(account))
    except ClientError as error:
        if code_of(error) == "NoSuchBucketPolicy":
            return False
        raise
    return True


def _require_owner(account: str) -> Any:  # noqa: ANN401 - arguments of any call
    """Return the argument that makes S3 refuse a call if another account owns the bucket."""
    return {"ExpectedBucketOwner": account} if account else {}


def _write_tags(tags: Mapping[str, str]) -> "list[TagTypeDef]":
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def _write_policy(partition: str, bucket: str) -> dict[str, Any]:
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
