"""The head of a request, bounded and strict: what can be read in two ways is read in none.

RFC 9112: https://www.rfc-editor.org/rfc/rfc9112
"""

import re
from email.message import Message

from sandbox.aws.bodies import Source

# S3 limits the header section to 8 KB (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPUT.html); a
# key of 1,024 bytes, percent-encoded, and a presigned URL's parameters take as much at most.
LINE_BYTES = 8192
HEADER_BYTES = 8192
HEADERS = 100

_REQUEST_LINE = re.compile(rb"[A-Z]{1,16} /[!-~]* HTTP/1\.[01]")
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*")
_LENGTH = re.compile("[0-9]{1,18}")
_ONCE = ("Host", "Authorization", "Content-Length", "Transfer-Encoding", "X-Amz-Date", "X-Amz-Content-Sha256")


class MalformedError(Exception):
    """The request is no HTTP, or can be read in two ways.

    Args:
        code: The AWS error code.
        message: What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read(source: Source) -> tuple[bytes, bytes] | None:
    """Request line and header section, or None where the client has gone.

    Raises:
        MalformedError: They are too long, or malformed.
    """
    first = source.readline(LINE_BYTES + 1)
    if first in (b"\r\n", b"\n"):  # RFC 9112, 2.2: one empty line before is ignored
        first = source.readline(LINE_BYTES + 1)
    if not first:
        return None
    if len(first) > LINE_BYTES:
        raise MalformedError("RequestHeaderSectionTooLarge", f"the request line has over {LINE_BYTES} bytes")
    if not first.endswith(b"\n"):
        return None
    if not _REQUEST_LINE.fullmatch(first.rstrip(b"\r\n")) or b"#" in first:
        raise MalformedError("BadRequest", "the first line is no request that HTTP 1 has for a path")
    return _read_section(source, first)


def _read_section(source: Source, first: bytes) -> tuple[bytes, bytes] | None:
    section = b""
    for _ in range(HEADERS + 1):
        line = source.readline(HEADER_BYTES + 1 - len(section))
        section += line
        if len(section) > HEADER_BYTES:
            message = f"the headers have over {HEADER_BYTES} bytes"
            raise MalformedError("RequestHeaderSectionTooLarge", message)
        if not line.endswith(b"\n"):
            return None
        if line in (b"\r\n", b"\n"):
            return first, section
        if not _HEADER.fullmatch(line.removesuffix(b"\n").removesuffix(b"\r")):
            raise MalformedError("BadRequest", "a header line cannot be read")
    raise MalformedError("RequestHeaderSectionTooLarge", f"there are over {HEADERS} headers")


def check(headers: Message, version: str) -> None:
    """Make sure that the request's end is where everybody sees it.

    Raises:
        MalformedError: It is not.
    """
    for name in _ONCE:
        if len(headers.get_all(name, [])) > 1:
            raise MalformedError("BadRequest", f"{name} is given twice")
    if "Host" not in headers:
        raise MalformedError("MissingHostHeader", "there is no Host")
    length, coding = headers.get("Content-Length"), headers.get("Transfer-Encoding")
    if length is not None and not _LENGTH.fullmatch(length):
        raise MalformedError("BadRequest", "Content-Length is no number")
    if coding is None:
        return
    if length is not None:
        raise MalformedError("BadRequest", "both Content-Length and Transfer-Encoding are given")
    if coding.lower() != "chunked" or version != "HTTP/1.1":
        raise MalformedError("NotImplemented", "Transfer-Encoding is not chunked")
