"""Real receivers of alerts, and Airflow's DAG processor for the callbacks of a run that has ended."""

import functools
import json
import os
import selectors
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Posted:
    path: str
    headers: dict
    document: dict


@dataclass
class Receiver:
    """An HTTP server on this machine; `status` is what it answers, `hangs` keeps it from answering."""

    status: int = 200
    hangs: bool = False
    posted: list[Posted] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def documents(self):
        return [one.document for one in self.posted]


@contextmanager
def http_receiver():
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.hangs:
                receiver.released.wait(30)
                return
            receiver.posted.append(Posted(self.path, dict(self.headers), json.loads(body)))
            self.send_response(receiver.status)
            if receiver.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def mail_receiver():
    """An SMTP server on this machine; yields its port and the messages that have come."""
    from aiosmtpd.controller import Controller

    messages = []

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
            message = message_from_bytes(envelope.content, policy=policy.default)
            messages.append((envelope.rcpt_tos, message))
            return "250 OK"

    # The controller connects to itself to see whether it is up, and cannot with port 0.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, messages
    finally:
        controller.stop()


@pytest.fixture
def receiver():
    with http_receiver() as one:
        yield one


@pytest.fixture
def mailbox(monkeypatch):
    """The messages that come over the connection smtp_default."""
    with mail_receiver() as (port, messages):
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.org"}
        set_connection(
            monkeypatch, "smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=extra
        )
        yield messages


def connection(**fields):
    """An Airflow connection as its environment variable has it."""
    return json.dumps({"conn_type": "http", **fields})


def set_connection(monkeypatch, conn_id, **fields):
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", connection(**fields))


@pytest.fixture
def webhook(receiver, monkeypatch):
    """The receiver, told of by the targets of the Variable."""
    set_connection(monkeypatch, "alerts", host=f"{receiver.url}/in", password="hook-token")
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_ALERTS", "webhook:alerts")
    return receiver


@pytest.fixture
def metadata(airflow_db):
    """Airflow's metadata database, with no memory of alerts."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Variable).delete()


@pytest.fixture
def as_task(metadata):
    """Variables and connections as a task has them, in this process."""
    import psutil
    import structlog
    from airflow.sdk.execution_time.supervisor import (
        InProcessSupervisorComms,
        InProcessTestSupervisor,
        set_supervisor_comms,
    )
    from uuid6 import uuid7

    supervisor = InProcessTestSupervisor(
        id=uuid7(),
        pid=os.getpid(),
        process=psutil.Process(),
        process_log=structlog.get_logger("tests"),
        client=InProcessTestSupervisor._api_client(),
    )
    supervisor.comms = InProcessSupervisorComms(supervisor=supervisor)
    with set_supervisor_comms(supervisor.comms):
        yield


def call_back(dag_file, run):
    """Call the callbacks of a DAG's run that has ended, as the DAG processor does: in a process of its own.

    Returns:
        How many seconds it took.
    """
    import structlog
    from airflow.dag_processing.processor import DagFileProcessorProcess
    from uuid6 import uuid7

    client = _client()
    began = time.monotonic()
    with Path(os.devnull).open("wb") as nowhere, selectors.DefaultSelector() as selector:
        process = DagFileProcessorProcess.start(
            id=uuid7(),
            path=dag_file,
            bundle_path=dag_file.parent,
            bundle_name="dags-folder",
            dag_file_rel_path=dag_file.name,
            callbacks=[request_of(run)],
            selector=selector,
            logger=structlog.get_logger("tests"),
            logger_filehandle=nowhere,
            client=client,
        )
        while not process.is_ready:
            process._service_subprocess(0.05)
    return time.monotonic() - began


@functools.cache
def _client():
    """The DAG processor's way to Airflow's API; making it takes seconds."""
    from airflow.dag_processing.manager import DagFileProcessorManager

    return DagFileProcessorManager(max_runs=1).client


def request_of(run):
    """What the scheduler asks the DAG processor for."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    succeeded = run.state == "success"
    with create_session() as session:
        run = session.get(DagRun, run.id)
        ended = [ti for ti in run.task_instances if ti.state == run.state]
        last = max(ended, key=lambda ti: ti.end_date, default=None)
        reason = "success" if succeeded else "task_failure"
        return run.produce_dag_callback(dag=None, success=succeeded, relevant_ti=last, reason=reason)
