"""Error responses in the form each AWS protocol uses, so that clients raise their usual exceptions."""

import json
import uuid
from xml.sax.saxutils import escape

from sandbox.aws.wsgi import SERVICE, Environ, StartResponse


class RefusalError(Exception):
    """A request that is answered with an AWS error instead of being carried out."""

    def __init__(self, status: str, code: str, message: str) -> None:
        """Keep HTTP status line, AWS error code and message."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def respond(error: RefusalError, environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer with `error` in the protocol the request was made in."""
    content_type, text = _body(error, environ)
    body = text.encode()
    start_response(
        error.status,
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("x-amzn-ErrorType", error.code),
        ],
    )
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _body(error: RefusalError, environ: Environ) -> tuple[str, str]:
    """Content type and text: JSON, EC2's own XML, S3's XML, or the XML of the query services."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return "application/x-amz-json-1.1", json.dumps({"__type": error.code, "message": error.message})
    detail = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    request_id = f"<RequestId>{uuid.uuid4()}</RequestId>"
    match environ.get(SERVICE, "s3"):
        case "s3":
            text = f"<Error>{detail}{request_id}</Error>"
        case "ec2":
            text = f"<Response><Errors><Error>{detail}</Error></Errors>{request_id}</Response>"
        case _:
            text = f"<ErrorResponse><Error>{detail}</Error>{request_id}</ErrorResponse>"
    return "application/xml", '<?xml version="1.0" encoding="UTF-8"?>\n' + text
