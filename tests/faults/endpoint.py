"""One more Redshift endpoint over the sandbox's PostgreSQL, for a test to kill and start again."""

import dataclasses
import signal
from typing import Any

from sandbox.parts import environment, processes
from sandbox.parts.parts import Redshift
from sandbox.parts.settings import Settings
from tests.conftest import free_port


class Endpoint:
    """Starts with the object; reads S3 at `aws_port`."""

    def __init__(self, sandbox: Settings, aws_port: int) -> None:
        self.settings = dataclasses.replace(sandbox, redshift_port=free_port(), aws_port=aws_port)
        self.log = sandbox.logs_dir / "redshift-faults.log"
        self.process: Any = None
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        """The variable that sends a run's statements here."""
        return {"AIRFLOW_CONN_REDSHIFT_DEFAULT": environment.redshift_connection(self.settings)}

    def start(self) -> None:
        self.process = processes.start_module("sandbox.redshift", "redshift-faults", self.settings, self.log)
        part = Redshift(self.settings)
        processes.wait_until(
            lambda: part.answers(self.settings.local_host), [self.process], "The endpoint", self.log
        )

    def kill(self) -> None:
        processes.stop([self.process], signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()
