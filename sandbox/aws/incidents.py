"""What strangers cause is one line in the log, however often they cause it."""

import logging
import threading
import time

log = logging.getLogger("sandbox.aws")

_PERIOD = 10.0  # seconds in which the same incident is counted instead of written


class Incidents:
    """Writes the first incident of each kind at once, and afterwards only how many there were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._until = 0.0

    def note(self, kind: str, detail: str = "") -> None:
        """Something has happened; `detail` is written with the first of its kind."""
        with self._lock:
            self._flush(time.monotonic())
            first = kind not in self._counts
            self._counts[kind] = self._counts.get(kind, -1) + 1
        if first:
            log.info("%s%s", kind, f": {detail}" if detail else "")

    def flush(self) -> None:
        """Write the numbers whose time has come."""
        with self._lock:
            self._flush(time.monotonic())

    def _flush(self, now: float) -> None:
        if now < self._until:
            return
        for kind, count in self._counts.items():
            if count:
                log.info("%s: %d more", kind, count)
        self._counts.clear()
        self._until = now + _PERIOD
