"""The review desk without a browser: what it lists, what it takes, whom it refuses, what it loses."""

import dataclasses
import re
import threading

import pytest

from grader import cli
from grader.desk import alike, listing
from grader.desk.attention import survey
from grader.desk.desk import Desk, DeskOptions
from grader.gradebook.reader import GradebookReader
from grader.gradebook.requests import Requests, StudentRequest
from grader.gradebook.store import NAME, Gradebook, PackedGrade
from grader.records import GradeWarning, SimilarGroup
from tests import grades
from tests.desk import desks
from tests.desk.desks import Client, decisions, plain, undecided
from tests.gradebook.handmade import NOW
from tests.pages.hostile import SCRIPTS

CLASS = {
    "anna": plain("anna"),
    "bela": undecided("bela"),
    "cleo": plain("cleo", vit_model=("failed", "expected (8, 10), got (8, 17)")),
    "dora": grades.grade("dora"),  # a warning
    "emil": grades.rejected("emil", "class/emil/first: not a notebook"),
}


@pytest.fixture
def out(tmp_path):
    return desks.graded(tmp_path / "grades", CLASS)


@pytest.fixture
def client(out):
    return Client(out)


def ask(out, key, text):
    with GradebookReader(out) as reader:
        Requests(reader.book).add([StudentRequest(key, text)])


def test_what_waits_for_a_person_comes_first(out, client, capsys):
    ask(out, "anna", "Please look at part 3")
    client.decide("cleo", "vit.model", 2)
    listing.show(DeskOptions(out, "Ada"))
    assert capsys.readouterr().out.splitlines() == [
        "5 of 5 to look at",
        "  anna: asks for another look: Please look at part 3",
        "  bela: not decided: vit.model, application.knn",
        "  emil: could not be opened: class/emil/first: not a notebook",
        "  dora: warning: log.stale the log is of another run",
        "  cleo: decided by a person: vit.model 0 → 2 by Ada: as I see it",
    ]


def shown(client, key):
    """The reasons that a submission's page shows and that end with a look."""
    page = client.get(f"submissions/{client.row(key)}").text
    return re.findall(r'name="shown" value="([0-9a-f]+)"', page)


def waiting(out):
    with GradebookReader(out) as reader:
        rows, _ = Desk(DeskOptions(out, "Ada")).rows(reader)
    return {row.names: [each.kind for each in row.reasons] for row in rows if row.reasons}


def test_what_was_looked_at_and_stays_as_it_is_leaves_the_list(out, client, capsys):
    client.decide("cleo", "vit.model", 2)
    for key in ("dora", "cleo", "bela", "emil"):
        client.post(f"submissions/{client.row(key)}/look", {"shown": shown(client, key)})
    assert waiting(out) == {"bela": ["undecided"], "emil": ["rejected"]}, "these end with a decision alone"
    page = client.get(f"submissions/{client.row('dora')}").text
    assert "Ada looked at it" in page and "the log is of another run" in page
    client.decide("cleo", "vit.model", 3)
    assert waiting(out)["cleo"] == ["adjusted"], "another decision is another reason"
    capsys.readouterr()
    assert cli.main(["log", "dora", "--out", str(out)]) == 0
    assert "looked at     by Ada: warning: `log.stale` the log is of another run" in capsys.readouterr().out


def test_a_look_ends_only_what_the_page_showed_and_survives_another_grade(out, client):
    row, before = client.row("dora"), shown(client, "dora")
    again = grades.grade("dora")
    more = dataclasses.replace(again, warnings=(*again.warnings, GradeWarning("leak.test", "knows the test images")))
    with_book(out, lambda book: book.finish(row, NOW, PackedGrade(more)))
    client.post(f"submissions/{row}/look", {"shown": before})
    assert waiting(out)["dora"] == ["warning"] and len(shown(client, "dora")) == 1
    with_book(out, lambda book: book.finish(row, NOW, PackedGrade(again)))
    assert "dora" not in waiting(out)


def test_a_look_tells_no_name_where_names_are_hidden(tmp_path):
    similar = grades.grade("Dora Diamant")
    named = dataclasses.replace(similar, warnings=(GradeWarning("log.stale", "the log of Dora Diamant is another's"),))
    client = Client(desks.graded(tmp_path / "grades", {"Dora Diamant": named}))
    client.post("names")
    client.post("submissions/1/look", {"shown": shown(client, "Dora Diamant")})
    page = client.get("submissions/1").text
    assert "looked at it" in page and "Diamant" not in page


