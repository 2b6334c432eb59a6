"""Loads the student-facing suites when the project is used without being installed."""

pytest_plugins = ["grader.students"]
