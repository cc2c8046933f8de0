"""The WSGI vocabulary the layers of the AWS API server share."""

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
# Likewise: the region of the credential scope.
REGION = "sandbox.region"
# Likewise: the body as it arrived, a `bodies.Body`. Before, nothing of the body has been read.
BODY = "sandbox.body"
# Set by the request handler: what tells it that the client has shown a good signature.
TRUST = "sandbox.trust"


def raw_path(environ: Environ) -> str:
    """The request's path as it came over the wire, still percent-encoded."""
    return str(environ.get("RAW_URI", "/")).split("?", 1)[0] or "/"


def read_body(environ: Environ) -> bytes:
    """The whole body of a request whose signature was checked; the layers below can read it again."""
    body: bytes = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    return body


def header(environ: Environ, name: str) -> str | None:
    """A request header by its lower-case name."""
    key = name.upper().replace("-", "_")
    value = environ.get(key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}")
    return None if value is None else str(value)


def bucket_and_key(environ: Environ) -> tuple[str, str]:
    """Bucket and key of a path-style S3 request; both may be empty."""
    bucket, _, key = raw_path(environ).lstrip("/").partition("/")
    return urllib.parse.unquote(bucket), urllib.parse.unquote(key)
