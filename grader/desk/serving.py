"""Serves the desk on loopback, until Ctrl-C."""

import socket

import waitress
from waitress.server import BaseWSGIServer

from grader.desk.app import make
from grader.desk.desk import DeskOptions
from grader.desk.guard import ADDRESS
from grader.errors import GraderError


def serve(options: DeskOptions, port: int = 0) -> None:
    """Serve a desk and say where it is.

    Args:
        port: to listen to; any free one where it is 0.

    Raises:
        GraderError: the port is taken, or there is no gradebook.
    """
    options.reader().close()  # says what is missing before anything is served
    server, url = opened(options, port)
    print(f"The review desk: {url}\nFor nobody but you: the address is the key. Ctrl-C ends it.", flush=True)
    try:
        server.run()
    finally:
        server.close()


def opened(options: DeskOptions, port: int = 0) -> tuple[BaseWSGIServer, str]:
    """A server that is ready to run, and the address of the desk.

    Raises:
        GraderError: the port is taken.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise GraderError(f"--port {port}: {error}; leave it out, and a free one is taken") from None
    app, guard = make(options, listening.getsockname()[1])
    return waitress.create_server(app, sockets=[listening], threads=4, ident=None), guard.url
