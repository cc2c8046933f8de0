"""``python -m sandbox up``: start what does not run, and say where things are."""

import argparse
import time

from sandbox import lifecycle
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from sandbox.terminal.console import say


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(_: argparse.Namespace) -> int:
    """Bring the sandbox up; return 0."""
    began = time.monotonic()
    settings = Settings.load()
    started = lifecycle.up(settings)
    seconds = time.monotonic() - began
    say(f"The sandbox {'is up' if started else 'was up already'} ({seconds:.1f} s).")
    address = f"{settings.redshift_host}:{settings.redshift_port}"
    say(f"  Redshift  {address}, database {settings.database}, user {settings.user}")
    say(f"  AWS       {settings.aws_endpoint_url} (S3 with the bucket {SOURCE_BUCKET}, IAM, …)")
    say(f"  Data      {settings.home}")
    say()
    say("  python -m sandbox psql            a SQL shell")
    say('  eval "$(python -m sandbox env)"   connections for Airflow, boto3 and the aws command')
    say("  python -m sandbox down            stop; the data stays")
    return 0
