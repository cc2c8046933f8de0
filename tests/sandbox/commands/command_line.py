"""Sandboxes that tests start and stop by the command line, as a user does it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import psutil
import psycopg

from sandbox.parts import processes
from sandbox.parts.parts import all_parts
from sandbox.parts.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]


def command(settings: Settings, *words: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", *words]


def run_sandbox(settings: Settings, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(settings, *words),
        cwd=REPOSITORY,
        env={**os.environ, **settings.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def running(settings: Settings) -> list[psutil.Process]:
    return [process for part in all_parts(settings) for process in part.find()]


def main_pids(settings: Settings) -> dict[str, int]:
    return {part.name: part.find()[0].pid for part in all_parts(settings)}


def kill(family: list[psutil.Process]) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    processes.stop(family, signal.SIGKILL)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def query(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(
        host="127.0.0.1",
        port=settings.redshift_port,
        user=settings.user,
        password=settings.password,
        dbname=settings.database,
        sslmode="disable",
        autocommit=True,
    ) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def put(settings: Settings, key: str, body: bytes) -> None:
    s3(settings).put_object(Bucket="sparkify-raw", Key=key, Body=body)


def s3(settings: Settings):
    return boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
        region_name=settings.region,
    )
