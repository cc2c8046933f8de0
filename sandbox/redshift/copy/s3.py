"""Reading S3 as the COPY's role or keys may, with the errors Redshift makes of S3's."""

import datetime as dt
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from xml.etree import ElementTree

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.parts.settings import ROLE_HEADER, Settings
from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import CopyError, s3_error
from sandbox.redshift.copy.s3_requests import BLOCK_BYTES, Answer, Requests, Signer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_T = TypeVar("_T")

__all__ = ["BLOCK_BYTES", "MissingObjectError", "OpenObject", "S3Object", "S3Reader", "parse_address"]


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

    What comes in thousands does not go through boto3 (`s3_requests`). Safe to use from several threads.

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
        signer = Signer(key, secret, authorization.session_token, self._region)
        self._requests = Requests(self._endpoint, signer, self._headers)
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

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._requests.close()

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
        context = f"Listing bucket={prefix.bucket} prefix={prefix.key}"
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix.key}
        found: list[S3Object] = []
        while True:
            page = self._page(f"/{prefix.bucket}", query, context)
            found += [S3Object(prefix.bucket, key, size) for key, size in page.entries]
            if page.next_token is None:
                return found
            query["continuation-token"] = page.next_token

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
        answer = self._get(f"/{address.bucket}/{address.key}", {})
        if answer.status == 200:
            return OpenObject(address, answer)
        code, message = _error_parts(self._body(answer))
        if code == "NoSuchKey":
            raise MissingObjectError(address.url)
        raise _refused(code, message, answer.status, f"S3 key being read : {address.url}")

    def _page(self, path: str, query: dict[str, str], context: str) -> "_Page":
        answer = self._get(path, query)
        body = self._body(answer)
        if answer.status != 200:
            raise _refused(*_error_parts(body), answer.status, context)
        return _Page(body)

    def _get(self, path: str, query: dict[str, str]) -> Answer:
        try:
            return self._requests.get(path, query)
        except OSError as error:
            raise self._unreachable(error) from error

    def _body(self, answer: Answer) -> bytes:
        try:
            return answer.read()
        except OSError as error:
            raise self._unreachable(error) from error

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

    def __init__(self, address: S3Object, answer: Answer) -> None:
        self.address = address
        self.size = answer.length
        self.etag = answer.headers.get("etag", "").strip('"')
        self.last_modified = _utc(answer.headers.get("last-modified"))
        self._answer = answer

    def stream(self) -> Iterator[bytes]:
        """The bytes in blocks of up to 256 KiB.

        Raises:
            CopyError: The connection breaks.
        """
        try:
            yield from self._answer.blocks()
        except OSError as error:
            raise s3_error(f"Reading {self.address.url} broke off: {error}") from error

    def close(self) -> None:
        """Give up reading."""
        self._answer.close()


class _Page:
    """A page of a listing: keys with their sizes, and what leads to the next page."""

    def __init__(self, body: bytes) -> None:
        self.entries: list[tuple[str, int]] = []
        self.next_token: str | None = None
        root = ElementTree.fromstring(body)  # noqa: S314 - the sandbox's own server wrote it
        for element in root:
            name = _local_name(element)
            if name == "Contents":
                told = {_local_name(part): part.text or "" for part in element}
                self.entries.append((urllib.parse.unquote_plus(told["Key"]), int(told["Size"])))
            elif name == "NextContinuationToken":
                self.next_token = element.text


def _local_name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


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
