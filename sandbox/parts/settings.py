"""Where a sandbox lives, which ports it uses and its generated credentials."""

import hashlib
import ipaddress
import itertools
import json
import os
import re
import secrets
import string
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.parts.privacy import make_private

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_REDSHIFT_PORT = 5439
DEFAULT_AWS_PORT = 4566
DEFAULT_AIRFLOW_PORT = 8080
DEFAULT_CLUSTER_SECONDS = 2.0
DEFAULT_SYS_LAG_SECONDS = 0.0
DEFAULT_ROLE_SECONDS = 5.0
# In the default VPC (EC2, CreateDefaultVpc: 172.31.0.0/16), where Airflow on AWS would be.
DEFAULT_CALLER_ADDRESS = "172.31.0.10"
DEFAULT_DATABASE = "sparkify"
LOOPBACK = "127.0.0.1"
_LONGEST_SECONDS = 3600
# PostgreSQL's own, Airflow's, and Redshift's of its service.
_OTHER_DATABASES = frozenset(("airflow", "padb_harvest", "postgres", "template0", "template1"))

# What `up` makes in the AWS account.
SOURCE_BUCKET = "sparkify-raw"
WORK_BUCKET = "sparkify-work"
ROLE_NAME = "sparkify-redshift"
BOUNDARY_NAME = "sparkify-boundary"

# By this header the endpoint tells the AWS API server which role it reads S3 as: `default` or ARNs.
ROLE_HEADER = "X-Sandbox-Role"

# sun_path holds 108 bytes on Linux and 104 on macOS, the final NUL included (unix(7)).
_LONGEST_SOCKET_PATH = 103
_SOCKET_NAME = ".s.PGSQL.5432.lock"


class SettingsError(SandboxError):
    """The environment or the credentials file of a sandbox cannot be used."""


