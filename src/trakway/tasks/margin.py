"""The margin of a classifier: its output f (TRAK, section 3.3 and equation 5)."""

import torch
from torch import Tensor


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return log(p_y / (1 - p_y)) = logit_y - logsumexp of the other logits, shape (B,)."""
    index = labels[:, None]
    others = logits.scatter(1, index, -torch.inf)
    return logits.gather(1, index)[:, 0] - others.logsumexp(1)
