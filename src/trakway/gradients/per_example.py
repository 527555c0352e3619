"""Per-example gradients of f, float32, one row an example.

Two ways to the same numbers. `layerwise` runs one ordinary batched backward pass and rebuilds each example's weight
gradient from the layer's input and output gradient; it is several times faster, and serves models made of the layers it
knows. `vmapped` (``vmap(grad)``) serves every other model.
"""

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from trakway.gradients import layers
from trakway.tasks import Batch, Task


def per_example_gradients(task: Task, model: nn.Module, batch: Batch) -> Tensor:
    """Return the gradient of ``task.output`` for each example with respect to the attributed parameters.

    Args:
        task: gives f and the names of the attributed parameters.
        model: in eval mode, on the device of the batch.
        batch: B examples.

    Returns:
        float32, shape (B, p): the attributed parameters' gradients, flattened, in the order of ``task.attributed``.
    """
    # Full float32 and a fixed order of sums, whatever the models were trained in.
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with exact, torch.autocast(torch.device(task.device).type, enabled=False):
        if layers.supported(model, task.attributed(model)):
            return layerwise(task, model, batch)
        return vmapped(task, model, batch)


def vmapped(task: Task, model: nn.Module, batch: Batch) -> Tensor:
    """Per-example gradients by ``vmap(grad)``."""
    names = task.attributed(model)
    everything = dict(model.named_parameters())
    attributed = {name: everything[name].detach() for name in names}
    rest = {name: tensor.detach() for name, tensor in everything.items() if name not in attributed}
    rest |= dict(model.named_buffers())

    def output(parameters: dict[str, Tensor], example: Batch) -> Tensor:
        def call(*inputs, **options):
            return functional_call(model, (parameters, rest), inputs, options)

        return task.output(call, tuple(tensor[None] for tensor in example))[0]

    gradients = vmap(grad(output), in_dims=(None, 0))(attributed, batch)
    return torch.cat([gradients[name].flatten(1).float() for name in names], dim=1)


def layerwise(task: Task, model: nn.Module, batch: Batch) -> Tensor:
    """Per-example gradients from one batched backward pass through layers that `layers.supported` accepts."""
    names = task.attributed(model)
    examples = len(batch[0])
    sizes = [model.get_parameter(name).numel() for name in names]
    starts = dict(zip(names, torch.tensor([0, *sizes]).cumsum(0).tolist(), strict=False))
    gradients = torch.zeros(examples, sum(sizes), device=batch[0].device)

    calls = []
    hooks = []
    for prefix, module in model.named_modules():
        if layers.gradient_of(module) is not None:

            def remember(module, inputs, output, prefix=prefix):
                if not output.requires_grad:  # frozen, and so is all that came before
                    return output
                calls.append((prefix, module, inputs[0].detach(), output))
                # The model goes on with a copy: an in-place ReLU must not change what is differentiated here.
                return output.clone()

            hooks.append(module.register_forward_hook(remember))
    try:
        with torch.enable_grad():
            total = task.output(model, batch).sum()
        slopes = torch.autograd.grad(total, [output for *_, output in calls], allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
    for (prefix, module, inputs, _), slope in zip(calls, slopes, strict=True):
        if slope is None:
            continue
        for name, rows in layers.gradient_of(module)(module, inputs, slope, examples).items():
            full = f"{prefix}.{name}" if prefix else name
            if full in starts:
                # Added, not assigned: a layer may be called more than once.
                gradients[:, starts[full] : starts[full] + rows.shape[1]] += rows
    return gradients
