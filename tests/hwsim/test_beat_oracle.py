"""Time and energy of a beat, and bandwidths, computed a second time without the package."""

import beat_oracle as oracle
import pytest

from ecgphoton.hwsim.energy import plans, work_of
from ecgphoton.hwsim.link import received
from ecgphoton.hwsim.profile_file import load_profile


@pytest.mark.parametrize("name", ["foundry-thermo-optic", "nitride-thermo-optic", "mems"])
@pytest.mark.parametrize("digital", [False, True])
def test_all_that_takes_power_is_counted_once(program, name, digital) -> None:
    """Every way to build and drive a chip takes the oracle's time and energy, to 1e-12."""
    profile = load_profile(name).with_value("power.control", 40.0)
    work = work_of(program.architecture, digital=digital)
    power = {key.removeprefix("power."): value
             for key, value in profile.numbers.items() if key.startswith("power.")}  # fmt: skip
    for plan in plans(program, profile.__getitem__, work):
        seconds, joules = oracle.beat(
            power,
            rate=profile["link.rate"],
            laser=1e-3 * profile["link.laser"],
            phases=program.phases,
            symbols=[one.symbols for one in work],
            conversions=[one.conversions for one in work],
            branches=[one.parallel for one in work],
            reused=plan.blocks == "one block reused",
            off_between=plan.duty == "duty-cycled",
        )
        assert plan.seconds == pytest.approx(seconds, rel=1e-12)
        assert plan.joules == pytest.approx(joules, rel=1e-12)


def test_the_bandwidth_is_that_of_the_mean_over_a_symbol() -> None:
    """White noise of a one-sided density, averaged over a symbol, has half the symbol rate."""
    rate = 2e6
    numbers = {"link.laser": 1.0, "link.oscillator": 0.5, "link.rate": rate}
    bandwidth = received(lambda key: numbers.get(key, 0.0))["receiver.bandwidth"]
    assert bandwidth == pytest.approx(oracle.noise_bandwidth(rate), rel=1e-4)
