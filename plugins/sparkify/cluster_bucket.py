"""The work bucket: private, encrypted, TLS only, old manifests expire."""

import json
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster_plan import ClusterPlan, is_ours, tag_list

# Manifests and jsonpaths files are of use for minutes; a month is for looking back.
_DAYS = 30


def make_work_bucket(aws: Aws, plan: ClusterPlan) -> str:
    """Make the work bucket, or set up one of ours again; return what was done."""
    bucket = plan.work_bucket
    if _exists(aws, bucket):
        if not is_ours(_tags(aws, bucket)):
            return f"Work bucket {bucket} is there and not ours: left as it is."
        did = "is there"
    else:
        where: Any = (
            {}
            if plan.region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": plan.region}}
        )
        try:
            aws.s3.create_bucket(Bucket=bucket, **where)
        except ClientError as error:
            # A try before this one may have made it without hearing of it.
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise
        did = "made"
    aws.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(plan.tags())[:2]})
    _protect(aws, bucket)
    return f"Work bucket {bucket} {did}: private, encrypted, TLS only; files expire after {_DAYS} days."


def remove_work_bucket(aws: Aws, plan: ClusterPlan) -> str:
    """Remove the work bucket and all it holds, if that is asked for and it is ours."""
    bucket = plan.work_bucket
    if not plan.remove_work_bucket:
        return f"Work bucket {bucket} stays; the param remove_work_bucket removes it."
    if not _exists(aws, bucket):
        return f"Work bucket {bucket}: nothing to do."
    if not is_ours(_tags(aws, bucket)):
        return f"Work bucket {bucket} is not ours: left as it is."
    for page in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        if keys := [{"Key": entry["Key"]} for entry in page.get("Contents", ())]:
            aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})  # type: ignore[typeddict-item]
    aws.s3.delete_bucket(Bucket=bucket)
    return f"Work bucket {bucket} removed."


def _protect(aws: Aws, bucket: str) -> None:
    aws.s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    aws.s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "expire",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": _DAYS},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                }
            ]
        },
    )


def _tls_only(bucket: str) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket}"
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


def _exists(aws: Aws, bucket: str) -> bool:
    try:
        aws.s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _tags(aws: Aws, bucket: str) -> list[Any]:
    try:
        return list(aws.s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except ClientError as error:
        if code_of(error) == "NoSuchTagSet":
            return []
        raise
