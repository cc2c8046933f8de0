"""The work bucket: private, encrypted, TLS only, old manifests expire; removed with what the pipeline wrote.

A bucket is only set up, or removed, if it carries the tag that it was made with: what somebody else has made
is used as it is. Every call names the account that has to own the bucket, and S3 refuses it for any other.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster.plan import WORK_BUCKET_TAG, ClusterPlan
from sparkify.failures import FatalError
from sparkify.s3.buckets import create_bucket, exists, make_private, tags_of
from sparkify.stage.manifest import JSONPATHS, MANIFESTS

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# Manifests are of use for minutes; a month is for looking back. The names of jsonpaths files are made from
# their content, so that they do not become more.
_DAYS = 30
_RULE: Any = {
    "ID": "sparkify-expire-manifests",
    "Status": "Enabled",
    "Filter": {"Prefix": MANIFESTS},
    "Expiration": {"Days": _DAYS},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}
_SHOWN = 5  # keys in a message


def make_work_bucket(aws: Aws, plan: ClusterPlan) -> str:
    """Make the work bucket, or set up what an earlier try has left of it; return what was done.

    Raises:
        FatalError: the name belongs to another account.
    """
    bucket, did = plan.work_bucket, "is there"
    if not exists(aws.s3, bucket):
        create_bucket(aws.s3, bucket, plan.region, plan.work_bucket_tags)
        did = "made"
    if not _is_ours(aws, plan):
        return (
            f"Bucket {bucket} is there and was not made as work bucket of {plan.identifier} (it has no tag "
            f"{WORK_BUCKET_TAG}={plan.identifier}): it is used, its settings are left as they are and "
            f"nothing in it expires. A rule for {MANIFESTS} in its life cycle would let old manifests go."
        )
    make_private(aws.s3, bucket, aws.account)
    _expire(aws, bucket)
    return f"Bucket {bucket} {did}: private, encrypted, TLS only. Its manifests expire after {_DAYS} days."


def remove_work_bucket(aws: Aws, plan: ClusterPlan) -> str:
    """Remove what the pipeline wrote to the work bucket, and the bucket if nothing else is in it.

    That happens only where it is asked for and the bucket was made as this cluster's.

    Raises:
        FatalError: S3 refuses to delete some of it; the message names what and why.
    """
    bucket = plan.work_bucket
    if not plan.remove_work_bucket:
        return f"Work bucket {bucket} stays; the param remove_work_bucket removes it."
    try:
        if not exists(aws.s3, bucket):
            return f"Work bucket {bucket}: nothing to do."
        if not _is_ours(aws, plan):
            return f"Work bucket {bucket} is not ours: left as it is."
        for prefix in (MANIFESTS, JSONPATHS):
            _empty(aws, bucket, prefix)
        return _remove(aws, bucket)
    except ClientError as error:
        # Another teardown may have been faster.
        if code_of(error) == "NoSuchBucket":
            return f"Work bucket {bucket}: nothing to do."
        raise


def _is_ours(aws: Aws, plan: ClusterPlan) -> bool:
    return tags_of(aws.s3, plan.work_bucket, aws.account).get(WORK_BUCKET_TAG) == plan.identifier


def _expire(aws: Aws, bucket: str) -> None:
    """Let manifests expire; rules that somebody has added stay, because PutBucketLifecycle replaces all."""
    rules, settings = _read_life_cycle(aws, bucket)
    if _RULE not in rules:
        _put_life_cycle(aws, bucket, [*_leave_out_ours(rules), _RULE], settings)


def _forget_expiry(aws: Aws, bucket: str) -> None:
    rules, settings = _read_life_cycle(aws, bucket)
    others = _leave_out_ours(rules)
    if others and others != rules:
        _put_life_cycle(aws, bucket, others, settings)
    elif rules and not others:
        aws.s3.delete_bucket_lifecycle(Bucket=bucket, ExpectedBucketOwner=aws.account)


def _read_life_cycle(aws: Aws, bucket: str) -> tuple[list[Any], dict[str, Any]]:
    """Return a bucket's life cycle: its rules, and what else is set."""
    try:
        answer: dict[str, Any] = dict(
            aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket, ExpectedBucketOwner=aws.account)
        )
    except ClientError as error:
        if code_of(error) == "NoSuchLifecycleConfiguration":
            return [], {}
        raise
    kept = "TransitionDefaultMinimumObjectSize"
    return answer["Rules"], {kept: answer[kept]} if kept in answer else {}


