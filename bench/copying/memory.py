"""The most memory that a part of the sandbox takes while something else runs."""

import contextlib
import threading
from collections.abc import Iterator

import psutil

from sandbox.parts import processes
from sandbox.parts.settings import Settings

_PAUSE_SECONDS = 0.1
PARTS = ("aws", "redshift")


class Peak:
    """Bytes of each part's processes together, by the part's name."""

    def __init__(self) -> None:
        self.bytes = dict.fromkeys(PARTS, 0)

    def look(self, mains: dict[str, psutil.Process]) -> None:
        """Remember what they take now, if it is more than before."""
        for name, main in mains.items():
            taken = 0
            for process in (main, *main.children()):
                with contextlib.suppress(psutil.Error):
                    taken += process.memory_info().rss
            self.bytes[name] = max(self.bytes[name], taken)


@contextlib.contextmanager
def watched(settings: Settings) -> Iterator[Peak]:
    """Look at the parts' memory several times a second."""
    mains = {name: processes.find_part(name, settings.home)[0] for name in PARTS}
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(_PAUSE_SECONDS):
            peak.look(mains)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak.look(mains)
