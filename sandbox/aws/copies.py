"""Objects that are made of what is stored already: their bytes go from file to file, never through memory.

moto joins the parts of an upload, and copies an object, in memory, several times over: 571 MB took 800 MB.
The layer above lets one change through at a time.
"""

import base64
import binascii
import contextlib
import hashlib
import io
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML
from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.utils import compute_checksum

from sandbox.aws import bodies, objects
from sandbox.aws.store import Body

_BLOCK = 1024 * 1024
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: all parts but the last
_PART_BYTES = 5 * 1024 * 1024

_complete_in_memory = FakeMultipart.complete
_complete_upload = S3Backend.complete_multipart_upload
_copy = S3Backend.copy_object
_copy_part = S3Backend.upload_part_copy


def install() -> None:
    """Let moto join and copy files where they are large."""
    FakeMultipart.complete = _complete  # type: ignore[method-assign,assignment]
    S3Backend.complete_multipart_upload = _with_file(_complete_upload)  # type: ignore[method-assign]
    S3Backend.copy_object = _with_file(_copy_object)  # type: ignore[method-assign]
    S3Backend.upload_part_copy = _with_file(_upload_part_copy)  # type: ignore[method-assign]


def _with_file(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which may leave a file to the next key that moto makes; one that none takes is removed."""

    def call(backend: S3Backend, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - moto's
        with objects.arriving():
            return method(backend, *arguments, **options)

    return call


def _complete(upload: FakeMultipart, body: Iterator[tuple[int, str]]) -> Any:  # noqa: ANN401 - as moto's
    """In place of FakeMultipart.complete: the whole is left to the key as a file."""
    named = list(body)
    parts = _checked(upload, named)
    if sum(part.size for part in parts) <= bodies.MEMORY_BYTES:
        return _complete_in_memory(upload, iter(named))
    folder = next(part._value_buffer.path.parent for part in parts if isinstance(part._value_buffer, Body))
    checksum = _Checksum(upload.metadata)
    with _new_file(folder) as (file, path):
        for part in parts:
            part._value_buffer.seek(0)
            while block := part._value_buffer.read(_BLOCK):
                file.write(block)
                checksum.update(block)
            checksum.end_part()
        objects.arrive(bodies.Body(io.BytesIO(), path, file.tell(), "", ""))
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = hashlib.md5(digests, usedforsecurity=False).hexdigest()
    return b"", f"{etag}-{len(parts)}", checksum.value()


def _checked(upload: FakeMultipart, named: list[tuple[int, str]]) -> list[FakeKey]:
    """The parts that a request names, refused as moto refuses them."""
    parts: list[FakeKey] = []
    for number, etag in named:
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.replace('"', ""):
            raise InvalidPart
        if parts and parts[-1].size < _PART_BYTES:
            raise EntityTooSmall
        parts.append(part)
    if not parts:
        raise MalformedXML
    return parts


def _copy_object(
    backend: S3Backend, src_key: FakeKey, dest_bucket_name: str, dest_key_name: str, **options: Any
) -> None:
    """In place of S3Backend.copy_object: the copy of a large stored body is another name of its file."""
    body: Any = src_key._value_buffer
    is_large = isinstance(body, Body) and src_key.size > bodies.MEMORY_BYTES
    if is_large:
        objects.arrive(_another_name(src_key, body))
        vars(src_key)["_value_buffer"] = io.BytesIO()  # moto copies nothing
    try:
        _copy(backend, src_key, dest_bucket_name, dest_key_name, **options)
    finally:
        if is_large:
            vars(src_key)["_value_buffer"] = body
    if src_key.checksum_type == "COMPOSITE":
        # A checksum of parts is none of an object in one part; moto takes it for that.
        new = backend.get_bucket(dest_bucket_name).keys[dest_key_name]
        new.checksum_value = new.checksum_algorithm = None


def _another_name(key: FakeKey, body: Body) -> bodies.Body:
    """A stored body as one that has arrived."""
    path = body.path.with_name(uuid.uuid4().hex)
    try:
        os.link(body.path, path)  # a body is never changed
    except OSError:  # a file system without links
        shutil.copyfile(body.path, path)
    whole = key.etag.strip('"')
    return bodies.Body(io.BytesIO(), path, key.size, _md5(path) if "-" in whole else whole, "")


def _upload_part_copy(  # noqa: PLR0917 # as moto's
    backend: S3Backend,
    dest_bucket_name: str,
    multipart_id: str,
    part_id: int,
    src_bucket_name: str,
    src_key_name: str,
    src_version_id: str | None,
    start_byte: int | None,
    end_byte: int | None,
) -> FakeKey:
    """In place of S3Backend.upload_part_copy: only what is asked for is read."""
    source = backend.get_object(src_bucket_name, src_key_name, version_id=src_version_id)
    body: Any = getattr(source, "_value_buffer", None)
    first = start_byte or 0
    size = min(source.size if end_byte is None else end_byte + 1, source.size) - first if source else 0
    if not isinstance(body, Body) or size <= bodies.MEMORY_BYTES:
        names = (dest_bucket_name, multipart_id, part_id, src_bucket_name, src_key_name, src_version_id)
        return _copy_part(backend, *names, start_byte, end_byte)  # type: ignore[arg-type]
    md5 = hashlib.md5(usedforsecurity=False)
    with _new_file(body.path.parent) as (file, path), body.path.open("rb") as stored:
        stored.seek(first)
        for block in bodies.sized(stored, size):
            file.write(block)
            md5.update(block)
        objects.arrive(bodies.Body(io.BytesIO(), path, size, md5.hexdigest(), ""))
    return backend.get_bucket(dest_bucket_name).multiparts[multipart_id].set_part(part_id, b"")


@contextlib.contextmanager
def _new_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file of a folder that is swept when the server starts; removed where it is not finished."""
    path = folder / uuid.uuid4().hex
    try:
        with path.open("wb") as file:
            yield file, path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


class _Checksum:
    """What moto's MultipartChecksumBuilder computes, without keeping the bytes.

    As there, CRC32 stands for what Python cannot compute.

    Args:
        metadata: The upload's.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._algorithm = metadata.get("x-amz-checksum-algorithm") or "CRC64NVME"
        kind = "FULL_OBJECT" if self._algorithm == "CRC64NVME" else "COMPOSITE"
        self._kind = metadata.get("x-amz-checksum-type") or kind
        self._of_parts: list[bytes] = []
        self._crc = 0
        self._digest = self._new_digest()

    def update(self, block: bytes) -> None:
        """Go on with the part."""
        if self._digest is None:
            self._crc = binascii.crc32(block, self._crc)
        else:
            self._digest.update(block)

    def end_part(self) -> None:
        """The part has ended."""
        if self._kind == "COMPOSITE":
            self._of_parts.append(self._found())
            self._crc, self._digest = 0, self._new_digest()

    def value(self) -> tuple[str, str, int]:
        """Its kind, the checksum, and of how many."""
        if self._kind == "COMPOSITE":
            found = compute_checksum(b"".join(self._of_parts), self._algorithm).decode()
            return self._kind, found, len(self._of_parts)
        return self._kind, base64.b64encode(self._found()).decode(), 1

    def _new_digest(self) -> Any:  # noqa: ANN401 # hashlib names no type
        names = {"SHA1": "sha1", "CRC32": None, "CRC32C": None, "CRC64NVME": None}
        name = names.get(self._algorithm, "sha256")
        return hashlib.new(name, usedforsecurity=False) if name else None

    def _found(self) -> bytes:
        return self._crc.to_bytes(4) if self._digest is None else bytes(self._digest.digest())
