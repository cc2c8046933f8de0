"""The processes that convert for one COPY."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, cast

from sandbox.parts.processes import PART
from sandbox.parts.settings import REPOSITORY
from sandbox.redshift.copy.parallel.frames import write_frames
from sandbox.redshift.copy.parallel.plan import RowPlan
from sandbox.redshift.copy.parallel.worker import read_answer
from sandbox.redshift.copy.rows import Rows

# PostgreSQL takes rows a little faster than one process makes them.
_MOST_OF_A_COPY = 2
# A whole piece, so that neither side waits for the other in the middle of it.
_PIPE_BYTES = 1024 * 1024
# All that a process is told: no key, no password. The last two let `down` find it.
_VARIABLES = ("PATH", "LD_LIBRARY_PATH", PART, "SANDBOX_HOME")
# So many processes run for all COPYs together.
_places = threading.BoundedSemaphore(max(_MOST_OF_A_COPY, os.cpu_count() or 1))


class Workers:
    """Processes that make rows of pieces of files: as many as there is room for, maybe none.

    Args:
        plan: What they are told first.
    """

    def __init__(self, plan: RowPlan) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        while len(self._processes) < _MOST_OF_A_COPY and _places.acquire(blocking=False):
            try:
                self._processes.append(process := _start(plan))
            except OSError:  # the machine has no more of something: the endpoint does it itself
                _places.release()
                break
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(_MOST_OF_A_COPY, thread_name_prefix="copy-worker")

    def __len__(self) -> int:
        return len(self._processes)

    def submit(self, piece: bytes) -> Future[Rows | None]:
        """The rows of `piece`, as `worker.ordinary_rows` makes them; None, too, where a process has died."""
        return self._threads.submit(self._exchange, piece)

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            with contextlib.suppress(OSError), process:  # closes the pipes, which may still hold something
                pass
            _places.release()
        self._processes.clear()

    def _exchange(self, piece: bytes) -> Rows | None:
        process = self._idle.get()
        try:
            source, target = _pipes(process)
            write_frames(target, piece)
            return read_answer(source)
        except OSError:
            return None
        finally:
            self._idle.put(process)


def _start(plan: RowPlan) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.redshift.copy.parallel.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pipesize=_PIPE_BYTES,
        env={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        cwd=REPOSITORY,
    )
    with contextlib.suppress(OSError):  # a process that does not start answers nothing
        write_frames(_pipes(process)[1], plan.to_json())
    return process


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO]:
    assert process.stdin and process.stdout  # noqa: S101, PT018 - it was started with both
    return cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
