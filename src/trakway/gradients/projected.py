"""Projected gradients, by way of the gradients or around them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor, nn

from trakway.gradients import per_example
from trakway.gradients.factored import factored, refusal, require_layers
from trakway.tasks import Batch, Task

if TYPE_CHECKING:
    from trakway.projection.base import Projection


def projected_gradients(
    task: Task,
    model: nn.Module,
    batch: Batch,
    projection: "Projection",
    preconditioner: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return f of each example and the projection of its gradient.

    Args:
        task: gives f and the names of the attributed parameters.
        model: in eval mode, on the device of the batch.
        batch: B examples.
        projection: one that is made ``by_layer`` never sees gradients (B, p).
        preconditioner: changes the gradients (B, p) before they are projected; not with one made by layer.

    Returns:
        (outputs (B,), features (B, k)), float32.

    Raises:
        UserError: the projection is made by layer, and the gradient of some parameter is not told by calls of a layer.
    """
    on_cpu = batch[0].device.type == "cpu"
    if projection.takes_parts and on_cpu and preconditioner is None:
        with per_example.exact(task):
            if per_example.in_parts(task, model, batch):
                outputs, parts = per_example.layerwise_parts(task, model, batch)
                return outputs, projection.of_parts(len(outputs), parts)
    if not projection.by_layer:
        outputs, gradients = per_example.per_example_gradients(task, model, batch)
        return outputs, projection(gradients if preconditioner is None else preconditioner(gradients))
    if preconditioner is not None:
        raise ValueError("found a preconditioner with a projection that never sees the gradients it would change")
    require_layers(model, task.attributed(model))
    with per_example.exact(task):
        first = tuple(tensor[:1] for tensor in batch)  # the trial takes whole gradients: of one example
        missed = per_example.missed(task, model, per_example.pieces(task, first)[0][2])
        if missed is not None:
            raise refusal(f"{missed} is used without calling its layer")
        return per_example.add_pieces(task, batch, lambda piece: factored(task, model, piece, projection))
