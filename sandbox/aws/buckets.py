"""What S3 does for buckets' safety and moto does not: the expected owner, tags from the beginning."""

from collections.abc import Iterable
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped] # there are no stubs for it
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends

from sandbox.aws import wsgi
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Application, Environ, StartResponse


class Buckets:
    """A WSGI layer before S3; the layer above lets one change through at a time.

    Args:
        application: The layer below.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Refuse a request that expects another owner; give a bucket that is made its tags."""
        if environ.get(wsgi.SERVICE) != "s3":
            return self._application(environ, start_response)
        # API reference, x-amz-expected-bucket-owner: any other owner is "403 Forbidden (access denied)".
        if environ.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER", DEFAULT_ACCOUNT_ID) != DEFAULT_ACCOUNT_ID:
            message = "The bucket belongs to another account than x-amz-expected-bucket-owner says."
            return respond(RefusalError("403 Forbidden", "AccessDenied", message), environ, start_response)
        bucket, key = wsgi.bucket_and_key(environ)
        makes = environ["REQUEST_METHOD"] == "PUT" and bucket and not key and not environ.get("QUERY_STRING")
        if not makes or bucket in self._backend.buckets:
            return self._application(environ, start_response)
        try:
            tags = _tags(wsgi.read_body(environ))
        except (AttributeError, ExpatError, KeyError, TypeError):
            message = (
                "The XML you provided was not well-formed or did not validate against our published schema"
            )
            return respond(RefusalError("400 Bad Request", "MalformedXML", message), environ, start_response)
        answer = self._application(environ, start_response)
        if tags and bucket in self._backend.buckets:
            self._backend.put_bucket_tagging(bucket, tags)
        return answer


def _tags(body: bytes) -> dict[str, str]:
    """The tags in a CreateBucket request (API reference, CreateBucketConfiguration)."""
    if not body:
        return {}
    wanted: Any = xmltodict.parse(body, force_list=("Tag",)).get("CreateBucketConfiguration") or {}
    return {tag["Key"]: tag["Value"] or "" for tag in (wanted.get("Tags") or {}).get("Tag", ())}
