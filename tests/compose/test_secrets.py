"""Each secret of the stack is where docs/security.md says; strangers get what it says, too."""

from collections.abc import Iterator
from pathlib import Path

from tests.compose.stack import Stack
from tests.security import open_routes, secret_scan
from tests.security.secret_scan import Places, Scan

TOLD = secret_scan.told("Secrets of docker-compose", "Containers")

# What an attacker does who has code in a container: a token for admin, signed with the key that is there.
SIGN = """
import json, urllib.error, urllib.request
from airflow.api_fastapi.auth.tokens import JWTGenerator, get_signing_args
made = JWTGenerator(**get_signing_args(), valid_for=600, audience="apache-airflow")
token = made.generate({"sub": "admin", "role": "ADMIN"})
request = urllib.request.Request("http://airflow-apiserver:8080/api/v2/dags")
request.add_header("Authorization", "Bearer " + token)
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def service(container: str) -> str:
    return container.rpartition("_")[0]


def scan(stack: Stack) -> Scan:
    return Scan({name: stack.settings[name] for name in TOLD})


def told_of(stack: Stack) -> Places:
    """What the page says of the containers that there are."""
    there = {service(container) for container in stack.containers()}
    return {secret: places & there for secret, places in TOLD.items()}


def descriptions(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """All that Docker says of each container: variables, commands, labels, mounts."""
    for container, found in stack.containers().items():
        yield service(container), stack.docker("inspect", found["Id"]).encode()


def processes(stack: Stack, kind: str) -> Iterator[tuple[str, bytes]]:
    """The variables or the arguments of every process in the containers, as the machine sees them."""
    for container, found in stack.containers().items():
        if found["State"]["Running"]:
            listed = stack.docker("top", found["Id"], "-o", "pid").split()[1:]
            for pid in listed:
                try:
                    yield service(container), Path(f"/proc/{pid}/{kind}").read_bytes()
                except OSError:  # it has ended
                    continue


def volumes(stack: Stack) -> Iterator[tuple[str, bytes]]:
    names = stack.docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={stack.name}")
    for name in names.split():
        folder = Path(stack.docker("volume", "inspect", "--format", "{{.Mountpoint}}", name))
        yield from ((f"{name}: {file}", content) for file, content in secret_scan.files(folder))


def check(stack: Stack) -> None:
    """Assert that no secret is where docs/security.md does not say so."""
    search = scan(stack)
    assert search.of(descriptions(stack)) == told_of(stack)
    in_processes = search.of(processes(stack, "environ"))
    assert {name for name in TOLD if in_processes[name] - TOLD[name]} == set(), in_processes
    assert search.of(processes(stack, "cmdline")) == {name: set() for name in TOLD}


def test_each_secret_is_in_the_containers_that_the_page_names_and_in_no_other(stack: Stack):
    assert set(TOLD) == {name for name, value in stack.settings.items() if len(value) >= 20}
    check(stack)
    assert scan(stack).of(processes(stack, "environ"))["AIRFLOW_JWT_SECRET"], (
        "the search finds nothing at all"
    )


def test_no_secret_is_in_a_volume(stack: Stack):
    assert scan(stack).of(volumes(stack)) == {name: set() for name in TOLD}


def test_the_web_password_is_kept_in_a_file_of_the_api_server_alone(stack: Stack):
    said = stack.compose("exec", "-T", "airflow-apiserver", "sh", "-c", "stat -c %a *.json.generated")
    assert said.split() == ["600"]


def answer_to_own_token(stack: Stack, name: str) -> str:
    """The API server's status for a token for admin that a service has signed itself."""
    return stack.compose("exec", "-T", name, "python", "-c", SIGN).splitlines()[-1]


def host_named_postgres(stack: Stack, name: str) -> str:
    return stack.compose("exec", "-T", name, "sh", "-c", "getent hosts postgres || echo unknown").strip()


def test_a_token_for_admin_can_be_signed_where_the_key_is_and_nowhere_else(stack: Stack):
    assert answer_to_own_token(stack, "airflow-scheduler") == "200"
    assert answer_to_own_token(stack, "airflow-dag-processor") == "403"


def test_the_sandbox_cannot_reach_the_metadata(stack: Stack):
    assert host_named_postgres(stack, "airflow-scheduler") != "unknown"
    assert host_named_postgres(stack, "aws") == "unknown"


def test_strangers_get_the_routes_that_the_page_lists(stack: Stack):
    assert open_routes.answering(stack.url, open_routes.every()) == open_routes.told()
