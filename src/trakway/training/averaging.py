"""Exponential moving average of the weights, with the warm-up of diffusers' ``EMAModel``."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged_model(model: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of ``model`` whose ``update_parameters(model)`` follows it; ``module`` is the averaged model.

    Before update s (from 0) the average counts min(decay, (1 + s) / (10 + s)), at s = 0 nothing: an average that grows
    with the run forgets the initial weights. Buffers are the model's own, as they are.

    Args:
        model: what is trained.
        decay: in (0, 1).
    """

    def average(averages: list[Tensor], weights: list[Tensor], updates: Tensor) -> None:
        share = (9 / (10 + updates)).clamp(min=1 - decay)  # of the new weights; a tensor, so that no GPU waits for it
        for mean, weight in zip(averages, weights, strict=True):
            mean.lerp_(weight, share.to(mean.dtype))

    return AveragedModel(model, multi_avg_fn=average)
