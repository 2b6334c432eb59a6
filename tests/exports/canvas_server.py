"""A Canvas of two endpoints on loopback, which notes what it is asked and changes as Canvas does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "7~secret"


class FakeCanvas:
    """An assignment with its submissions.

    Attributes:
        submissions: by user id, in the fields of Canvas's API.
        sent: the body of each change, with the user's id.
        fails_after: changes that are taken before the server answers none any more.
    """

    def __init__(self, users: list[int], points_possible: float = 100.0) -> None:
        self.points_possible, self.sent, self.fails_after = points_possible, [], 1000
        self.submissions = {
            user: {
                "user_id": user, "assignment_id": 7, "score": None, "entered_score": None, "excused": False,
                "submission_comments": [],
            }
            for user in users
        }  # fmt: skip

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[object, str]:
        """The answer to a question, and the address of its next page."""
        if path == "/api/v1/courses/5":
            return {"id": 5, "name": "ML"}, ""
        if path == "/api/v1/courses/5/assignments/7":
            return {"id": 7, "course_id": 5, "points_possible": self.points_possible}, ""
        if path == "/api/v1/courses/5/assignments/7/submissions":
            page, rows = int(query.get("page", ["1"])[0]), list(self.submissions.values())
            more = f"{path}?page={page + 1}&include[]=submission_comments" if len(rows) > 2 * page else ""
            return rows[2 * page - 2 : 2 * page], more
        raise KeyError(path)

    def put(self, path: str, body: dict[str, list[str]]) -> object:
        """Change a submission."""
        if len(self.sent) >= self.fails_after:
            raise ConnectionError
        user = int(path.rpartition("/")[2])
        submission = self.submissions[user]
        self.sent.append((user, {name: values[0] for name, values in body.items()}))
        if grade := body.get("submission[posted_grade]"):
            submission["score"] = submission["entered_score"] = float(grade[0])
        if comment := body.get("comment[text_comment]"):
            submission["submission_comments"].append({"comment": comment[0], "author_id": 1})
        return submission


@contextmanager
def serving(canvas: FakeCanvas) -> Iterator[str]:
    """Serve it; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.answer(lambda: canvas.get(parts.path, parse_qs(parts.query)))

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(lambda: (canvas.put(self.path, parse_qs(body)), ""))

        def answer(self, work) -> None:
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self.reply(401, {"errors": [{"message": "user not authorized"}]})
                return
            try:
                found, more = work()
            except KeyError:
                self.reply(404, {})
            except ConnectionError:
                self.reply(500, {})
            else:
                self.reply(200, found, more)

        def reply(self, status: int, body: object, more: str = "") -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if more:
                self.send_header("Link", f'<http://{self.headers["Host"]}{more}>; rel="next"')
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
