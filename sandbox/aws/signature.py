"""Signature Version 4 of incoming requests, recomputed with botocore's own signer before a body is kept.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

import base64
import functools
import hmac
import io
import urllib.parse
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPMessage

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws import bodies, claims, faults, old_signature, streams, wsgi
from sandbox.aws.bodies import Body, Intake, Source
from sandbox.aws.claims import BAD, FORBIDDEN, Claim
from sandbox.aws.old_signature import OldSigning
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Application, Environ, StartResponse

_WAY_OUT = 'Take it from the environment: eval "$(python -m sandbox env)".'
# S3's requests that carry an object have at most these parameters; all others carry a document.
_OBJECT_PARAMETERS = {"uploadId", "partNumber", "x-id"}


@dataclass(frozen=True)
class Secret:
    """What belongs to an access key id: temporary keys come with a token and end at a time."""

    key: str
    token: str | None = None
    expiration: datetime | None = None


class SignatureCheck:
    """A WSGI layer that passes on only requests signed with a known secret, with the body that was signed.

    Where a request names the hash of its body, as S3's do, nothing of the body is read before the signature
    was found good; elsewhere at most `bodies.CALL_BYTES`.

    Args:
        application: The layer below.
        secret_of: Gives the secret of an access key id, or None where the id is unknown.
        services: The services that are served.
        intake: Takes the bodies.
    """

    def __init__(
        self,
        application: Application,
        secret_of: Callable[[str], Secret | None],
        services: Collection[str],
        intake: Intake,
    ) -> None:
        self._application = application
        self._secret_of = secret_of
        self._services = services
        self._intake = intake

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Check the signature, then hand the request down or refuse it."""
        try:
            body = self._admit(environ)
        except RefusalError as error:
            return respond(error, environ, start_response)
        try:
            return self._application(environ, start_response)
        finally:
            body.discard()

    def _admit(self, environ: Environ) -> Body:
        claim = claims.read(environ)
        environ[wsgi.SERVICE] = claim.service
        environ[wsgi.ACCESS_KEY_ID] = claim.access_key_id
        environ[wsgi.REGION] = claim.region
        now = datetime.now(UTC)
        if claim.service not in self._services:
            served = ", ".join(sorted(self._services))
            message = f"The sandbox serves {served}; the request is signed for {claim.service[:100]!r}."
            raise RefusalError(FORBIDDEN, "AccessDenied", message)
        if wsgi.raw_path(environ).startswith(faults.PREFIX) and claim.service != faults.ADMIN_SERVICE:
            raise RefusalError(FORBIDDEN, "AccessDenied", faults.OWNERS_ONLY)
        secret = self._secret(claim, now)
        claims.check(claim, environ, now)
        body = self._receive(claim, secret, environ)
        environ.update({wsgi.BODY: body, "wsgi.input": body.file, "wsgi.input_terminated": True})
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(body.size)
        return body

    def _secret(self, claim: Claim, now: datetime) -> str:
        secret = self._secret_of(claim.access_key_id)
        if secret is None:
            code = "InvalidAccessKeyId" if claim.service == "s3" else "InvalidClientTokenId"
            message = f"The AWS access key id {claim.access_key_id} is not this sandbox's. {_WAY_OUT}"
            raise RefusalError(FORBIDDEN, code, message)
        if secret.token is not None and not hmac.compare_digest(
            secret.token.encode(), (claim.token or "").encode("utf-8", "replace")
        ):
            code = "InvalidToken" if claim.service == "s3" else "InvalidClientTokenId"
            message = "The session token of the temporary key is missing or is not the one that came with it."
            raise RefusalError(FORBIDDEN, code, message)
        if secret.expiration is not None and now > secret.expiration:
            code = "ExpiredToken" if claim.service == "s3" else "ExpiredTokenException"
            raise RefusalError(FORBIDDEN, code, "The temporary key has expired.")
        return secret.key

    def _receive(self, claim: Claim, secret: str, environ: Environ) -> Body:
        """The body, of which nothing is kept before the signature is known to be good."""
        if claim.is_old:
            return self._receive_old(claim, secret, environ)
        signer = _Signing(claim, secret, environ)
        if claim.payload_hash is None:
            body = self._keep(environ, bodies.CALL_BYTES)
            try:
                signer.verify(body.sha256)
            except RefusalError:
                body.discard()
                raise
            environ.get(wsgi.TRUST, _nobody)()
            return body
        signer.verify(claim.payload_hash)
        environ.get(wsgi.TRUST, _nobody)()
        if claim.payload_hash in streams.KINDS:
            return self._unchunk(claim, signer, environ)
        return self._keep_signed(claim, environ)

    def _receive_old(self, claim: Claim, secret: str, environ: Environ) -> Body:
        """The body of a request by a presigned URL of Signature Version 2, which no hash is signed of."""
        OldSigning(claim, secret, environ).verify()
        environ.get(wsgi.TRUST, _nobody)()
        old_signature.unwrap(environ, claim)
        return self._keep_signed(claim, environ)

    def _keep_signed(self, claim: Claim, environ: Environ) -> Body:
        body = self._keep(environ, _limit(claim, environ))
        try:
            _compare(body, claim, environ)
        except RefusalError:
            body.discard()
            raise
        return body

    def _keep(self, environ: Environ, limit: int) -> Body:
        if "HTTP_TRANSFER_ENCODING" in environ:
            message = "A header you provided implies functionality that is not implemented: Transfer-Encoding"
            raise RefusalError("501 Not Implemented", "NotImplemented", message)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        return self._intake.receive(bodies.sized(environ["wsgi.input"], length), length, limit)

    def _unchunk(self, claim: Claim, signer: "_Signing", environ: Environ) -> Body:
        """The content of a body in the coding aws-chunked."""
        announced = wsgi.header(environ, "x-amz-decoded-content-length") or ""
        if not (announced.isascii() and announced.isdecimal()):
            message = "You must provide the x-amz-decoded-content-length HTTP header."
            raise RefusalError("411 Length Required", "MissingContentLength", message)
        source = _source(environ)
        stream = streams.Stream(
            source, str(claim.payload_hash), (claim.timestamp, claim.scope), claim.signature, signer.sign
        )
        blocks = stream.blocks(wsgi.header(environ, "x-amz-trailer") or "")
        try:
            body = self._intake.receive(blocks, int(announced), _limit(claim, environ))
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) is not None or isinstance(error, ConnectionError):
                raise
            raise RefusalError(BAD, "IncompleteBody", f"The body's chunks cannot be read: {error}") from error
        if body.size != int(announced) or source.read(1):
            body.discard()
            message = "The body's length is not what x-amz-decoded-content-length or Content-Length says."
            raise RefusalError(BAD, "IncompleteBody", message)
        streams.unwrap(environ, stream.trailers)
        return body


