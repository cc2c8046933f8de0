"""GET and HEAD of objects, answered from the store's files beside moto, any number at a time.

moto takes one request at a time and some 500 µs for each. What it would answer is told by its keys alone, as
long as nothing but a range is asked for; whatever is more (conditions, versions, parts, archived objects,
policies, other origins), and whatever is not there, goes on to moto. Both answer the same:
`tests/sandbox/aws/test_reads.py`.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends

from sandbox.aws import objects, policies, wsgi
from sandbox.aws.store import Body
from sandbox.aws.wsgi import Application, Environ, StartResponse

_RANGE = re.compile("bytes=([0-9]{1,18})?-([0-9]{1,18})?")
_SLOW = (  # headers that moto has more to say about
    *("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"),
    *("HTTP_ORIGIN", "HTTP_X_AMZ_EXPECTED_BUCKET_OWNER"),
)
# From here on an object is sent block by block.
_LARGE = 256 * 1024


@dataclass(frozen=True)
class Part:
    """The bytes of an object that are asked for: all of them where `is_range` is false."""

    first: int
    size: int
    is_range: bool


class Reads:
    """A WSGI layer before S3, which lets one change through at a time.

    Args:
        application: The layer below.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or hand it down."""
        if environ.get(wsgi.SERVICE) == "s3" and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            answer = self._answer(environ, start_response)
            if answer is not None:
                return answer
        return self._application(environ, start_response)

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
        found = self._find(environ)
        file = _open(*found[1:]) if found else None
        if found is None or file is None:
            return None
        key, _, part = found
        reads = environ["REQUEST_METHOD"] == "GET"
        checked = environ.get("HTTP_X_AMZ_CHECKSUM_MODE") == "ENABLED"
        headers = _headers(key, part, reads=reads, checked=checked)
        start_response("206 Partial Content" if part.is_range else "200 OK", headers)
        if reads and part.size >= _LARGE:
            return objects.stream(file, part.size)
        with file:
            return [file.read(part.size)] if reads else []

    def _find(self, environ: Environ) -> tuple[FakeKey, Body, Part] | None:
        """The object that a plain request is about, its body, and which part of it is asked for."""
        bucket_name, name = wsgi.bucket_and_key(environ)
        bucket = self._backend.buckets.get(bucket_name)
        if not name or bucket is None or not _is_plain(bucket, environ):
            return None
        key = bucket.keys.get(name)
        if not isinstance(key, FakeKey) or key.storage_class in objects.ARCHIVES:
            return None
        body: object = key._value_buffer
        part = _part(environ.get("HTTP_RANGE"), key.size)
        # A body that is not in the store is one that moto is about to take.
        if not isinstance(body, Body) or objects.adopt(body) or part is None:
            return None
        return key, body, part


def _is_plain(bucket: FakeBucket, environ: Environ) -> bool:
    """Whether moto would say nothing about a request but what its key tells."""
    return (
        not any(name in environ for name in _SLOW)
        and objects.is_plain(environ)
        and not bucket.logging
        and not policies.restricts(bucket)
    )


def _part(header: str | None, size: int) -> Part | None:
    """The part of an object that a request asks for; None where it takes moto to say."""
    if not header:
        return Part(0, size, False)
    match = _RANGE.fullmatch(header)
    if match is None or not size:
        return None
    begin, end = (int(text) if text else None for text in match.groups())
    if begin is None:
        return Part(max(size - end, 0), min(end, size), True) if end else None
    last = size - 1 if end is None else min(end, size - 1)
    return Part(begin, last - begin + 1, True) if begin <= last else None


def _open(body: Body, part: Part) -> BinaryIO | None:
    """The body at the first byte asked for; None where another has just taken its place."""
    try:
        file = body.path.open("rb")
    except FileNotFoundError:
        return None
    file.seek(part.first)
    return file


def _headers(key: FakeKey, part: Part, *, reads: bool, checked: bool) -> list[tuple[str, str]]:
    """The headers that moto gives an object, in its spelling; of two with one name the later one counts."""
    told: dict[str, str] = {name: str(value) for name, value in key.response_dict.items()}
    metadata = {name: str(value) for name, value in key.metadata.items()}
    if reads and key.version_id != "null":
        told["x-amz-version-id"] = key.version_id
    whole = part.size == key.size
    if checked and key.checksum_algorithm and key.checksum_value and whole:
        told |= _checksum(key, reads=reads)
    headers = {**told, **metadata} if reads else {**metadata, **told}
    if part.is_range:
        if not whole:
            headers = {
                name: value for name, value in headers.items() if not name.startswith("x-amz-checksum-")
            }
        headers["content-range"] = f"bytes {part.first}-{part.first + part.size - 1}/{key.size}"
    headers["content-length"] = str(part.size)
    headers |= {"Accept-Ranges": "bytes", "x-amzn-requestid": secrets.token_hex(26).upper()}
    headers["Access-Control-Allow-Origin"] = "*"
    return list(headers.items())


def _checksum(key: FakeKey, *, reads: bool) -> dict[str, str]:
    """The checksum that a client asks for with x-amz-checksum-mode."""
    name = f"x-amz-checksum-{str(key.checksum_algorithm).lower()}"
    if not reads:
        return {name: str(key.checksum_value)}
    suffix = f"-{key.checksum_parts}" if key.checksum_type == "COMPOSITE" else ""
    more = {"x-amz-checksum-type": key.checksum_type} if key.checksum_type else {}
    return {name: f"{key.checksum_value}{suffix}", **more}
