"""``python -m sandbox load``: a folder of source files to S3."""

import argparse
from pathlib import Path

from sandbox.demo.upload import upload
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from sandbox.terminal.console import note, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``load``."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="holds log_data/, song_data/, …")
    parser.add_argument("--bucket", default=SOURCE_BUCKET, help="bucket to upload to (%(default)s)")
    parser.add_argument(
        "--delete",
        action="store_true",
        help="also remove the keys below the same top folders that DIR does not have",
    )


def run(args: argparse.Namespace) -> int:
    """Upload and print what was done; return 0, or 1 where a file could not be uploaded."""
    done = upload(Settings.load(), args.folder, bucket=args.bucket, delete=args.delete)
    removed = f", {done.deleted:,} deleted" if args.delete else ""
    say(
        f"s3://{args.bucket}: {done.uploaded:,} files uploaded ({done.size / 1e6:,.1f} MB), "
        f"{done.unchanged:,} unchanged{removed}, in {done.seconds:.1f} s"
    )
    if done.failed:
        note(f"Error: {done.failed:,} files were not uploaded; each is named above, with the reason.")
    return 1 if done.failed else 0
