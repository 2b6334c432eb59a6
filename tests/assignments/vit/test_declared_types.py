"""Each operation of this assignment declares a type that answers can be held against."""

import pytest

from grader.assignments.vit.assignment import VIT
from grader.observations import Misfit, converted


@pytest.mark.parametrize("op", sorted({probe.op for probe in VIT.probes}))
def test_what_no_answer_is_does_not_fit_for_a_reason_of_its_own(op: str):
    with pytest.raises(Misfit, match="Expected"):  # a type that msgspec cannot use says something else
        converted(object(), VIT.forms[op].type)
