"""JUnit XML, as the readers of GitLab, Jenkins and GitHub take it: a suite a submission, a case a check."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from grader.exports.result import ExportedGrade
from grader.records import CheckResult, CriterionResult
from grader.reports.text import visible


def report(results: Sequence[ExportedGrade]) -> str:
    """The whole document."""
    top = ET.Element("testsuites", name="vit-grade")
    suites = [_suite(top, result) for result in results]
    for count in ("tests", "failures", "errors"):
        top.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    top.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def _suite(top: ET.Element, result: ExportedGrade) -> ET.Element:
    suite = ET.SubElement(top, "testsuite", name=text(result.key))
    cases = list(_cases(result))
    for count, word in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(word) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", f"{result.grade.timings.get('total', 0.0):.3f}")
    suite.extend(cases)
    out = ET.SubElement(suite, "system-out")
    out.text = text(f"{result.total} of {result.grade.max_score:g} points" + (result.note and f"; {result.note}"))
    return suite


def _cases(result: ExportedGrade) -> Iterator[ET.Element]:
    for criterion in result.grade.criteria:
        if criterion.computed is not None:
            yield _decided(criterion)
            continue
        for check in criterion.checks:
            yield _case(criterion, check)
    if result.grade.status == "rejected" or (result.grade.reason and not result.grade.criteria):
        case = ET.Element("testcase", classname="submission", name="opened", time="0.000")
        case.append(_ending("error" if result.grade.status == "needs_review" else "failure", result.grade.told_reason))
        yield case


def _decided(criterion: CriterionResult) -> ET.Element:
    """One case in place of the checks': a person has decided."""
    case = ET.Element("testcase", classname=text(criterion.id), name="decision", time="0.000")
    if criterion.status != "passed":
        case.append(_ending("failure", criterion.feedback))
    return case


def _case(criterion: CriterionResult, check: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname=text(criterion.id), name=text(check.name), time="0.000")
    message = f"{check.message} {check.hint}".strip()
    if check.status == "error":
        case.append(_ending("error", message))
    elif check.status == "failed" or criterion.status == "missing":
        case.append(_ending("failure", message, str(criterion.origin or "")))
    elif check.status == "skipped":
        case.append(_ending("skipped", message))
    return case


def _ending(word: str, message: str, where: str = "") -> ET.Element:
    endings = ("failure", "error", "skipped")
    assert word in endings
    ending = ET.Element(word)
    ending.text = text(f"{where}: {message}" if where else message)
    if word != "skipped":  # Jenkins's schema gives that no attributes
        ending.set("message", text(message))
        ending.set("type", "check")
    return ending


def text(raw: str) -> str:
    r"""What XML 1.0 forbids, and what cannot be seen, as ``\x1b``."""
    forbidden = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0
    return forbidden.sub(lambda found: found.group().encode("unicode_escape").decode(), visible(raw))
