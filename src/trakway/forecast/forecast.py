"""The forecast of one experiment: everything that follows from its settings, times what is measured here in seconds."""

import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.forecast.calibration import Calibration, calibrate
from trakway.forecast.disk import file_sizes
from trakway.forecast.sample import Counts, write_sample
from trakway.forecast.stand_ins import with_stand_ins
from trakway.forecast.work import Work
from trakway.plan import INFLUENCES, ensemble_shards, ensemble_sizes, methods_of, modality_of, task_settings
from trakway.plan.loading import load
from trakway.runtime import resources
from trakway.tasks import build_task

ALONE_STAGES = ("data", "encode", "targets", "representations", "preflight", "cost")
"""Stages of one job, tables left out."""


@dataclass(frozen=True)
class Forecast:
    """What an experiment needs.

    Attributes:
        seconds: of each job, by the name of its cost; CPU seconds, or seconds of a GPU.
        files: bytes of each array and of all weights, by path below the experiment's folder.
        about: bytes, roughly, of what only the data tell, such as the states of tokens; likewise.
        peak_mb: the most memory of a job, by what it does.
        models: how many are trained of each ensemble.
        samples: training samples that all models see together.
        parameters: of a member's network, those attributed.
        counts: of the examples.
        device: what was measured on.
        notes: what it does not know.
    """

    seconds: dict[str, float]
    files: dict[str, int]
    about: dict[str, int]
    peak_mb: dict[str, float]
    models: dict[str, int]
    samples: int
    parameters: int
    counts: Counts
    device: str
    notes: list[str]

    def stages(self) -> dict[str, tuple[int, float]]:
        """Return jobs and seconds of each stage, ensembles by themselves."""
        found: dict[str, tuple[int, float]] = {}
        for name, seconds in self.seconds.items():
            stage, *rest = name.split("/")
            key = f"{stage} {rest[0]}" if stage in ("train", "outputs", "completions", "captions") and rest else stage
            key = key if rest or stage in ALONE_STAGES else "tables"
            jobs, before = found.get(key, (0, 0.0))
            found[key] = jobs + 1, before + seconds
        return found

    def folders(self) -> dict[str, int]:
        """Return bytes by the first folder of a path, the largest first."""
        found: dict[str, int] = {}
        for file, size in (self.files | self.about).items():
            found[file.split("/")[0]] = found.get(file.split("/")[0], 0) + size
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def forecast(settings: dict, device: str = "cpu", imports: float = 0.0) -> Forecast:
    """Measure briefly and multiply.

    Neither the data set nor pretrained weights have to be on this machine.

    Args:
        settings: of an experiment at a tier, complete.
        device: ``cpu`` or ``cuda``.
        imports: CPU seconds that importing this took, which jobs on a GPU pay each; others are forked.

    Raises:
        UserError: how many examples there are is not known.
    """
    with tempfile.TemporaryDirectory(prefix="trakway-plan-") as folder, quiet():
        data = Path(folder, "data")
        known, notes = with_stand_ins(settings, Path(folder, "weights"))
        counts = write_sample(known, data)
        each = _encoded(known, data, device) / (counts.sampled_train + counts.sampled_test)
        measured = calibrate(known, data, takes_gradients(known), device)
        measured.start += imports if device == "cuda" else 0.0
        files = file_sizes(known, counts, measured)
        about = {file: size for file, size in _encoding_sizes(data, counts).items() if file not in files}
        measured.encoding = 0.0 if notes else each
    work = Work(known, counts, measured, device)
    network = measured.networks["members"]
    adopted = settings["members"]["checkpoints"]
    sizes = {name: subsets * seeds for name, (subsets, seeds) in ensemble_sizes(settings).items()}
    seen = 0
    for name in sizes:
        for shard in [] if name == "members" and adopted else ensemble_shards(settings, name):
            seen += work.samples(name, shard)
    return Forecast(
        work.jobs(),
        files,
        about,
        _peaks(settings, counts, measured),
        sizes,
        seen,
        sum(map(math.prod, network.attributed)),
        counts,
        device,
        notes,
    )


def takes_gradients(settings: dict) -> bool:
    """Whether methods of an experiment read gradients of members."""
    names = inputs_of(list(methods_of(settings).values()))
    features = any(file.startswith("features/") for name in names for file in INPUTS[name].files(settings))
    return features or bool(set(INFLUENCES) & set(names))


def _encoded(settings: dict, data: Path, device: str) -> float:
    """Encode what all models share, where they share anything; returns the seconds."""
    if not modality_of(settings).encodes:
        return 0.0
    task = load("task", settings["task"])
    if "autoencoder" not in ensemble_sizes(settings):
        return task.encode(settings, data, device)["cpu_seconds"]
    own = build_task(task_settings(settings, "autoencoder"), data, device)
    return task.encode(settings, data, device, own.new_model(0).eval())["cpu_seconds"]


def _encoding_sizes(data: Path, counts: Counts) -> dict[str, int]:
    """Return the bytes of what lies beside prepared data, those of a sample scaled to all examples."""
    ratios = {"train": counts.train / counts.sampled_train, "test": counts.test / counts.sampled_test}
    ratios["caption"] = (counts.train + counts.test) / (counts.sampled_train + counts.sampled_test)
    found = {}
    for path in [*data.rglob("*.npy"), *data.rglob("*.safetensors")]:
        ratio = ratios.get(path.name.split("_")[0], 1.0)
        found[f"data/{path.relative_to(data).as_posix()}"] = round(path.stat().st_size * ratio)
    return found


def _peaks(settings: dict, counts: Counts, measured: Calibration) -> dict[str, float]:
    """Return the memory of jobs in MiB: as measured, and of scores what their matrices in float64 take."""
    found = dict(measured.peak_mb)
    if measured.gradient:
        side = min(counts.train, settings["projection"]["dim"] or counts.train)
        with resources.measured() as cost:
            pass
        found["scores"] = min(found.values()) + 3 * 8 * side**2 / 2**20 if found else cost["peak_mb"]
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress, notes on made-up data and warnings on random weights to ourselves."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
