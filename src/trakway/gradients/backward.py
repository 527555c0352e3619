"""One batched backward pass, and what goes through the layers in it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from trakway.gradients import layers
from trakway.tasks import Batch, Task


class Call(NamedTuple):
    """A call of a layer that `trakway.gradients.layers` knows.

    Attributes:
        prefix: name of the layer in the model.
        module: the layer.
        inputs: its input; the first dimension holds one or several rows an example.
        slope: gradient of the sum of f with respect to its output.
    """

    prefix: str
    module: nn.Module
    inputs: Tensor
    slope: Tensor


def watch(task: Task, model: nn.Module, batch: Batch) -> tuple[Tensor, list[Call]]:
    """Return f of each example (B,), and the calls of known layers on which f depends through weights."""
    calls, hooks, examples = [], [], len(batch[0])
    for prefix, module in model.named_modules():
        if layers.gradient_of(module) is not None:

            def remember(module, inputs, named, output, prefix=prefix):
                if output.requires_grad:  # else frozen, and so is all that came before
                    seen = inputs[0] if inputs else named["input"]
                    # Looked up once for all, such as positions: each example gets its own.
                    if type(module) is nn.Embedding and len(seen) == 1 and examples > 1:
                        seen, output = (tensor.expand(examples, *tensor.shape[1:]) for tensor in (seen, output))
                    # The place in the graph, not the tensor, which an in-place ReLU may turn into its own output.
                    calls.append((prefix, module, seen.detach(), get_gradient_edge(output)))
                    return output
                return None

            hooks.append(module.register_forward_hook(remember, with_kwargs=True))
    try:
        with torch.enable_grad():
            outputs = task.output(model, batch)
            total = outputs.sum()
        slopes = torch.autograd.grad(total, [edge for *_, edge in calls], allow_unused=True) if calls else []
    finally:
        for hook in hooks:
            hook.remove()
    found = zip(calls, slopes, strict=True)
    return outputs.detach(), [Call(*call[:3], slope) for call, slope in found if slope is not None]
