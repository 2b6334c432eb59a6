"""What all tests need of the process that they run in."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and their children do
