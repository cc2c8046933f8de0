"""Who gets at which route of the page: every one that there is, as its own list has them."""

import re

import pytest

from sparkify_watch.page.headers import HEADERS

SAMPLES = {
    "dataset": "sparkify",
    "dag_id": "sparkify_etl",
    "run_id": "none",
    "task_id": "none",
    "name": "warehouse.css",
    "action": "pause",
}


@pytest.fixture
def routes(server):
    from sparkify_watch.page.app import app

    found = [
        (method, "/warehouse" + re.sub(r"\{(\w+)[^}]*\}", lambda match: SAMPLES[match[1]], route.path))
        for route in app.routes
        for method in sorted(route.methods - {"HEAD"})
    ]
    assert len(found) > 15
    assert {method for method, _ in found} == {"GET", "POST"}
    return found


def ask(person, method, path):
    return person.get(path) if method == "GET" else person.post(path, {})


def test_a_stranger_gets_401_everywhere(routes, stranger):
    assert {path: ask(stranger, *route).status_code for *route, path in _named(routes)} == dict.fromkeys(
        [path for *_, path in _named(routes)], 401
    )


def test_a_viewer_may_look_at_everything_and_change_nothing(routes, viewer):
    for method, path in routes:
        status = ask(viewer, method, path).status_code
        assert status == 403 if method == "POST" else status in (200, 404, 422), (method, path)


def test_no_page_of_the_api_is_described_to_anybody(viewer):
    for path in ("docs", "redoc", "openapi.json"):
        assert viewer.get(f"/warehouse/{path}").status_code == 404, path


def test_a_dataset_that_is_none_is_not_found(viewer):
    assert viewer.get("/warehouse/none/loads").status_code == 404


def test_every_answer_tells_the_browser_whom_to_trust(routes, viewer, stranger):
    for person in (viewer, stranger):
        for method, path in routes:
            headers = ask(person, method, path).headers
            for name, value in HEADERS.items():
                if name != "cache-control":
                    assert headers[name] == value, (method, path, name)


def test_a_page_has_no_script_or_style_inside_that_its_policy_would_forbid(routes, viewer):
    for method, path in routes:
        if method == "GET":
            text = viewer.get(path).text
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path


def test_only_datasets_that_a_person_may_read_are_shown(viewer, monkeypatch):
    from fastapi import HTTPException

    from sparkify_watch.page import access

    def requires(method, entity, dag_id):
        def check(request, user):
            if dag_id == "stores_etl":
                raise HTTPException(403)

        return check

    monkeypatch.setattr(access, "requires_access_dag", requires)
    text = viewer.get("/warehouse/").text
    assert "sparkify_etl" in text
    assert "stores" not in text
    assert viewer.get("/warehouse/stores/loads").status_code == 403
    assert viewer.get("/warehouse/sparkify/loads").status_code == 200


def test_the_style_is_a_file_of_the_server(viewer):
    answer = viewer.get("/warehouse/static/warehouse.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert viewer.get("/warehouse/static/app.py").status_code == 404
    assert viewer.get("/warehouse/static/..%2Fapp.py").status_code == 404


def _named(routes):
    return [(method, path, f"{method} {path}") for method, path in routes]
