"""The browser, for the desk."""

from tests.pages.browser import browser  # noqa: F401
