"""Documents in requests: none that unfolds, none that goes deeper than any of AWS's."""

import contextlib
import json
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
_PARAMETERS = 5000  # of a form; the longest calls of boto3 have some hundred
_INTEGER = 2**31 - 1
# S3's numbers, and the highest each may be (API reference: ListObjectsV2, ListParts, UploadPart).
_NUMBERS = {
    **dict.fromkeys(("max-keys", "max-uploads", "max-parts", "part-number-marker"), _INTEGER),
    "partNumber": 10_000,
}
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
        if "HTTP_X_AMZ_TARGET" not in environ and wsgi.read_body(environ).count(b"&") > _PARAMETERS:
            message = f"A call has up to {_PARAMETERS} parameters."
            raise RefusalError("400 Bad Request", "MalformedQueryString", message)
        return
    bucket, key = wsgi.bucket_and_key(environ)
    method = environ["REQUEST_METHOD"]
    _check_key(key)
    _check_numbers(str(environ.get("QUERY_STRING", "")))
    if method == "PUT" and not key and not environ.get("QUERY_STRING") and not _BUCKET.fullmatch(bucket):
        raise RefusalError("400 Bad Request", "InvalidBucketName", "The specified bucket is not valid.")
    if method == "PUT" and not key and _names(environ) == {"policy"}:
        _check_policy(wsgi.read_body(environ))
    elif method == "POST" or (method == "PUT" and _configures(environ)):
        root = _check_xml(wsgi.read_body(environ))
        if method == "POST" and "uploadId" in _names(environ) and root != "CompleteMultipartUpload":
            raise _malformed()  # moto would take whatever it is for a list of no parts


def _configures(environ: Environ) -> bool:
    """Whether a PUT sets something about a bucket or an object, rather than an object."""
    return not wsgi.bucket_and_key(environ)[1] or bool(_names(environ) - {"uploadId", "partNumber"})


def _names(environ: Environ) -> set[str]:
    """The names of the query's parameters, but for those of signatures."""
    query = urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return {name for name, _ in query if not name.startswith("X-Amz-")} - {"x-id"}


def _check_numbers(query: str) -> None:
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        highest = _NUMBERS.get(name)
        if highest is None or (re.fullmatch("[0-9]{1,10}", value) and int(value) <= highest):
            continue
        message = f"Provided {name} not an integer or within integer range: {value[:50]!r}"
        raise RefusalError("400 Bad Request", "InvalidArgument", message)


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


def _check_policy(body: bytes) -> None:
    """A policy's statements are read with every later request for the bucket.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
    """
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    found = document.get("Statement") if isinstance(document, dict) else None
    for statement in found if isinstance(found, list) else [found]:
        if (
            not isinstance(statement, dict)
            or statement.get("Effect") not in {"Allow", "Deny"}
            or not all(_are_texts(statement.get(name, "")) for name in ("Action", "Resource"))
        ):
            message = "The policy is no JSON object with a Statement, or one of these has no Effect."
            raise RefusalError("400 Bad Request", "MalformedPolicy", message)


def _are_texts(value: object) -> bool:
    return all(isinstance(text, str) for text in (value if isinstance(value, list) else [value]))


def _check_xml(body: bytes) -> str:
    """The root's name; declarations (of entities, which unfold) and depth are refused.

    What is no XML is moto's to refuse.
    """
    parser, depth, root = expat.ParserCreate(), 0, ""

    def refuse(*_: Any) -> None:
        raise _malformed()

    def start(name: str, _: object) -> None:
        nonlocal depth, root
        root = root or name
        depth += 1
        if depth > _DEPTH:
            refuse()

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    with contextlib.suppress(expat.ExpatError):
        parser.Parse(body, True)
    return root


def _malformed() -> RefusalError:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return RefusalError("400 Bad Request", "MalformedXML", message)
