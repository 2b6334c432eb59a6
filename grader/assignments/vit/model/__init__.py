"""Part 2: the seven classes of the Vision Transformer.

Shapes: B batch, C channels, H and W image height and width, N patches, D hidden size, E embedding size.
"""

from grader.assignments.vit.model import block, forms, heads, patches, positions, shapes, whole

TOPICS = (shapes, patches, positions, block, heads, whole)
PROBES = tuple(probe for topic in TOPICS for probe in topic.PROBES)
CRITERIA = tuple(criterion for topic in TOPICS for criterion in topic.CRITERIA)
WARNINGS = (*shapes.WARNINGS, *block.WARNINGS)
MEASURES: dict = {}
FORMS = forms.FORMS
