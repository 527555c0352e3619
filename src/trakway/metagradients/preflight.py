"""Is there a derivative worth its price? A few trainings that say so before anything costly is done.

*Metasmoothness* (Engstrom et al., arXiv:2503.13751, definition 3): the weights of examples are moved along a random
direction twice, and the final parameters should move the same way both times. A *directional difference* along what a
removal changes decides: it has to be what the exact derivative says.
"""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from trakway import seeds
from trakway.metagradients.exact import metagradients
from trakway.metagradients.flat import Flat
from trakway.metagradients.recording import steps_of
from trakway.metagradients.scores import Differentiated, output_slopes
from trakway.outputs.evaluation import model_outputs
from trakway.tasks import Task
from trakway.training.run import Run

STEP = 0.1  # of the weights along a random direction, twice
SHARE, SMALL = 0.05, 0.05  # of the examples whose weights move together, and how far
ENTRIES = 16  # of the table of targets that are looked at


def preflight(run: Differentiated, entries: int, seen: Callable[[], None] = lambda: None) -> dict:
    """Look at a training run before it is differentiated for all targets; six trainings and a way back for a few.

    Args:
        run: what is to be differentiated.
        entries: how many there are in the table of targets; the first few are looked at.
        seen: called after each training.

    Returns:
        ``metasmoothness`` in [-1, 1]; ``correlation`` of predicted and true changes of the outputs over entries when
        a random few of the examples lose a little weight, and their ``relative_error``; ``adjoint_norms``: the mean
        length of the derivatives in the parameters, from the last step to the first.
    """
    task, n = run.task, run.task.train_size
    recording = run.recording  # first: it refuses what cannot be differentiated
    looked = np.arange(min(entries, ENTRIES))
    weights = np.ones(n) if run.weights is None else np.asarray(run.weights, np.float64)
    rng = seeds.generator(run.seed, "preflight")
    along, few = rng.standard_normal(n), np.zeros(n)
    few[rng.permutation(n)[: max(1, round(SHARE * n))]] = 1.0

    def trained(changed: np.ndarray) -> tuple[Tensor, np.ndarray]:
        found = final(task, run, changed, len(looked))
        seen()
        return found

    start = trained(weights)[0]
    first, second = (trained(weights + k * STEP * along)[0] for k in (1, 2))
    more, less = (trained(weights + sign * SMALL * few)[1] for sign in (1, -1))
    norms: list[float] = []
    slopes = output_slopes(task, run.model, looked)
    scores = metagradients(recording, slopes, run.chunk, watch=norms.append)[:, 0].double().cpu().numpy()
    true, said = (more - less) / (2 * SMALL), scores @ few
    return {
        "metasmoothness": smoothness(start, first, second),
        "correlation": correlation(said, true),
        "relative_error": float(np.linalg.norm(said - true) / np.linalg.norm(true)),
        "adjoint_norms": norms,
    }


def smoothness(start: Tensor, first: Tensor, second: Tensor) -> float:
    """Return how far parameters that move from start to first go on to second in the same direction, in [-1, 1].

    Coordinates count by how much they move at first.
    """
    moved, further = first - start, second - first
    total = moved.abs().sum()
    return float((moved.abs() * moved.sign() * further.sign()).sum() / total) if total > 0 else 0.0


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine of two vectors of changes, 0 where one of them is 0."""
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / length) if length > 0 else 0.0


def final(task: Task, run: Differentiated, weights: np.ndarray, count: int) -> tuple[Tensor, np.ndarray]:
    """Return the final parameters (p,) and the outputs of the first entries, of a run at other weights."""
    other = Run(task, np.arange(task.train_size), run.training, run.seed, weights)
    for part in steps_of(other):
        other.take(*part)
    model = other.state.model if other.state.averaged is None else other.state.averaged.module
    return Flat(model.requires_grad_()).read().double(), model_outputs(task, model.eval(), count)
