"""Objects that are too large for memory: moto gets to know them, and their bodies stay on disk.

moto copies a body at least twice, and a GetObject of a part of it once more. So what is large is put
into moto's keys as a file, and read past it.
"""

import contextlib
import functools
import io
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO

from moto.s3 import models
from moto.s3.models import FakeKey
from moto.utilities.tagging_service import TaggingService

from sandbox.aws import bodies, wsgi
from sandbox.aws.store import Body
from sandbox.aws.wsgi import Environ

# The body of the object, or the part, that moto is about to make.
_ARRIVED: ContextVar[bodies.Body | None] = ContextVar("arrived", default=None)

# What is in one of these is read when moto says so.
ARCHIVES = frozenset(("GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"))

_BLOCK = 256 * 1024
_OWN = {"uploadId", "partNumber", "x-id"}


class Upload(Body):
    """A body that came with a request: it goes with its key, unless the store adopts it."""

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


_make = FakeKey.__init__
_tag_resource = TaggingService.tag_resource


def install() -> None:
    """Let moto's keys take the body that has arrived."""
    FakeKey.__init__ = _init  # type: ignore[method-assign,assignment]
    FakeKey.__deepcopy__ = _copy  # type: ignore[attr-defined]
    TaggingService.tag_resource = _tag  # type: ignore[method-assign,assignment]
    # Lists of grants are replaced and never changed: one serves all objects, each of which has a KB less.
    models.get_canned_acl = functools.cache(models.get_canned_acl)


def _init(key: FakeKey, *arguments: Any, **options: Any) -> None:
    """In place of FakeKey.__init__: the body that has arrived is put in the place of the empty one."""
    _make(key, *arguments, **options)
    arrived = _ARRIVED.get()
    path = arrived.take() if arrived else None
    if arrived is None or path is None:
        return
    _ARRIVED.set(None)
    key._value_buffer.close()
    vars(key)["_value_buffer"] = Upload(path)
    key.contentsize = arrived.size
    key._etag = key._etag or arrived.md5


def _tag(service: TaggingService, arn: str, tags: list[dict[str, str]] | None) -> None:
    """In place of TaggingService.tag_resource: without tags there is nothing to keep of an object."""
    if tags:
        _tag_resource(service, arn, tags)


def _copy(key: FakeKey, _: object) -> FakeKey:
    """A key that a list of versions may write to; moto would copy all bodies of the bucket for it."""
    copied: FakeKey = object.__new__(FakeKey)
    vars(copied).update(vars(key), _value_buffer=io.BytesIO(), multipart=None, disposed=True)
    return copied


@contextlib.contextmanager
def arriving() -> Iterator[None]:
    """While this lasts, `arrive` may leave a body; one that no key has taken in the end is removed."""
    token = _ARRIVED.set(None)
    try:
        yield
    finally:
        if left := _ARRIVED.get():
            left.discard()
        _ARRIVED.reset(token)


def arrive(body: bodies.Body) -> None:
    """Leave a body to the next key that moto makes in this thread."""
    _ARRIVED.set(body)


def put(environ: Environ, application: Callable[[], Iterable[bytes]]) -> Iterable[bytes]:
    """Carry a request out whose large body, if it has one, moto shall not see."""
    body: bodies.Body = environ[wsgi.BODY]
    if body.path is None or not _puts(environ):
        return application()
    environ.update({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
    token = _ARRIVED.set(body)
    try:
        return application()
    finally:
        _ARRIVED.reset(token)


def is_plain_get(environ: Environ) -> bool:
    """Whether a request asks for an object's body and nothing that moto answers to GET alone."""
    return environ["REQUEST_METHOD"] == "GET" and _parameters(environ) <= {"x-id", "versionId"}


def is_plain(environ: Environ) -> bool:
    """Whether a request names nothing but an object."""
    return _parameters(environ) <= {"x-id"}


def open_part(key: FakeKey, content_range: str | None) -> tuple[BinaryIO, int] | None:
    """An object's file at the first byte asked for, and how many follow; None where it is in memory."""
    body: object = key._value_buffer
    if not isinstance(body, Body):
        return None
    first, last = 0, key.size - 1
    if content_range:
        first, last = (int(text) for text in content_range.removeprefix("bytes ").split("/")[0].split("-"))
    file = body.path.open("rb")
    file.seek(first)
    return file, last - first + 1


def stream(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The next bytes of a file, which is closed then."""
    with file:
        while size > 0 and (block := file.read(min(size, _BLOCK))):
            size -= len(block)
            yield block


def adopt(body: object) -> Path | None:
    """The file of a body that came with a request."""
    return body.path if isinstance(body, Upload) else None


def _puts(environ: Environ) -> bool:
    """Whether a request puts an object or a part, with a checksum that moto need not compute."""
    algorithm = wsgi.header(environ, "x-amz-sdk-checksum-algorithm")
    return (
        environ["REQUEST_METHOD"] == "PUT"
        and _parameters(environ) <= _OWN
        and "HTTP_X_AMZ_COPY_SOURCE" not in environ
        and (algorithm is None or wsgi.header(environ, f"x-amz-checksum-{algorithm.lower()}") is not None)
    )


def _parameters(environ: Environ) -> set[str]:
    if not environ.get("QUERY_STRING"):
        return set()
    query = urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return {name for name, _ in query if not name.startswith("X-Amz-")}
