"""``python -m sandbox stream``: events as they happen, so that the hourly schedule has something to load."""

import argparse
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.demo.live import LiveDay, today
from sandbox.demo.upload import s3_client
from sandbox.parts.parts import require_up
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from sandbox.terminal.console import say

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stream``."""
    parser.add_argument(
        "--events", type=_positive, default=20_000, help="events of a whole day (%(default)s)"
    )
    parser.add_argument(
        "--every", type=_positive, default=10, help="seconds between two writes (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Write today's file again and again, with what has happened by then, until interrupted.

    S3 has no append: like a log shipper, each write replaces the day's file by a longer one.

    Raises:
        SandboxError: The sandbox is not up.
    """
    settings = Settings.load()
    require_up(settings)
    s3 = s3_client(settings)
    day = today(args.events)
    say(f"Writing what happens now to s3://{SOURCE_BUCKET}/{day.key} every {args.every} s; Ctrl-C ends it.")
    say("The schedule loads an hour when it is over. What is there now: trigger sparkify_etl with")
    say(f"  window_start {day.day}T00:00:00Z, window_end a later moment of today")
    written = 0
    while True:
        written = _write(s3, day, written)
        time.sleep(args.every)
        if (new := today(args.events)) != day:
            _write(s3, day, written)  # the last seconds before midnight
            day, written = new, 0


def _write(s3: "S3Client", day: LiveDay, written: int) -> int:
    """Write the day's file; return how many events are in it."""
    now = datetime.now(UTC)
    lines = day.until(now)
    s3.put_object(Bucket=SOURCE_BUCKET, Key=day.key, Body="\n".join(lines).encode("ascii"))
    say(f"{now:%H:%M:%S} UTC  {len(lines) - written:6,} new events, {len(lines):,} of {day.day}")
    return len(lines)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number
