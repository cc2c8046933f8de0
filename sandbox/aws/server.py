"""The AWS API server's process: the layers put together and served."""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from sandbox.aws import copies, objects, policies, wsgi
from sandbox.aws.access import aws_policies
from sandbox.aws.access.layer import Access
from sandbox.aws.bodies import Intake
from sandbox.aws.buckets import Buckets
from sandbox.aws.clusters.layer import Clusters
from sandbox.aws.connections import Server
from sandbox.aws.data_api.layer import DataApi
from sandbox.aws.dispatch import SERVICES, MotoServices
from sandbox.aws.durable_s3 import DurableS3
from sandbox.aws.faults import ADMIN_SERVICE, Faults
from sandbox.aws.handler import Handler
from sandbox.aws.listing import Listing
from sandbox.aws.reads import Reads
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.serverless.layer import Serverless
from sandbox.aws.serverless.messages import NAME as SERVERLESS
from sandbox.aws.signature import Secret, SignatureCheck
from sandbox.aws.store import ObjectStore
from sandbox.aws.topics import Topics
from sandbox.aws.wsgi import Application, Environ, StartResponse
from sandbox.parts.health import HEALTH_PATH
from sandbox.parts.settings import BOUNDARY_NAME, LOOPBACK, ROLE_NAME, SOURCE_BUCKET, WORK_BUCKET, Settings

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "redshift.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# What include/iam/cluster-boundary.json becomes for the sandbox's buckets and the cluster `sparkify`.
_BOUNDARY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"],
            "Resource": [
                f"arn:aws:s3:::{name}{end}" for name in (SOURCE_BUCKET, WORK_BUCKET) for end in ("", "/*")
            ],
        }
    ],
}
_READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}],
}
_LOCAL_HOSTS = frozenset((LOOPBACK, "localhost"))

log = logging.getLogger("sandbox.aws")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT arrives."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    started = time.monotonic()
    server = Server(settings.host, settings.aws_port, application(settings), Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    log.info("ready at %s after %.1f s", settings.aws_endpoint_url, time.monotonic() - started)
    server.serve_forever(poll_interval=0.1)
    log.info("stopped")
    logging.shutdown()
    os._exit(0)  # everything is on disk; taking thousands of objects apart one by one would take seconds


def application(settings: Settings) -> Application:
    """From the outside in: health, signatures, faults, access, reads, disk, buckets, Redshift, moto."""
    policies.install()
    objects.install()
    copies.install()
    clusters = Serverless(Clusters(Topics(MotoServices()), settings))
    services = DataApi(clusters, settings)
    store = ObjectStore(settings.home / "s3")
    s3 = DurableS3(Buckets(services), store)
    s3.restore()
    for bucket in (SOURCE_BUCKET, WORK_BUCKET):
        s3.make_bucket(bucket, settings.region)
    _make_role()
    checked = SignatureCheck(
        Faults(Access(Reads(Listing(s3, store)), settings.aws_access_key_id), settings.aws_access_key_id),
        _secrets(settings),
        {*SERVICES, SERVERLESS, ADMIN_SERVICE},
        Intake(settings.home / "s3" / "incoming"),
    )
    return _Front(checked, _LOCAL_HOSTS | {settings.aws_host})


class _Front:
    """The outermost layer: answers health checks, and turns an unexpected error into an AWS error."""

    def __init__(self, application: Application, hosts: Collection[str]) -> None:
        self._application = application
        self._hosts = hosts

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == HEALTH_PATH:
            return _health(start_response)
        if environ.get("HTTP_HOST", "").rpartition(":")[0] not in self._hosts:
            return respond(_wrong_host(environ), environ, start_response)
        try:
            return self._application(environ, start_response)
        except ConnectionError:
            raise  # the client has gone, or is to be dropped: the request handler closes the connection
        except Exception:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], wsgi.raw_path(environ)[:300])
            error = RefusalError(
                "500 Internal Server Error", "InternalError", "See `python -m sandbox logs aws`."
            )
            return respond(error, environ, start_response)


def _health(start_response: StartResponse) -> Iterable[bytes]:
    body = json.dumps({"status": "ok", "pid": os.getpid()}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _wrong_host(environ: Environ) -> RefusalError:
    message = (
        f"The host {environ.get('HTTP_HOST')!r} is not served. Use the endpoint http://127.0.0.1:<port> "
        "and path-style S3 addresses."
    )
    return RefusalError("400 Bad Request", "InvalidRequest", message)


def _secrets(settings: Settings) -> Callable[[str], Secret | None]:
    """The secrets of the sandbox's own key and of those that IAM and STS have handed out."""

    def secret_of(access_key_id: str) -> Secret | None:
        if access_key_id == settings.aws_access_key_id:
            return Secret(settings.aws_secret_access_key)
        for role in sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles:
            if role.access_key_id == access_key_id:
                return Secret(role.secret_access_key, role.session_token, role.expiration.replace(tzinfo=UTC))
        issued = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].access_keys.get(access_key_id)
        return Secret(issued.secret_access_key) if issued and issued.status == "Active" else None

    return secret_of


def _make_role() -> None:
    """The role that COPY's IAM_ROLE names, and the boundary of those that Airflow makes."""
    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    aws_policies.know_usual(iam)
    iam.create_policy("", "/", json.dumps(_BOUNDARY), BOUNDARY_NAME, [])
    iam.create_role(
        role_name=ROLE_NAME,
        assume_role_policy_document=json.dumps(_TRUST),
        path="/",
        permissions_boundary=None,
        description="Redshift reads the source bucket as this role",
        tags=[],
        max_session_duration="3600",
    )
    iam.put_role_policy(ROLE_NAME, "read", json.dumps(_READ))
