"""When the AWS API server ends a connection: the same server in this process, with short deadlines."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from moto.core.base_backend import BackendDict

from sandbox.aws import server as aws_server_module
from sandbox.aws.connections import Deadlines, Server
from sandbox.aws.handler import Handler
from sandbox.parts.settings import Settings
from tests.security.raw_http import Signed, answer_of, connected, status, until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEADLINES = Deadlines(head=1.0, idle=0.5, body=1.0, answer=1.5)


class CountingServer(Server):
    """Counts the connections it has taken."""

    taken = 0

    def process_request(self, request: object, client_address: object) -> None:
        self.taken += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def impatient_settings(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@pytest.fixture(scope="module")
def impatient(impatient_settings: Settings) -> Iterator[CountingServer]:
    application = aws_server_module.application(impatient_settings)
    server = CountingServer("127.0.0.1", impatient_settings.aws_port, application, Handler, DEADLINES)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    BackendDict.reset()


def test_clients_that_trickle_are_closed_in_time(impatient: Server, impatient_settings: Settings):
    started = time.monotonic()
    with ExitStack() as stack:
        peers = [stack.enter_context(connected(impatient_settings)) for _ in range(3)]
        for peer, first in zip(peers, (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\nx: "), strict=True):
            peer.sendall(first)
        while peers:
            readable, _, _ = select.select(peers, [], [], 0.1)
            peers = [peer for peer in peers if peer not in readable]
            for peer in peers[1:]:
                peer.sendall(b"a")
            assert time.monotonic() - started < DEADLINES.head + 2
    assert time.monotonic() - started > DEADLINES.head - 0.1


def test_a_known_client_may_rest_between_requests_and_then_not_trickle(
    impatient: Server, impatient_settings: Settings
):
    with connected(impatient_settings) as peer:
        peer.sendall(Signed(impatient_settings).head)
        assert status(answer_of(peer)) == 200
        started = time.monotonic()
        peer.sendall(b"GET / HTTP/1.1\r\n")
        assert peer.recv(1) == b""
        assert DEADLINES.head - 0.1 < time.monotonic() - started < DEADLINES.head + 2


def test_a_body_that_stops_ends_its_connection(impatient: Server, impatient_settings: Settings):
    request = Signed(
        impatient_settings, "PUT", "/sparkify-raw/k", {"content-length": "1000"}, body=bytes(1000)
    )
    with connected(impatient_settings) as peer:
        peer.sendall(request.head + bytes(500))
        started = time.monotonic()
        with pytest.raises(ConnectionError):  # noqa: PT012 - an end or a reset
            if not peer.recv(1):
                raise ConnectionError
        assert DEADLINES.body - 0.1 < time.monotonic() - started < DEADLINES.body + 2


def test_an_answer_that_nobody_reads_ends_its_connection(impatient: Server, impatient_settings: Settings):
    body = bytes(20_000_000)
    client_of(impatient_settings).put_object(Bucket="sparkify-raw", Key="large", Body=body)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        peer.connect(("127.0.0.1", impatient_settings.aws_port))
        peer.sendall(Signed(impatient_settings, path="/sparkify-raw/large").head)
        until(lambda: any(each.peer.getpeername() == peer.getsockname() for each in impatient._all()))
        until(lambda: impatient._all() == [])


def client_of(settings: Settings, attempts: int = 1) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
        region_name=settings.region,
        config=Config(retries={"total_max_attempts": attempts}, read_timeout=20),
    )


def test_boto3_survives_that_its_idle_connection_was_closed(
    impatient: CountingServer, impatient_settings: Settings
):
    """Without a second attempt: it notices before it sends."""
    s3 = client_of(impatient_settings)
    before = impatient.taken
    for number in range(2):
        s3.put_object(Bucket="sparkify-raw", Key="k", Body=str(number).encode())
        assert s3.get_object(Bucket="sparkify-raw", Key="k")["Body"].read() == str(number).encode()
        until(lambda: impatient._all() == [])
    s3.delete_object(Bucket="sparkify-raw", Key="k")
    assert impatient.taken - before == 3  # it was kept while it was used, and made anew after each rest
