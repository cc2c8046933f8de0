"""What a person sees of sample data in the making."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.demo.sample.generate import Progress as Report
from sandbox.demo.sample.generate import SampleSummary


def described(summary: SampleSummary) -> str:
    """Tell in one line what was written."""
    return (
        f"{summary.events:,} events of {summary.users:,} listeners in {summary.event_files:,} files"
        f" ({summary.event_bytes / 1e6:,.1f} MB), {summary.song_files:,} songs"
        f" ({summary.song_bytes / 1e6:,.1f} MB)"
    )


@contextlib.contextmanager
def shown(console: Console) -> Iterator[Report]:
    """Give a reporter that draws one bar for the songs and one for the events."""
    columns = (TextColumn("{task.description:<7}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {name: bars.add_task(name, total=None) for name in ("songs", "events")}

        def report(what: str, done: int, total: int) -> None:
            bars.update(tasks[what], completed=done, total=total)

        yield report
