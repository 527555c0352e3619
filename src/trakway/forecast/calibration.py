"""What a training sample, an output, a gradient and a matrix product cost here, by doing each of them briefly."""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.features.restriction import restricted
from trakway.forecast.pace import Pace, pace
from trakway.gradients import projected_gradients, shapes
from trakway.gradients.per_example import take_as_whole
from trakway.outputs.evaluation import EVALUATION_ROWS
from trakway.plan import ALONE, ensemble_sizes, modality_of, task_settings
from trakway.projection.build import build_projection
from trakway.runtime import resources
from trakway.storage.files import read_array
from trakway.tasks import Batch, Task, build_task
from trakway.training.run import Run

MATRIX = 1024


@dataclass
class Network:
    """A network of an experiment, and what its work costs.

    Attributes:
        tensors: its state dict, on no device.
        format: of its checkpoints.
        attributed: sizes of the parameters whose gradients are used.
        step: of training, by samples.
        forward: f without gradients, by rows that go through the model.
        saved_mb: what one row keeps for its backward pass.
        width: of what the last layer sees; 0 where nothing asks.
    """

    tensors: dict[str, Tensor]
    format: str
    attributed: list[tuple[int, ...]]
    step: Pace
    forward: Pace
    saved_mb: float = 0.0
    width: int = 0


@dataclass
class Calibration:
    """What work costs on this machine, in seconds.

    Attributes:
        start: of a job: imports, and opening the data.
        networks: by ensemble: ``members`` (and all that are like them), ``domain``, ``autoencoder``.
        gradient: of f of a training example, projected; None where nothing asks.
        state_shape, picture_shape: of what is generated; empty where nothing is.
        pixels: shape of a picture of the data; empty where there are none.
        encoding: of an example, where all models share an encoding.
        product: of a multiplication and addition of float64 matrices.
        peak_mb: the most memory that a step or a chunk of gradients took, scaled to their true sizes; that of the GPU,
            where it is one.
    """

    start: float
    networks: dict[str, Network] = field(default_factory=dict)
    gradient: Pace | None = None
    state_shape: tuple[int, ...] = ()
    picture_shape: tuple[int, ...] = ()
    pixels: tuple[int, ...] = ()
    encoding: float = 0.0
    product: float = 0.0
    peak_mb: dict[str, float] = field(default_factory=dict)


def calibrate(settings: dict, data: Path, gradients: bool, device: str) -> Calibration:
    """Measure.

    Args:
        settings: of an experiment, whose weights are all on this machine.
        data: folder of a prepared data set, encoded if the task wants it.
        gradients: whether any are taken.
        device: ``cpu`` or ``cuda``.
    """
    started = time.process_time()
    task = build_task(task_settings(settings, "members", "journey", "training"), data, device)
    model = task.new_model(0)
    found = Calibration(start=time.process_time() - started)
    modality = modality_of(settings)
    if modality.has(("steps",)):
        found.state_shape, found.picture_shape = tuple(task.shape), tuple(task.picture_shape)
    if modality.has(("image",)):
        found.pixels = read_array(data / "train_images.npy").shape[1:]
    ensembles = {"members": task}
    for name in ALONE:
        if name in ensemble_sizes(settings):
            ensembles[name] = build_task(task_settings(settings, name, "training"), data, device)
    for name, own in ensembles.items():
        training = settings["training"] if name == "members" else settings[name]["training"]
        generative = modality.has(("steps",)) and name == "members"
        model = own.prepare((model if name == "members" else own.new_model(0)).eval())
        network, peaks = _network(own, model, training, generative)
        found.networks[name] = network
        # Of the others no more than the test split is looked at, in blocks of their own.
        found.peak_mb |= {
            f"{stage} of {name}": mb for stage, mb in peaks.items() if stage == "train" or name == "members"
        }
        if name == "members" and gradients:
            _gradient(found, settings, task, model)
        del model
    matrix = torch.randn(MATRIX, MATRIX, dtype=torch.float64, device=device)
    found.product = pace(lambda rows: matrix[:rows] @ matrix, MATRIX, device).each / MATRIX**2
    return found


