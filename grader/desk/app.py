"""The desk's addresses: what a browser may ask for and send."""

import secrets
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, redirect, request, url_for

from grader.desk import views
from grader.desk.desk import Desk, DeskOptions, NotOnDesk
from grader.desk.guard import Guard
from grader.desk.views import Typed
from grader.errors import GraderError
from grader.gradebook.requests import Requests

HIDDEN = "desk-names-hidden"  # the cookie that hides them
Answer = Any  # whatever Flask takes for one


def make(options: DeskOptions, port: int, token: str | None = None) -> tuple[Flask, Guard]:
    """Make the application.

    Args:
        port: that it will listen to.
        token: that its addresses begin with; drawn where there is none.
    """
    app, guard = Flask(__name__, static_folder=None), Guard(port, token or secrets.token_urlsafe(32))
    app.config["MAX_CONTENT_LENGTH"] = 64 << 10  # bytes of a form
    app.before_request(lambda: guard.check(request))
    app.after_request(partial(_protected, guard))
    app.register_error_handler(NotOnDesk, lambda _: ("There is no such submission.", 404, PLAIN))
    app.register_error_handler(GraderError, lambda error: (str(error), 500, PLAIN))
    app.register_blueprint(DeskPages(Desk(options), guard).blueprint(), url_prefix=f"/{guard.token}")
    return app, guard


PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def _protected(guard: Guard, response: Response) -> Response:
    guard.protect(response.headers, views.policy())
    return response


class DeskPages:
    """The answers; each opens the gradebook anew."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self.desk, self.guard = desk, guard

    def blueprint(self) -> Blueprint:
        """The answers by address, below the token."""
        found = Blueprint("desk", __name__)
        found.get("/")(self.everybody)
        found.get("/submissions/<int:ident>")(self.submission)
        found.post("/submissions/<int:ident>/decisions")(self.decision)
        found.post("/submissions/<int:ident>/requests/<int:asked>")(self.answered)
        found.post("/submissions/<int:ident>/look")(self.looked_at)
        found.post("/names")(self.names)
        return found

    def everybody(self) -> Answer:
        """The list of what to look at first."""
        with self.desk.options.reader() as reader:
            rows, missing = self.desk.rows(reader)
            return views.desk_list(rows, self.guard.url, self._hidden, missing)

    def submission(self, ident: int) -> Answer:
        """One submission."""
        return self._page(ident, Typed(), said=request.args.get("said", "")[:200])

    def decision(self, ident: int) -> Answer:
        """Take a decision; a page says why where it cannot be taken, with what was typed."""
        form = request.form.to_dict()
        try:
            with self.desk.options.reader() as reader:
                said = self.desk.decide(reader, ident, form)
        except GraderError as problem:
            return self._page(ident, Typed(form.get("criterion", ""), form, str(problem))), 409
        return redirect(url_for("desk.submission", ident=ident, said=said, at=form["criterion"]), 303)

    def answered(self, ident: int, asked: int) -> Answer:
        """Note that a student's request needs no look any more."""
        with self.desk.options.reader() as reader:
            Requests(reader.book).answer(asked, self.desk.options.by)
        return redirect(url_for("desk.submission", ident=ident, said="The request is answered."), 303)

    def looked_at(self, ident: int) -> Answer:
        """Note that a person has looked at what the page showed."""
        with self.desk.options.reader() as reader:
            said = self.desk.looked_at(reader, ident, request.form.getlist("shown"))
        return redirect(url_for("desk.submission", ident=ident, said=said), 303)

    def names(self) -> Answer:
        """Hide names, or show them again."""
        back = request.form.get("back", "")
        answer = redirect(url_for("desk.submission", ident=int(back)) if back.isdigit() else self.guard.url, 303)
        if self._hidden:
            answer.delete_cookie(HIDDEN)
        else:
            answer.set_cookie(HIDDEN, "yes", httponly=True, samesite="Strict")
        return answer

    @property
    def _hidden(self) -> bool:
        return HIDDEN in request.cookies

    def _page(self, ident: int, typed: Typed, said: str = "") -> str:
        with self.desk.options.reader() as reader:
            return self.desk.show(reader, ident, self.guard.url, self._hidden, typed, said)
