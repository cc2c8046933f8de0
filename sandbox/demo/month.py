"""The sample month: generated, uploaded, and the window that loads it."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from sandbox.demo.sample import Request, generate, generated
from sandbox.demo.sample.screen import described, shown
from sandbox.demo.upload import upload
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from sandbox.terminal.console import step

DAG_ID = "sparkify_etl"
WINDOW = {"window_start": "2018-11-01T00:00:00+00:00", "window_end": "2018-12-01T00:00:00+00:00"}
SAMPLE = Request()


@contextlib.contextmanager
def stage(console: Console, title: str) -> Iterator[list[str]]:
    """Time a stage of a command and print it with what the block appended."""
    began = time.monotonic()
    outcome: list[str] = []
    yield outcome
    line = f"{title:<12}{time.monotonic() - began:5.1f} s  {' '.join(outcome)}"
    console.print(line, markup=False, soft_wrap=True)


def sample_month(progress: Console, folder: Path) -> str:
    """Generate the month unless it is there; return what it holds, in words."""
    summary = generated(folder, SAMPLE)
    if summary:
        return f"{described(summary)}, as generated before"
    with shown(progress) as show:
        return described(generate(folder, **SAMPLE.arguments(), progress=show))


def upload_month(settings: Settings, folder: Path) -> str:
    """Upload the month; return what was done, in words."""
    # Where there is no terminal for the bar, one line says that the upload is going on.
    with contextlib.nullcontext() if sys.stderr.isatty() else step("Uploading the sample"):
        done = upload(settings, folder)
    uploaded = f"{done.uploaded:,} files ({done.size / 1e6:,.1f} MB) to s3://{SOURCE_BUCKET}"
    return f"{uploaded}, {done.unchanged:,} unchanged"
