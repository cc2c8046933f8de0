"""The table of clients that docs/sandbox.md shows, from the folders of tests/clients."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "clients"
_PLACE = re.compile(r"(<!-- clients: .*? -->\n).*?(<!-- /clients -->)", re.DOTALL)


def page() -> str:
    """Return docs/sandbox.md with the table as the folders and locks have it."""
    text = (ROOT / "docs" / "sandbox.md").read_text()
    table = "\n".join(["| Client | Version | What is tested |", "| --- | --- | --- |", *_rows()])
    return _PLACE.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)


def _rows() -> list[str]:
    files = sorted(FOLDER.glob("*/client.yaml"), key=lambda file: file.parent.name)
    return [_row(file) for file in files]


def _row(file: Path) -> str:
    client = yaml.safe_load(file.read_text())
    tests = ", ".join(f"`{name}`" for name in re.split(r",\s*", client["test"]))
    return f"| {client['name']} | {_versions(file.parent, client)} | {client['tested']} ({tests}) |"


def _versions(folder: Path, client: dict[str, Any]) -> str:
    """The version of the client, which is the first package, and of those that it is tested with."""
    name = client.get("lock", "requirements.txt")
    lock = ROOT / name if name == "requirements-dev.txt" else folder / name
    found = [f"{package} {_version(lock, package)}" for package in client["packages"]]
    own = client.get("version") or found.pop(0).partition(" ")[2]
    return ", ".join([own, *found])


def _version(lock: Path, package: str) -> str:
    text = lock.read_text()
    if lock.name == "package-lock.json":
        return str(json.loads(text)["packages"][f"node_modules/{package}"]["version"])
    found = re.search(rf"^{re.escape(package)}==?([^ ;\n]+)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{lock} has no {package}")
    return found[1]
