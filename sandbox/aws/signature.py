"""Signature Version 4 of incoming requests, recomputed with botocore's own signer.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

import hmac
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage

from botocore.auth import SIGV4_TIMESTAMP, UNSIGNED_PAYLOAD, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws import wsgi
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Application, Environ, StartResponse

_ALGORITHM = "AWS4-HMAC-SHA256"
_FORBIDDEN = "403 Forbidden"


@dataclass(frozen=True)
class Claim:
    """What a request says about its signer."""

    access_key_id: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    query: str
    payload_hash: str | None


class SignatureCheck:
    """A WSGI layer that passes on only requests signed with a known secret.

    Args:
        application: The layer below.
        secret_of: Gives the secret of an access key id, or None where the id is unknown.
    """

    def __init__(self, application: Application, secret_of: Callable[[str], str | None]) -> None:
        self._application = application
        self._secret_of = secret_of

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Check the signature, then hand the request down or answer 403."""
        try:
            self._check(environ)
        except RefusalError as error:
            wsgi.read_body(environ)  # a connection closed with unread data would hide the answer
            return respond(error, environ, start_response)
        return self._application(environ, start_response)

    def _check(self, environ: Environ) -> None:
        claim = _claim(environ)
        environ[wsgi.SERVICE] = claim.service
        environ[wsgi.ACCESS_KEY_ID] = claim.access_key_id
        secret = self._secret_of(claim.access_key_id)
        if secret is None:
            raise RefusalError(
                _FORBIDDEN,
                "InvalidAccessKeyId" if claim.service == "s3" else "InvalidClientTokenId",
                f"The AWS access key id {claim.access_key_id} is not this sandbox's. "
                'Take it from the environment: eval "$(python -m sandbox env)".',
            )
        if not hmac.compare_digest(_signature(environ, claim, secret), claim.signature):
            raise RefusalError(
                _FORBIDDEN,
                "SignatureDoesNotMatch",
                "The request's signature does not match: the AWS secret access key is not this sandbox's. "
                'Take it from the environment: eval "$(python -m sandbox env)".',
            )


def _claim(environ: Environ) -> Claim:
    query = str(environ.get("QUERY_STRING", ""))
    try:
        if "HTTP_AUTHORIZATION" in environ:
            return _claim_of_header(environ, query)
        if "X-Amz-Signature=" in query:
            return _claim_of_query(query)
    except (KeyError, ValueError) as error:
        raise RefusalError(
            "400 Bad Request", "AuthorizationHeaderMalformed", f"The signature cannot be read: {error}."
        ) from error
    raise RefusalError(
        _FORBIDDEN,
        "AccessDenied",
        "The request carries no Signature Version 4; the sandbox serves nobody anonymously.",
    )


def _claim_of_header(environ: Environ, query: str) -> Claim:
    algorithm, _, rest = environ["HTTP_AUTHORIZATION"].partition(" ")
    if algorithm != _ALGORITHM:
        raise ValueError(f"{algorithm} is not {_ALGORITHM}")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    access_key_id, _, region, service, _ = fields["Credential"].split("/")
    return Claim(
        access_key_id=access_key_id,
        region=region,
        service=service.lower(),
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        timestamp=environ["HTTP_X_AMZ_DATE"],
        query=query,
        payload_hash=environ.get("HTTP_X_AMZ_CONTENT_SHA256"),
    )


def _claim_of_query(query: str) -> Claim:
    """The claim of a presigned URL, unless it has expired."""
    fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    access_key_id, _, region, service, _ = fields["X-Amz-Credential"].split("/")
    signed_at = datetime.strptime(fields["X-Amz-Date"], SIGV4_TIMESTAMP).replace(tzinfo=UTC)
    if datetime.now(UTC) > signed_at + timedelta(seconds=int(fields["X-Amz-Expires"])):
        raise RefusalError(_FORBIDDEN, "AccessDenied", "Request has expired")
    unsigned = [part for part in query.split("&") if not part.startswith("X-Amz-Signature=")]
    return Claim(
        access_key_id=access_key_id,
        region=region,
        service=service.lower(),
        signed_headers=tuple(fields["X-Amz-SignedHeaders"].split(";")),
        signature=fields["X-Amz-Signature"],
        timestamp=fields["X-Amz-Date"],
        query="&".join(unsigned),
        payload_hash=UNSIGNED_PAYLOAD,
    )


def _signature(environ: Environ, claim: Claim, secret: str) -> str:
    """The signature the request should carry."""
    query = f"?{claim.query}" if claim.query else ""
    request = AWSRequest(
        method=environ["REQUEST_METHOD"],
        url=f"http://{environ['HTTP_HOST']}{wsgi.raw_path(environ)}{query}",
        headers={name: _header(environ, name) for name in claim.signed_headers},
        data=b"" if claim.payload_hash else wsgi.read_body(environ),
    )
    if claim.payload_hash:
        request.headers["X-Amz-Content-SHA256"] = claim.payload_hash
    request.context["timestamp"] = claim.timestamp
    signer = _signer(claim, secret)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


def _header(environ: Environ, name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}", ""))


def _signer(claim: Claim, secret: str) -> SigV4Auth:
    kind = _S3Signer if claim.service == "s3" else _Signer
    return kind(claim.signed_headers, Credentials(claim.access_key_id, secret), claim.service, claim.region)


class _Signer(SigV4Auth):
    """botocore's signer, signing the headers the client chose instead of those botocore would."""

    def __init__(self, names: tuple[str, ...], credentials: Credentials, service: str, region: str) -> None:
        super().__init__(credentials, service, region)
        self._names = names

    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        """The signed headers, by their lower-case names."""
        chosen = HTTPMessage()
        for name in self._names:
            chosen[name] = request.headers[name]
        return chosen


class _S3Signer(_Signer, S3SigV4Auth):
    """The same for S3, which leaves the path as it is."""
