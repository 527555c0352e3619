"""What a training run did at each step, kept in pieces so that going back through it needs the memory of one.

All states of a run are (θ, g, m, v) a step. Where they are too many, the state is kept at the beginning of every
segment alone, and a segment is run again when its turn has come: its steps are the same to the bit.
"""

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from trakway.metagradients.adjoints import Step
from trakway.metagradients.flat import Flat
from trakway.training.run import Run

Part = tuple[int, np.ndarray]
"""A step's number and its examples."""


def steps_of(run: Run) -> list[Part]:
    """Return all steps of a run, in order."""
    return [part for epoch in range(run.schedule.epochs) for part in run.epoch(epoch)]


def bytes_of_a_step(run: Run) -> int:
    """Return what a recorded step takes."""
    arrays = 4 if run.training["optimizer"] == "adamw" else 2
    flat = Flat(run.state.model)
    return arrays * flat.size * flat.parameters[0].element_size()


def segments(steps: Sequence[Part], room: int) -> list[Sequence[Part]]:
    """Cut the steps of a run into segments of at most ``room`` recorded steps, about √T where they do not all fit.

    A kept beginning of a segment counts as a recorded step: it holds as much.
    """
    size = len(steps) if len(steps) <= room else max(1, min(room, round(len(steps) ** 0.5)))
    return [steps[start : start + size] for start in range(0, len(steps), size)]


class Recording:
    """A run that has been taken to its end, and can be gone through backwards.

    Attributes:
        run: at its end.
        segments: of its steps.
    """

    def __init__(self, run: Run, room: int, seen: Callable[[], None] = lambda: None):
        """Take a fresh run to its end.

        Args:
            run: at its beginning.
            room: recorded steps that may be in memory at once.
            seen: called after each step.
        """
        self.run = run
        self.segments = segments(steps_of(run), room)
        self._starts, self._last = [], []
        for segment in self.segments:
            self._starts.append(snapshot(run))
            self._last = []
            for part in segment:
                if len(self.segments) == 1:
                    self._last.append(recorded(run, *part))
                else:
                    run.take(*part)
                seen()
        self._end = snapshot(run)

    def backwards(self) -> Iterator[tuple[Step, np.ndarray]]:
        """Yield the steps from the last to the first, with their examples."""
        for segment, start in zip(reversed(self.segments), reversed(self._starts), strict=True):
            steps = self._last
            if len(self.segments) > 1:
                restore(self.run, start)
                steps = [recorded(self.run, *part) for part in segment]
            yield from zip(reversed(steps), (part for _, part in reversed(segment)), strict=True)
        restore(self.run, self._end)


def recorded(run: Run, number: int, part: np.ndarray) -> Step:
    """Take a step and return what it did."""
    flat = Flat(run.state.model)
    weights = flat.read()
    share = run.state.averaged.share if run.state.averaged is not None else 0.0
    run.take(number, part)
    moments = {}
    if run.training["optimizer"] == "adamw":
        states = [run.state.optimizer.state[parameter] for parameter in flat.parameters]
        for name, key in (("first", "exp_avg"), ("second", "exp_avg_sq")):
            found = [state.get(key) for state in states]
            zeros = [torch.zeros_like(parameter) for parameter in flat.parameters]
            moments[name] = torch.cat(
                [(zero if one is None else one).reshape(-1) for one, zero in zip(found, zeros, strict=True)]
            )
    return Step(number, weights, flat.gradient(), run.schedule.learning_rate(number), share, **moments)


def snapshot(run: Run) -> dict:
    """Return a copy of all that the rest of a run depends on."""
    state = run.state
    return copy.deepcopy(
        {
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "averaged": None if state.averaged is None else state.averaged.state_dict(),
        }
    )


def restore(run: Run, kept: dict) -> None:
    """Bring a run back to where `snapshot` was called."""
    state = run.state
    state.model.load_state_dict(kept["model"])
    state.optimizer.load_state_dict(copy.deepcopy(kept["optimizer"]))
    if state.averaged is not None:
        state.averaged.load_state_dict(kept["averaged"])
