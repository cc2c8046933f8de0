"""DeleteObjects, which is answered key by key: what may not be deleted is an error among the others.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

import io
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

import xmltodict  # type: ignore[import-untyped] # there are no stubs for it

from sandbox.aws import wsgi
from sandbox.aws.access import s3
from sandbox.aws.access.policy import Ask
from sandbox.aws.access.request import Request
from sandbox.aws.wsgi import Application, Environ, StartResponse

_END = b"</DeleteResult>"


def carry_out(
    request: Request, reason: Callable[[Ask], str], application: Application, start_response: StartResponse
) -> Iterable[bytes]:
    """Delete what may be deleted, and say of the rest why not.

    Args:
        request: DeleteObjects.
        reason: The message of a refusal; empty where there is none.
        application: The layer below.
        start_response: Of WSGI.
    """
    environ: Environ = dict(request.headers)
    document: Any = xmltodict.parse(wsgi.read_body(environ), force_list=("Object",))
    objects = document["Delete"].get("Object") or []
    keys = [(item["Key"], item.get("VersionId") or "") for item in objects]
    reasons = [next(filter(None, map(reason, s3.deletion(request, *key))), "") for key in keys]
    if not any(reasons):
        return application(environ, start_response)
    errors = "".join(_error(key, why) for key, why in zip(keys, reasons, strict=True) if why)
    document["Delete"]["Object"] = [item for item, why in zip(objects, reasons, strict=True) if not why]
    return _answer(environ, document, errors.encode(), application, start_response)


def _answer(
    environ: Environ,
    document: Any,  # noqa: ANN401 # XML
    errors: bytes,
    application: Application,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """The answer to the rest of the request, with the errors in it."""
    answer: list[Any] = ["200 OK", [("Content-Type", "application/xml")]]
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    body += _END
    if document["Delete"]["Object"]:
        rest = xmltodict.unparse(document).encode()
        environ |= {"wsgi.input": io.BytesIO(rest), "CONTENT_LENGTH": str(len(rest))}
        answer = []
        body = b"".join(application(environ, lambda *arguments: answer.extend(arguments)))
    body = body.replace(b"<DeleteResult/>", b"<DeleteResult>" + _END).replace(_END, errors + _END)
    headers = [(name, value) for name, value in answer[1] if name.lower() != "content-length"]
    start_response(answer[0], [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _error(key: tuple[str, str], message: str) -> str:
    version = f"<VersionId>{escape(key[1])}</VersionId>" if key[1] else ""
    detail = f"<Code>AccessDenied</Code><Message>{escape(message)}</Message>"
    return f"<Error><Key>{escape(key[0])}</Key>{version}{detail}</Error>"
