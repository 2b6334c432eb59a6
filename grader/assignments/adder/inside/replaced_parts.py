"""The operation ``gpt.run``: ``module.run`` while stand-ins take the place of classes that may be broken."""

from grader.assignments.adder.inside import standins
from grader.sandbox.inside.serve import op
from grader.torchkit.inside import modules

op("gpt.run")(modules.run_with(standins))
