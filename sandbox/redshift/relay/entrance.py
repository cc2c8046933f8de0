"""Clients that have not logged in: few at once, each for a short time, none able to keep the others out."""

import asyncio
import datetime as dt

from sandbox.parts.postgres import LOGINS_AT_ONCE, WAREHOUSE_SESSIONS
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.wire import BEFORE_LOGIN_BYTES, Wire

# From the connection's acceptance to AuthenticationOk, with everything between: TLS, waiting for passwords.
LOGIN_SECONDS = 10.0
_QUIET_SECONDS = 10.0

# PostgreSQL's words where its authentication_timeout is over.
_LATE = ErrorFields("57014", "canceling authentication due to timeout", severity="FATAL")
# Redshift's, for a cluster's own limit of connections.
_TOO_MANY_SESSIONS = f'connection limit "{WAREHOUSE_SESSIONS}" exceeded for non-bootstrap users'
_CROWDED = ErrorFields("53300", "too many connections that have not logged in", severity="FATAL")


class ClientFaultError(Exception):
    """A client broke the protocol: its connection ends, with a line in the log and no traceback.

    Args:
        fields: The error for the client.
    """

    def __init__(self, message: str, sqlstate: str = "08P01") -> None:
        super().__init__(message)
        self.fields = ErrorFields(sqlstate, message, severity="FATAL")


class ClientGoneError(Exception):
    """A client left before it had logged in."""


class Notes:
    """Lines about clients in the log: the same reason at most twice in ten seconds."""

    def __init__(self) -> None:
        self._more: dict[str, int] = {}

    def add(self, address: str, reason: str) -> None:
        """Say it, or count it when it has just been said.

        Args:
            address: The client's.
            reason: One of few texts; holds nothing that a client can choose at will.
        """
        if reason in self._more:
            self._more[reason] += 1
            return
        self._more[reason] = 0
        _print(f"{address}: {reason}")
        asyncio.get_running_loop().call_later(_QUIET_SECONDS, self._sum_up, reason)

    def _sum_up(self, reason: str) -> None:
        more = self._more.pop(reason)
        if more:
            _print(f"{more} more within {_QUIET_SECONDS:.0f} seconds: {reason}")


class Visitor:
    """A client on its way to its login, which takes a place.

    Attributes:
        task: Serves it; ends when it is turned away.
        has_spoken: Whether it has said that it speaks this protocol, and can be told an error.
        has_logged_in: Whether it has.
        turned_away: Why it had to go, None while it may stay.
    """

    def __init__(self, entrance: "Entrance") -> None:
        self.task: asyncio.Task[None] | None = None
        self.has_spoken = False
        self.has_logged_in = False
        self.turned_away: ErrorFields | None = None
        self._entrance = entrance
        self._timer = asyncio.get_running_loop().call_later(LOGIN_SECONDS, self.turn_away, _LATE)
        entrance.admit(self)

    def heard(self) -> None:
        """A whole message has come: those that have been silent for longer would go first."""
        self._entrance.requeue(self)

    def log_in(self) -> None:
        """It has proved who it is, and frees its place for others."""
        self._entrance.sessions += 1
        self.leave()
        self.has_logged_in = True
        self._entrance.backends.release()

    def leave(self) -> None:
        """It waits no longer."""
        self._timer.cancel()
        self._entrance.forget(self)

    def vanish(self) -> None:
        """It is gone: whatever is still waited for on its behalf ends."""
        if self.task and not self.has_logged_in:
            self.leave()
            self.task.cancel()

    def turn_away(self, reason: ErrorFields) -> None:
        """End its connection."""
        self.leave()
        self.turned_away = reason
        if self.task:
            self.task.cancel()


class Entrance:
    """The places for those that have not logged in.

    Whoever comes when all are taken gets the place of the one that has been silent for longest: refusing the
    newcomer would let as many silent connections as there are places keep everybody out. A login is a handful
    of messages without pauses, so it is not the one that is silent for longest.

    Attributes:
        sessions: How many have logged in and are there.
    """

    def __init__(self) -> None:
        self._waiting: dict[Visitor, None] = {}
        self.sessions = 0
        # PostgreSQL processes of those; one that is dying counts, or a flood would take PostgreSQL's last.
        self.backends = asyncio.Semaphore(LOGINS_AT_ONCE)

    def admit(self, visitor: Visitor) -> None:
        """A client has connected."""
        if len(self._waiting) >= LOGINS_AT_ONCE:
            next(iter(self._waiting)).turn_away(_CROWDED)
        self._waiting[visitor] = None

    def requeue(self, visitor: Visitor) -> None:
        """Put it behind all others."""
        if visitor in self._waiting:
            del self._waiting[visitor]
            self._waiting[visitor] = None

    def require_room(self) -> None:
        """Let nobody log in where there are as many sessions as there may be.

        Those who are on their way may make them a few more; PostgreSQL has room for these.

        Raises:
            ClientFaultError: There are.
        """
        if self.sessions >= WAREHOUSE_SESSIONS:
            raise ClientFaultError(_TOO_MANY_SESSIONS, "53300")

    def forget(self, visitor: Visitor) -> None:
        """Free its place."""
        self._waiting.pop(visitor, None)


async def log_in(client: Wire, backend: Wire, authentication: "asyncio.Queue[int]", visitor: Visitor) -> None:
    """Pass passwords on, one each time PostgreSQL asks; nothing else is read before AuthenticationOk.

    Args:
        client: The client's connection.
        backend: The connection to PostgreSQL.
        authentication: The codes of PostgreSQL's authentication messages, as they arrive.
        visitor: The client.

    Raises:
        ClientFaultError: Something else came, or too much.
    """
    left = BEFORE_LOGIN_BYTES
    while code := await authentication.get():
        if code == messages.SASL_FINAL:
            continue
        header = await client.header()
        if header is None or header[0] == "X":
            raise ClientGoneError
        kind, size = header
        left -= size
        if kind != "p" or size < 0:
            raise ClientFaultError("expected a password before anything else")
        if left < 0:
            raise ClientFaultError("password messages are too long")
        backend.write(messages.message(kind, await client.exactly(size)))
        visitor.heard()
    visitor.log_in()
    client.trust()


def _print(text: str) -> None:
    now = dt.datetime.now(dt.UTC)
    print(f"{now:%Y-%m-%d %H:%M:%S} UTC  {text}", flush=True)  # noqa: T201 - a process speaks through its output
