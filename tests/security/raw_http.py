"""Requests as no client of AWS would send them."""

import hashlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings


@contextmanager
def connected(settings: Settings) -> Iterator[socket.socket]:
    """A connection to the AWS API server."""
    with socket.create_connection(("127.0.0.1", settings.aws_port), timeout=15) as peer:
        yield peer


def exchange(settings: Settings, data: bytes) -> bytes:
    """What the server answers to `data`, up to the end of the connection."""
    with connected(settings) as peer:
        peer.sendall(data)
        return b"".join(iter(lambda: peer.recv(65536), b""))


def answer_of(peer: socket.socket, *, has_body: bool = True) -> bytes:
    """The next answer of a connection; what there is of it where the server closes."""
    data = b""
    while block := peer.recv(65536):
        data += block
        start, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: ([0-9]+)", start.lower())
        bodyless = not has_body or re.match(rb"\S+ (204|304) ", data)
        if end and (bodyless or (length and len(body) >= int(length[1]))):
            break
    return data


def head(settings: Settings, method: str = "GET", path: str = "/", **headers: str) -> bytes:
    """A request's head; a header's underscores are hyphens."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{settings.aws_port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Signed:
    """A request that is signed as its parts say, whatever they are.

    Args:
        settings: The sandbox.
        method: The HTTP method.
        path: Path and query.
        headers: Further headers, signed; ``x-amz-content-sha256`` and ``x-amz-date`` in place of the true.
        service: The service of the credential scope.
        at: When it is signed.
        unsigned: Names of headers that are not signed.
        date: The credential scope's date.
    """

    def __init__(
        self,
        settings: Settings,
        method: str = "GET",
        path: str = "/",
        headers: dict[str, str] | None = None,
        *,
        service: str = "s3",
        at: datetime | None = None,
        unsigned: tuple[str, ...] = (),
        date: str | None = None,
        body: bytes = b"",
    ) -> None:
        stamp = f"{at or datetime.now(UTC):{SIGV4_TIMESTAMP}}"
        given = {"host": f"127.0.0.1:{settings.aws_port}", "x-amz-date": stamp}
        if service == "s3":
            given["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
        given |= headers or {}
        names = [name for name in sorted(given) if name not in unsigned]
        request = AWSRequest(method, f"http://{given['host']}{path}", headers=given, data=body)
        request.context["timestamp"] = (date + stamp[8:]) if date else stamp
        kind: type[Any] = S3SigV4Auth if service == "s3" else SigV4Auth
        self._signer = kind(
            Credentials(settings.aws_access_key_id, settings.aws_secret_access_key), service, settings.region
        )
        self._signer.headers_to_sign = lambda _: _Headers(given, names)
        self._request = request
        text = self._signer.string_to_sign(request, self._signer.canonical_request(request))
        self.signature = str(self._signer.signature(text, request))
        self.scope = self._signer.credential_scope(request)
        self.stamp = stamp
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={settings.aws_access_key_id}/{self.scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={self.signature}"
        )
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        self.head = "\r\n".join([*lines, f"Authorization: {authorization}", "", ""]).encode()

    def sign(self, text: str) -> str:
        """The signature of another text with the same key."""
        return str(self._signer.signature(text, self._request))


class _Headers(dict[str, str]):
    """Headers in the form botocore asks for."""

    def __init__(self, given: dict[str, str], names: list[str]) -> None:
        super().__init__({name: given[name] for name in names})

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


def status(answer: bytes) -> int:
    """An answer's HTTP status."""
    return int(answer.split(b" ", 2)[1])


def refused(settings: Settings, request: Signed) -> str:
    """The refusal that a request gets."""
    with connected(settings) as peer:
        peer.sendall(request.head)
        answer = answer_of(peer)
    assert status(answer) in {400, 403}, answer
    return answer.decode()


def leftovers(aws: Aws) -> list[Path]:
    """Bodies that are on their way, or have been left on it."""
    return list((aws.settings.home / "s3" / "incoming").iterdir())


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