def test_similar_groups_are_on_the_list(out):
    with GradebookReader(out) as reader:
        rows = survey(reader.entries(), [], [SimilarGroup(("anna", "cleo"), ("code",), 0.97)])
    reasons = {row.names: [each for each in row.reasons if each.kind == "similar"] for row in rows}
    assert [each.said for each in reasons["anna"]] == ["have nearly the same code (0.97)"]
    assert reasons["anna"][0].others and not reasons["bela"]


def test_the_list_does_not_wait_for_similar_work_and_has_it_afterwards(out, client, monkeypatch):
    goes_on, group = threading.Event(), SimilarGroup(("anna", "cleo"), ("code",), 0.97)
    monkeypatch.setattr(alike, "similar", lambda *_: goes_on.wait(60) and [group])
    assert "is still being looked for" in client.get().text and "nearly the same code" not in client.get().text
    goes_on.set()
    threads = [thread for thread in threading.enumerate() if thread.name == alike.NAME]
    for thread in threads:
        thread.join(60)
    assert "is still being looked for" not in client.get().text and "nearly the same code" in client.get().text


def test_a_search_for_similar_work_that_fails_is_told(client, monkeypatch):
    monkeypatch.setattr(alike, "similar", lambda *_: 1 / 0)
    assert "the search for similar work failed" in client.get().text


def test_similar_work_is_looked_for_again_when_another_submission_counts(out, monkeypatch):
    seen = []
    monkeypatch.setattr(alike, "similar", lambda book, entries: seen.append(len(entries)) or [])
    search = alike.SimilarSearch(DeskOptions(out, "Ada").reader)
    with GradebookReader(out) as reader:
        entries = reader.entries()
        assert search.of(entries, None) == search.of(entries, None) == alike.SimilarWork()
        fewer = entries[1:]
        assert search.of(fewer, None) == alike.SimilarWork() and seen == [len(entries), len(fewer)]


def test_a_decision_is_that_of_the_command_line(out, client):
    answer = client.decide("bela", "vit.model", "4,5", "only the scale is missing", comment="well done")
    assert answer.status_code == 303
    assert decisions(out) == [("bela", "vit.model", 4.5, "Ada")]
    page = client.client.get(answer.headers["Location"].partition("#")[0], headers={"Host": client.host}).text
    assert "Ada gave 4.5 of 5 points:" in page and "vit.model: 4.5 points" in page


def test_the_last_open_criterion_ends_the_review(out, client):
    client.decide("bela", "vit.model", 5)
    client.decide("bela", "application.knn", 0)
    with GradebookReader(out) as reader:
        entry = reader.entry("bela")
    assert entry.grade.status == "graded" and entry.grade.score == 94


def test_a_decision_is_taken_back(out, client):
    client.decide("cleo", "vit.model", 3)
    assert client.decide("cleo", "vit.model", "", undo="yes").status_code == 303
    with GradebookReader(out) as reader:
        assert reader.entry("cleo").grade.score == 95
    assert len(decisions(out)) == 2


def test_a_submission_that_could_not_be_opened_gets_a_whole_score(out, client):
    assert client.decide("emil", "score", 60).status_code == 303
    with GradebookReader(out) as reader:
        assert reader.entry("emil").points == 60


@pytest.mark.parametrize(
    ("points", "why", "line"),
    [(6, "x", "expected 0 to 5 points"), ("many", "x", "expected points, got"), (3, " ", "needs a reason"), ("nan", "x", "expected 0 to 5")],
)  # fmt: skip
def test_what_cannot_be_is_said_on_the_page_and_nothing_is_written(out, client, points, why, line):
    answer = client.decide("cleo", "vit.model", points, why)
    assert answer.status_code == 409 and line in answer.text and f'value="{points}"' in answer.text
    assert decisions(out) == []


def test_of_two_windows_the_second_is_told_what_has_changed(out, client):
    seen = client.mark("cleo", "vit.model")
    other = Client(out, "Grace")
    assert other.decide("cleo", "vit.model", 4).status_code == 303
    answer = client.decide("cleo", "vit.model", 1, mark=seen)
    assert (
        answer.status_code == 409
        and "changed since you looked" in answer.text
        and "Grace gave 4 of 5 points" in answer.text
    )
    assert client.decide("cleo", "vit.model", 1).status_code == 303
    assert [each[2:] for each in decisions(out)] == [(4, "Grace"), (1, "Ada")]


def test_a_form_that_is_sent_twice_decides_once(out, client):
    seen = client.mark("cleo", "vit.model")
    client.decide("cleo", "vit.model", 4, mark=seen)
    client.decide("cleo", "vit.model", 4, mark=seen)
    assert len(decisions(out)) == 1


