"""Airflow's web UI as a person uses it: what is on a page, and what can be done there."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Locator, Page, expect

# A page of an Airflow that shares two cores with its own tasks may take long; nothing waits for nothing.
PATIENCE_MS = 60_000
RUN_MS = 600_000

_DIALOG = '[role="dialog"][data-scope="dialog"][data-state="open"]'
_POPOVER = '[data-scope="popover"][data-part="content"][data-state="open"]'
_FIELD = '[data-scope="field"][data-part="root"]'
# A page that is not whole yet: grey bars in place of rows, or the names of texts in place of the texts.
_UNFINISHED = ".chakra-skeleton, [role=progressbar]"
_UNTRANSLATED = re.compile(r"\b(tabs|dagRun|runTypes|states)\.[a-z]")

expect.set_options(timeout=PATIENCE_MS)


class Web:
    """One page of a browser.

    Args:
        url: of Airflow.
        pictures: the folder that screenshots go to.
    """

    def __init__(self, page: Page, url: str, pictures: Path) -> None:
        page.set_default_timeout(PATIENCE_MS)
        page.set_default_navigation_timeout(PATIENCE_MS)
        self.page, self.url, self.pictures = page, url, pictures

    @property
    def dialog(self) -> Locator:
        """The open dialog."""
        return self.page.locator(_DIALOG)

    @property
    def state(self) -> Locator:
        """The state of the run or task that the page is about."""
        return self.page.locator("div:has(> h2) > [data-testid=state-badge]")

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self.url}/{path}")

    def log_in(self, user: str, password: str) -> None:
        """Open Airflow and fill in the login form."""
        self.open()
        self.page.locator("input[name=username]").fill(user)
        self.page.locator("input[name=password]").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def shoot(self, name: str) -> Path:
        """Keep a picture of the page, once nothing on it is still being loaded."""
        expect(self.page.locator(_UNFINISHED).filter(visible=True)).to_have_count(0)
        expect(self.page.locator("body")).not_to_have_text(_UNTRANSLATED, use_inner_text=True)
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        return path

    def trigger_form(self, dag_id: str) -> "Form":
        """Open the form that triggers a run."""
        self.open(f"dags/{dag_id}")
        self.page.get_by_role("button", name="Trigger").first.click()
        expect(self.dialog).to_contain_text(f"Trigger Dag - {dag_id}")
        expect(self.dialog).to_contain_text("Run Parameters")
        return Form(self)

    def trigger(self, dag_id: str, **fields: Any) -> str:
        """Trigger a run with what the fields, named by their labels, are to hold; return its id."""
        form = self.trigger_form(dag_id)
        form.fill(fields)
        return form.submit()

    def open_run(self, dag_id: str, run_id: str) -> None:
        self.open(f"dags/{dag_id}/runs/{run_id}")

    def wait_for_end(self, state: str) -> None:
        """Wait until the run that the page shows has ended, and find it in a state."""
        expect(self.state).to_have_text(re.compile("Success|Failed"), timeout=RUN_MS)
        expect(self.state).to_have_text(state)

    @property
    def task_states(self) -> Locator:
        """The states of all tasks in the table of the run's page."""
        return self.page.locator("table tbody").get_by_test_id("table-cell-state")

    def task_is(self, task_id: str, state: str, tries: int | None = None) -> None:
        """Find a task in the table of the run's page in a state; where `tries` is given, after so many."""
        link = self.page.get_by_role("link", name=task_id, exact=True)
        row = self.page.locator("table tbody tr").filter(has=link)
        expect(row.get_by_test_id("table-cell-state")).to_have_text(state)
        if tries is not None:
            expect(row.get_by_test_id("table-cell-try_number")).to_have_text(str(tries))

    def wait_for_listed(self, run_id: str, state: str) -> None:
        """Wait until a run in the list that the page shows is in a state."""
        row = self.page.locator("table tbody tr").filter(has_text=run_id)
        expect(row.get_by_test_id("table-cell-state")).to_have_text(state, timeout=RUN_MS)

    def open_task(self, task_id: str) -> None:
        """Go from the run's page to a task's log."""
        self.page.locator("table").get_by_role("link", name=task_id, exact=True).click()
        expect(self.page.get_by_role("heading", name=task_id)).to_be_visible()

    def log_says(self, *texts: str) -> None:
        """Find texts in the log that the page shows."""
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible()

    def fit(self, height: int) -> None:
        """Make the page so many pixels high: a picture needs no empty half."""
        size = self.page.viewport_size
        assert size
        self.page.set_viewport_size({"width": size["width"], "height": height})

    def make_readable(self) -> None:
        """Wrap long lines of the log and fold tracebacks, as a reader does."""
        self.page.keyboard.press("w")
        folded = self.page.locator("details[open] > summary")
        while folded.count():
            folded.first.click()
        self.page.locator(":focus").blur()

    def show_graph(self, tasks: int) -> None:
        """Show the graph of the run that the page is about, all over the page."""
        self.page.get_by_role("button", name="Show Graph").click()
        self.page.get_by_role("button", name="Collapse Details Panel").click()
        expect(self.page.locator(".react-flow__node")).to_have_count(tasks)

    def clear(self) -> None:
        """Clear the task that the page is about, and those that come after it."""
        self.page.get_by_role("button", name="clear").first.click()
        expect(self.dialog).to_contain_text("Affected Tasks")
        answer = _answer_to("POST", "/clearTaskInstances")
        self.shoot("clear")
        with self.page.expect_response(lambda found: answer(found) and '"dry_run":false' in _body(found)):
            self.dialog.get_by_role("button", name="Confirm").click()
        expect(self.dialog).to_have_count(0)


