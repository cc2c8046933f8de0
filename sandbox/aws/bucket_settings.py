"""A bucket's settings, kept as the requests that made them: whatever moto knows of them, it is told again."""

import io
import logging
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.aws import wsgi
from sandbox.aws.bodies import Body
from sandbox.aws.store import ObjectStore, Setting
from sandbox.aws.wsgi import Application, Environ

_METHODS = {"PUT", "DELETE"}
# What a setting's request says in its headers (API reference: PutBucketAcl, CreateBucket).
_HEADERS = (
    "HTTP_X_AMZ_ACL",
    "HTTP_X_AMZ_GRANT_",
    "HTTP_X_AMZ_OBJECT_OWNERSHIP",
    "HTTP_X_AMZ_BUCKET_OBJECT_LOCK",
)

log = logging.getLogger("sandbox.aws")


def keep(store: ObjectStore, environ: Environ, *, new: bool) -> None:
    """Keep a request that was carried out, if it made one of its bucket's settings.

    Args:
        store: Where to.
        environ: The request.
        new: Whether the store did not know the bucket before.
    """
    bucket, key = wsgi.bucket_and_key(environ)
    query = _query(environ)
    # Without a query a PUT makes the bucket, the first time.
    if environ["REQUEST_METHOD"] not in _METHODS or not bucket or key or not (query or new):
        return
    headers = {name: str(value) for name, value in environ.items() if name.startswith(_HEADERS)}
    body: Body = environ[wsgi.BODY]
    body.file.seek(0)
    store.put_setting(bucket, Setting(query, str(environ["REQUEST_METHOD"]), headers, body.file.read()))


def restore(store: ObjectStore, application: Application, make: Callable[[str, str], object]) -> None:
    """Make all buckets and settings again, in the order in which they were made.

    Args:
        store: Where they are.
        application: Carries out requests.
        make: Makes a bucket of a name in a region, where no request has made it.
    """
    settings = store.settings()
    requested = {bucket for bucket, setting in settings if not setting.query}
    for bucket in store.buckets():
        if bucket.name not in requested:
            make(bucket.name, bucket.region)
    for name, setting in settings:
        status = _repeat(application, name, setting)
        if not status.startswith("2"):
            log.error("Bucket %s: %s ?%s is lost: %s", name, setting.method, setting.query, status)


def _query(environ: Environ) -> str:
    """The query without what signatures and SDKs add."""
    pairs = urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return urllib.parse.urlencode(
        sorted(pair for pair in pairs if pair[0] != "x-id" and pair[0][:6] != "X-Amz-")
    )


def _repeat(application: Application, bucket: str, setting: Setting) -> str:
    """The status that a setting's request is answered with."""
    answer: list[Any] = []
    environ: Environ = {
        **setting.headers,
        "REQUEST_METHOD": setting.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": f"/{bucket}",
        "RAW_URI": f"/{bucket}?{setting.query}",
        "QUERY_STRING": setting.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(setting.body)),
        "wsgi.input": io.BytesIO(setting.body),
        "wsgi.url_scheme": "http",
        "wsgi.input_terminated": True,
        wsgi.SERVICE: "s3",
    }
    body: Iterable[bytes] = application(environ, lambda *arguments: answer.extend(arguments))
    list(body)
    return str(answer[0])
