"""The seconds of every job of an experiment, from how often it does what was measured."""

import math
from collections.abc import Callable

from trakway.forecast.calibration import Calibration, Network
from trakway.forecast.disk import Entries, completion_sets, entries_of
from trakway.forecast.pace import Pace
from trakway.forecast.sample import Counts
from trakway.metagradients.preflight import ENTRIES
from trakway.plan import (
    ALONE,
    FIXED,
    OUTPUT_ROLES,
    ensemble_sizes,
    is_window,
    methods_of,
    modality_of,
    removal_rows,
    shard_range,
    step_methods,
)
from trakway.report.costs import cost_names
from trakway.tasks.diffusion import EVALUATED, EVALUATION_DRAWS
from trakway.training.schedule import Schedule

TABLE = 0.5  # seconds of a job that imports pandas and makes a table
TRACED = {"cpu": 1.5, "cuda": 0.3}  # of a training step, that going back through it takes for one of many targets
FITTED = 2.0  # of an example's gradient, that it takes to make its row of second moments and their roots
SOLVED = 3.0  # of all gradients, that an iteration of conjugate gradients takes


class Work:
    """How many seconds the jobs of an experiment take."""

    def __init__(self, settings: dict, counts: Counts, measured: Calibration, device: str = "cpu"):
        self.settings, self.counts, self.measured, self.traced = settings, counts, measured, TRACED[device]
        self.modality = modality_of(settings)
        self.entries: Entries = entries_of(settings)
        self.generative = self.modality.has(("steps",))

    def jobs(self) -> dict[str, float]:
        """Return the seconds of each job by the name of its cost, see `trakway.report.costs.cost_names`."""
        return {name: self.seconds(*name.split("/")) for name in cost_names(self.settings)}

    def seconds(self, stage: str, *rest: str) -> float:
        """Return the seconds of a job."""
        known: dict[str, Callable] = {
            "train": self._train,
            "outputs": self._outputs,
            "features": self._features,
            "preconditioners": self._preconditioner,
            "representations": self._representations,
            "scores": self._scores,
            "cost": self._cost,
            "targets": self._targets,
            "completions": self._completions,
            "captions": self._captions,
            "encode": self._encode,
            "metagradients": self._metagradients,
            "preflight": self._preflight,
            "influences": self._influences,
        }
        # A table of samples is called as the folder of their costs.
        if stage not in known or (stage == "captions" and not rest):
            return TABLE
        start = TABLE if stage in ("scores", "cost") else self.measured.start
        return start + known[stage](*rest)

    def network(self, ensemble: str) -> Network:
        """Return the network that an ensemble trains."""
        return self.measured.networks[ensemble if ensemble in ALONE else "members"]

    def training(self, ensemble: str, size: int) -> float:
        """Return the seconds of training one model on ``size`` examples."""
        section = self.settings[ensemble]["training"] if ensemble in ALONE else self.settings["training"]
        schedule = Schedule(size, section)
        return schedule.steps * self.network(ensemble).step(schedule.seen / schedule.batches)

    def samples(self, ensemble: str, shard: str) -> int:
        """Return how many training samples the models of a shard see, examples once an epoch each."""
        section, seen = self.settings[ensemble]["training"] if ensemble in ALONE else self.settings["training"], 0
        for size in self.sizes(ensemble, shard_range(shard)):
            schedule = Schedule(size, section)
            seen += schedule.steps * schedule.seen // schedule.batches
        return seen

    def sizes(self, ensemble: str, indices: range) -> list[int]:
        """Return how many examples models of an ensemble visit in an epoch."""
        s, n = self.settings, self.counts.train
        if ensemble in (*ALONE, "reference", *FIXED) or s["training"]["removal"] == "reweight":
            return [n] * len(indices)
        if ensemble == "removal":
            rows = removal_rows(s["removal"], step_methods(s))
            return [n - round(rows[index // s["removal"]["seeds"]].fraction * n) for index in indices]
        fraction = s["members"]["fraction"] if ensemble == "members" else s["bank"]["fraction"]
        return [max(1, round(fraction * n))] * len(indices)

    def _train(self, ensemble: str, shard: str) -> float:
        if ensemble == "members" and self.settings["members"]["checkpoints"]:
            return 0.0
        return sum(self.training(ensemble, size) for size in self.sizes(ensemble, shard_range(shard)))

    def _outputs(self, ensemble: str, shard: str) -> float:
        roles = OUTPUT_ROLES.get(ensemble, ("evaluation",))
        count = {0: 0, 1: self.entries.evaluation, 2: self.entries.total}[len(roles)]
        draws = self.settings["journey"]["target_draws"] if self.generative else 1
        generative = self.generative and ensemble not in ALONE
        looked_at = min(self.counts.test, EVALUATED) * EVALUATION_DRAWS if generative else self.counts.test
        return len(shard_range(shard)) * self.network(ensemble).forward.each * (count * draws + looked_at)

    def _features(self, projection: str, function: str, checkpoint: str, shard: str, part: str) -> float:
        rows = self.counts.train if part == "train" else self.entries.total
        if self.generative:
            journey = self.settings["journey"]
            drawn = {"targets": journey["target_draws"]}.get(part, journey["train_draws"])
            drawn = journey["window_draws"] if part == "train" and is_window(function) else drawn
            rows *= drawn / journey["train_draws"]
        chunks = math.ceil(rows / self.settings["execution"]["chunk"])
        return len(shard_range(shard)) * (self.gradient.fixed * chunks + self.gradient.each * rows)

    def _preconditioner(self, name: str, checkpoint: str, shard: str) -> float:
        examples = self.settings["projection"]["preconditioner_examples"]
        return len(shard_range(shard)) * examples * self.gradient.each * FITTED

    @property
    def gradient(self) -> Pace:
        """Of a training example."""
        return self.measured.gradient or Pace(0.0, 0.0)

    def _representations(self) -> float:
        alone = "domain" if self.settings["domain"] else "members"
        models = 1 if self.settings["domain"] else ensemble_sizes(self.settings)["members"][0]
        return models * (self.counts.train + self.entries.total) * self.network(alone).forward.each

    def _scores(self, method: str) -> float:
        """Return the seconds of the products of matrices; what else a method does is small beside the start."""
        chosen = methods_of(self.settings)[method]
        n, members = self.counts.train, chosen.members or ensemble_sizes(self.settings)["members"][0]
        reads = set(chosen.method.reads) & {"features", "norm", "checkpoints", "windows"}
        if not reads:
            return 0.0
        k = named_projection_dim(self.settings, self.measured)
        times = {"checkpoints": self.settings["training"]["checkpoints"]}
        times |= {"windows": len(self.settings["journey"]["timesteps"])} if self.generative else {}
        kernels = max(times.get(read, 1) for read in reads)
        products = n * k * min(n, k) + n * min(n, k) * self.entries.total + min(n, k) ** 3 / 3
        return members * kernels * products * self.measured.product

    def _cost(self) -> float:
        shares = sum(self.settings["cost"]["fractions"])
        return shares * sum(self._scores(method) for method in methods_of(self.settings))

    def _drawn(self, samples: float, steps: float) -> float:
        guided = self.modality.has(("caption",)) and self.settings["diffusion"]["guidance"] != 1
        return samples * steps * self.network("members").forward.each * (2 if guided else 1)

    def _targets(self) -> float:
        samples = self.settings["targets"]["count"] + self.settings["targets"]["tuning"]
        return self._drawn(samples, self.settings["diffusion"]["timesteps"])

    def _completions(self, ensemble: str, shard: str) -> float:
        diffusion, steps = self.settings["diffusion"], self.settings["journey"]["timesteps"]
        sets = completion_sets(self.settings, ensemble, shard_range(shard))
        taken = diffusion["sampling_steps"] * sum(steps) / len(steps) / diffusion["timesteps"]
        return self._drawn(sets * self.settings["removal"]["completions"], taken)

    def _captions(self, ensemble: str, shard: str) -> float:
        samples = self.settings["captions"]["samples" if ensemble == "reference" else "bank"]
        return self._drawn(len(shard_range(shard)) * samples, self.settings["diffusion"]["sampling_steps"])

    def _encode(self) -> float:
        return (self.counts.train + self.counts.test) * self.measured.encoding

    def _metagradients(self, at: str, run: str) -> float:
        once = self.training("members", self.counts.train)
        if at == "members" and self.settings["training"]["removal"] == "resample":  # larger batches: see `point_of`
            once /= self.settings["members"]["fraction"]
        return once * (1 + self.traced * self.entries.total * (1 - min(self.settings["metagradient"]["start"])))

    def _preflight(self) -> float:
        return self.training("members", self.counts.train) * (6 + self.traced * min(ENTRIES, self.entries.total))

    def _influences(self, kind: str, member: str) -> float:
        rows = self.counts.train + self.settings["curvature"]["drawn"]
        times = 1 + (SOLVED * self.settings["curvature"]["iterations"] if kind == "ekfac_cg" else 0)
        return rows * self.gradient.each * times


def named_projection_dim(settings: dict, measured: Calibration) -> int:
    """Return the number of features k of an experiment's own projection."""
    if settings["projection"]["kind"] == "identity":
        return sum(map(math.prod, measured.networks["members"].attributed))
    return settings["projection"]["dim"]
