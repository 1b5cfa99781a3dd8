"""What an activation declares, its values and its derivatives belong together."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.student.activations import ACTIVATIONS, Activation, Fused

SOFTSIGN = Activation("mine", lambda z: z / (1 + z.abs()), lambda z: z / (1 + np.abs(z)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"numpy": lambda z: np.log1p(np.exp(z))}, "one value in"),
        ({"numpy": lambda z: z * np.nan}, "one value in"),
        ({"numpy": lambda z: z.sum()}, "one value in"),
        ({"numpy": lambda z: z / 0j}, "numpy form .*complex128"),
        ({"numpy": lambda _: 1 / 0}, "numpy form .*division by zero"),
        ({"slope": 1.0}, "declared slope"),
        ({"slope": (np.nan, np.nan)}, "other slopes"),
        ({"numpy": lambda z: np.sin(3 * z)}, "other slopes"),
        ({"numpy": lambda z: np.clip(z, -1, 1), "moments": True}, "is not tanh"),
    ],
)
def test_an_activation_that_is_not_what_it_declares_is_refused(changes, why) -> None:
    """Values beyond [-1, 1], wrong slopes and moments of tanh never reach a result."""
    with np.errstate(all="raise"), pytest.raises(InputError, match=why):
        replace(SOFTSIGN, name="other", **changes)


@pytest.mark.parametrize(
    "form",
    [
        lambda z: z.clamp(-1, 1),
        lambda z: z.double() / (1 + z.abs()),
        lambda z: z.div_(1 + z.abs()),
        lambda z: z.sum(),
    ],
)
def test_forms_of_an_activation_agree(form) -> None:
    """A student is not built on an activation whose PyTorch form differs from its NumPy form."""
    with pytest.raises(InputError, match="torch form of the activation 'other' differs"):
        replace(SOFTSIGN, name="other", torch=form).check_forms()


def test_an_activation_that_would_not_train_is_refused() -> None:
    """The derivative, in either form, is that of the values; without one, no branch would learn."""
    halted = replace(SOFTSIGN, name="other", torch=lambda z: SOFTSIGN.torch(z.detach()))
    with pytest.raises(InputError, match=r"torch form of .* 'other' has another derivative"):
        halted.check_forms()
    fast = Fused(lambda z: z.div_(1 + z.abs()), lambda y: 7 + 0 * y)
    with pytest.raises(InputError, match=r"fused form of .* 'other' has another derivative"):
        replace(SOFTSIGN, name="other", fused=fast).check_forms()


def _smooth(values: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return (straight := z.clamp(-1, 1)) + (values - straight).detach()


@pytest.mark.parametrize(
    ("torch_form", "numpy_form"),
    [
        (
            lambda z: _smooth(torch.round(2 * z.clamp(-1, 1)) / 2, z),
            lambda z: np.round(2 * np.clip(z, -1, 1)) / 2,
        ),
        (lambda z: _smooth(torch.sign(z), z), np.sign),
        (lambda z: torch.tanh(200 * z), lambda z: np.tanh(200 * z)),
    ],
)
def test_a_stepped_form_may_have_a_smooth_derivative(torch_form, numpy_form) -> None:
    """Of few levels too, and of one step; without any derivative it would not train."""
    stepped = Activation("other", torch_form, numpy_form, slope=(0, 200))
    stepped.check_forms()
    halted = replace(stepped, torch=lambda z: torch_form(z.detach()))
    with pytest.raises(InputError, match="another derivative"):
        halted.check_forms()


def test_activations_of_the_package_are_right() -> None:
    """Values and derivatives of all their forms agree."""
    for one in ACTIVATIONS.values():
        one.check_forms()
