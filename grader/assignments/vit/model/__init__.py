"""Part 2: the seven classes of the Vision Transformer.

Shapes: B batch, C channels, H and W image height and width, N patches, D hidden size, E embedding size.
"""

from grader.assignment import joined
from grader.assignments.vit.model import block, heads, patches, positions, shapes, whole
from grader.torchkit.modules import answers

TOPIC = joined(
    shapes.TOPIC, patches.TOPIC, positions.TOPIC, block.TOPIC, heads.TOPIC, whole.TOPIC,
    forms={"module.run": answers.RUN, "vit.run": answers.RUN, "shapes": answers.SHAPES},
)  # fmt: skip