class Form:
    """The form that triggers runs, in the dialog that is open."""

    def __init__(self, web: Web) -> None:
        self.web, self.page, self.dialog = web, web.page, web.dialog

    def field(self, label: str) -> Locator:
        """The field of a label; a star after it says that it has to be filled in."""
        pattern = re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$")
        return self.dialog.locator(_FIELD).filter(has=self.page.locator("label", has_text=pattern))

    def fill(self, fields: dict[str, Any]) -> None:
        """Fill in fields by their labels."""
        for label, value in fields.items():
            self._fill_one(label, value)

    def _fill_one(self, label: str, value: Any) -> None:
        field = self.unfold(label)
        if isinstance(value, datetime):
            self._pick(field.get_by_test_id("datetime-input"), value)
        elif isinstance(value, bool):
            self._switch(field.get_by_role("checkbox"), value)
        elif field.get_by_role("combobox").count():
            field.get_by_role("combobox").click()
            self.page.get_by_role("option", name=value, exact=True).click()
        else:
            field.locator("input").fill(str(value))

    def unfold(self, label: str) -> Locator:
        """Open the part of the form that the field of a label is in; return the field."""
        field = self.field(label)
        expect(field).to_have_count(1)
        # Opening another part closes this one.
        part = field.locator('xpath=ancestor::*[@data-scope="accordion" and @data-part="item"]')
        trigger = part.locator('[data-part="item-trigger"]')
        if trigger.count() and trigger.get_attribute("aria-expanded") == "false":
            trigger.click()
        expect(field).to_be_visible()
        return field

    def _switch(self, box: Locator, value: bool) -> None:
        # The box itself lies hidden below what is drawn in its place.
        if box.is_checked() != value:
            box.press("Space")
        expect(box).to_be_checked(checked=value)

    def _pick(self, trigger: Locator, moment: datetime) -> None:
        self.type_date(trigger, f"{moment:%Y/%m/%d}", f"{moment:%H:%M}")
        expect(trigger).to_have_text(f"{moment:%b %d, %Y %H:%M}")
        self.page.locator(_POPOVER).get_by_placeholder("HH:mm").press("Escape")
        expect(self.page.locator(_POPOVER)).to_have_count(0)

    def type_date(self, trigger: Locator, date: str, time: str = "") -> Locator:
        """Type into the picker of date and time; return the picker, which stays open."""
        trigger.click()
        picker = self.page.locator(_POPOVER)
        picker.get_by_placeholder("YYYY/MM/DD").fill(date)
        if time:
            picker.get_by_placeholder("HH:mm").fill(time)
            picker.get_by_placeholder("HH:mm").press("Enter")
        return picker

    def submit(self) -> str:
        """Trigger the run, wait for its page and return its id."""
        with self.page.expect_response(_answer_to("POST", "/dagRuns")) as response:
            self.dialog.get_by_test_id("trigger-dag-submit").click()
        assert response.value.status == 200, response.value.text()
        run_id = str(response.value.json()["dag_run_id"])
        self.page.wait_for_url(lambda url: unquote(url).rstrip("/").endswith(f"/runs/{run_id}"))
        expect(self.web.state).to_be_visible()
        return run_id

    def refuse(self) -> Locator:
        """Try to trigger the run in vain; return the dialog, which says why."""
        with self.page.expect_response(_answer_to("POST", "/dagRuns")) as response:
            self.dialog.get_by_test_id("trigger-dag-submit").click()
        assert response.value.status == 400, response.value.text()
        return self.dialog

    def backfill(self, start: datetime, end: datetime, runs: int) -> None:
        """Run the DAG for every interval that begins between two moments, both included."""
        self.dialog.get_by_text("Backfill", exact=True).click()
        expect(self.dialog).to_contain_text("Run Backfill")
        self.fill({"From": start, "To": end})
        expect(self.dialog).to_contain_text(f"{runs} runs will be triggered")
        self.dialog.locator("input[name=max_active_runs]").fill("4")
        self.web.shoot("backfill-form")
        with self.page.expect_response(_answer_to("POST", "/backfills")) as response:
            self.dialog.get_by_role("button", name="Run Backfill").click()
        assert response.value.status == 200, response.value.text()


def _answer_to(method: str, path: str) -> Callable[[Any], bool]:
    return lambda found: found.request.method == method and found.url.endswith(path)


def _body(response: Any) -> str:
    return (response.request.post_data or "").replace(" ", "")
