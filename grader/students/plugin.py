"""What the suites do in pytest: options, collection, and the summary in place of pytest's list of failures."""

import re
from collections.abc import Generator
from pathlib import Path

import pytest

from grader.sentences import did_you_mean
from grader.students import SUITE, launch
from grader.students.items import CheckItem, PartFile, Session
from grader.students.summary import Summary


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--submission``, ``--grade-seed`` and their like; which assignment it is may stand in the settings, too."""
    parser.addini("assignment", "what is graded where --assignment does not say: a folder, or an installed name")
    group = parser.getgroup("vit-grade", "the suites of the assignment")
    for names, told in (
        (("--grade-submission", "--submission"),
         {"metavar": "PATH", "help": "what to test: a notebook, folder or archive (default: student/)"}),
        (("--grade-assignment", "--assignment"),
         {"metavar": "NAME", "help": "an installed assignment, or a folder with assignment.py"}),
        (("--grade-given", "--given"),
         {"metavar": "DIR", "help": "the course's own given files, in place of the project's"}),
        (("--grade-unconfined", "--unconfined"),
         {"action": "store_true", "help": "run a submission that is not your own even where nothing confines it"}),
        (("--grade-in-process", "--in-process"),
         {"action": "store_true", "help": "run the submission inside pytest, so that breakpoint() and a debugger "
          "reach it; --pdb does so too"}),
        (("--grade-seed",), {"type": int, "metavar": "N", "help": "fixes every random input (default: fresh)"}),
    ):  # fmt: skip
        group.addoption(*names, dest=names[-1].strip("-").replace("-", "_"), **told)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start over when the submission's place made pytest take the wrong folder for its root."""
    return launch.again(config, SUITE)


def pytest_configure(config: pytest.Config) -> None:
    """Announce the mark that -m thresholds selects, and refuse a submission that is not there."""
    if config.option.submission and not Session.of(config).submission.exists():
        raise pytest.UsageError(f"--submission {config.option.submission}: no such file or folder")
    config.addinivalue_line("markers", "thresholds: judges the trained models")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PartFile | None:
    """Make a suite of each ``part<N>.md``."""
    part = re.compile(r"part(\d+)\.md")
    found = part.fullmatch(file_path.name)
    if found is None or file_path.parent != parent.config.rootpath / SUITE:
        return None
    Session.of(parent.config).begin()
    return PartFile.from_parent(parent, path=file_path, part=int(found[1]))


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> str | None:
    """Where nothing was found, say where to start pytest, or which criterion may be meant."""
    here, root, named = config.invocation_params.dir, config.rootpath, config.option.keyword
    if items or not (root / SUITE).is_dir():
        return None
    if here != root:
        return f"The tests are found from {root}: start pytest there."
    meant = did_you_mean(named, Session.of(config).assignment.criteria) if named else ""
    return f"There is no check {named!r}{meant}" if meant else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Add the summary, which replaces pytest's own list of failures when there are no other tests."""
    ours = [item for item in session.items if isinstance(item, CheckItem)]
    if not ours:
        return
    Session.of(session.config).wanted = {item.criterion.id for item in ours}
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        session.config.pluginmanager.register(Summary(ours), "vit-grade-summary")
    if len(ours) == len(session.items) and reporter is not None:
        option = session.config.option
        option.tbstyle = "no" if option.tbstyle == "auto" else option.tbstyle
        reporter.reportchars = "" if option.reportchars == "fE" else reporter.reportchars
        # Where Hypothesis is installed, it would import itself, a tenth of such a run, to say that it has nothing to say.
        session.config.pluginmanager.unregister(name="hypothesispytest")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Grade before the first check runs: outside of any test's time limit, warning filters and captured output."""
    if isinstance(item, CheckItem):
        Session.of(item.config).prepare()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mark the reports of things still to do."""
    report = yield
    if isinstance(item, CheckItem) and call.when == "call":
        report.user_properties.append(("outcome", item.outcome))
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Show what is to do as such, though it counts as failed."""
    if report.when == "call" and report.failed and ("outcome", "to do") in report.user_properties:
        return "to do", "t", ("TO DO", {"cyan": True})
    return None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the workers."""
    Session.of(config).close()