def test_a_new_grade_beneath_a_form_is_looked_at_first(out, client):
    seen, row = client.mark("cleo", "vit.model"), client.row("cleo")
    with_book(out, lambda book: book.finish(row, NOW, PackedGrade(plain("cleo"))))
    assert client.decide("cleo", "vit.model", 1, mark=seen).status_code == 409 and not decisions(out)


def with_book(out, work):
    book = Gradebook(out / NAME)
    try:
        work(book)
    finally:
        book.close()


def test_a_grader_at_work_and_the_desk_lose_nothing(out, client):
    row, problems, rounds = client.row("anna"), [], 40

    def grade():
        try:
            with_book(
                out,
                lambda book: [
                    book.finish(row, NOW, PackedGrade(dataclasses.replace(plain("anna"), seed=n)))
                    for n in range(rounds)
                ],
            )
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=grade)
    thread.start()
    ids = [each.id for each in CLASS["cleo"].criteria]
    answers = [client.decide("cleo", ident, 1, f"reason {ident}").status_code for ident in ids]
    thread.join()
    assert not problems and set(answers) == {303}
    assert [each[1] for each in decisions(out)] == ids
    with GradebookReader(out) as reader:
        assert [kept.seed for kept in reader.history("anna")][-rounds:] == list(range(rounds))


def test_a_request_is_answered(out, client):
    ask(out, "anna", "Please look at part 3")
    page = client.get(f"submissions/{client.row('anna')}").text
    assert "Please look at part 3" in page
    assert client.post(f"submissions/{client.row('anna')}/requests/1").status_code == 303
    assert "Please look" not in client.get().text


def test_hidden_names_are_nowhere_in_the_pages(out, client):
    with GradebookReader(out) as reader:
        keys = [entry.key for entry in reader.entries()]
    client.post("names")
    for path in ("", *(f"submissions/{client.row(key)}" for key in keys)):
        page = client.get(path).text
        assert "Submission " in page and not [key for key in keys if key in page]
    assert "cleo" not in client.decide("cleo", "vit.model", 7).text
    client.post("names")
    assert "anna" in client.get().text


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("get", {"Host": "desk.example:8123"}), ("get", {"Host": "localhost:8123"}), ("get", {"Host": "127.0.0.1"}),
        ("get", {"Sec-Fetch-Site": "cross-site"}), ("get", {"Sec-Fetch-Site": "same-site"}),
        ("post", {"Origin": "https://evil.example"}), ("post", {"Origin": "null"}), ("post", {"Origin": ""}),
        ("post", {"Origin": "http://127.0.0.1:9"}), ("post", {"Host": "desk.example:8123", "Origin": "http://desk.example:8123"}),
    ],
    ids=str,
)  # fmt: skip
def test_nobody_but_the_desks_own_pages_is_answered(out, client, method, headers):
    assert getattr(client, method)("names" if method == "post" else "", **headers).status_code == 403


def test_a_decision_from_elsewhere_is_not_taken(out, client):
    data = {"criterion": "vit.model", "points": "5", "why": "x", "mark": client.mark("cleo", "vit.model")}
    path = f"submissions/{client.row('cleo')}/decisions"
    assert client.post(path, data, Origin="https://evil.example").status_code == 403
    assert client.client.post(f"/{desks.TOKEN}/{path}", data=data, headers={"Host": client.host}).status_code == 403
    assert client.client.get(f"/{desks.TOKEN}/{path}", headers={"Host": client.host}).status_code == 405
    assert not decisions(out)


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/submissions/1", "//", "/a-token"])
def test_without_the_token_there_is_nothing(client, path):
    answer = client.client.get(path, headers={"Host": client.host})
    assert answer.status_code in (404, 308) and "anna" not in answer.text


def test_every_answer_forbids_what_it_can(client):
    for answer in (client.get(), client.get("submissions/1"), client.get("nowhere"), client.get(Host="x")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Cache-Control"] == "no-store"


def test_names_requests_and_reasons_of_others_stay_text(tmp_path):
    hostile = "<img src=x onerror=window.hacked=1>"
    out = desks.graded(tmp_path / "grades", {"a": plain("a"), "b<i>b": plain("b<i>b", vit_model=("failed", hostile))})
    client = Client(out)
    ask(out, "b<i>b", "\n".join(SCRIPTS)[:4_000].replace("\ud800", ""))
    client.decide("b<i>b", "vit.model", 1, hostile, comment=hostile)
    page = client.get(f"submissions/{client.row('b<i>b')}").text
    for text in (client.get().text, page):
        assert "<img" not in text and "<i>" not in text and text.count("<script>") == 1 and "<iframe" not in text


def test_a_submission_that_is_not_there_is_404(client):
    assert client.get("submissions/99").status_code == 404
    assert client.post("submissions/99/decisions", {"criterion": "vit.model"}).status_code == 404
