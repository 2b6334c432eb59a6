"""A grade inside somebody else's page: what a notebook shows for it. No script, and a style that reaches no further."""

from markupsafe import Markup

from grader.records import Grade
from grader.reports.html.rendering import environment, source
from grader.reports.html.story import NoLines, tell


def fragment(grade: Grade) -> str:
    """A grade as HTML: score, parts, and every criterion that has not passed."""
    template = environment().get_template("inline.html")
    return template.render(grade=grade, parts=tell(grade, NoLines(), {}), style=Markup(source("inline.css")))
