"""Bodies in the coding aws-chunked, whose chunks may be signed and whose checksum may follow them.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html there.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator

from botocore.auth import UNSIGNED_PAYLOAD

from sandbox.aws.bodies import Source, sized
from sandbox.aws.refusals import RefusalError
from sandbox.aws.wsgi import Environ

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
KINDS = frozenset(
    (
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        UNSIGNED_TRAILER,
    )
)

_LINE_BYTES = 1024
_TRAILERS = 8
_HEADER = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_NOTHING = hashlib.sha256().hexdigest()


class Stream:
    """One body in chunks.

    Args:
        source: The connection.
        kind: What ``x-amz-content-sha256`` says, one of `KINDS`.
        scope: Time and credential scope, the second and third line of what is signed.
        seed: The request's own signature.
        sign: Signs a text with the request's key.
    """

    def __init__(
        self, source: Source, kind: str, scope: tuple[str, str], seed: str, sign: Callable[[str], str]
    ) -> None:
        self._source = source
        self._signed = kind != UNSIGNED_TRAILER
        self._trails = kind.endswith("-TRAILER")
        self._scope = scope
        self._previous = seed
        self._sign = sign
        self.trailers: dict[str, str] = {}

    def blocks(self, announced: str) -> Iterator[bytes]:
        """The content, block by block.

        Args:
            announced: The name of the checksum that follows, from ``x-amz-trailer``.

        Raises:
            RefusalError: The body is malformed, or a signature or the checksum does not match.
        """
        checksum = _Checksum(announced)
        while True:
            size, signature = self._chunk()
            digest = hashlib.sha256()
            for block in sized(self._source, size):
                digest.update(block)
                checksum.update(block)
                yield block
            self._verify(f"PAYLOAD\n{self._place()}\n{_NOTHING}\n{digest.hexdigest()}", signature)
            if size == 0:
                break
            if self._source.readline(2) != b"\r\n":
                raise _malformed("a chunk does not end where it says")
        self._read_trailers()
        checksum.compare(self.trailers)

    def _chunk(self) -> tuple[int, str]:
        line = _HEADER.fullmatch(self._source.readline(_LINE_BYTES))
        if line is None or bool(line[2]) != self._signed:
            raise _malformed("a chunk's first line cannot be read")
        return int(line[1], 16), (line[2] or b"").decode()

    def _place(self) -> str:
        return "\n".join((*self._scope, self._previous))

    def _verify(self, text: str, signature: str) -> None:
        if not self._signed:
            return
        if not hmac.compare_digest(self._sign(f"AWS4-HMAC-SHA256-{text}"), signature):
            raise RefusalError(
                "403 Forbidden",
                "SignatureDoesNotMatch",
                "A chunk's signature does not match.",
            )
        self._previous = signature

    def _read_trailers(self) -> None:
        """The lines after the last chunk, up to an empty one."""
        signed, signature = "", ""
        for _ in range(_TRAILERS):
            line = self._source.readline(_LINE_BYTES).decode("latin-1")
            name, colon, value = line.strip().partition(":")
            if not name:
                break
            if not colon:
                raise _malformed("a trailer cannot be read")
            if name.lower() == "x-amz-trailer-signature":
                signature = value.strip()
            else:
                self.trailers[name.lower()] = value.strip()
                signed += f"{name.lower()}:{value.strip()}\n"
        if self._trails and self._signed:
            digest = hashlib.sha256(signed.encode("latin-1")).hexdigest()
            self._verify(f"TRAILER\n{self._place()}\n{digest}", signature)


class _Checksum:
    """The checksum that a trailer announces, of the kinds that Python can compute."""

    def __init__(self, name: str) -> None:
        self._name = name.lower()
        self._crc = 0
        kind = self._name.removeprefix("x-amz-checksum-")
        self._digest = hashlib.new(kind) if kind in {"sha1", "sha256"} else None

    def update(self, block: bytes) -> None:
        if self._digest is not None:
            self._digest.update(block)
        elif self._name.endswith("-crc32"):
            self._crc = binascii.crc32(block, self._crc)

    def compare(self, trailers: dict[str, str]) -> None:
        if self._name and self._name not in trailers:
            raise _malformed(f"{self._name} was announced and is not there")
        if self._digest is not None:
            found = self._digest.digest()
        elif self._name.endswith("-crc32"):
            found = self._crc.to_bytes(4)
        else:
            return
        if base64.b64encode(found).decode() != trailers[self._name]:
            raise RefusalError(
                "400 Bad Request",
                "BadDigest",
                f"The {self._name} you specified did not match.",
            )


def unwrap(environ: Environ, trailers: dict[str, str]) -> None:
    """Describe the content in place of its coding; the checksum that followed is a header from here on."""
    codings = [coding.strip() for coding in str(environ.get("HTTP_CONTENT_ENCODING", "")).split(",")]
    rest = ",".join(coding for coding in codings if coding and coding != "aws-chunked")
    environ.pop("HTTP_CONTENT_ENCODING", None)
    if rest:
        environ["HTTP_CONTENT_ENCODING"] = rest
    environ.pop("HTTP_X_AMZ_TRAILER", None)
    environ["HTTP_X_AMZ_CONTENT_SHA256"] = UNSIGNED_PAYLOAD
    for name, value in trailers.items():
        if name.startswith("x-amz-checksum-"):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value


def _malformed(what: str) -> RefusalError:
    return RefusalError("400 Bad Request", "IncompleteBody", f"The body's coding aws-chunked: {what}.")
