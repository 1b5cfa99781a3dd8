"""Batches of random logits, and the value of a loss on one."""

import torch

from ecgphoton.training.parts import Batch, Control


def batch(size=64, *, weight=None, classes=2, seed=0):
    """Random logits and labels."""
    draw = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(size, classes, generator=draw)
    label = torch.randint(classes, (size,), generator=draw)
    return Batch(logits.requires_grad_(), logits, label, torch.arange(size), weight, 0, Control())


def value(loss, given):
    """Value of a loss on a batch."""
    return loss(given)[0].detach()
