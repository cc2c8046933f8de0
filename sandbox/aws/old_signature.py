"""Signature Version 2 of presigned URLs, which `aws s3 presign` and boto3 make by default for us-east-1.

"S3 presigned URLs use Signature Version 2 by default in regions where S3 supports it" (botocore's
documentation of generate_presigned_url, its pull request 3791, September 2026). A request with a header of
Version 2 is refused.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

import hmac
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.credentials import Credentials

from sandbox.aws import wsgi
from sandbox.aws.claims import FORBIDDEN, Claim
from sandbox.aws.refusals import RefusalError
from sandbox.aws.wsgi import Environ

_SIGNED = ("content-md5", "content-type")


class OldSigning(HmacV1QueryAuth):
    """The signature that a presigned URL should carry, by botocore's own signer."""

    def __init__(self, claim: Claim, secret: str, environ: Environ) -> None:
        super().__init__(Credentials(claim.access_key_id, secret))
        self._claim = claim
        self._environ = environ

    def verify(self) -> None:
        """Compare the request's signature with the one that it should carry.

        Raises:
            RefusalError: They differ.
        """
        given = self._claim.signature.encode("utf-8", "replace")
        path = wsgi.raw_path(self._environ)
        # Of a bucket boto signs the path with a slash, which it does not send.
        paths = [path, *([] if wsgi.bucket_and_key(self._environ)[1] else [f"{path}/"])]
        if not any(hmac.compare_digest(self._expected(path).encode(), given) for path in paths):
            message = (
                "The request signature we calculated does not match the signature you provided. Method, path "
                "and the headers Content-MD5 and Content-Type are those that the URL was made for."
            )
            raise RefusalError(FORBIDDEN, "SignatureDoesNotMatch", message)

    def _expected(self, path: str) -> str:
        split = urlsplit(f"http://host/?{self._claim.query}")
        headers: Any = self._headers()
        return str(self.get_signature(self._environ["REQUEST_METHOD"], split, headers, auth_path=path))

    def _get_date(self) -> str:
        """In the place of the date a URL has the end of its time."""
        return str(self._claim.expires)

    def _headers(self) -> HTTPMessage:
        found = HTTPMessage()
        for name in _SIGNED:
            if value := wsgi.header(self._environ, name):
                found[name] = value
        for name, value in {**_of_query(self._environ), **_of_headers(self._environ)}.items():
            found[name] = value
        return found


def unwrap(environ: Environ, claim: Claim) -> None:
    """Describe the request as if its signature, and what else the query has of headers, had come in those."""
    for name, value in _of_query(environ).items():
        environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
    path = wsgi.raw_path(environ)
    address = f"{path}?{claim.query}" if claim.query else path
    environ |= {"QUERY_STRING": claim.query, "RAW_URI": address, "REQUEST_URI": address}
    scope = f"Credential={claim.access_key_id}/{claim.scope}"
    environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=checked"


def _of_query(environ: Environ) -> dict[str, str]:
    """The x-amz headers that the query holds, such as a session's token."""
    pairs = parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return {name: value for name, value in pairs if name.startswith("x-amz-")}


def _of_headers(environ: Environ) -> dict[str, str]:
    names = [name for name in environ if name.startswith("HTTP_X_AMZ_")]
    return {name[5:].replace("_", "-").lower(): str(environ[name]) for name in names}
