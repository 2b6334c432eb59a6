"""The pages in a real browser: quiet, accessible, whole in print and without JavaScript."""

import dataclasses

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.records import SimilarGroup
from grader.reports.html import classroom, notebook
from grader.reports.html.notebooks.client import Rendered
from grader.reports.html.student import PageLink
from tests import grades

PAGES = ("ab12", "ab12-notebook", "index")
VISIBLE = "e => e.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true, opacityProperty: true })"


@pytest.fixture(scope="module")
def pages(made):
    """The folder of the graded submission, with the page of a class and a part of its notebook."""
    graded, folder, rendered = made
    (folder / "index.html").write_text(
        classroom.page(members(), "The assignment", [SimilarGroup(("a00", "b01"), ("code",), 0.97)])
    )
    cells = [cell for cell in rendered.cells if cell.number in (1, 2, 6, 23, 26, 30, 31, 34, 36)]
    some = notebook.page(graded.grade, graded.evidence, Rendered(tuple(cells)), (PageLink("ab12.html", "The grade"),))
    (folder / "ab12-notebook.html").write_text(some)
    return folder


def members():
    some = [grades.grade("a00"), grades.grade("b01", vit_model=("failed", "expected (8, 64), got (8, 17, 64)"))]
    some.append(
        grades.grade("c02", vit_model=("failed", "expected (4, 16), got (4, 17, 16)"), vit_heads=("missing", "x"))
    )
    some.append(grades.rejected("d03"))
    some.append(dataclasses.replace(grades.grade("e04"), status="needs_review", reason="the grader was out of memory"))
    return [classroom.ClassRow(grade, PageLink("ab12.html", "")) for grade in some]


def path(pages, name):
    return pages / f"{name}.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_accessible(name, scheme, pages, browser):
    with browser.open(path(pages, name), color_scheme=scheme) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        found = Axe().run(seen.page).response["violations"]
        serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
        assert not serious and not seen.complaints and not seen.asked


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_need_not_scroll_sideways(name, pages, browser):
    with browser.open(path(pages, name), viewport={"width": 360, "height": 740}) as seen:
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= 360


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("name", PAGES)
def test_print_shows_what_is_folded(name, script, pages, browser):
    with browser.open(path(pages, name), java_script_enabled=script) as seen:
        seen.page.emulate_media(media="print")
        folded = seen.page.locator("details > :not(summary)").all()
        assert all(each.evaluate(VISIBLE) and each.bounding_box()["height"] > 0 for each in folded)
        assert not seen.page.locator(".tools").is_visible()
        assert len(seen.page.pdf()) > 10_000 and not seen.complaints


def test_without_javascript_everything_is_there(pages, browser):
    with browser.open(path(pages, "index"), java_script_enabled=False) as seen:
        assert seen.page.locator("#table tbody tr").count() == 5
        assert not seen.page.locator("#filters").is_visible() and not seen.page.locator("#theme").is_visible()


def test_the_table_is_sorted_by_a_click(pages, browser):
    with browser.open(path(pages, "index")) as seen:
        scores = lambda: [float(t) for t in seen.page.locator("#table tbody td:nth-child(2)").all_inner_texts()]  # noqa: E731
        head = seen.page.get_by_role("columnheader", name="Points").get_by_role("button")
        head.click()
        assert scores() == sorted(scores(), reverse=True)
        head.click()
        assert scores() == sorted(scores()) and seen.page.locator("[aria-sort=ascending]").count() == 1
        seen.page.get_by_role("columnheader", name="Name").get_by_role("button").press("Enter")
        assert seen.page.locator("#table tbody th").all_inner_texts() == ["a00", "b01", "c02", "d03", "e04"]


def test_the_table_is_searched(pages, browser):
    with browser.open(path(pages, "index")) as seen:
        seen.page.get_by_role("searchbox").fill("needs REVIEW")
        assert seen.page.locator("#table tbody tr:visible th").all_inner_texts() == ["e04"]
        assert seen.page.get_by_role("status").inner_text() == "1 of 5 shown"
        seen.page.get_by_role("searchbox").fill("nobody")
        assert seen.page.locator("#table tbody tr:visible").count() == 0


def test_the_keyboard_reaches_and_opens_everything(pages, browser):
    with browser.open(path(pages, "ab12")) as seen:
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate("document.activeElement.className") == "skip"
        seen.page.locator("#vit-model > summary").focus()
        seen.page.keyboard.press("Enter")
        assert seen.page.locator("#vit-model").evaluate("e => e.open")


def test_a_link_to_a_folded_criterion_opens_it(pages, browser):
    with browser.open(path(pages, "ab12")) as seen:
        seen.page.evaluate("location.hash = '#vit-model'")
        seen.page.wait_for_selector("#vit-model[open]")


def test_the_colours_change_on_demand(pages, browser):
    with browser.open(path(pages, "ab12"), color_scheme="light") as seen:
        paper = "getComputedStyle(document.body).backgroundColor"
        light = seen.page.evaluate(paper)
        seen.page.get_by_role("button", name="Use dark colours").click()
        assert seen.page.evaluate(paper) != light
