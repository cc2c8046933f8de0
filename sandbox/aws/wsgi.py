"""The WSGI vocabulary the layers of the AWS API server share."""

import io
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Set by the signature layer for the layers below it: the service name of the request's credential scope.
SERVICE = "sandbox.service"
# Likewise: the access key id the request was signed with.
ACCESS_KEY_ID = "sandbox.access_key_id"


def raw_path(environ: Environ) -> str:
    """The request's path as it came over the wire, still percent-encoded."""
    return str(environ.get("RAW_URI", "/")).split("?", 1)[0] or "/"


def read_body(environ: Environ) -> bytes:
    """The whole body; the layers below can read it again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    chunked = environ.get("wsgi.input_terminated", False)
    body: bytes = environ["wsgi.input"].read(-1 if chunked else length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def bucket_and_key(environ: Environ) -> tuple[str, str]:
    """Bucket and key of a path-style S3 request; both may be empty."""
    bucket, _, key = raw_path(environ).lstrip("/").partition("/")
    return urllib.parse.unquote(bucket), urllib.parse.unquote(key)
