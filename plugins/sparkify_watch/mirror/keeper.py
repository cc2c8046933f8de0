"""Who keeps the mirror up to date while somebody looks: one thread of one of the web server's processes."""

import fcntl
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from definitions.dataset import Dataset
from sparkify.failures import explain
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify_watch.mirror import read
from sparkify_watch.mirror.refresh import note, refresh
from sparkify_watch.mirror.schema import stamp
from sparkify_watch.mirror.store import Store

SECONDS = 15
"""How old a picture is at least before the warehouse is asked again."""

_log = logging.getLogger(__name__)


class Keeper:
    """Refreshes a mirror in the background.

    Args:
        store: the mirror; the web server's other processes have keepers of the same file.
        datasets: whose tables are looked at.
        name: names the warehouse.
        connect: opens a session of it.
        reason_not_to_ask: why it must not be asked now, or an empty text. It is told whether a person has
            asked for it.
    """

    def __init__(
        self,
        store: Store,
        datasets: Sequence[Dataset],
        name: Callable[[], str],
        connect: Callable[[], AbstractContextManager[Session]],
        reason_not_to_ask: Callable[[bool], str],
    ) -> None:
        self._store, self._datasets = store, datasets
        self._name, self._connect, self._reason_not_to_ask = name, connect, reason_not_to_ask
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._began = float("-inf")

    def look(self, *, forced: bool = False, wait: float = 0.0) -> None:
        """Begin a refresh unless one is under way or was a moment ago.

        Args:
            forced: a person has asked for it: begin it however young the picture is.
            wait: how many seconds to wait for the end of what this begins; forced, of what is under way.
        """
        with self._starting:
            is_running = self._thread is not None and self._thread.is_alive()
            begins = not is_running and (forced or time.monotonic() - self._began >= SECONDS)
            if begins:
                self._began = time.monotonic()
                self._thread = threading.Thread(
                    target=self._run, args=(forced,), name="warehouse mirror", daemon=True
                )
                self._thread.start()
            thread = self._thread
        if thread is not None and (begins or forced):
            thread.join(wait)

    def _run(self, forced: bool) -> None:
        try:
            with self._alone() as is_alone:
                if is_alone and (forced or self._is_due()):
                    self._try(forced)
        except Exception:
            _log.exception("The mirror of the warehouse could not be written.")

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Tell whether no other process refreshes this mirror, and keep others from it meanwhile.

        The system lets go of the lock of a process that was killed.
        """
        path = self._store.path.with_name("refresh.lock")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w") as file:
            path.chmod(0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _is_due(self) -> bool:
        with self._store.reading() as db:
            tried_at = read.picture(db).tried_at
        return tried_at is None or (utc_now() - tried_at).total_seconds() >= SECONDS

    def _try(self, forced: bool) -> None:
        try:
            reason = self._reason_not_to_ask(forced)
            if not reason:
                with self._connect() as session:
                    refresh(session, self._store, self._datasets, self._name())
                return
        except Exception as error:
            _log.info("The warehouse could not be looked at.", exc_info=True)
            reason = explain(error, "Looking into the warehouse")
        note(self._store, tried_at=stamp(utc_now()), problem=reason)
