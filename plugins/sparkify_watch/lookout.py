"""Answers to slow questions, kept for a while: who asks waits no longer than they say."""

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


class Lookout(Generic[Answer]):
    """Ask a slow question in the background, one at a time, and keep its last answer.

    Args:
        ask: the question; what it raises is logged and leaves the last answer as it was.
        seconds: for how long an answer is as good as a new one.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._answer: Answer | None = None
        self._answered_at = float("-inf")

    def get(self, wait: float) -> Answer | None:
        """Return the last answer, a new one where it is old and comes in time; None before the first one.

        Args:
            wait: how many seconds to wait for a new answer.
        """
        with self._lock:
            if monotonic() - self._answered_at < self._seconds:
                return self._answer
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._renew, name="lookout", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(wait)
        return self._answer

    def forget(self) -> None:
        """Take the last answer for old: something has been done that changes it."""
        self._answered_at = float("-inf")

    def _renew(self) -> None:
        try:
            self._answer = self._ask()
        except Exception:
            _log.exception("A question in the background was not answered")
        # Also after a failure: the next one would fail as soon.
        self._answered_at = monotonic()
