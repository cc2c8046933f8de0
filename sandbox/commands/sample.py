"""``python -m sandbox sample``: sample data from the command line."""

import argparse
from datetime import date
from pathlib import Path

from rich.console import Console

from sandbox.demo.sample import Request, generate
from sandbox.demo.sample.screen import described, shown
from sandbox.demo.sample.stores import write_stores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``sample``."""
    default = Request()
    parser.add_argument(
        "--out", type=Path, required=True, help="folder to write log_data/ and song_data/ into"
    )
    parser.add_argument(
        "--dataset",
        choices=("sparkify", "stores"),
        default="sparkify",
        help="stores: store_data/ and sales_data/ of the months of --start and --days (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=default.seed, help="any whole number (%(default)s)")
    parser.add_argument("--start", type=_day, default=default.start, help="first day, UTC (%(default)s)")
    parser.add_argument("--days", type=int, default=default.days, help="number of days (%(default)s)")
    parser.add_argument("--events", type=int, default=default.events, help="events in all (%(default)s)")
    parser.add_argument("--songs", type=int, default=default.songs, help="song files (%(default)s)")
    parser.add_argument(
        "--users", type=int, help="listeners (default: one per twelve events of an average day)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the sample and print what was written; return the exit code."""
    console = Console()
    if args.dataset == "stores":
        stores, months = write_stores(args.out, Request(seed=args.seed, start=args.start, days=args.days))
        line = f"{args.out}: {stores:,} stores and their sales in {months:,} months"
        console.print(line, highlight=False, soft_wrap=True, markup=False)
        return 0
    with shown(console) as report:
        summary = generate(
            args.out,
            seed=args.seed,
            start=args.start,
            days=args.days,
            events=args.events,
            songs=args.songs,
            users=args.users,
            progress=report,
        )
    line = f"{args.out}: {described(summary)}, in {summary.seconds:,.1f} s"
    console.print(line, highlight=False, soft_wrap=True, markup=False)
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2018-11-01") from error