def _compare(body: Body, claim: Claim, environ: Environ) -> None:
    """Make sure that a body is the one that was signed, and that its Content-MD5 names."""
    if claim.hash_is_of_body and body.sha256 != claim.payload_hash:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise RefusalError(BAD, "XAmzContentSHA256Mismatch", message)
    digest = wsgi.header(environ, "content-md5")
    if digest is not None and base64.b64encode(bytes.fromhex(body.md5)).decode() != digest:
        raise RefusalError(BAD, "BadDigest", "The Content-MD5 you specified did not match what was received.")


def _source(environ: Environ) -> Source:
    """The body as it comes, up to the end that HTTP gives it."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return io.BufferedReader(environ["wsgi.input"])
    return bodies.Limited(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0))


def _limit(claim: Claim, environ: Environ) -> int:
    """How many bytes the body of a request may have."""
    if claim.service != "s3":
        return bodies.CALL_BYTES
    names = {name for name, _ in urllib.parse.parse_qsl(claim.query, keep_blank_values=True)}
    names = {name for name in names if not name.startswith("X-Amz-")}
    carries = environ["REQUEST_METHOD"] == "PUT" and wsgi.bucket_and_key(environ)[1]
    return bodies.OBJECT_BYTES if carries and names <= _OBJECT_PARAMETERS else bodies.DOCUMENT_BYTES


def _nobody() -> None:
    """Where no connection waits for trust."""


class _Signing:
    """The signatures that belong to a request whose sender has the secret."""

    def __init__(self, claim: Claim, secret: str, environ: Environ) -> None:
        query = f"?{claim.query}" if claim.query else ""
        self._claim = claim
        self._request = AWSRequest(
            method=environ["REQUEST_METHOD"],
            url=f"http://{environ['HTTP_HOST']}{wsgi.raw_path(environ)}{query}",
            headers={name: wsgi.header(environ, name) or "" for name in claim.signed_headers},
        )
        self._request.context["timestamp"] = claim.timestamp
        kind = _S3Signer if claim.service == "s3" else _Signer
        credentials = Credentials(claim.access_key_id, secret)
        self._signer = kind(claim.signed_headers, credentials, claim.service, claim.region)

    def sign(self, text: str) -> str:
        """The signature of a text."""
        return str(self._signer.signature(text, self._request))

    def verify(self, payload_hash: str) -> None:
        """Compare the request's signature with the one it should carry for this payload.

        Raises:
            RefusalError: They differ.
        """
        self._request.headers["X-Amz-Content-SHA256"] = payload_hash
        canonical = self._signer.canonical_request(self._request)
        expected = self.sign(self._signer.string_to_sign(self._request, canonical))
        if not hmac.compare_digest(expected.encode(), self._claim.signature.encode("utf-8", "replace")):
            message = (
                "The request's signature does not match: the AWS secret access key is not this sandbox's, "
                f"or the request was changed on its way. {_WAY_OUT}"
            )
            raise RefusalError(FORBIDDEN, "SignatureDoesNotMatch", message)


class _Signer(SigV4Auth):
    """botocore's signer, signing the headers the client chose instead of those botocore would."""

    def __init__(self, names: tuple[str, ...], credentials: Credentials, service: str, region: str) -> None:
        super().__init__(credentials, service, region)
        self._names = names
        self._place = region, service

    def signature(self, string_to_sign: str, request: AWSRequest) -> str:
        """As botocore's, with the day's key from memory: thousands of objects are got in a second."""
        day = request.context["timestamp"][:8]
        key = _signing_key(str(self.credentials.secret_key), day, *self._place)
        return hmac.new(key, string_to_sign.encode(), "sha256").hexdigest()

    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        """The signed headers, by their lower-case names."""
        chosen = HTTPMessage()
        for name in self._names:
            chosen[name] = request.headers[name]
        return chosen


@functools.lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html ."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class _S3Signer(_Signer, S3SigV4Auth):
    """The same for S3, which leaves the path as it is."""
