"""What a training sample, an output, a gradient and a matrix product cost here, by doing each of them briefly."""

import contextlib
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
from trakway.outputs.evaluation import EVALUATION_ROWS
from trakway.plan import ALONE, ensemble_sizes, is_window, modality_of, task_settings
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
        evaluation: seconds of `Task.evaluate` on the sampled test split.
        width: of what the last layer sees; 0 where nothing asks.
    """

    tensors: dict[str, Tensor]
    format: str
    attributed: list[tuple[int, ...]]
    step: Pace
    forward: Pace
    evaluation: float
    width: int = 0


@dataclass
class Calibration:
    """What work costs on this machine, in seconds.

    Attributes:
        start: of a job: imports, and opening the data.
        networks: by ensemble: ``members`` (and all that are like them), ``domain``, ``autoencoder``.
        gradient: by function of a member, the projected gradient of a training example.
        state_shape, picture_shape: of what is generated; empty where nothing is.
        pixels: shape of a picture of the data; empty where there are none.
        encoding: of an example, where all models share an encoding.
        product: of a multiplication and addition of float64 matrices.
        peak_mb: the most memory that a step or a chunk of gradients took, scaled to their true sizes.
    """

    start: float
    networks: dict[str, Network] = field(default_factory=dict)
    gradient: dict[str, Pace] = field(default_factory=dict)
    state_shape: tuple[int, ...] = ()
    picture_shape: tuple[int, ...] = ()
    pixels: tuple[int, ...] = ()
    encoding: float = 0.0
    product: float = 0.0
    peak_mb: dict[str, float] = field(default_factory=dict)


def calibrate(settings: dict, data: Path, functions: list[str], device: str) -> Calibration:
    """Measure.

    Args:
        settings: of an experiment, whose weights are all on this machine.
        data: folder of a prepared data set, encoded if the task wants it.
        functions: of members whose gradients are features.
        device: ``cpu`` or ``cuda``.
    """
    started = time.process_time()
    task = build_task(task_settings(settings, "members", "journey", "training"), data, device)
    task.new_model(0)
    found = Calibration(start=time.process_time() - started)
    modality = modality_of(settings)
    if modality.has(("steps",)):
        found.state_shape, found.picture_shape = tuple(task.shape), tuple(task.picture_shape)
    if modality.has(("image",)):
        found.pixels = read_array(data / "train_images.npy").shape[1:]
    base = _peak()
    ensembles = {"members": task}
    for name in ALONE:
        if name in ensemble_sizes(settings):
            ensembles[name] = build_task(task_settings(settings, name, "training"), data, device)
    for name, own in ensembles.items():
        training = settings["training"] if name == "members" else settings[name]["training"]
        network, model, peaks = _network(own, training, base, modality.has(("steps",)) and name == "members")
        found.networks[name] = network
        found.peak_mb |= {f"{stage} of {name}": mb for stage, mb in peaks.items()}
        if name == "members":
            _gradients(found, settings, task, model, data, functions, base)
        del model
    matrix = torch.randn(MATRIX, MATRIX, dtype=torch.float64, device=device)
    found.product = pace(lambda rows: matrix[:rows] @ matrix, MATRIX, device).each / MATRIX**2
    return found


def _network(task: Task, training: dict, base: float, generative: bool) -> tuple[Network, nn.Module, dict[str, float]]:
    rows = np.arange(task.train_size)
    stepping, evaluating, wanted = _Most(), _Most(), training["batch_size"]
    step = _training_pace(Run(task, rows, training | {"checkpoints": 1}, 0), rows, wanted, stepping)
    model = task.prepare(task.new_model(0).eval())
    draws = task.train_batch(rows[:1])[1].shape[1] if generative else 1
    together = max(1, EVALUATION_ROWS // draws)

    def evaluate(count: int) -> None:
        evaluating.of(count, lambda: _outputs(task, model, task.train_batch(np.resize(rows, count))))

    with torch.no_grad():
        forward = pace(evaluate, together, task.device)
        started = time.process_time()
        task.evaluate(model)
        evaluation = time.process_time() - started
        seen = hasattr(task, "probabilities")
        width = task.representation(model, task.train_batch(rows[:1])).shape[1] if seen else 0
    tensors = {name: tensor.detach().to("meta") for name, tensor in model.state_dict().items()}
    sizes = [tuple(model.get_parameter(name).shape) for name in task.attributed(model)]
    each = Pace(forward.fixed, forward.each / draws)
    network = Network(tensors, task.checkpoint_format, sizes, step, each, evaluation, width)
    return network, model, {"train": stepping.at(wanted, base), "outputs": evaluating.at(together, base)}


def _training_pace(run: Run, rows: np.ndarray, wanted: int, most: "_Most") -> Pace:
    def step(count: int) -> None:
        most.of(count, lambda: run.take(0, np.resize(rows, count)))

    return pace(step, wanted, run.task.device)


def _outputs(task: Task, model: nn.Module, batch: Batch) -> None:
    for _, _, piece in task.pieces(batch, EVALUATION_ROWS):
        task.output(model, piece)


def _gradients(
    found: Calibration,
    settings: dict,
    task: Task,
    model: nn.Module,
    data: Path,
    functions: list[str],
    base: float,
) -> None:
    chunk, projection = settings["execution"]["chunk"], settings["projection"]
    seen = shapes(model, task.attributed(model))
    projected = build_projection(projection, sum(int(np.prod(shape)) for shape in seen), task.seed, 0, seen)
    rows = np.arange(task.train_size)
    for function in functions:
        alike = next((known for known in found.gradient if is_window(known) and is_window(function)), None)
        if alike:
            found.gradient[function] = found.gradient[alike]
            continue
        own = build_task(task_settings(settings, "members", "journey", "training"), data, task.device, None, function)
        own, most = restricted(own, projection.get("parameters", "")), _Most()

        def run(count: int, own: Task = own, most: "_Most" = most) -> None:
            batch = own.train_batch(np.resize(rows, count))
            most.of(count, lambda: projected_gradients(own, model, batch, projected))

        found.gradient[function] = pace(run, chunk, task.device)
        found.peak_mb[f"features of {function}"] = most.at(chunk, base)


class _Most:
    """The most memory that a piece of work has taken, in MiB, and of how many rows it was."""

    def __init__(self) -> None:
        self.rows, self.mb, self.first = 0, 0.0, 0.0

    def of(self, rows: int, work: Callable[[], object]) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
        work()
        self.mb, self.rows = _peak(), rows
        self.first = self.first or self.mb

    def at(self, rows: int, base: float) -> float:
        """Return it for another number of rows, which counts above what one row took."""
        if rows == self.rows:
            return self.mb
        each = (self.mb - self.first) / (self.rows - 1) if self.rows > 1 else self.mb - base
        return self.first + each * (rows - 1)


def _peak() -> float:
    with resources.measured() as cost:
        pass
    return cost["peak_mb"]
