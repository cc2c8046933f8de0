"""What every DAG's page and form say to somebody who has not read the documents."""

import re

import pytest
from playwright.sync_api import expect

from tests.system.conftest import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def dags():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags")).dags


def test_the_list_finds_a_dag_by_its_id_and_shows_what_it_is_for(web, dags):
    web.open("dags")
    for dag in dags.values():
        expect(web.page.get_by_role("link", name=dag.dag_display_name)).to_be_visible()
    web.shoot("dags")
    web.open("dags?name_pattern=redshift_reaper")
    expect(web.page.get_by_role("link", name="redshift_reaper: stop what has expired")).to_be_visible()


def test_every_form_shows_each_param_with_what_it_does(web, dags):
    for dag in dags.values():
        form = web.trigger_form(dag.dag_id)
        for name in dag.params:
            param = dag.params.get_param(name)
            field = form.unfold(param.schema["title"])
            expect(field).to_contain_text(param.description[:60])
        web.fit(height=1600)
        web.shoot(f"form {dag.dag_id}")


def test_a_task_says_on_its_page_what_it_does(web, dags):
    web.open("dags/redshift_cluster/tasks/provision.make_network")
    web.shoot("task")
    for dag_id in dags:
        web.open(f"dags/{dag_id}")
        expect(web.page.get_by_role("heading", name=re.compile(dag_id))).to_be_visible()
        web.shoot(f"dag {dag_id}")
