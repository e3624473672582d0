"""Records built in Python: refused by the sentence of their YAML, as an error of nmsim."""

from collections.abc import Callable

import pytest

from nmsim.errors import ConfigError, NmsimError, RecordError
from nmsim.network.layers import AvgPool, Conv, Dense, MaxPool, Residual
from nmsim.network.spec import NetworkSpec


def test_layers_need_no_kind() -> None:
    assert [type(layer)(**layer.model_dump()) for layer in (Dense(units=3), Conv(channels=2, kernel=3))]
    assert Residual(body=(Dense(units=3),)).body[0].kind == "dense"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Dense(units=0), "Dense: units: value 0: must be greater than or equal to 1; change the value"),
        (Dense, "Dense: units: required key 'units' is missing; add it"),
        (lambda: Dense(unit=3), "Dense: unit: unknown key 'unit'; did you mean 'units'?"),
        (lambda: AvgPool(size=1), "AvgPool: size: value 1: must be greater than or equal to 2; change the value"),
        (
            lambda: NetworkSpec(name="x", time_steps=2, input_shape=(1, 4, 4), layers=(MaxPool(size=2),)),
            "NetworkSpec: the last layer is 'max_pool', which does not spike; end with a dense or conv layer",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(make: Callable[[], object], said: str) -> None:
    with pytest.raises(RecordError) as caught:
        make()
    assert said in str(caught.value).splitlines()
    assert isinstance(caught.value, NmsimError)
    assert isinstance(caught.value, ConfigError)
    assert isinstance(caught.value, ValueError)
