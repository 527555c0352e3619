"""The sampling trajectories that pictures show: from a table of targets and the arrays beside it."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.storage.files import read_array, read_json, read_table


@dataclass(frozen=True)
class Trajectories:
    """Generated samples on their way from noise; the arrays are memory maps with pixels in [-1, 1].

    Attributes:
        entries: evaluated entries of generated samples: target (row of the arrays), timestep (<NA>: the final image),
            patch ("": the whole image), caption ("": none), entry (row of every score file).
        samples: final images x_0, float32 (images × C × H × W).
        noisy: x_t, float32 (images × steps × C × H × W).
        estimates: x̂_0(x_t), of the same shape.
        timesteps: of the steps along the second axis.
    """

    entries: pd.DataFrame
    samples: np.ndarray
    noisy: np.ndarray
    estimates: np.ndarray
    timesteps: tuple[int, ...]

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Trajectories":
        """Open ``targets.parquet``, and ``timesteps.json`` and the arrays beside it.

        Raises:
            UserError: the files do not speak of the same steps, or of no generated sample.
        """
        path = Path(path)
        table = read_table(path)
        table["entry"] = np.arange(len(table))
        table = table[(table["kind"] == "generated") & (table["role"] == "evaluation")]
        timesteps = tuple(read_json(path.with_name("timesteps.json")))
        arrays = {name: read_array(path.with_name(f"{name}.npy")) for name in ("images", "noisy", "estimates")}
        steps = {name: arrays[name].shape[1] for name in ("noisy", "estimates")}
        named = table["timestep"].dropna().unique().tolist()
        if not named or not set(named) <= set(timesteps) or set(steps.values()) != {len(timesteps)}:
            raise UserError(
                f"{path}: found generated samples at the timesteps {named}, with {steps['noisy']} steps in noisy.npy"
                f" and {steps['estimates']} in estimates.npy; allowed: those of timesteps.json beside it,"
                f" {list(timesteps)}, 1 at least. Remove the folder and draw the targets again."
            )
        entries = table[["target", "timestep", "patch", "caption", "entry"]].reset_index(drop=True)
        return cls(entries, *arrays.values(), timesteps)

    def whole(self, count: int | None = None) -> pd.DataFrame:
        """Return the entries of whole images at a step, for the first ``count`` samples, from high noise to low."""
        return self._of(self.entries["patch"] == "", count)

    def patches(self, count: int | None = None) -> pd.DataFrame:
        """Return the entries of patches, for the first ``count`` samples; ``whole`` is the entry of the whole image."""
        whole = self.whole(count)[["target", "timestep", "entry"]].rename(columns={"entry": "whole"})
        return self._of(self.entries["patch"] != "", count).merge(whole, on=["target", "timestep"], validate="m:1")

    def _of(self, chosen: pd.Series, count: int | None) -> pd.DataFrame:
        table = self.entries[chosen & self.entries["timestep"].notna()]
        table = table[table["target"].isin(self.entries["target"].unique()[:count])]
        return table.sort_values(["target", "timestep"], ascending=[True, False], kind="stable", ignore_index=True)

    def at(self, array: np.ndarray, entries: pd.DataFrame) -> np.ndarray:
        """Return the images of ``noisy`` or ``estimates`` that belong to entries: (entries × C × H × W)."""
        steps = [self.timesteps.index(int(t)) for t in entries["timestep"]]
        return array[entries["target"].to_numpy(int), steps]