def _leave_out_ours(rules: list[Any]) -> list[Any]:
    return [rule for rule in rules if rule.get("ID") != _RULE["ID"]]


def _put_life_cycle(aws: Aws, bucket: str, rules: list[Any], settings: dict[str, Any]) -> None:
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, ExpectedBucketOwner=aws.account, LifecycleConfiguration={"Rules": rules}, **settings
    )


def _empty(aws: Aws, bucket: str, prefix: str) -> None:
    """Delete every version of every object below a prefix, and uploads that were not ended."""
    # To the end first: what is deleted meanwhile must not be where the next page begins.
    pages = [list(page) for page in _list_versions(aws.s3, bucket, prefix, aws.account)]
    for keys in pages:
        done = aws.s3.delete_objects(
            Bucket=bucket, ExpectedBucketOwner=aws.account, Delete={"Objects": keys, "Quiet": True}
        )
        if errors := done.get("Errors"):
            said = "; ".join(f"{error.get('Key')}: {error.get('Message')}" for error in errors[:_SHOWN])
            raise FatalError(
                f"{len(errors)} of {len(keys)} files of work bucket {bucket} could not be deleted: {said}. "
                "The bucket stays. Grant s3:DeleteObjectVersion or end the retention, then clear this task."
            )
    for key, upload in _list_uploads(aws, bucket, prefix):
        aws.s3.abort_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, ExpectedBucketOwner=aws.account
        )


def _list_versions(
    s3: "S3Client", bucket: str, prefix: str, account: str
) -> Iterator[list["ObjectIdentifierTypeDef"]]:
    """Yield versions and delete markers, at most a thousand at a time, as DeleteObjects takes them."""
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=prefix, ExpectedBucketOwner=account
    )
    for page in pages:
        versions: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if versions:
            yield [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]


def _list_uploads(aws: Aws, bucket: str, prefix: str = "") -> list[tuple[str, str]]:
    """Return key and id of each upload in parts that was begun and not ended."""
    pages = aws.s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, Prefix=prefix, ExpectedBucketOwner=aws.account
    )
    # A server may give all of them, whatever prefix is asked for.
    return [
        (upload["Key"], upload["UploadId"])
        for page in pages
        for upload in page.get("Uploads", ())
        if upload["Key"].startswith(prefix)
    ]


def _remove(aws: Aws, bucket: str) -> str:
    """Remove a bucket, if it is empty; otherwise take our rule back and say what is in it."""
    left = [key for key, _ in _list_uploads(aws, bucket)]
    left += [key["Key"] for keys in _list_versions(aws.s3, bucket, "", aws.account) for key in keys]
    if not left:
        try:
            aws.s3.delete_bucket(Bucket=bucket, ExpectedBucketOwner=aws.account)
        except ClientError as error:
            # Somebody has just put something into it, and S3 keeps it.
            if code_of(error) != "BucketNotEmpty":
                raise
            left = ["what has come just now"]
        else:
            return f"Work bucket {bucket} removed."
    _forget_expiry(aws, bucket)
    names = list(dict.fromkeys(left))
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return (
        f"Work bucket {bucket} stays, because files are in it that the pipeline has not written: "
        f"{', '.join(names[:_SHOWN])}{more}. Move them, or remove the bucket by hand."
    )
