"""What several people ask for at the same time is worked out once, and kept as long as it is asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Once(Generic[Answer]):
    """Answers by what they depend on.

    Args:
        most: how many are kept: those that were asked for last.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Future[Answer]] = OrderedDict()

    def get(self, key: Hashable, work: Callable[[], Answer]) -> Answer:
        """Return the answer, from whoever works it out; who comes meanwhile waits for it.

        Args:
            key: all that the answer depends on.
            work: works it out. What it raises is raised here, and not kept.
        """
        with self._lock:
            known = self._known.get(key)
            if is_new := known is None:
                known = self._known[key] = Future()
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        if is_new:
            self._work(key, known, work)
        return known.result()

    def _work(self, key: Hashable, known: "Future[Answer]", work: Callable[[], Answer]) -> None:
        try:
            known.set_result(work())
        except BaseException as error:
            with self._lock:
                self._known.pop(key, None)
            known.set_exception(error)
            raise
