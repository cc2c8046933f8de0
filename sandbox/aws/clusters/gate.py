"""A cluster's own port: whoever may come in is led on to the endpoint, anybody else gets no answer at all.

As on AWS, where a security group drops packets: a closed gate does not even complete the TCP handshake.
Nothing is held for those who wait: on Linux a listening socket whose queue is full drops what comes, and the
queue of a closed gate has one place, taken by a connection of its own. A client's system repeats its packets,
so that one who is still waiting when the gate opens gets in.
"""

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import Coroutine
from typing import Any

# How many connections may wait to be accepted at an open gate.
_BACKLOG = 128
_PIECE_BYTES = 1 << 16


class Gate:
    """A port, closed at first.

    Args:
        host: The IPv4 address to listen on.
        endpoint: Host and port of the SQL endpoint.

    Attributes:
        port: Its number, given by the system.
    """

    def __init__(self, host: str, endpoint: tuple[str, int]) -> None:
        self._endpoint = endpoint
        self._listener = socket.create_server((host, 0), backlog=0)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._plug: socket.socket | None = None
        self._is_open = False
        self._visits: set[asyncio.Task[None]] = set()
        _run(self._shut())

    def admit(self, *, everybody: bool) -> None:
        """Let everybody in or nobody from now on; who is inside stays."""
        if everybody != self._is_open:
            self._is_open = everybody
            _run(self._open() if everybody else self._shut())

    def remove(self) -> None:
        """End the port and every connection that came by it."""
        _run(self._end())

    async def _open(self) -> None:
        self._listener.listen(_BACKLOG)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    async def _shut(self) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.listen(0)
        if self._plug is None:
            self._plug = socket.socket()
            self._plug.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self._plug.connect(self._listener.getsockname())

    async def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        if self._plug:
            self._plug.close()
        for visit in self._visits:
            visit.cancel()

    def _accept(self) -> None:
        try:
            client, address = self._listener.accept()
        except OSError:  # the client has gone again
            return
        if self._plug and address == self._plug.getsockname():
            client.close()
            self._plug.close()
            self._plug = None
            return
        visit = asyncio.get_running_loop().create_task(_lead(client, self._endpoint))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)


async def _lead(client: socket.socket, endpoint: tuple[str, int]) -> None:
    """Pass on what both sides say until one of them ends."""
    reader, writer = await asyncio.open_connection(sock=client)
    with contextlib.closing(writer), contextlib.suppress(OSError):
        there, back = await asyncio.open_connection(*endpoint)
        with contextlib.closing(back):
            ways = [asyncio.ensure_future(_pass_on(*way)) for way in ((reader, back), (there, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_PIECE_BYTES):
            sink.write(data)
            await sink.drain()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Do something in the thread of all gates; when this returns it is done."""
    asyncio.run_coroutine_threadsafe(work, _loop()).result()


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="gates", daemon=True).start()
    return loop
