"""The environment variables that point Airflow, boto3 and the aws command at a sandbox."""

import json
import os
import shlex
import sys
import urllib.request
from pathlib import Path

from sandbox.parts import tls
from sandbox.parts.settings import LOOPBACK, REPOSITORY, SOURCE_BUCKET, WORK_BUCKET, Settings


def variables(settings: Settings) -> dict[str, str]:
    """Every variable that Airflow, boto3 and this program need to work on the sandbox (holds secrets)."""
    return {
        **settings.environment(),
        "PATH": _path(),
        **airflow_variables(settings.home / "airflow"),
        **aws_variables(settings),
        # redshift_connector logs in by IAM only over TLS, with a certificate it can trust.
        "SSL_CERT_FILE": str(tls.trust_file(settings)),
        "AIRFLOW_CONN_AWS_DEFAULT": _aws_connection(settings),
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": redshift_connection(settings),
        "AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET": SOURCE_BUCKET,
        "AIRFLOW_VAR_SPARKIFY_WORK_BUCKET": WORK_BUCKET,
        "AIRFLOW_VAR_SPARKIFY_IAM_ROLE": "default",
        "AIRFLOW_VAR_SPARKIFY_REGION": settings.region,
        "AIRFLOW_VAR_SPARKIFY_POLL_SECONDS": "1",
        **_proxy_exception(settings),
    }


def airflow_variables(home: Path) -> dict[str, str]:
    """The variables of an Airflow that keeps its things in `home` and runs this repository's DAGs."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        # What runs DAGs has their folder on its path; a command that only looks has not: `dags list --local`.
        "PYTHONPATH": _first(str(REPOSITORY / "dags"), os.environ.get("PYTHONPATH", "")),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        # Two warnings of Airflow's own code, which nobody here can do anything about.
        "PYTHONWARNINGS": "ignore:Could not import graphviz,ignore:GitWildMatchPattern",
    }


def aws_variables(settings: Settings) -> dict[str, str]:
    """The variables boto3 and the aws command read."""
    return {
        "AWS_ENDPOINT_URL": settings.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": settings.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.aws_secret_access_key,
        "AWS_DEFAULT_REGION": settings.region,
    }


def libpq_variables(settings: Settings) -> dict[str, str]:
    """What psql and everything else that is made of libpq reads: the warehouse, as the master user."""
    return {
        "PGHOST": settings.redshift_host,
        "PGPORT": str(settings.redshift_port),
        "PGDATABASE": settings.database,
        "PGUSER": settings.user,
        "PGPASSWORD": settings.password,
    }


def redshift_connection(settings: Settings) -> str:
    """The Airflow connection of the Redshift endpoint.

    Nothing in `extra`: RedshiftSQLHook gives it to redshift_connector and, for its SQLAlchemy engine, to
    psycopg, which share no argument about encryption. redshift_connector encrypts and trusts SSL_CERT_FILE.
    """
    return json.dumps(
        {
            "conn_type": "redshift",
            "host": settings.redshift_host,
            "port": settings.redshift_port,
            "login": settings.loader,
            "password": settings.password,
            "schema": settings.database,
            "extra": {},
        }
    )


def _aws_connection(settings: Settings) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": settings.aws_access_key_id,
            "password": settings.aws_secret_access_key,
            "extra": {
                "region_name": settings.region,
                "endpoint_url": settings.aws_endpoint_url,
                # boto3 would put the bucket before a host name that is no address.
                "config_kwargs": {"s3": {"addressing_style": "path"}},
            },
        }
    )


def _path() -> str:
    """PATH with this Python's programs (airflow among them) first."""
    return _first(str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))


def _first(folder: str, folders: str) -> str:
    """Return a list of folders as PATH writes it, with one of them first."""
    others = [other for other in folders.split(os.pathsep) if other not in ("", folder)]
    return os.pathsep.join([folder, *others])


def _proxy_exception(settings: Settings) -> dict[str, str]:
    """Where a proxy is set, keep requests to the sandbox from going through it."""
    if not urllib.request.getproxies_environment():
        return {}
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    own = (LOOPBACK, "localhost", settings.aws_host, settings.redshift_host)
    hosts = ",".join(dict.fromkeys([*filter(None, given.split(",")), *own]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def quote(value: str) -> str:
    """A value quoted for the shell, always visibly."""
    quoted = shlex.quote(value)
    return quoted if quoted.startswith("'") else f"'{value}'"
