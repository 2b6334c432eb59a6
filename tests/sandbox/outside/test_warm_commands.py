"""What is forked for a command is what the command would have started, and ends with it."""

import contextlib

import pytest

from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.sandbox.outside.zygote_connection import ZygoteConnection
from tests import warm_commands


@pytest.fixture
def parent():
    with warm_commands.asked():
        connection = ZygoteConnection(list(VIT.ops), {})
    yield connection
    connection.close()


def test_it_serves_until_the_one_who_asked_is_killed(parent):
    assert parent.operations() and str(warm_commands.HERE / "ask.py") in parent.process.args
    parent.process.kill()
    parent.control.settimeout(20)
    assert parent.control.recv(1) == b"", "nobody holds the other end any more"


def test_it_ends_when_the_grader_is_gone(parent):
    assert parent.operations()
    parent.control.close()
    assert parent.process.wait(20) == 0


def test_why_it_cannot_start_arrives():
    with warm_commands.asked():
        connection = ZygoteConnection(["no.such.module"], {})
    with contextlib.closing(connection), pytest.raises(GraderError, match="not installed"):
        connection.operations()
