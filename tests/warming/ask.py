"""Stands in for the parent of a command's workers: ``ask.py ADDRESS CODE ROOT SETTINGS`` asks for it, and ends as it does."""

import json
import os
import socket
import sys

address, code, root, settings = sys.argv[1:]
asked = {"code": code, "arguments": [root, settings], "environment": dict(os.environ)}
control = json.loads(settings)["control"]
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as wire:
    wire.connect(address)
    socket.send_fds(wire, [json.dumps(asked).encode()], [control, 2])
    os.close(control)
    status = wire.recv(16)
os._exit(int(status or b"1"))
