"""Grades as HTML pages, each whole in one file: for the student, beside their notebook, for the whole class.

Nothing here runs a submission's code or asks the network for anything. Every text of a submission passes through
autoescape; the pages' content security policy lets only their own style and script through. The modules import
matplotlib and nbconvert, so they are imported by whoever was asked for pages.
"""
