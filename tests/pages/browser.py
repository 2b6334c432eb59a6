"""The system's Chromium, and what a page did in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Everything in a page that could run: handlers, script URLs, elements that load or run something.
AUDIT = """() => {
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name) || /^\\s*(javascript|vbscript):/i.test(value)) found.push(`${element.tagName} ${name}`);
      if (["src", "href"].includes(name) && !/^(#|data:image\\/png;base64,|https?:|\\.)/.test(value)) found.push(value);
      if (["srcset", "srcdoc", "formaction", "style"].includes(name)) found.push(`${element.tagName} ${name}`);
    }
  }
  for (const element of document.querySelectorAll("iframe, object, embed, form, base, link, foreignObject, animate"))
    found.push(element.tagName);
  if (document.querySelectorAll("script").length > 1) found.push("a second script");
  if (document.querySelectorAll("meta[http-equiv]").length > 1) found.push("a second meta");
  return found;
}"""


class Seen:
    """A page, what it complained of and what it asked for."""

    def __init__(self, page: Any) -> None:
        self.page, self.complaints, self.requests = page, list[str](), list[str]()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))

    def go(self, path: Path) -> Any:
        self.page.goto(path.as_uri())
        return self.page

    @property
    def asked(self) -> list[str]:
        """What was asked for, besides the page itself and what stands in it."""
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


def found() -> str | None:
    """Where the browser is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """Opens pages as a reader would."""

    def __init__(self, chromium: Any) -> None:
        self.chromium = chromium

    @contextmanager
    def open(self, path: Path, **settings: Any) -> Iterator[Seen]:
        """Open a page; ``settings`` are Playwright's: color_scheme, viewport, java_script_enabled."""
        context = self.chromium.new_context(**settings)
        seen = Seen(context.new_page())
        try:
            seen.go(path)
            yield seen
        finally:
            context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser, started once."""
    program = found()
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield Browser(chromium)
        chromium.close()
