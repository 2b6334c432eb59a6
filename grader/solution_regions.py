"""The marks around what a reference solves and a template leaves open; see ``publish.template``."""

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
KEPT_MARK = "# >"  # begins a line of a region that stands in the template, without this mark
