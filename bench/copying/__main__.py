"""Compare, all in one run, in a sandbox of its own, which is gone afterwards, whatever happens."""

import argparse
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from statistics import median

from bench.copying import by_dlt, peers
from bench.copying.memory import PARTS, watched
from bench.copying.place import Source, prepare, write_csv
from bench.place import temporary_sandbox
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note, reported

COPY, CHECKED, BARE = "COPY", "ready CSV, same table", "ready CSV, bare table"
SONGS, RELAYED, DIRECT, DLT = "one-song files", "select by the endpoint", "select directly", "dlt"
_DLT_FILE = "log_data/2018/11/2018-11-01-events.json"
Figures = dict[str, list[float]]


def main() -> int:
    """Measure and print; return the exit code."""
    words = _parse()
    # What ends the process lets it stop what it has started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return reported(lambda: _run(words))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.copying", description=__doc__)
    parser.add_argument("--events", type=int, default=1_200_000, metavar="N", help="events (%(default)s)")
    parser.add_argument("--songs", type=int, default=15_000, metavar="N", help="song files (%(default)s)")
    parser.add_argument("--rows", type=int, default=300_000, metavar="N", help="rows selected (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="times each is run (%(default)s)")
    parser.add_argument("--no-dlt", action="store_true", help="leave dlt out")
    return parser.parse_args()


def _run(words: argparse.Namespace) -> int:
    with temporary_sandbox() as settings:
        note(f"Making {words.events:,} events and {words.songs:,} song files …")
        source = prepare(settings, words.events, words.songs)
        figures: Figures = defaultdict(list)
        with watched(settings) as peak:
            peers.copy(settings, source)
            write_csv(settings, source)
            for number in range(words.rounds):
                note(f"Round {number + 1} of {words.rounds} …")
                for name, run in _runs(settings, source, words.rows).items():
                    figures[name].append(run())
                    note(f"  {name}: {figures[name][-1]:,.0f} a second")
        why_not = "left out" if words.no_dlt else _run_dlt(settings, source, words, figures)
        print(_table(source, words, figures, {part: peak.bytes[part] for part in PARTS}, why_not))
    return 0


def _runs(settings: Settings, source: Source, rows: int) -> dict[str, Callable[[], float]]:
    """Each next to what it is compared with."""
    return {
        CHECKED: lambda: peers.copy_csv(settings, source, "staging_events"),
        COPY: lambda: peers.copy(settings, source),
        BARE: lambda: peers.copy_csv(settings, source, "bare_events"),
        SONGS: lambda: peers.copy_songs(settings, source),
        DIRECT: lambda: peers.select_directly(settings, rows),
        RELAYED: lambda: peers.select_by_endpoint(settings, rows),
    }


def _run_dlt(settings: Settings, source: Source, words: argparse.Namespace, figures: Figures) -> str:
    """Let dlt load the first file, and COPY all again beside it; return why it could not, or nothing."""
    note("Installing dlt …")
    try:
        python = by_dlt.install(settings.home / "dlt")
        rows = _lines(settings, _DLT_FILE)
        for number in range(min(2, words.rounds)):
            note(f"dlt, round {number + 1} …")
            figures[DLT].append(by_dlt.load(python, settings, _DLT_FILE, rows))
            figures[COPY].append(peers.copy(settings, source))
    except by_dlt.NotInstalledError as error:
        return f"not run: {error}"
    return ""


def _lines(settings: Settings, key: str) -> int:
    return (settings.home / "bench-source" / key).read_bytes().count(b"\n")


def _table(
    source: Source, words: argparse.Namespace, figures: Figures, peak: dict[str, int], why_not: str
) -> str:
    middle = {name: median(values) for name, values in figures.items()}
    by_dlt_ratio = why_not or f"{middle[COPY] / middle[DLT]:.1f}"
    lines = [
        f"{source.events:,} events in {source.event_bytes / 1e6:,.0f} MB, {source.songs:,} song files; "
        f"medians of {words.rounds} rounds",
        "",
        *(f"{name:42}{middle[name]:>12,.0f} a second" for name in middle),
        "",
        _ratio("COPY ÷ ready CSV, same table", figures, COPY, CHECKED),
        _ratio("COPY ÷ ready CSV, bare table", figures, COPY, BARE),
        f"{'COPY ÷ dlt filesystem → postgres':42}{by_dlt_ratio:>12}",
        f"{'one-song files a second':42}{middle[SONGS]:>12,.0f}",
        f"{'memory of the S3 server, MB':42}{peak['aws'] / 1e6:>12,.0f}",
        f"{'memory of the endpoint, MB':42}{peak['redshift'] / 1e6:>12,.0f}",
        _ratio(f"{words.rows:,} rows: endpoint ÷ direct, time", figures, DIRECT, RELAYED),
    ]
    return "\n".join(lines)


def _ratio(name: str, figures: Figures, upper: str, lower: str) -> str:
    """The median of the ratios of the rounds: what else the machine does hits both sides of one."""
    rounds = zip(figures[upper], figures[lower], strict=False)
    return f"{name:42}{median(one / other for one, other in rounds):>12.2f}"


if __name__ == "__main__":
    sys.exit(main())
