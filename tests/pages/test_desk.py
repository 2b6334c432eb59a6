"""The desk in Chromium: decided by keyboard alone, reloaded, in two windows; quiet, accessible, and nothing but this machine."""

import contextlib
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.desk.desk import DeskOptions
from grader.desk.serving import opened
from grader.gradebook import inputs, session
from grader.gradebook.reader import GradebookReader
from grader.gradebook.requests import Requests, StudentRequest
from grader.pipeline import Options
from tests import grades
from tests.desk import desks
from tests.desk.desks import decisions, undecided
from tests.gradebook import classroom
from tests.pages.browser import Seen
from tests.pages.hostile import SCRIPTS

HOSTILE = "<img src=x onerror=window.hacked=1>"
UNDECIDED = [f"s{number:02}" for number in range(15)]  # each with two open criteria


@contextlib.contextmanager
def served(out):
    """A desk at work; gives its address."""
    server, url = opened(DeskOptions(out, "Ada"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        opened_by_it = []

        def end():  # in the thread that waits for what is to be served
            opened_by_it.extend(server._map.values())
            server._map.clear()

        server.trigger.pull_trigger(end)
        thread.join(5)
        server.task_dispatcher.shutdown()
        for each in opened_by_it:
            each.close()


@pytest.fixture(scope="module")
def undecided_class(tmp_path_factory):
    """Fifteen submissions with two open criteria each, and a hostile one."""
    out = tmp_path_factory.mktemp("desk") / "grades"
    return desks.graded(
        out, {name: undecided(name) for name in UNDECIDED} | {"zoe": grades.grade("zoe", vit_model=("failed", HOSTILE))}
    )


@pytest.fixture(scope="module")
def hostile_class(tmp_path_factory):
    """A class whose code, names and requests try all that a page may be tried with, really graded."""
    place = tmp_path_factory.mktemp("hostile")
    nasty = "\n".join(f"# {line}" for text in SCRIPTS for line in text.encode("utf-8", "replace").decode().splitlines())
    wrong = classroom.RIGHT.replace("largest=False", "largest=True")
    classroom.notebook(place / "class" / "a<img src=x onerror=window.hacked=1>b" / "a.ipynb", f"{wrong}\n{nasty}")
    classroom.notebook(place / "class" / "anna" / "a.ipynb", wrong)
    out = place / "grades"
    session.grade_class(
        inputs.find([place / "class"], out), Options(out=out, seed=7, train="never"), ["application.knn"]
    )
    with GradebookReader(out) as reader:
        Requests(reader.book).add([StudentRequest("anna", text[:400]) for text in SCRIPTS if text.isprintable()])
    return out


@contextlib.contextmanager
def window(browser, url, **settings):
    """A window at the desk."""
    context = browser.chromium.new_context(**settings)
    seen = Seen(context.new_page())
    try:
        seen.page.goto(url)
        yield seen
    finally:
        context.close()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def decide_by_keyboard(page, points, why):
    """Give points to the criterion that is selected, as a person does who has no mouse."""
    with page.expect_navigation():
        press(page, "e")
        page.keyboard.type(str(points))
        press(page, "Tab")
        page.keyboard.type(why)
        press(page, "Enter")


def test_thirty_decisions_by_keyboard_alone(undecided_class, browser):
    with served(undecided_class) as url, window(browser, url) as seen:
        page = seen.page
        press(page, "j")
        with page.expect_navigation():
            press(page, "Enter")
        for number, name in enumerate(UNDECIDED):
            assert page.locator("h1").inner_text().startswith(name)
            for criterion, points in (("vit-model", number % 6), ("application-knn", number % 7)):
                while page.evaluate("document.activeElement.closest('.criterion')?.id ?? ''") != criterion:
                    press(page, "j")
                decide_by_keyboard(page, points, f"{name} {criterion}")
                assert page.evaluate("document.activeElement.closest('.criterion').id") == criterion
                if number % 5 == 0:
                    page.reload()
            # a decided submission moves down the list: the next undecided one is opened from there
            with page.expect_navigation():
                press(page, "l")
            press(page, "j")
            with page.expect_navigation():
                press(page, "Enter")
        assert not seen.complaints and all(request.startswith(url) for request in seen.requests)
    expected = [
        (name, criterion, points, "Ada")
        for number, name in enumerate(UNDECIDED)
        for criterion, points in (("vit.model", number % 6), ("application.knn", number % 7))
    ]
    assert decisions(undecided_class) == expected


def test_two_windows_and_a_reload_lose_nothing(undecided_class, browser):
    with served(undecided_class) as url, window(browser, url) as one, window(browser, url) as two:
        for seen in (one, two):
            seen.page.get_by_role("link", name="zoe").click()
        fill(one.page, "4", "the first window")
        page = two.page
        fill(page, "2", "the second window")
        alert = page.get_by_role("alert")
        assert "changed since you looked" in alert.inner_text()
        assert page.locator("#vit-model input[name=why]").input_value() == "the second window"
        assert "Ada gave 4 of 5 points" in page.locator("#vit-model").inner_text()
        with page.expect_navigation():
            page.locator("#vit-model").get_by_role("button", name="Give points").click()
        page.reload()
        one.page.reload()
        assert "Ada gave 2 of 5 points" in one.page.locator("#vit-model").inner_text()
    assert [each[2] for each in decisions(undecided_class) if each[0] == "zoe"] == [4, 2]


def fill(page, points, why):
    form = page.locator("#vit-model form")
    form.get_by_label("Points").fill(points)
    form.get_by_label("Reason", exact=True).fill(why)
    with page.expect_navigation():
        form.get_by_role("button", name="Give points").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desk_is_quiet_accessible_and_asks_nobody(hostile_class, browser, scheme):
    with served(hostile_class) as url, window(browser, url, color_scheme=scheme) as seen:
        for path in ("", "submissions/1", "submissions/2"):
            seen.page.goto(url + path)
            seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            found = Axe().run(seen.page).response["violations"]
            serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
            assert not serious and not seen.complaints
            assert seen.page.evaluate("window.hacked") is None
        assert (
            "retrieve_topk_nearest_neighbors_l2"
            in seen.page.get_by_role("region", name="Code", exact=True).inner_text()
        )
        asked = [request for request in seen.requests if not request.startswith((url, "data:"))]
        assert not asked


@pytest.mark.parametrize("path", ["", "submissions/1"])
def test_a_phone_need_not_scroll_sideways(hostile_class, browser, path):
    with served(hostile_class) as url, window(browser, url + path, viewport={"width": 360, "height": 740}) as seen:
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= 360


def test_names_are_hidden_by_a_key_until_it_is_pressed_again(hostile_class, browser):
    with served(hostile_class) as url, window(browser, url + "submissions/2") as seen:
        for shown in (False, True):
            with seen.page.expect_navigation():
                press(seen.page, "h")
            assert ("anna" in seen.page.title()) == shown


def test_a_page_of_another_origin_cannot_write(undecided_class, browser, tmp_path):
    before = decisions(undecided_class)
    with served(undecided_class) as url:
        evil = tmp_path / "evil.html"
        evil.write_text(
            f'<form method="post" action="{url}submissions/1/decisions"><input name="criterion" value="vit.model">'
            '<input name="points" value="5"><input name="why" value="x"></form><script>document.forms[0].submit()</script>'
        )
        with window(browser, evil.as_uri()) as seen:
            seen.page.wait_for_url(f"{url}**")
            assert "not sent by a page of the desk" in seen.page.content()
    assert decisions(undecided_class) == before
