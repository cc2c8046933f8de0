"""Documents in requests: none that unfolds, none that goes deeper than any of AWS's."""

import re
import urllib.parse
from typing import Any
from xml.parsers import expat

from sandbox.aws import wsgi
from sandbox.aws.refusals import RefusalError
from sandbox.aws.wsgi import Environ

_DEPTH = 32
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY_BYTES = 1024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html


def check(environ: Environ) -> None:
    """Make sure that a request's document, and for S3 its key, can be handed to moto.

    Raises:
        RefusalError: It cannot.
    """
    if environ[wsgi.SERVICE] != "s3":
        if "HTTP_CONTENT_ENCODING" in environ:
            message = "Compressed calls are not served."
            raise RefusalError("415 Unsupported Media Type", "InvalidRequest", message)
        return
    bucket, key = wsgi.bucket_and_key(environ)
    method = environ["REQUEST_METHOD"]
    _check_key(key)
    if method == "PUT" and not key and not environ.get("QUERY_STRING") and not _BUCKET.fullmatch(bucket):
        raise RefusalError("400 Bad Request", "InvalidBucketName", "The specified bucket is not valid.")
    if method == "POST" or (method == "PUT" and _configures(environ)):
        _check_xml(wsgi.read_body(environ))


def _configures(environ: Environ) -> bool:
    """Whether a PUT sets something about a bucket or an object, rather than an object."""
    query = urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    names = {name for name, _ in query if not name.startswith("X-Amz-")} - {"x-id"}
    return not wsgi.bucket_and_key(environ)[1] or bool(names - {"uploadId", "partNumber"})


def _check_key(key: str) -> None:
    """A key has up to 1,024 bytes, and its ``..`` never lead out of the bucket.

    "Object keys containing relative path elements (for example, ../) are valid if, when parsed left-to-right,
    the cumulative count of relative path segments never exceeds the number of non-relative path elements
    encountered": https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    """
    if len(key.encode("utf-8", "surrogatepass")) > _KEY_BYTES:
        raise RefusalError("400 Bad Request", "KeyTooLongError", "Your key is too long")
    depth = 0
    for segment in key.split("/"):
        depth += -1 if segment == ".." else segment not in ("", ".")
        if depth < 0:
            message = f"The key {key[:200]!r} leads out of the bucket: more `..` than folders before them."
            raise RefusalError("400 Bad Request", "InvalidURI", message)


def _check_xml(body: bytes) -> None:
    """Refuse declarations (of entities, which unfold) and depth; what is no XML is moto's to refuse."""
    if not body.strip():
        return
    parser, depth = expat.ParserCreate(), 0

    def refuse(*_: Any) -> None:
        raise RefusalError("400 Bad Request", "MalformedXML", "The XML you provided was not well-formed")

    def start(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            refuse()

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        return
