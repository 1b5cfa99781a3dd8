"""Adam, as the class of torch computes it, which first imports torch's compiler for 2 s."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam [1]_ with its moments, and L2 decay added to the gradients.

    References
    ----------
    .. [1] Kingma & Ba 2015, DOI 10.48550/arXiv.1412.6980.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float = 0.0) -> None:
        self.parameters, self._decay = parameters, decay
        self.state: dict[int, dict[str, Tensor]] = {}
        """Steps and both moments of the parameters that have had a gradient, by their place."""

    def step(self, rate: float) -> None:
        """Move the parameters that have a gradient, at a learning rate."""
        moved = {at: one for at, one in enumerate(self.parameters) if one.grad is not None}
        for at, one in moved.items():
            still = {"exp_avg": torch.zeros_like(one), "exp_avg_sq": torch.zeros_like(one)}
            self.state.setdefault(at, {"step": torch.zeros(()), **still})
        first, second, steps = (
            [self.state[at][key] for at in moved] for key in ("exp_avg", "exp_avg_sq", "step")
        )
        gradients = [one.grad for one in self.parameters if one.grad is not None]
        with torch.no_grad():
            adam(
                [*moved.values()], gradients, first, second, [], steps,
                fused=True, amsgrad=False, beta1=BETAS[0], beta2=BETAS[1], lr=rate,
                weight_decay=self._decay, eps=EPSILON, maximize=False,
            )  # fmt: skip
