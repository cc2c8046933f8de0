"""Signed requests to S3 on connections that stay open."""

import datetime as dt
import socket
import threading
from contextlib import contextmanager

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.redshift.copy import s3_requests
from sandbox.redshift.copy.s3_requests import Requests, Signer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: x\r\n\r\nbody"
BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 4\r\n\r\nbusy"


@contextmanager
def server(*connections):
    """A server that gives, on each connection, these answers to its requests, then closes it."""
    heads = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for answers in connections:
                peer, _ = listener.accept()
                with peer:
                    for answer in answers:
                        head = b""
                        while not head.endswith(b"\r\n\r\n") and (got := peer.recv(65536)):
                            head += got
                        heads.append(head)
                        peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heads


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(s3_requests, "_PAUSE_SECONDS", 0.001)


def requests(url, token=None, **more):
    return Requests(url, Signer("AK", "SK", token, "us-east-1"), more)


@pytest.mark.parametrize("token", [None, "a token"])
@pytest.mark.parametrize(
    ("path", "query"), [("/b/a%20b/~c%2B", ""), ("/b", "list-type=2&prefix=a%2Fb%20%C3%A9")]
)
def test_the_signature_is_botocores(monkeypatch, token, path, query):
    found = Signer("AK", "SK", token, "eu-west-1").headers("localhost:1", path, query)
    request = AWSRequest("GET", f"http://localhost:1{path}{'?' if query else ''}{query}")
    now = dt.datetime.strptime(found["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: now.replace(tzinfo=None))
    S3SigV4Auth(Credentials("AK", "SK", token), "s3", "eu-west-1").add_auth(request)
    assert found["authorization"] == request.headers["Authorization"]


def test_a_connection_serves_one_request_after_the_other():
    with server([OK, OK]) as (url, heads):
        asked = requests(url, **{"X-Sandbox-Role": "arn"})
        assert [asked.get("/b/k é").read() for _ in range(2)] == [b"body", b"body"]
        asked.close()
    assert heads[0].startswith(b"GET /b/k%20%C3%A9 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nX-Sandbox-Role: arn\r\n" in heads[1]


def test_a_server_that_is_busy_or_has_closed_the_connection_is_asked_again():
    with server([BUSY], [BUSY], [OK], [OK]) as (url, heads):
        asked = requests(url)
        assert asked.get("/b/k").read() == b"body"
        assert asked.get("/b/k").read() == b"body"
        asked.close()
    assert len(heads) == 4


def test_a_server_that_stays_busy_says_so_itself():
    with server([BUSY], [BUSY], [BUSY], [BUSY]) as (url, _):
        answer = requests(url).get("/b/k")
        assert (answer.status, answer.read()) == (503, b"busy")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_no_answer_is_an_error(answer):
    with server(*[[answer]] * 4) as (url, _), pytest.raises(OSError, match=r"answer|connection"):
        requests(url).get("/b/k")


def test_a_body_that_breaks_off_is_an_error():
    with server([OK[:-1]]) as (url, _), pytest.raises(ConnectionError):
        requests(url).get("/b/k").read()


@pytest.mark.parametrize("token", ["t\r\nX-Sandbox-Role: arn:aws:iam::1:role/other", "é"])
def test_nothing_that_a_statement_says_begins_a_header(token):
    with pytest.raises(ValueError, match="may not have"):
        requests("http://127.0.0.1:1", token).get("/b/k")
