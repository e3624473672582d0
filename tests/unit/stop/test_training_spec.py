"""The training section: combinations that mean nothing are refused in a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from nmsim.stop.spec import TrainingSpec

REFUSED = [
    (
        {"update": "in_place", "batch_size": 32},
        "update 'in_place' needs batch_size 1, not 32; change one of the two",
    ),
    (
        {"update": "in_place", "batch_size": 1, "momentum": 0.9},
        "update 'in_place' keeps no gradient, so momentum must be 0; change one of the two",
    ),
    (
        {"update": "in_place", "batch_size": 1, "rule": "stbp"},
        "update 'in_place' needs the errors of each step at once, which stbp does not have; use accumulate",
    ),
    (
        {"update": "factored", "batch_size": 1, "gradient_centralization": True},
        (
            "gradient_centralization needs the whole gradient of a neuron, which update 'factored' does not keep;"
            " use update accumulate or switch it off"
        ),
    ),
    (
        {"reset_gradient": "full"},
        "reset_gradient 'full' is a choice of rule stbp, not of stop-wtl; remove it or use stbp",
    ),
]


@pytest.mark.parametrize(("section", "sentence"), REFUSED)
def test_a_combination_without_meaning_is_refused(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainingSpec.model_validate(section)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {sentence}"]


def test_what_the_two_rules_of_update_and_reset_allow() -> None:
    assert TrainingSpec.model_validate({"rule": "stbp", "reset_gradient": "full"}).reset_gradient == "full"
    assert TrainingSpec.model_validate({"update": "in_place", "batch_size": 1}).update == "in_place"
