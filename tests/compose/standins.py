"""Images under the official names, made of Debian packages, as no image registry can be reached.

The project's own Dockerfile and compose files then run unchanged. What package managers on this machine need
to reach their registries (certificates, proxies, index) goes into these images only.
"""

import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.parts import postgres
from tests.compose.docker import Docker, run

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "standins"
BASE = "standin-base:local"
IMAGES = {"airflow": "apache/airflow:3.3.2", "postgres": "postgres:16", "redis": "redis:7.2-bookworm"}
_PACKAGES = "ca-certificates,curl,dumb-init,python3,python3-venv,redis-server,redis-tools"
_INSTALL = (
    "uv pip install --quiet --require-hashes --python /home/airflow/.local/bin/python --link-mode copy"
    " --compile-bytecode -r /locked.txt && chown -R airflow:0 /home/airflow/.local"
)
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# What of pip's configuration can mean something in another machine; files and folders of this one cannot.
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")


def make(docker: Docker, folder: Path) -> None:
    """Make the images that are missing; `folder` takes what is needed on the way."""
    if not docker.has_image(BASE):
        # dpkg syncs each file: in memory that costs nothing.
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            _make_base(docker, Path(memory))
    for name, tag in IMAGES.items():
        if not docker.has_image(tag):
            _build(docker, name, tag, folder / name)


def _make_base(docker: Docker, root: Path) -> None:
    run(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root)])
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().openssl_cafile
    if Path(bundle).exists():
        shutil.copyfile(bundle, root / _CERTIFICATES)
    (root / "etc/pip.conf").write_text(
        "\n".join(["[global]", f"cert = /{_CERTIFICATES}", *_pip_settings()]) + "\n"
    )
    with subprocess.Popen(["/bin/tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as archive:
        docker("import", "-", BASE, stdin=archive.stdout)


def _pip_settings() -> list[str]:
    settings = []
    for line in run([sys.executable, "-m", "pip", "config", "list"]).stdout.splitlines():
        name, _, value = line.partition("=")
        name, value = (
            name.rpartition(".")[2],
            " ".join(w for w in value.strip("'\"").split() if "file:" not in w),
        )
        if name in _PIP_SETTINGS and value:
            settings.append(f"{name} = {value}")
    return settings


def _build(docker: Docker, name: str, tag: str, context: Path) -> None:
    shutil.copytree(FOLDER / name, context)
    if name == "postgres":
        # The programs look for their libraries in the folder beside the package's.
        package = postgres.programs().parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, context / "wheel" / part.name, symlinks=True)
    docker("build", "--quiet", "--build-arg", f"BASE={BASE}", "--tag", tag, str(context))
    if name == "airflow":
        _install_airflow(docker, tag)


def _install_airflow(docker: Docker, tag: str) -> None:
    """Put the locked Airflow into the image: by uv, whose cache on this machine `make venv` has filled."""
    uv = Path(sys.executable).parent / "uv"
    cache = run([str(uv), "cache", "dir"]).stdout.strip()
    given = [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("UV_")]
    volumes = {
        cache: "/cache",
        str(uv): "/usr/local/bin/uv:ro",
        f"{REPOSITORY}/requirements.txt": "/locked.txt:ro",
    }
    mounts = [f"--volume={source}:{target}" for source, target in volumes.items()]
    container = docker(
        "run", "--detach", "--user=0", "--network=host", "--entrypoint=sleep", *mounts, tag, "infinity"
    )
    try:
        # The variables of a command leave no trace in the image, those of its container would.
        variables = {"UV_CACHE_DIR": "/cache", "SSL_CERT_FILE": f"/{_CERTIFICATES}"}
        variables |= {name: os.environ[name] for name in given}
        options = [f"--env={name}={value}" for name, value in variables.items()]
        docker("exec", *options, container, "sh", "-ec", _INSTALL)
        original = ["USER airflow", 'ENTRYPOINT ["/usr/bin/dumb-init", "--", "/entrypoint"]', "CMD []"]
        docker("commit", *(f"--change={change}" for change in original), container, tag)
    finally:
        docker("rm", "--force", container)
