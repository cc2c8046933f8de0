"""The last of what has happened, in little memory: what is written down is packed, many at a time."""

import json
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

_LENGTH = 20_000
_TOGETHER = 250


class Journal:
    """The last 20,000 JSON documents: as Python's objects they would take 10 to 50 MB, packed they take one.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: list[str] = []
        self._packed: deque[bytes] = deque(maxlen=_LENGTH // _TOGETHER)

    def note(self, document: object) -> None:
        """Write something down."""
        line = json.dumps(document)
        with self._lock:
            self._newest.append(line)
            if len(self._newest) == _TOGETHER:
                self._packed.append(zlib.compress("\n".join(self._newest).encode(), 1))
                self._newest.clear()

    def read(self) -> list[Any]:
        """What was written down, oldest first."""
        with self._lock:
            lines = [*self._unpack(), *self._newest]
        return [json.loads(line) for line in lines[-_LENGTH:]]

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._newest.clear()
            self._packed.clear()

    def _unpack(self) -> Iterator[str]:
        for packed in self._packed:
            yield from zlib.decompress(packed).decode().split("\n")