def _network(task: Task, model: nn.Module, training: dict, generative: bool) -> tuple[Network, dict[str, float]]:
    rows = np.arange(task.train_size)
    stepping, evaluating = _Most(task.device), _Most(task.device)
    wanted = training["batch_size"]
    run = Run(task, rows, training | {"checkpoints": 1}, 0)
    saved = _saved_mb(run)
    step = _training_pace(run, rows, wanted, stepping)
    del run  # its optimiser has more than the model
    draws = task.train_batch(rows[:1])[1].shape[1] if generative else 1
    together = max(1, EVALUATION_ROWS // draws)

    def evaluate(count: int) -> None:
        evaluating.of(count, lambda: _outputs(task, model, task.train_batch(np.resize(rows, count))))

    with torch.no_grad():
        forward = pace(evaluate, together, task.device)
        seen = hasattr(task, "probabilities")
        width = task.representation(model, task.train_batch(rows[:1])).shape[1] if seen else 0
    tensors = {name: tensor.detach().to("meta") for name, tensor in model.state_dict().items()}
    sizes = [tuple(model.get_parameter(name).shape) for name in task.attributed(model)]
    each = Pace(forward.fixed, forward.each / draws)
    network = Network(tensors, task.checkpoint_format, sizes, step, each, saved, width)
    return network, {"train": stepping.at(wanted, saved), "outputs": evaluating.at(together)}


def _training_pace(run: Run, rows: np.ndarray, wanted: int, most: "_Most") -> Pace:
    def step(count: int) -> None:
        most.of(count, lambda: run.take(0, np.resize(rows, count)))

    return pace(step, wanted, run.task.device)


def _saved_mb(run: Run) -> float:
    """Return the MiB that the loss of one example keeps for its backward pass."""
    known = {parameter.untyped_storage().data_ptr() for parameter in run.state.model.parameters()}
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = run.loss(0, np.zeros(1, int))
    del loss
    return sum(seen.values()) / 2**20


def _outputs(task: Task, model: nn.Module, batch: Batch) -> None:
    for _, _, piece in task.pieces(batch, EVALUATION_ROWS):
        task.output(model, piece)


def _gradient(found: Calibration, settings: dict, task: Task, model: nn.Module) -> None:
    chunk, projection, most = settings["execution"]["chunk"], settings["projection"], _Most(task.device)
    task, rows = restricted(task, projection.get("parameters", "")), np.arange(task.train_size)
    take_as_whole(task, model)
    seen = shapes(model, task.attributed(model))
    projected = build_projection(projection, sum(map(math.prod, seen)), task.seed, 0, seen)

    def run(count: int) -> None:
        batch = task.train_batch(np.resize(rows, count))
        most.of(count, lambda: projected_gradients(task, model, batch, projected))

    found.gradient = pace(run, chunk, task.device)
    # A row's gradient, a copy of it, and what its projection makes of it.
    rowwise = found.networks["members"].saved_mb + 3 * 4 * sum(map(math.prod, seen)) / 2**20
    found.peak_mb["features"] = most.at(chunk, rowwise)


class _Most:
    """The most memory that a piece of work has taken, in MiB, and of how many rows it was: of the GPU, or the process.

    Attributes:
        base: what was taken before.
    """

    def __init__(self, device: str):
        self.device = device
        self.rows, self.mb, self.first, self.base = 0, 0.0, 0.0, 0.0

    def of(self, rows: int, work: Callable[[], object]) -> None:
        """Do the work and note what it took."""
        if self.device == "cpu":
            with contextlib.suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
        else:
            torch.cuda.reset_peak_memory_stats()
        self.base = self.base or _peak(self.device)
        work()
        self.mb, self.rows = _peak(self.device), rows
        self.first = self.first or self.mb

    def at(self, rows: int, each: float | None = None) -> float:
        """Return it for another number of rows.

        Args:
            rows: how many.
            each: MiB of one more, where one alone was tried; None: what it took above all that was there before.
        """
        if rows == self.rows:
            return self.mb
        if self.rows > 1:
            each = (self.mb - self.first) / (self.rows - 1)
        return self.first + (self.first - self.base if each is None else each) * (rows - 1)


def _peak(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 2**20
    with resources.measured() as cost:
        pass
    return cost["peak_mb"]
