"""Draws the picture of the review desk in docs/: ``python -m tests.desk.picture docs``."""

import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from grader.desk.desk import DeskOptions
from grader.desk.serving import opened
from grader.gradebook import inputs, session
from grader.gradebook.reader import GradebookReader
from grader.gradebook.requests import Requests, StudentRequest
from grader.pipeline import Options
from tests.pages.browser import found
from tests.pages.pictures import save
from tests.picture import NAME, SEED, seeded


def main(folder: str) -> int:
    """Grade two submissions and take a picture of the desk with one of them."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as workspace:
        out, submission = Path(workspace, "grades"), seeded(Path(workspace))
        for name in (NAME, "cd34"):
            shutil.copytree(submission, Path(workspace, "class", name))
        options = Options(out=out, seed=SEED, train="never", sample=2_000, pictures=True)
        session.grade_class(inputs.find([Path(workspace, "class")], out), options)
        with GradebookReader(out) as reader:
            Requests(reader.book).add(
                [StudentRequest(NAME, "I think my augmentation is right: it flips, and it crops.")]
            )
        server, url = opened(DeskOptions(out, "Ada"))
        threading.Thread(target=server.run, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found(), args=["--no-sandbox", "--hide-scrollbars"])
            view = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
            view.goto(url)
            view.get_by_role("link", name=NAME).click()
            view.wait_for_timeout(300)
            save(view.screenshot(), Path(folder, "page-desk.png"))
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
