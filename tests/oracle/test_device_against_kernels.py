"""Passes on a device of PyTorch leave the integers that kernels leave: random networks, formats, roundings, all updates."""

from typing import Any

import cases
import engine_runs
import pytest
from difference import first_difference

from nmsim.errors import ConfigError
from nmsim.stop.device.device_pass import DevicePass
from nmsim.stop.device.requantizer import OrderMattersError

pytest.importorskip("torch", reason="passes on a device need PyTorch (extra `torch`)")

FAST, THOROUGH = 16, 1000


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many passes the device made, and how many it left to the kernels."""
    made = {"device": 0, "kernels": 0}
    run = DevicePass.run

    def counted(self: DevicePass, *args: Any, **options: Any) -> Any:
        try:
            found = run(self, *args, **options)
        except OrderMattersError:
            made["kernels"] += 1
            raise
        made["device"] += 1
        return found

    monkeypatch.setattr(DevicePass, "run", counted)
    return made


def disagreement(seed: int) -> str | None:
    """The first difference of a case, None where there is none or 64 bits do not hold the case."""
    d = cases.case(seed)
    try:
        on_device = engine_runs.trained(d, device="cpu", max_samples_in_flight=4)
    except ConfigError as error:
        return None if "more than 64 bits" in str(error) else str(error)
    kernels = engine_runs.trained(d, workers=1)
    return first_difference(kernels | {"steps": []}, on_device | {"steps": []})


def test_random_cases(passes: dict[str, int]) -> None:
    assert {seed: text for seed in range(FAST) if (text := disagreement(seed)) is not None} == {}
    # both ways were gone: the cases would show nothing if all passes were left to the kernels
    assert min(passes["device"], passes["kernels"]) > 5


@pytest.mark.slow
@pytest.mark.parametrize("start", range(FAST, FAST + THOROUGH, 100))
def test_a_thousand_random_cases(start: int) -> None:
    found = {seed: text for seed in range(start, start + 100) if (text := disagreement(seed)) is not None}
    assert not found
