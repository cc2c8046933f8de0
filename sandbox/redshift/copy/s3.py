"""Reading S3 as the COPY's role or keys may, with the errors Redshift makes of S3's."""

import datetime as dt
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import boto3
import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.parts.settings import ROLE_HEADER, Settings
from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import CopyError, s3_error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_T = TypeVar("_T")

BLOCK_BYTES = 256 * 1024
_RETRIES = urllib3.Retry(total=3, backoff_factor=0.1, status_forcelist=(500, 502, 503, 504))
_TIMEOUT = urllib3.Timeout(connect=5, read=60)


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object's address and, where a listing told it, its size in bytes."""

    bucket: str
    key: str
    size: int | None = None

    @property
    def url(self) -> str:
        """The address as ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


class MissingObjectError(Exception):
    """There is no such object."""


def parse_address(url: str) -> S3Object:
    """The object or prefix that ``s3://bucket/key`` names."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return S3Object(bucket, key)


class S3Reader:
    """Lists and reads objects for one COPY.

    Objects are fetched with signed requests of their own rather than through boto3: thousands of small files
    are common and boto3 spends twice the time on each. Safe to use from several threads.

    Args:
        settings: Where the AWS API server is and whose keys a role stands for.
        authorization: What the COPY says.
        region: REGION of the COPY, or None for the cluster's.
    """

    def __init__(self, settings: Settings, authorization: Authorization, region: str | None) -> None:
        self._region = region or settings.region
        self._endpoint = settings.aws_endpoint_url
        # The sandbox's own key, by which its server believes the header.
        self._headers = {ROLE_HEADER: authorization.iam_role} if authorization.iam_role else {}
        key = authorization.access_key_id or settings.aws_access_key_id
        secret = authorization.secret_access_key or settings.aws_secret_access_key
        self._credentials = Credentials(key, secret, authorization.session_token)
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=self._region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=authorization.session_token,
            config=Config(
                s3={"addressing_style": "path"}, connect_timeout=5, retries={"total_max_attempts": 3}
            ),
        )
        self._client.meta.events.register("before-sign.s3", self._name_role)
        self._pool = urllib3.connection_from_url(
            self._endpoint, maxsize=8, retries=_RETRIES, timeout=_TIMEOUT
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._pool.close()

    def check_region(self, bucket: str) -> None:
        """Make sure that the bucket is where REGION, or else the cluster, is.

        Raises:
            CopyError: It is elsewhere, does not exist or may not be read.
        """
        location = self._call(lambda: self._client.get_bucket_location(Bucket=bucket), f"bucket={bucket}")
        # S3 says nothing at all for its first region.
        home = dict(location)["LocationConstraint"] or "us-east-1"
        if home != self._region:
            raise s3_error(
                "S3ServiceException:The bucket you are attempting to access must be addressed using the "
                "specified endpoint. Please send all future requests to this endpoint.,Status 301,"
                "Error PermanentRedirect",
                context=f"bucket={bucket} is in {home}, COPY reads {self._region}",
                hint=f"Add REGION '{home}' to the COPY.",
            )

    def list_prefix(self, prefix: S3Object) -> list[S3Object]:
        """Every object whose key begins with the prefix's, in the order of keys.

        Raises:
            CopyError: S3 refuses.
        """
        paginator = self._client.get_paginator("list_objects_v2")
        context = f"Listing bucket={prefix.bucket} prefix={prefix.key}"

        def listed() -> list[S3Object]:
            return [
                S3Object(prefix.bucket, entry["Key"], entry["Size"])
                for page in paginator.paginate(Bucket=prefix.bucket, Prefix=prefix.key)
                for entry in page.get("Contents", [])
            ]

        return self._call(listed, context)

    def read(self, address: S3Object, limit: int) -> bytes:
        """A whole small object: a manifest or a jsonpaths file.

        Raises:
            CopyError: It does not exist, may not be read or has more bytes than `limit`.
        """
        try:
            opened = self.open(address)
        except MissingObjectError as error:
            raise missing_key(address) from error
        found = bytearray()
        for block in opened.stream():
            found += block
            if len(found) > limit:
                opened.close()
                raise s3_error(f"{address.url} has more than {limit:,} bytes, the sandbox's limit for it")
        return bytes(found)

    def open(self, address: S3Object) -> "OpenObject":
        """Begin to read an object.

        Raises:
            MissingObjectError: There is none.
            CopyError: It may not be read, or S3 does not answer.
        """
        path = f"/{address.bucket}/{urllib.parse.quote(address.key, safe='/~')}"
        request = AWSRequest("GET", self._endpoint + path)
        S3SigV4Auth(self._credentials, "s3", self._region).add_auth(request)
        headers = {**dict(request.headers.items()), **self._headers}
        try:
            # Of a whole URL urllib3 takes `/../` and `/./` out of the path, which are part of a key for S3.
            response = self._pool.urlopen(
                "GET", path, headers=headers, preload_content=False, decode_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status == 200:
            return OpenObject(address, response)
        code, message = _error_parts(response.read())
        if code == "NoSuchKey":
            raise MissingObjectError(address.url)
        raise _refused(code, message, response.status, f"S3 key being read : {address.url}")

    def _name_role(self, request: AWSRequest, **_: object) -> None:
        for name, value in self._headers.items():
            request.headers[name] = value

    def _call(self, call: Callable[[], _T], context: str) -> _T:
        try:
            return call()
        except ClientError as error:
            parts = error.response
            status = parts.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code, message = parts.get("Error", {}).get("Code", ""), parts.get("Error", {}).get("Message", "")
            raise _refused(code, message, status, context) from error
        except BotoCoreError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> CopyError:
        return s3_error(
            f"S3 does not answer at {self._endpoint}: {error}",
            hint="Is the sandbox's AWS API server up? See `python -m sandbox status`.",
        )


class OpenObject:
    """An object that is being read."""

    def __init__(self, address: S3Object, response: urllib3.BaseHTTPResponse) -> None:
        self.address = address
        self.size = int(response.headers.get("Content-Length", 0))
        self.etag = response.headers.get("ETag", "").strip('"')
        self.last_modified = _utc(response.headers.get("Last-Modified"))
        self._response = response

    def stream(self) -> Iterator[bytes]:
        """The bytes in blocks of up to 256 KiB.

        Raises:
            CopyError: The connection breaks.
        """
        try:
            yield from self._response.stream(BLOCK_BYTES, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise s3_error(f"Reading {self.address.url} broke off: {error}") from error
        finally:
            self._response.release_conn()

    def close(self) -> None:
        """Give up reading."""
        self._response.close()


def _utc(header: str | None) -> dt.datetime | None:
    """The time that an HTTP header tells, in UTC and without a zone, as system views have it."""
    return parsedate_to_datetime(header).astimezone(dt.UTC).replace(tzinfo=None) if header else None


def _error_parts(body: bytes) -> tuple[str, str]:
    text = body.decode(errors="replace")
    code, message = (re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("Code", "Message"))
    return (code[1] if code else "Unknown"), (message[1] if message else text[:200])


def _refused(code: str, message: str, status: int, context: str) -> CopyError:
    return s3_error(f"S3ServiceException:{message},Status {status},Error {code}", context=context)


def missing_key(address: S3Object) -> CopyError:
    """The error for an object that must exist and does not."""
    message = "The specified key does not exist."
    return _refused("NoSuchKey", f"{message} {address.url}", 404, f"S3 key being read : {address.url}")
