"""Types that answers about any model share."""

from typing import Annotated

from msgspec import Meta

from grader.observations import Name, Numbers

# The arrays of a model, by the names of its state dict.
StateDict = Annotated[dict[Name, Numbers], Meta(max_length=20_000)]
