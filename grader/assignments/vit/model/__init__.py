"""Part 2: the seven classes of the Vision Transformer.

Shapes: B batch, C channels, H and W image height and width, N patches, D hidden size, E embedding size.
"""

from grader.assignments.vit.model import block, heads, patches, positions, shapes, whole
from grader.torchkit.modules import answers

TOPICS = (shapes, patches, positions, block, heads, whole)
PROBES = tuple(probe for topic in TOPICS for probe in topic.PROBES)
CRITERIA = tuple(criterion for topic in TOPICS for criterion in topic.CRITERIA)
WARNINGS = (*shapes.WARNINGS, *block.WARNINGS)
MEASURES: dict = {}
FORMS = {"module.run": answers.RUN, "vit.run": answers.RUN, "shapes": answers.SHAPES}
