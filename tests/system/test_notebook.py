"""notebooks/explore.ipynb is what a person gets: without output, and it runs from the top."""

import json
import tempfile

import pytest

from tests.conftest import REPOSITORY
from tests.records import event

NOTEBOOK = REPOSITORY / "notebooks" / "explore.ipynb"


def cells(kind):
    return [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == kind]


def test_no_output_is_kept_and_the_cells_are_explained():
    assert [cell["outputs"] for cell in cells("code")] == [[]] * len(cells("code"))
    assert {cell["execution_count"] for cell in cells("code")} == {None}
    assert len(cells("markdown")) >= len(cells("code")) - 3


@pytest.fixture
def said(monkeypatch, tmp_path):
    """Run the notebook, as `jupyter` does, and return what it says, cell by cell."""
    import nbclient
    import nbformat
    from jupyter_client.manager import AsyncKernelManager

    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))

    def run() -> list[str]:
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        nbformat.validate(notebook)
        # Over sockets in a folder, which take no port.
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{folder}/kernel")
            resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
            nbclient.NotebookClient(notebook, km=kernel, timeout=120, resources=resources).execute()
        found = ["".join(map(text_of, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]
        return [text for text in found if text]

    return run


def text_of(output):
    return output["text"] if "text" in output else output["data"]["text/plain"]


def test_it_shows_files_and_warehouse_and_names_the_days_that_are_not_loaded(
    run_etl, warehouse, source, said
):
    events = [event(f"2018-11-15T{hour:02}:30:00", itemInSession=hour) for hour in range(24)]
    source.put_events("2018-11-15", [*events, event("2018-11-15T10:00:00", page="Home")])
    source.put_events("2018-11-16", [event("2018-11-16T10:00:00")])
    source.put_song("TRAAA1")
    assert run_etl(("2018-11-15T00:00:00", "2018-11-16T00:00:00")).state == "success"
    files, counts, pages, songs, tables, hours, both, differences = said()
    assert "2 files of s3://source-" in files
    assert "26" in counts
    assert "NextSong" in pages
    assert "Unknown" in songs
    assert "songplays           24" in tables
    assert "23:00        1 plays" in hours
    assert "2018-11-15" in both
    assert differences == "Days that differ: 2018-11-16\n"


@pytest.mark.long
def test_it_names_no_day_where_everything_is_loaded(run_etl, warehouse, source, said):
    source.put_song("TRAAA1")
    source.put_events("2018-11-15", [event("2018-11-15T10:00:00")])
    run_etl(("2018-11-15T00:00:00", "2018-11-16T00:00:00"))
    assert said()[-1] == "Days that differ: none\n"
