"""A proxy before the AWS API server that fails as S3 does."""

import contextlib
import http.client
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"
ANSWERS = {
    "slow down": (503, "SlowDown", "Please reduce your request rate."),
    "missing": (404, "NoSuchKey", "The specified key does not exist."),
}


@dataclass
class Fault:
    """What happens to the next GETs of keys that contain `key`.

    Args:
        kind: `slow down` 503, `missing` 404, `truncated` half a body, `held` half a body and the rest once
            `released`.
        times: how many requests it hits.
    """

    key: str
    kind: Literal["slow down", "missing", "truncated", "held"]
    times: int = 1
    hits: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class S3Proxy:
    """Forwards everything to a port on 127.0.0.1, signatures and host names as they are."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def add(self, *fault: Any) -> Fault:
        self.faults.append(Fault(*fault))
        return self.faults[-1]

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if method == "GET" and fault.key in path and fault.hits < fault.times:
                    fault.hits += 1
                    return fault
        return None

    def close(self) -> None:
        for fault in self.faults:
            fault.released.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: S3Proxy) -> type[BaseHTTPRequestHandler]:
    methods = dict.fromkeys(("do_GET", "do_HEAD", "do_PUT", "do_POST", "do_DELETE"), _Handler.forward)
    return type("Handler", (_Handler,), {**methods, "proxy": proxy})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: S3Proxy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.next_fault(self.command, self.path)
        if fault and fault.kind in ANSWERS:
            status, code, message = ANSWERS[fault.kind]
            self.answer(status, [], ERROR.format(code, message).encode(), None)
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target_port, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        self.answer(response.status, response.getheaders(), response.read(), fault)
        connection.close()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes, fault: Fault | None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        length = next((v for k, v in headers if k.lower() == "content-length"), str(len(body)))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "HEAD":
            return
        half = len(body) // 2 if fault else len(body)
        self.wfile.write(body[:half])
        if fault:
            self.wfile.flush()
            self.break_off(fault, body[half:])

    def break_off(self, fault: Fault, rest: bytes) -> None:
        """Send the rest once it is released, or never."""
        fault.reached.set()
        if fault.kind == "held" and fault.released.wait(60):
            with contextlib.suppress(OSError):  # the reader may have gone
                self.wfile.write(rest)
        self.close_connection = fault.kind == "truncated"

    def log_message(self, *_: object) -> None:
        """Keep the test's output readable."""
