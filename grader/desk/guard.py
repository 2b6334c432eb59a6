"""Who may use the desk: the person at this machine, and no page of anybody else's that a browser here has open.

Three things have to be right, each of which would do alone. The address holds a token that is drawn when the desk
opens. ``Host`` is this address, so that no other name leads here (DNS rebinding). What writes comes from a page of the
desk itself, as ``Origin`` says, which no page can forge.
"""

import hmac
from typing import TYPE_CHECKING

from flask import Request, abort

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

ADDRESS = "127.0.0.1"


class Guard:
    """Refuses what does not come from the desk's own pages.

    Args:
        port: that the desk listens to.
        token: that addresses begin with.
    """

    def __init__(self, port: int, token: str) -> None:
        self.host, self.token = f"{ADDRESS}:{port}", token

    @property
    def url(self) -> str:
        """Where the desk is."""
        return f"http://{self.host}/{self.token}/"

    def check(self, request: Request) -> None:
        """Answer 403, or 404 where the token is wrong, instead of what was asked."""
        if request.headers.get("Host") != self.host:
            abort(403, "This is not the desk's address.")
        if not hmac.compare_digest(request.path.split("/")[1].encode(), self.token.encode()):
            abort(404)
        if request.method not in ("GET", "HEAD") and request.headers.get("Origin") != f"http://{self.host}":
            abort(403, "This was not sent by a page of the desk.")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            abort(403, "This was sent by a page of another origin.")

    def protect(self, headers: "Headers", policy: str) -> None:
        """Say to the browser what a page may do: nothing from elsewhere, in nobody's frame, kept nowhere."""
        headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
        headers["X-Frame-Options"] = "DENY"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"  # without one, Origin would be "null"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Cache-Control"] = "no-store"
