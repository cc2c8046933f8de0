"""Parts of a sandbox in the foreground: they end with this process, and their logs are its output."""

import codecs
import os
import signal
import sys
import threading
from collections.abc import Collection
from pathlib import Path

import psutil

from sandbox import lifecycle
from sandbox.parts import processes
from sandbox.parts.parts import Part, all_parts
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note, printable

_POLL_SECONDS = 0.2
# A log has been shown when it is this long; whoever collects this process's output keeps what is needed.
_LOG_LIMIT_BYTES = 20_000_000


def serve(settings: Settings, names: Collection[str]) -> int:
    """Start the parts and keep them until SIGTERM or SIGINT, or until one of them has ended.

    However it ends, none of them is left running.

    Returns:
        0 when told to end, 1 when a part has ended by itself: whoever runs this starts it again.

    Raises:
        SandboxError: A part did not start.
    """
    parts = all_parts(settings, names)
    logs = [_Log(part.log) for part in parts]
    try:
        lifecycle.up(settings, names)
        stopped = _stop_signal()
        mains = {part.title: main for part in parts if (main := _main_process(part))}
        note(f"Ready: {', '.join(part.title for part in parts)}")
        while not stopped.wait(_POLL_SECONDS):
            _show(logs)
            ended = [part.title for part in parts if not _is_alive(mains.get(part.title))]
            if ended:
                note(f"Ended by itself: {', '.join(ended)}. Stopping the rest.")
                return 1
        return 0
    finally:
        lifecycle.down(settings.home, names)
        _show(logs)


def _stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set from now on; until now they interrupted the start."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _main_process(part: Part) -> psutil.Process | None:
    family = part.find()
    return family[0] if family else None


def _is_alive(process: psutil.Process | None) -> bool:
    return process is not None and processes.is_alive(process)


def _show(logs: list["_Log"]) -> None:
    for log in logs:
        log.show()
    sys.stdout.flush()


class _Log:
    """A part's log file, of which what is new goes to standard output; what it held before stays unsaid.

    Whatever a stranger has brought into it is shown escaped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # A letter may be written, or read, in two parts.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._shown = path.stat().st_size if path.exists() else 0

    def show(self) -> None:
        if not self._path.exists():
            return
        size = self._path.stat().st_size
        if size < self._shown:  # put aside when its part started, because it had grown long
            self._shown = 0
        if size > self._shown:
            with self._path.open("rb") as file:
                file.seek(self._shown)
                new = file.read()
            self._shown += len(new)
            text = printable(self._decoder.decode(new), keep="\n\t")
            sys.stdout.buffer.write(text.encode())
        if self._shown > _LOG_LIMIT_BYTES:
            os.truncate(self._path, 0)  # its writers append, and go on at the new end
            self._shown = 0
