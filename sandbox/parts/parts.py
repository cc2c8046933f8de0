"""The parts of a sandbox: PostgreSQL, the AWS API server, the Redshift endpoint."""

import http.client
import json
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path

import psutil
import psycopg

from sandbox.errors import SandboxError
from sandbox.parts import postgres, processes
from sandbox.parts.health import HEALTH_PATH
from sandbox.parts.settings import LOOPBACK, Settings


class PortInUseError(SandboxError):
    """A port the sandbox needs is taken by another program."""


class Part(ABC):
    """One process of the sandbox.

    Attributes:
        name: What `status` and `logs` call it.
        title: What messages call it.
    """

    name: str
    title: str

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def port(self) -> int | None:
        """Its TCP port, if it has one."""
        return None

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.settings.logs_dir / f"{self.name}.log"

    @abstractmethod
    def check(self) -> None:
        """Raise an error if something outside the sandbox would keep the part from starting."""

    @abstractmethod
    def start(self) -> None:
        """Start it, without waiting until it is healthy."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until it is healthy, or raise an error with the end of its log."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it and whatever an earlier crash left of it; harmless when nothing runs."""

    @abstractmethod
    def find(self) -> list[psutil.Process]:
        """Its processes, the main one first."""

    @abstractmethod
    def is_healthy(self) -> bool:
        """Whether it does its work."""


class Postgres(Part):
    """The database behind the Redshift endpoint."""

    name = "postgres"
    title = "PostgreSQL server"

    def check(self) -> None:
        """Raise an error where its programs are missing."""
        postgres.programs()

    def start(self) -> None:
        """Start it; it is healthy when this returns."""
        postgres.ensure_running(self.settings)

    def wait(self) -> None:
        """Nothing to wait for: `start` did."""

    def stop(self) -> None:
        """Stop it; open transactions roll back."""
        postgres.stop(self.settings)

    def find(self) -> list[psutil.Process]:
        """Its processes, the main one first."""
        return postgres.find(self.settings.home)

    def is_healthy(self) -> bool:
        """Whether it accepts connections."""
        return postgres.is_running(self.settings)


class Service(Part):
    """A part that listens on a port.

    Attributes:
        port_variable: The environment variable that gives the port.
        command: Of `python -m sandbox`, which starts it.
        patience: How long it may take to become healthy, in seconds.
    """

    port_variable: str
    command = "up"
    patience = 60.0

    @property
    @abstractmethod
    def port(self) -> int:
        """Its TCP port."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The name or address its clients use."""

    def check(self) -> None:
        """Refuse a port that someone else listens on."""
        if not self.find() and _is_taken(self.settings.host, self.port):
            raise PortInUseError(
                f"Port {self.port} on {self.settings.host}, which the {self.title} needs, is used by "
                f"{_listener(self.port)}. Stop that program, or choose another port: "
                f"{self.port_variable}={_free_port()} python -m sandbox {self.command}"
            )

    def start(self) -> None:
        """Start it, and replace what is left of an unhealthy one."""
        self.stop()
        self.check()
        self._started = self._spawn()

    @abstractmethod
    def _spawn(self) -> list[psutil.Popen]:
        """Start its processes."""

    def wait(self) -> None:
        """Wait until it answers."""
        processes.wait_until(self.is_healthy, self._started, f"The {self.title}", self.log, self.patience)

    def stop(self) -> None:
        """Ask it to end, and kill it if it does not."""
        # What was just being born when the others were told to end is found the next time.
        for _ in range(3):
            if family := self.find():
                processes.stop(family, signal.SIGTERM, patience=5)

    def find(self) -> list[psutil.Process]:
        """Its processes, the main one first."""
        return processes.find_part(self.name, self.settings.home)

    def is_healthy(self) -> bool:
        """Whether it runs and does its work; whoever else has its port is not asked."""
        return bool(self.find()) and self.answers(self.settings.local_host)

    def is_reachable(self) -> bool:
        """Whether its clients here can use it: it is healthy, or answers by name from another machine."""
        return self.is_healthy() or (self.address != LOOPBACK and self.answers(self.address))

    @abstractmethod
    def answers(self, host: str) -> bool:
        """Whether the expected answer comes from its port."""


class Module(Service):
    """A part that is a Python module of the sandbox."""

    module: str

    def _spawn(self) -> list[psutil.Popen]:
        return [processes.start_module(self.module, self.name, self.settings, self.log)]


class Aws(Module):
    """S3, IAM and the other AWS APIs."""

    name = "aws"
    title = "AWS API server"
    module = "sandbox.aws"
    port_variable = "SANDBOX_AWS_PORT"

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self.settings.aws_port

    @property
    def address(self) -> str:
        """The name or address its clients use."""
        return self.settings.aws_host

    def answers(self, host: str) -> bool:
        """Whether it answers, and on this machine is this sandbox's."""
        connection = http.client.HTTPConnection(host, self.port, timeout=5)
        try:
            connection.request("GET", HEALTH_PATH)
            pid = json.load(connection.getresponse())["pid"]
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return False
        finally:
            connection.close()
        # The process ids of another machine mean nothing here; there a signature tells whose it is.
        return host != self.settings.local_host or pid in {process.pid for process in self.find()}


class Redshift(Module):
    """The Redshift endpoint."""

    name = "redshift"
    title = "Redshift endpoint"
    module = "sandbox.redshift"
    port_variable = "SANDBOX_REDSHIFT_PORT"

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self.settings.redshift_port

    @property
    def address(self) -> str:
        """The name or address its clients use."""
        return self.settings.redshift_host

    def answers(self, host: str) -> bool:
        """Whether the user can log in and query; the password proves that it is this sandbox's."""
        try:
            with psycopg.connect(
                host=host,
                port=self.port,
                user=self.settings.user,
                password=self.settings.password,
                dbname=self.settings.database,
                sslmode="disable",
                connect_timeout=5,
            ) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False


PARTS = ("aws", "postgres", "redshift")


def all_parts(settings: Settings, names: Collection[str] = PARTS) -> list[Part]:
    """Every part, or those named, in the order they start; they stop in the opposite order.

    The endpoint needs PostgreSQL. The AWS API server comes first because it loads while PostgreSQL starts.
    """
    return [part for part in (Aws(settings), Postgres(settings), Redshift(settings)) if part.name in names]


def part_names(words: Collection[str]) -> Collection[str]:
    """The parts that a command line names; all where it names none.

    Raises:
        SandboxError: There is no part of that name.
    """
    unknown = [word for word in words if word not in PARTS]
    if unknown:
        raise SandboxError(f"The sandbox has no part {' or '.join(unknown)}: name {', '.join(PARTS)}.")
    return words or PARTS


def require_up(settings: Settings) -> None:
    """Raise an error that says what to do unless the endpoint and the AWS API server answer."""
    parts: list[Service] = [Aws(settings), Redshift(settings)]
    silent = [f"the {part.title} ({part.address}:{part.port})" for part in parts if not part.is_reachable()]
    if silent:
        raise SandboxError(
            f"The sandbox in {settings.home} is not up (no answer from {' and '.join(silent)}). "
            "Start it: python -m sandbox up"
        )


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listener(port: int) -> str:
    """Who listens on a port, as far as the operating system tells us."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return "another program"
