"""Signed GET requests to S3 that cost little: thousands of small files are common.

boto3 takes half a millisecond for each. What it does is little for a GET: Signature Version 4, which its
guide describes line by line, and HTTP/1.1 on connections that stay open. The only server is the sandbox's
own, which names the length of every answer.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import contextlib
import datetime as dt
import hashlib
import hmac
import re
import socket
import time
import urllib.parse
from collections import deque
from collections.abc import Iterator, Mapping

BLOCK_BYTES = 256 * 1024
_EMPTY = hashlib.sha256(b"").hexdigest()
_CONNECT_SECONDS, _READ_SECONDS = 5, 60
_ATTEMPTS, _PAUSE_SECONDS = 4, 0.1
_BUSY = {500, 502, 503, 504}
_LONGEST_LINE, _MOST_HEADERS = 64 * 1024, 100
# Nothing else may stand in a request's head: a line break would begin a header of somebody else's making.
_HEAD_TEXT = re.compile(r"[\x20-\x7e]*")


class Signer:
    """Signs GET requests as one pair of keys.

    Args:
        key: The access key's id.
        secret: The secret key.
        token: The token of temporary keys.
        region: The region of the requests.
    """

    def __init__(self, key: str, secret: str, token: str | None, region: str) -> None:
        self._key = key
        self._secret = secret
        self._token = token
        self._region = region
        self._signing_key = ("", b"")

    def headers(self, host: str, path: str, query: str) -> dict[str, str]:
        """The headers of ``GET path?query``, which are both encoded, the query's parameters in order."""
        now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        found = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": now}
        if self._token is not None:
            found["x-amz-security-token"] = self._token
        names = ";".join(found)
        lines = "".join(f"{name}:{value}\n" for name, value in found.items())
        request = f"GET\n{path}\n{query}\n{lines}\n{names}\n{_EMPTY}"
        scope = f"{now[:8]}/{self._region}/s3/aws4_request"
        hashed = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"
        signature = hmac.new(self._key_of(now[:8]), text.encode(), hashlib.sha256).hexdigest()
        found["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return found

    def _key_of(self, day: str) -> bytes:
        """The key that signs this day's requests."""
        known_day, key = self._signing_key
        if known_day != day:
            key = f"AWS4{self._secret}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._signing_key = day, key
        return key


class Requests:
    """Sends signed requests on connections that stay open. Safe to use from several threads.

    Args:
        url: The server's, ``http://host:port``.
        signer: Signs them.
        more_headers: Headers of every request that need no signature.
    """

    def __init__(self, url: str, signer: Signer, more_headers: Mapping[str, str]) -> None:
        parts = urllib.parse.urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._host = parts.netloc
        self._signer = signer
        self._more = more_headers
        self._idle: deque[_Connection] = deque()

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> "Answer":
        """The answer to a GET; a server that is busy or gone is asked again.

        Args:
            path: The path, not encoded: ``/bucket/key``.
            parameters: Those of the query.

        Raises:
            OSError: The server does not answer.
        """
        encoded = urllib.parse.quote(path, safe="/~")
        pairs = sorted((parameters or {}).items())
        query = "&".join(f"{name}={urllib.parse.quote(value, safe='~')}" for name, value in pairs)
        for attempt in range(_ATTEMPTS):
            if attempt > 1:
                time.sleep(_PAUSE_SECONDS * 2**attempt)
            is_last = attempt == _ATTEMPTS - 1
            try:
                answer = self._answer(encoded, query)
            except OSError:
                if is_last:
                    raise
                self.close()  # the others may be as stale
                continue
            if is_last or answer.status not in _BUSY:
                return answer
            answer.close()
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            with contextlib.suppress(IndexError):  # another thread was faster
                self._idle.pop().close()

    def _answer(self, path: str, query: str) -> "Answer":
        headers = {**self._signer.headers(self._host, path, query), **self._more}
        lines = [f"GET {path}{'?' if query else ''}{query} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        for line in lines:
            if not _HEAD_TEXT.fullmatch(line):
                raise ValueError("a request's head has a character that it may not have")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self._address)
        try:
            return connection.ask("\r\n".join([*lines, "", ""]).encode("ascii"), self._idle)
        except BaseException:
            connection.close()
            raise


class Answer:
    """A response: its head, and its body to be read once.

    Attributes:
        status: As 200.
        headers: By their names in lower case.
        length: Bytes of the body.
    """

    def __init__(
        self, status: int, headers: Mapping[str, str], connection: "_Connection", idle: "deque[_Connection]"
    ) -> None:
        self.status = status
        self.headers = headers
        self.length = int(headers.get("content-length", 0))
        self._connection = connection
        self._idle = idle

    def blocks(self) -> Iterator[bytes]:
        """The body in blocks of up to 256 KiB.

        Raises:
            OSError: The connection breaks.
        """
        left = self.length
        try:
            while left:
                block = self._connection.read(min(left, BLOCK_BYTES))
                left -= len(block)
                yield block
        except BaseException:
            self.close()
            raise
        if self.headers.get("connection", "").lower() == "close":
            self.close()
        else:
            self._idle.append(self._connection)

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.blocks())

    def close(self) -> None:
        """Give up reading."""
        self._connection.close()


class _Connection:
    """One connection, for one request at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, _CONNECT_SECONDS)
        self._socket.settimeout(_READ_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def ask(self, head: bytes, idle: "deque[_Connection]") -> Answer:
        """Send a request and read the head of its answer."""
        self._socket.sendall(head)
        version, _, rest = self._line().partition(" ")
        status = rest.partition(" ")[0]
        if not version.startswith("HTTP/1.") or not status.isdecimal():
            raise ConnectionError("the answer is not HTTP")
        headers: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            if not (line := self._line()):
                break
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        else:
            raise ConnectionError("the answer has too many headers")
        if not headers.get("content-length", "0").isdecimal() or "transfer-encoding" in headers:
            raise ConnectionError("the answer does not name its length")
        return Answer(int(status), headers, self, idle)

    def read(self, count: int) -> bytes:
        """So many bytes."""
        found = self._file.read(count)
        if len(found) < count:
            raise ConnectionError("the connection ended in the middle of an answer")
        return found

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self._socket.close()

    def _line(self) -> str:
        line = self._file.readline(_LONGEST_LINE)
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection ended in the middle of an answer")
        return line[:-2].decode("latin-1")
