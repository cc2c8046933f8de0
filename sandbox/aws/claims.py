"""What a request says about who has signed it, when and what, and whether it may say so.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

import functools
import re
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.auth import SIGV4_TIMESTAMP, UNSIGNED_PAYLOAD

from sandbox.aws import streams
from sandbox.aws.refusals import RefusalError
from sandbox.aws.wsgi import Environ

FORBIDDEN = "403 Forbidden"
BAD = "400 Bad Request"

_ALGORITHM = "AWS4-HMAC-SHA256"
_SKEW = timedelta(minutes=15)
_LONGEST = 604_800  # seconds a presigned URL may be good for, a week
_SHA256 = re.compile("[0-9a-f]{64}")
_PRESIGNED = "X-Amz-Signature"
# The parameters of Signature Version 2, and what else is no parameter of S3's in such a URL.
_OLD = ("AWSAccessKeyId", "Signature", "Expires")
_NO_PARAMETERS = (*("awsaccesskeyid=", "signature=", "expires=", "x-amz-", "content-type=", "content-md5="),)


@dataclass(frozen=True)
class Claim:
    """What a request says about its signer.

    `payload_hash` is what stands for the body in the signature; None where it is the body's own hash.
    `expires` is in seconds after `timestamp`; in an old claim, of Signature Version 2, since 1970.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    query: str
    payload_hash: str | None
    token: str | None
    expires: int | None = None
    is_old: bool = False

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def hash_is_of_body(self) -> bool:
        """Whether the payload hash is the hash of a body."""
        return bool(self.payload_hash and _SHA256.fullmatch(self.payload_hash))


def read(environ: Environ) -> Claim:
    """The claim of a request.

    Raises:
        RefusalError: There is none, or it cannot be read.
    """
    query = str(environ.get("QUERY_STRING", ""))
    try:
        if "HTTP_AUTHORIZATION" in environ:
            return _of_header(environ, query)
        if f"{_PRESIGNED}=" in query:
            return _of_query(query)
        if "AWSAccessKeyId=" in query:
            return _of_old_query(query)
    except (KeyError, ValueError) as error:
        raise RefusalError(
            BAD, "AuthorizationHeaderMalformed", f"The signature cannot be read: {error}."
        ) from error
    raise RefusalError(
        FORBIDDEN,
        "AccessDenied",
        "The request carries no Signature Version 4; the sandbox serves nobody anonymously.",
    )


def check(claim: Claim, environ: Environ, now: datetime) -> None:
    """Make sure that a claim covers what it has to cover, and is of this quarter of an hour.

    Raises:
        RefusalError: It is not, or does not.
    """
    if claim.is_old:
        if now.timestamp() > (claim.expires or 0):
            raise RefusalError(FORBIDDEN, "AccessDenied", "Request has expired")
        return
    if claim.date != claim.timestamp[:8]:
        message = (
            f'Invalid credential date "{claim.date}". '
            f'This date is not the same as X-Amz-Date: "{claim.timestamp[:8]}".'
        )
        raise RefusalError(BAD, "AuthorizationHeaderMalformed", message)
    signed_at = _moment(claim.timestamp)
    if claim.expires is not None:
        _check_expiry(claim.expires, signed_at, now)
    elif abs(now - signed_at) > _SKEW:
        raise _skewed(claim, signed_at, now)
    _check_signed_headers(claim, environ)
    if claim.expires is None:
        _check_payload_hash(claim)


def _of_header(environ: Environ, query: str) -> Claim:
    algorithm, _, rest = environ["HTTP_AUTHORIZATION"].partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    _check_algorithm(algorithm)
    return Claim(
        *_credential(fields["Credential"]),
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        timestamp=_time(environ["HTTP_X_AMZ_DATE"]),
        query=query,
        payload_hash=environ.get("HTTP_X_AMZ_CONTENT_SHA256"),
        token=environ.get("HTTP_X_AMZ_SECURITY_TOKEN"),
    )


def _of_query(query: str) -> Claim:
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    fields = dict(pairs)
    _check_algorithm(fields["X-Amz-Algorithm"])
    names = [name for name, _ in pairs if name.startswith("X-Amz-")]
    if len(names) != len(set(names)):
        raise ValueError("a parameter of the signature is given twice")
    credential = _credential(fields["X-Amz-Credential"])
    return Claim(
        *credential,
        signed_headers=tuple(fields["X-Amz-SignedHeaders"].split(";")),
        signature=fields[_PRESIGNED],
        timestamp=_time(fields["X-Amz-Date"]),
        query="&".join(part for part in query.split("&") if not part.startswith(f"{_PRESIGNED}=")),
        payload_hash=UNSIGNED_PAYLOAD if credential[3] == "s3" else None,
        token=fields.get("X-Amz-Security-Token"),
        expires=int(fields["X-Amz-Expires"]),
    )