@dataclass(frozen=True)
class Credentials:
    """The secrets of one sandbox, made once and kept in ``<home>/credentials.json`` (mode 0600).

    Those that the environment gives take the place of the kept ones.
    """

    password: str = field(repr=False)
    admin_password: str = field(repr=False)
    aws_access_key_id: str
    aws_secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """One sandbox: its folder, ports, names and secrets.

    Args:
        home: Folder that holds everything the sandbox keeps (absolute).
        redshift_port: TCP port of the Redshift endpoint.
        aws_port: TCP port of the AWS API server.
        password: Password of `user`, the master user, and of `loader`.
        admin_password: Password of `admin_user`, PostgreSQL's internal superuser.
        aws_access_key_id: Access key id the AWS API server accepts.
        aws_secret_access_key: Secret that requests to the AWS API server are signed with.
        loader: The user that Airflow's loads log in as, no superuser; what `redshift_cluster` makes on AWS.
        airflow_port: TCP port of Airflow's web server on 127.0.0.1.
        cluster_seconds: How long a cluster of the AWS API server is in a passing status, such as creating.
        sys_lag_seconds: How long after it happened something appears in the SYS views.
        role_seconds: How long a new IAM role is not known to Redshift yet.
        caller_address: The IPv4 address from which clusters see whoever connects to them.
        database: The warehouse's database.
        host: IP address that both listen on.
        aws_host: Name or address by which others reach the AWS API server.
        redshift_host: Name or address by which others reach the Redshift endpoint.
    """

    home: Path
    redshift_port: int
    aws_port: int
    password: str = field(repr=False)
    admin_password: str = field(repr=False)
    aws_access_key_id: str
    aws_secret_access_key: str = field(repr=False)
    database: str = DEFAULT_DATABASE
    user: str = "sparkify"
    loader: str = "loader"
    admin_user: str = "rdsdb"
    region: str = "us-east-1"
    airflow_port: int = DEFAULT_AIRFLOW_PORT
    cluster_seconds: float = DEFAULT_CLUSTER_SECONDS
    sys_lag_seconds: float = DEFAULT_SYS_LAG_SECONDS
    role_seconds: float = DEFAULT_ROLE_SECONDS
    caller_address: str = DEFAULT_CALLER_ADDRESS
    host: str = LOOPBACK
    aws_host: str = LOOPBACK
    redshift_host: str = LOOPBACK

    @classmethod
    def load(cls) -> "Settings":
        """Read the settings from the environment; make home and credentials when they are missing.

        Reads SANDBOX_HOME, SANDBOX_REDSHIFT_PORT, SANDBOX_AWS_PORT, SANDBOX_AIRFLOW_PORT,
        SANDBOX_CLUSTER_SECONDS, SANDBOX_SYS_LAG_SECONDS, SANDBOX_ROLE_SECONDS, SANDBOX_CALLER_ADDRESS and, as
        the home's first settings are made, SANDBOX_REDSHIFT_DATABASE; for a sandbox that others reach by a
        network SANDBOX_HOST, SANDBOX_AWS_HOST and SANDBOX_REDSHIFT_HOST; and instead of generated secrets
        SANDBOX_REDSHIFT_PASSWORD, SANDBOX_AWS_ACCESS_KEY_ID and SANDBOX_AWS_SECRET_ACCESS_KEY.

        Raises:
            SettingsError: A variable's value is not what it should be, or home or its credentials cannot be
                read or written.
        """
        home, (redshift_port, aws_port, airflow_port) = home_folder(), _ports()
        cluster_seconds = _seconds("SANDBOX_CLUSTER_SECONDS", DEFAULT_CLUSTER_SECONDS)
        role_seconds = _seconds("SANDBOX_ROLE_SECONDS", DEFAULT_ROLE_SECONDS)
        hosts = _hosts()
        database = _database(home)
        credentials = _given(_credentials(home))
        return cls(
            home=home,
            redshift_port=redshift_port,
            aws_port=aws_port,
            airflow_port=airflow_port,
            sys_lag_seconds=_seconds("SANDBOX_SYS_LAG_SECONDS", DEFAULT_SYS_LAG_SECONDS),
            caller_address=_caller_address(),
            cluster_seconds=cluster_seconds,
            role_seconds=role_seconds,
            database=database,
            **hosts,
            **asdict(credentials),
        )

    @classmethod
    def of_home(cls, home: Path) -> "Settings":
        """Settings without ports and secrets: enough to find and stop what runs, even where `load` fails."""
        return cls(
            home=home,
            redshift_port=0,
            aws_port=0,
            password="",
            admin_password="",
            aws_access_key_id="",
            aws_secret_access_key="",
        )

    @property
    def aws_endpoint_url(self) -> str:
        """URL of the AWS API server, for every service."""
        return f"http://{self.aws_host}:{self.aws_port}"

    @property
    def local_host(self) -> str:
        """The address at which this machine itself reaches what listens on `host`."""
        return LOOPBACK if self.host == "0.0.0.0" else self.host  # noqa: S104 - compared, not bound

    @property
    def socket_dir(self) -> Path:
        """Folder of PostgreSQL's unix socket, short enough for the operating system."""
        inside = self.home / "socket"
        if len(os.fsencode(inside / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sparkify-{os.getuid()}-{digest}"

    @property
    def logs_dir(self) -> Path:
        """Folder of the parts' log files."""
        return self.home / "logs"

    def environment(self) -> dict[str, str]:
        """The variables that make `load` in another process return these settings.

        Secrets that came from the environment are not among them: a child process inherits them.
        """
        return {
            "SANDBOX_HOME": str(self.home),
            "SANDBOX_REDSHIFT_PORT": str(self.redshift_port),
            "SANDBOX_AWS_PORT": str(self.aws_port),
            "SANDBOX_AIRFLOW_PORT": str(self.airflow_port),
            "SANDBOX_CLUSTER_SECONDS": f"{self.cluster_seconds:g}",
            "SANDBOX_SYS_LAG_SECONDS": f"{self.sys_lag_seconds:g}",
            "SANDBOX_ROLE_SECONDS": f"{self.role_seconds:g}",
            "SANDBOX_CALLER_ADDRESS": self.caller_address,
            "SANDBOX_HOST": self.host,
            "SANDBOX_AWS_HOST": self.aws_host,
            "SANDBOX_REDSHIFT_HOST": self.redshift_host,
        }


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The sandbox's folder: SANDBOX_HOME, or ``.sandbox`` in the repository; it need not exist."""
    given = environ.get("SANDBOX_HOME")
    # Without links, so that the target's owner and parents are looked at.
    return (Path(given).expanduser() if given else REPOSITORY / ".sandbox").resolve()


_PORT_DEFAULTS = {
    "SANDBOX_REDSHIFT_PORT": DEFAULT_REDSHIFT_PORT,
    "SANDBOX_AWS_PORT": DEFAULT_AWS_PORT,
    "SANDBOX_AIRFLOW_PORT": DEFAULT_AIRFLOW_PORT,
}


def _ports(environ: Mapping[str, str] = os.environ) -> tuple[int, ...]:
    """The ports, in the order of their defaults."""
    ports = {variable: _port(environ, variable, default) for variable, default in _PORT_DEFAULTS.items()}
    for first, second in itertools.combinations(ports, 2):
        if ports[first] == ports[second]:
            raise SettingsError(
                f"{first} and {second} are both {ports[first]}: give one of them another port."
            )
    return tuple(ports.values())


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise SettingsError(f"{variable}={text!r} is no port: set it to a number from 1 to 65535.")
    return int(text)


def _seconds(variable: str, default: float, environ: Mapping[str, str] = os.environ) -> float:
    text = environ.get(variable) or str(default)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII) or float(text) > _LONGEST_SECONDS:
        raise SettingsError(
            f"{variable}={text!r} is no duration: set it to a number of seconds from 0 to {_LONGEST_SECONDS}."
        )
    return float(text)


def _database(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The name of the home's database, which it keeps for good.

    Names are of small letters, digits and underscores, up to 64 (Redshift API, CreateCluster: DBName).
    """
    given = environ.get("SANDBOX_REDSHIFT_DATABASE") or ""
    if given and (not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", given, re.ASCII) or given in _OTHER_DATABASES):
        raise SettingsError(
            f"SANDBOX_REDSHIFT_DATABASE={given!r} cannot be the warehouse's: set it to a name of small "
            "letters, digits and underscores, such as dev, and none of "
            f"{', '.join(sorted(_OTHER_DATABASES))}."
        )
    kept = _kept_database(home, given or DEFAULT_DATABASE)
    if given and given != kept:
        raise SettingsError(
            f"The warehouse in {home} has the database {kept}, and SANDBOX_REDSHIFT_DATABASE says {given}: "
            "leave it out, or set SANDBOX_HOME to another folder for a warehouse of that name."
        )
    return kept


def _kept_database(home: Path, wanted: str) -> str:
    """What the home's database is called; a new home takes the wanted name, an older one has the default."""
    path = home / "database"
    if (home / "credentials.json").exists() and not path.exists():
        return DEFAULT_DATABASE
    try:
        make_private(home)
        if not path.exists():
            write_once(path, wanted)
        return path.read_text().strip()
    except OSError as error:
        raise _unusable(home, error) from error


def _unusable(home: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"The sandbox's folder {home} cannot be used: {error}. "
        "Make it yours or set SANDBOX_HOME to another folder."
    )


def _caller_address(environ: Mapping[str, str] = os.environ) -> str:
    text = environ.get("SANDBOX_CALLER_ADDRESS") or DEFAULT_CALLER_ADDRESS
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise SettingsError(
            f"SANDBOX_CALLER_ADDRESS={text!r} is no IPv4 address: set it to the one that security groups are "
            f"to see, such as {DEFAULT_CALLER_ADDRESS}."
        ) from error


def _hosts(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The address to listen on and the names to be reached by, as arguments of `Settings`."""
    host = environ.get("SANDBOX_HOST") or LOOPBACK
    try:
        ipaddress.IPv4Address(host)
    except ValueError as error:
        raise SettingsError(
            f"SANDBOX_HOST={host!r} is no IPv4 address to listen on: set it to {LOOPBACK}, or to 0.0.0.0 for "
            "every network of this machine."
        ) from error
    names = {"aws_host": "SANDBOX_AWS_HOST", "redshift_host": "SANDBOX_REDSHIFT_HOST"}
    return {"host": host, **{name: _name(environ, variable) for name, variable in names.items()}}


def _name(environ: Mapping[str, str], variable: str) -> str:
    text = environ.get(variable) or LOOPBACK
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text, re.ASCII):
        raise SettingsError(
            f"{variable}={text!r} is no host name: set it to a name in lower case, or to an IPv4 address."
        )
    return text


def _given(kept: Credentials, environ: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials, with those that the environment gives in place of the kept ones."""
    variables = {
        "password": "SANDBOX_REDSHIFT_PASSWORD",
        "aws_access_key_id": "SANDBOX_AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": "SANDBOX_AWS_SECRET_ACCESS_KEY",
    }
    given = {name: environ[variable] for name, variable in variables.items() if environ.get(variable)}
    return replace(kept, **given)


def _credentials(home: Path) -> Credentials:
    path = home / "credentials.json"
    try:
        make_private(home)
        if not path.exists():
            write_once(path, json.dumps(asdict(_new_credentials()), indent=2))
        return Credentials(**json.loads(path.read_text()))
    except OSError as error:
        raise _unusable(home, error) from error
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"{path} is damaged ({error}). The warehouse in {home} cannot be opened without it: "
            f"restore the file, or stop the sandbox and remove {home} to begin anew."
        ) from error


def write_once(path: Path, text: str) -> None:
    """Write a private file, unless someone else was faster: then theirs stays."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()


def _new_credentials() -> Credentials:
    letters = string.ascii_letters + string.digits
    return Credentials(
        password=new_password(),
        admin_password=new_password(),
        aws_access_key_id="AKIA" + _random(string.ascii_uppercase + string.digits, 16),
        aws_secret_access_key=_random(letters, 40),
    )


def new_password() -> str:
    """A random password of letters and digits, which no shell and no URL has to quote."""
    return _random(string.ascii_letters + string.digits, 32)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
