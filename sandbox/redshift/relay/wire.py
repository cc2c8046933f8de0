"""One end of a relayed connection: received bytes to take, bytes to send, back-pressure both ways."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import cast

_HIGH_WATER_BYTES = 1 << 20
# Nothing that a client says before its login is longer.
BEFORE_LOGIN_BYTES = 1 << 16
_PIECE_BYTES = 1 << 16
_HEADER = struct.Struct("!ci")
# A client that does not read what is left for it loses it.
_LAST_SECONDS = 30.0


class Wire(asyncio.Protocol):
    """A connection whose reading pauses while its bytes are not taken, and whose writing can be awaited.

    Args:
        connected: Called once the connection is made.
        high_water: How many bytes are received ahead.

    Attributes:
        closed: Set as soon as the other side is gone, even while received bytes wait.
        lost: Called then, if it is given.
    """

    def __init__(
        self, connected: "Callable[[Wire], None] | None" = None, high_water: int = _HIGH_WATER_BYTES
    ) -> None:
        self._connected = connected
        self._high_water = high_water
        self.closed = asyncio.Event()
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self.lost: Callable[[], None] | None = None
        self._last: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio once, with the connection's transport."""
        self._transport = cast("asyncio.Transport", transport)  # sockets have no other kind
        if self._connected:
            self._connected(self)
            self._connected = None

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with what arrived."""
        self._received += data
        self._arrived.set()
        if len(self._received) > self._high_water and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Called by asyncio when the other side sends no more; the protocol has no half-open state."""
        self._gone()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Called by asyncio when the connection is over."""
        self._gone()
        self._writable.set()
        if self._last:
            self._last.cancel()

    def pause_writing(self) -> None:
        """Called by asyncio when the other side reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by asyncio when the other side has caught up."""
        self._writable.set()

    async def take(self) -> bytes:
        """Everything received so far, at least one byte; empty when the other side is gone."""
        while not self._received:
            if self.closed.is_set():
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._received)
        self._received.clear()
        self._resume()
        return data

    async def exactly(self, count: int) -> bytes:
        """The next `count` bytes; fewer only when the other side is gone."""
        while len(self._received) < count and not self.closed.is_set():
            self._resume(wanted=count)
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._received[:count])
        del self._received[:count]
        self._resume()
        return data

    async def header(self) -> tuple[str, int] | None:
        """The next message's type letter and the length it claims for its body; None when nothing follows.

        The length may be anything, also negative.
        """
        header = await self.exactly(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        kind, length = _HEADER.unpack(header)
        return kind.decode("latin-1"), length - 4

    async def pieces(self, count: int) -> AsyncIterator[bytes]:
        """The next `count` bytes in small pieces; fewer only when the other side is gone."""
        while count and (piece := await self.exactly(min(count, _PIECE_BYTES))):
            count -= len(piece)
            yield piece

    async def discard(self, count: int) -> None:
        """Forget the next `count` bytes."""
        async for _ in self.pieces(count):
            pass

    def trust(self) -> None:
        """The other side has logged in: receive as much ahead as from anyone."""
        self._high_water = _HIGH_WATER_BYTES
        self._resume()

    def has_message(self) -> bool:
        """Whether `message` would return at once."""
        if len(self._received) < _HEADER.size:
            return False
        length: int = _HEADER.unpack_from(self._received)[1]
        return len(self._received) > length

    def write(self, data: bytes) -> None:
        """Send, buffering what the socket does not take; follow it by `drain` where much is sent."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the other side has taken enough of what was sent."""
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on encrypted, as the server; what was received before is the client's fault and is forgotten.

        Raises:
            OSError: The handshake failed, or the other side is gone.
        """
        if self._transport is None:
            return
        self._received.clear()  # bytes an attacker slipped in before the handshake must not be believed
        loop = asyncio.get_running_loop()
        encrypted = await loop.start_tls(self._transport, self, context, server_side=True)
        if encrypted is None:
            raise ConnectionResetError("the other side is gone")
        self._transport = encrypted

    @property
    def address(self) -> str:
        """The other side's, for a log."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return f"{name[0]}:{name[1]}" if name else "a client"

    @property
    def tls(self) -> tuple[str, str]:
        """Version and cipher of the encryption; both empty without."""
        found = self._transport.get_extra_info("ssl_object") if self._transport else None
        return (found.version() or "", (found.cipher() or ("",))[0]) if found else ("", "")

    def close(self) -> None:
        """Close after what was written has been sent, if the other side takes it."""
        if self._transport and not self._transport.is_closing():
            self._transport.close()
            self._last = asyncio.get_running_loop().call_later(_LAST_SECONDS, self._transport.abort)

    def abort(self) -> None:
        """Close at once, whatever the other side does."""
        if self._transport:
            self._transport.abort()

    def end_writing(self) -> None:
        """Tell the other side that no more comes; what it still sends is received."""
        if self._transport and self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def _gone(self) -> None:
        if self.lost and not self.closed.is_set():
            self.lost()
        self.closed.set()
        self._arrived.set()

    def _resume(self, wanted: int = 0) -> None:
        """Read on when there is room; a single message may be larger than the high-water mark."""
        if self._paused and len(self._received) < max(wanted, self._high_water) and self._transport:
            self._paused = False
            self._transport.resume_reading()
