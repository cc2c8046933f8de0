"""What the command line says: results on standard output, progress and errors on standard error."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

from sandbox.errors import SandboxError


def printable(text: object, *, keep: str = "") -> str:
    """A text of a stranger's, such as a file's name, without what would steer a terminal.

    Args:
        text: The text, or a path.
        keep: Characters that stay as they are, such as line ends.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else _escaped(letter) for letter in str(text)
    )


def _escaped(letter: str) -> str:
    # Python keeps a byte that is no UTF-8 as such a letter (PEP 383).
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def say(text: str = "") -> None:
    """Write a line of the command's result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a line beside the result: progress, a warning, an error, which may quote a stranger."""
    sys.stderr.write(printable(text, keep="\n\t") + "\n")
    sys.stderr.flush()


def reported(work: Callable[[], int]) -> int:
    """Do a command's work and return its exit code: that of the work, 1 after an error, 130 after Ctrl-C."""
    try:
        return work()
    except SandboxError as error:
        note(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        note("Interrupted.")
        return 130


@contextlib.contextmanager
def step(text: str, seconds: float = 2.0) -> Iterator[None]:
    """Announce a step that takes longer than `seconds`, and then how long it took."""
    started = time.monotonic()
    announced = threading.Event()

    def announce() -> None:
        announced.set()
        note(f"{text} …")

    timer = threading.Timer(seconds, announce)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if announced.is_set():
            note(f"{text}: {time.monotonic() - started:.1f} s")