def _of_old_query(query: str) -> Claim:
    """That of a URL of Signature Version 2; nothing in it names a region."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    fields = dict(pairs)
    if any([name for name, _ in pairs].count(name) != 1 for name in _OLD):
        raise ValueError(f"the query needs {', '.join(_OLD)}, each once")
    if not re.fullmatch("[0-9]{1,11}", fields["Expires"]):
        raise ValueError("Expires is no time in seconds since 1970")
    rest = [part for part in query.split("&") if not part.lower().startswith(_NO_PARAMETERS)]
    return Claim(
        access_key_id=fields["AWSAccessKeyId"],
        date="",
        region="us-east-1",
        service="s3",
        signed_headers=(),
        signature=fields["Signature"],
        timestamp="",
        query="&".join(rest),
        payload_hash=UNSIGNED_PAYLOAD,
        token=fields.get("x-amz-security-token"),
        expires=int(fields["Expires"]),
        is_old=True,
    )


def _check_algorithm(name: str) -> None:
    if name != _ALGORITHM:
        raise ValueError(f"{name[:100]} is not {_ALGORITHM}")


def _credential(text: str) -> tuple[str, str, str, str]:
    """Access key id, date, region and service."""
    access_key_id, date, region, service, end = text.split("/")
    if end != "aws4_request":
        raise ValueError("the credential scope does not end in aws4_request")
    return access_key_id, date, region, service


def _time(text: str) -> str:
    _moment(text)
    return text


@functools.lru_cache(maxsize=64)  # thousands of objects are got in a second
def _moment(text: str) -> datetime:
    return datetime.strptime(text, SIGV4_TIMESTAMP).replace(tzinfo=UTC)


def _check_expiry(seconds: int, signed_at: datetime, now: datetime) -> None:
    if not 1 <= seconds <= _LONGEST:
        message = f"X-Amz-Expires must be between 1 and {_LONGEST} seconds."
        raise RefusalError(BAD, "AuthorizationQueryParametersError", message)
    if now > signed_at + timedelta(seconds=seconds):
        raise RefusalError(FORBIDDEN, "AccessDenied", "Request has expired")
    if signed_at > now + _SKEW:
        raise RefusalError(FORBIDDEN, "AccessDenied", "Request is not valid yet")


def _skewed(claim: Claim, signed_at: datetime, now: datetime) -> RefusalError:
    if claim.service == "s3":
        message = "The difference between the request time and the current time is too large."
        return RefusalError(FORBIDDEN, "RequestTimeTooSkewed", message)
    limit, words = (
        (now - _SKEW, "Signature expired: {} is now earlier than {} ({} - 15 min.)")
        if signed_at < now
        else (now + _SKEW, "Signature not yet current: {} is still later than {} ({} + 15 min.)")
    )
    times = (f"{time:{SIGV4_TIMESTAMP}}" for time in (signed_at, limit, now))
    return RefusalError(FORBIDDEN, "SignatureDoesNotMatch", words.format(*times))


def _check_signed_headers(claim: Claim, environ: Environ) -> None:
    """Host and every x-amz-* header of a request must be signed.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    signed = {name.replace("_", "-") for name in claim.signed_headers}
    present = {key[5:].replace("_", "-").lower() for key in environ if key.startswith("HTTP_X_AMZ_")}
    missing = ", ".join(sorted(({"host"} | present) - signed))[:500]
    if missing:
        code = "AccessDenied" if claim.service == "s3" else "SignatureDoesNotMatch"
        message = f"There were headers present in the request which were not signed: {missing}"
        raise RefusalError(FORBIDDEN, code, message)


def _check_payload_hash(claim: Claim) -> None:
    if claim.hash_is_of_body or (claim.payload_hash is None and claim.service != "s3"):
        return
    if claim.payload_hash is None:
        message = "Missing required header for this request: x-amz-content-sha256"
        raise RefusalError(BAD, "InvalidRequest", message)
    if claim.service != "s3" or claim.payload_hash not in {UNSIGNED_PAYLOAD, *streams.KINDS}:
        message = "x-amz-content-sha256 must be a SHA-256 in hex, or for S3 UNSIGNED-PAYLOAD or STREAMING-*."
        raise RefusalError(BAD, "InvalidArgument", message)
