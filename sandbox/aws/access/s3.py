"""The permissions that S3's requests need.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

import re
import urllib.parse

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from sandbox.aws import wsgi
from sandbox.aws.access.policy import Ask
from sandbox.aws.access.request import Request

# Where an action is not called as the operation is.
_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "UploadPartCopy": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
_OF_VERSIONS = {"GetObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"}
_LISTING = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
_TAG = re.compile(r"<Tag>\s*<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", re.DOTALL)


def asks(request: Request) -> list[Ask]:
    """What a request has to be allowed; for DeleteObjects see `deletion`."""
    bucket, key = request.get("Bucket"), request.get("Key")
    if not bucket:
        return [request.ask(_ACTIONS.get(request.action, request.action), "*")]
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    action = _ACTIONS.get(request.action, request.action)
    if request.action == "DeleteObjects":
        return []
    if action == "DeleteObject":
        return deletion(request, key, request.get("versionId"))
    if request.get("versionId") and action in _OF_VERSIONS:
        action = (
            f"{action}Version" if "Tagging" not in action else action.replace("Tagging", "VersionTagging")
        )
    listing = {name: request.get(key) for key, name in _LISTING.items()} if action.startswith("List") else {}
    found = [request.ask(action, resource, more=listing)]
    if request.action == "CreateBucket" and (tags := _tags(request)):
        # API reference, CreateBucket: tags need s3:TagResource.
        context = {f"aws:RequestTag/{name}": [value] for name, value in tags.items()}
        found.append(Ask("s3:TagResource", resource, context | {"aws:TagKeys": list(tags)}))
    return found + _of_headers(request, resource)


def deletion(request: Request, key: str, version: str) -> list[Ask]:
    """What DeleteObjects, which answers key by key, has to be allowed for one; the version may be empty.

    API reference, DeleteObjects: "you must always specify the s3:DeleteObject permission", and for a version
    s3:DeleteObjectVersion.
    """
    resource = f"arn:aws:s3:::{request.get('Bucket')}/{key}"
    return [request.ask(f"DeleteObject{kind}", resource) for kind in ("", *["Version"] * bool(version))]


def finds_nothing(request: Request) -> bool:
    """Whether a request reads an object that is not there.

    API reference, GetObject and HeadObject: without s3:ListBucket that is 403 rather than 404.
    """
    if request.action not in {"GetObject", "HeadObject"}:
        return False
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.get(request.get("Bucket"))
    return bucket is not None and request.get("Key") not in bucket.keys


def _of_headers(request: Request, resource: str) -> list[Ask]:
    """What tags, access lists and sources of copies need."""
    found = []
    if request.headers.get("HTTP_X_AMZ_TAGGING"):
        found.append(request.ask("PutObjectTagging", resource))
    if request.headers.get("HTTP_X_AMZ_ACL"):
        name = "PutObjectAcl" if request.get("Key") else "PutBucketAcl"
        found.append(request.ask(name, resource))
    if source := request.headers.get("HTTP_X_AMZ_COPY_SOURCE"):
        path = urllib.parse.unquote(str(source).split("?", 1)[0]).lstrip("/")
        found.append(request.ask("GetObject", f"arn:aws:s3:::{path}"))
    return found


def _tags(request: Request) -> dict[str, str]:
    """The tags in a CreateBucket request's body."""
    body = wsgi.read_body(dict(request.headers)).decode(errors="replace")
    return dict(_TAG.findall(body))
