"""The work bucket: private, encrypted, TLS only, old manifests expire."""

from typing import TYPE_CHECKING

from sparkify.aws import Aws
from sparkify.buckets import exists, is_unfinished, provide_bucket, tags_of
from sparkify.cluster_plan import OWNER, OWNER_TAG, ClusterPlan

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# Manifests and jsonpaths files are of use for minutes; a month is for looking back.
_DAYS = 30


def make_work_bucket(aws: Aws, plan: ClusterPlan) -> str:
    """Make the work bucket, or set up what an earlier try has left of it; return what was done.

    Raises:
        LoadError: the name belongs to another account.
    """
    did = provide_bucket(aws.s3, plan.work_bucket, plan.region, plan.tags)
    if not _is_ours(aws, plan.work_bucket):
        return did
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=plan.work_bucket,
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
    return f"{did} Its files expire after {_DAYS} days."


def remove_work_bucket(aws: Aws, plan: ClusterPlan) -> str:
    """Remove the work bucket and all it holds, if that is asked for and it is ours."""
    bucket = plan.work_bucket
    if not plan.remove_work_bucket:
        return f"Work bucket {bucket} stays; the param remove_work_bucket removes it."
    if not exists(aws.s3, bucket):
        return f"Work bucket {bucket}: nothing to do."
    if not (_is_ours(aws, bucket) or is_unfinished(aws.s3, bucket, plan.tags)):
        return f"Work bucket {bucket} is not ours: left as it is."
    for page in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys: list[ObjectIdentifierTypeDef] = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
        if keys:
            aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    aws.s3.delete_bucket(Bucket=bucket)
    return f"Work bucket {bucket} removed."


def _is_ours(aws: Aws, bucket: str) -> bool:
    return tags_of(aws.s3, bucket).get(OWNER_TAG) == OWNER
