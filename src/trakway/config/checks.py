"""What no schema can say: settings that are right alone and wrong together.

Every check takes complete, schema-valid settings and yields what it finds wrong; the value found is looked up by its
key.
"""

import re
from collections.abc import Iterator

from trakway.config.network_checks import check_networks
from trakway.config.problems import Fault, absent, did_you_mean, value_at
from trakway.config.steps_checks import check_steps
from trakway.plan import INFLUENCES, methods_of, modality_of
from trakway.plan.datasets import dataset_of
from trakway.plan.options import option_faults
from trakway.plan.places import builtin, is_own


def faults(settings: dict) -> list[Fault]:
    """Return the faults of all checks, in the order of the checks below."""
    return [fault for check in CHECKS for fault in check(settings)]


def _dataset(s: dict) -> Iterator[Fault]:
    known, name = dataset_of(s), s["dataset"]["name"]
    modality = modality_of(s)
    kind = modality.data
    if not known.serves(kind):
        fitting = [other for other in builtin("dataset") if dataset_of({"dataset": {"name": other}}).serves(kind)]
        yield (
            "dataset.name",
            f"a data set of {kind} for the task {s['task']}: {', '.join(fitting)}, or FILE.py:NAME with"
            f' DATASET = Dataset(kind="{kind}")',
            "Choose another data set or task.",
        )
        return
    yield from option_faults("dataset", s["dataset"], "dataset")
    if known.classes == 1 and (modality.domain or modality.has(("border",))):
        yield (
            "dataset.name",
            f"a data set of two classes at least for {s['task']}, where a classifier compares them; {name} has one",
            "Choose another data set or task.",
        )
    if known.varied and s["dataset"]["image_size"] is None:
        yield (
            "dataset.image_size",
            f"a whole number >= 8 for {name}, whose images differ in size",
            "Set it, e.g. to 224.",
        )
    # Others may be where downloads go, or lie on the machine that computes.
    if not (is_own(name) or known.remote or s["dataset"]["source"] == "download"):
        for key in ("path", "test"):
            if isinstance(s["dataset"].get(key), str):
                yield from absent(f"dataset.{key}", s["dataset"][key])
    for key, most in (("train_size", known.train_size), ("test_size", known.test_size)):
        if most is not None and (s["dataset"][key] or 0) > most:
            yield f"dataset.{key}", f"at most {most} for {name}", "Lower it, or take another data set."


def _projection(s: dict) -> Iterator[Fault]:
    kind, dim, nonzeros = (s["projection"][key] for key in ("kind", "dim", "nonzeros"))
    if kind == "identity" and dim is not None:
        yield (
            "projection.dim",
            "null for identity, which keeps every parameter",
            "Set `dim: null`, or choose the kind sjlt or rademacher.",
        )
    if kind != "identity" and dim is None:
        yield "projection.dim", f"a whole number >= 1 for {kind}", "Set it, e.g. to 1024, or choose `kind: identity`."
    if s["projection"]["precision"] != "float32" and "factored" in (kind, *s["ablation"]["projection"]):
        yield (
            "projection.precision",
            "float32 for factored, which never forms the gradients that would be rounded",
            "Set it, or leave factored out of projection.kind and ablation.projection.",
        )
    if s["projection"]["preconditioner"] != "none" and (
        s["projection"]["parameters"] or any(s["ablation"]["parameters"])
    ):
        yield (
            "projection.preconditioner",
            "none where gradients of some parameters alone are used (projection.parameters, ablation.parameters)",
            "Set it, or use all parameters.",
        )
    for key in (
        "projection.parameters",
        *(f"ablation.parameters.{i}" for i in range(len(s["ablation"]["parameters"]))),
    ):
        try:
            re.compile(value_at(s, key))
        except re.error as error:
            yield key, f"a regular expression ({error})", "Correct it."
    preconditioned = "kronecker" in (s["projection"]["preconditioner"], *s["ablation"]["preconditioner"])
    if preconditioned and "factored" in (kind, *s["ablation"]["projection"]):
        yield (
            "projection.preconditioner",
            "none with factored, which never forms the gradients that would be changed",
            "Set it, or leave factored out of projection.kind and ablation.projection.",
        )
    n, examples = s["dataset"]["train_size"], s["projection"]["preconditioner_examples"]
    if preconditioned and n is not None and examples > n:
        yield (
            "projection.preconditioner_examples",
            f"at most dataset.train_size = {n}: second moments are averaged over training examples",
            "Lower it or raise dataset.train_size.",
        )
    if kind == "sjlt" and dim is not None and nonzeros > dim:
        yield (
            "projection.nonzeros",
            f"at most projection.dim = {dim}: a row of the projection has dim entries",
            "Lower nonzeros or raise dim.",
        )
    if "sjlt" in s["ablation"]["projection"] and nonzeros > min(s["ablation"]["dim"]):
        yield (
            "projection.nonzeros",
            f"at most the smallest of ablation.dim, {min(s['ablation']['dim'])}",
            "Lower nonzeros or drop that dim.",
        )


def _subset_sizes(s: dict) -> Iterator[Fault]:
    n = s["dataset"]["train_size"]
    if n is None:
        return
    removed = [(f"removal.fractions.{i}", fraction) for i, fraction in enumerate(s["removal"]["fractions"])]
    sizes = [(key, round(fraction * n)) for key, fraction in _subset_fractions(s) + removed]
    dropped = (s["bank"]["fixed"] or {}).get("dropped", [])
    sizes += [(f"bank.fixed.dropped.{i}", n - round((1 - share) * n)) for i, share in enumerate(dropped)]
    for key, size in sizes:
        if not 1 <= size < n:
            yield (
                key,
                f"a share of dataset.train_size = {n} that rounds to 1 to {n - 1} examples, not {size}",
                "Change the share or raise dataset.train_size.",
            )


def _batch_size(s: dict) -> Iterator[Fault]:
    n, batch = s["dataset"]["train_size"], s["training"]["batch_size"]
    if n is None:
        return
    sizes = {f"{key} x dataset.train_size": round(fraction * n) for key, fraction in _subset_fractions(s)}
    sizes["dataset.train_size less the largest of removal.fractions"] = n - round(max(s["removal"]["fractions"]) * n)
    sizes = {reason: size for reason, size in sizes.items() if size > 0}  # an empty set is told by _subset_sizes
    reason, smallest = min(sizes.items(), key=lambda item: item[1], default=("", batch))
    if batch > smallest:
        yield (
            "training.batch_size",
            f"at most {smallest}, the examples of the smallest training set ({reason})",
            "Lower the batch size or raise dataset.train_size.",
        )


def _targets(s: dict) -> Iterator[Fault]:
    count, tuning, real, test = (*(s["targets"][key] for key in ("count", "tuning", "real")), s["dataset"]["test_size"])
    if modality_of(s).targets == "sampled":
        if test is not None and real > test:
            yield (
                "targets.real",
                f"at most dataset.test_size = {test}: real images come from the test split",
                "Lower it or raise dataset.test_size.",
            )
    elif test is not None and count + tuning > test:
        yield (
            "targets.count",
            f"targets.count + targets.tuning = {count} + {tuning} at most dataset.test_size = {test}",
            "Lower one of the two or raise dataset.test_size.",
        )
    for name in ("removal", "display"):
        if s[name]["targets"] > count:
            yield (
                f"{name}.targets",
                f"at most targets.count = {count}: they are drawn from the evaluated targets",
                f"Lower {name}.targets or raise targets.count.",
            )


def _own_checkpoints(s: dict) -> Iterator[Fault]:
    checkpoints, count = s["members"]["checkpoints"], s["members"]["count"]
    for i, path in enumerate(checkpoints or ()):
        yield from absent(f"members.checkpoints.{i}", path)
    if checkpoints is not None and len(checkpoints) != count:
        yield (
            "members.count",
            f"{len(checkpoints)}, the number of members.checkpoints",
            "Set it so, or list other checkpoints.",
        )
    if checkpoints is not None and s["training"]["checkpoints"] != 1:
        yield (
            "training.checkpoints",
            "1 where members.checkpoints bring one each",
            "Set it to 1, and remove tracin from the methods where it is among them.",
        )


def _choice(s: dict) -> Iterator[Fault]:
    if s["targets"]["tuning"] > 0:
        return
    several = [key for key in ("ridge", "soft_threshold") if len(s["scores"][key]) > 1]
    for key in several:
        yield (
            f"scores.{key}",
            "one value while targets.tuning = 0: choosing among several takes held-out targets",
            "Keep one value, or set targets.tuning to 1 or more.",
        )
    tuned = [method.name for method in methods_of(s).values() if method.tuned]
    if tuned and not several:
        yield (
            "targets.tuning",
            f"a whole number >= 1, needed by the choice of options of {', '.join(tuned)}",
            "Raise it, or give one value of each option.",
        )


COMPUTED = {"at": "metagradient.at", "start": "metagradient.start", "damping": "scores.damping"}
"""Options of methods whose values are computed before any method is asked, and where these are named."""


def _computed(s: dict) -> Iterator[Fault]:
    reading = [method for method in methods_of(s).values() if {"metagradients", *INFLUENCES} & set(method.method.reads)]
    for method in reading:
        for option, key in COMPUTED.items():
            room, name = key.split(".")
            asked = method.options.get(option, [])
            missing = [value for value in (asked if isinstance(asked, list) else [asked]) if value not in s[room][name]]
            if missing:
                listed = ", ".join(map(str, missing))
                yield (
                    key,
                    f"{listed} among them, which the method {method.name} asks for",
                    "Add it, or ask for another.",
                )
    runs, members = s["metagradient"]["runs"], len(s["members"]["checkpoints"] or ()) or s["members"]["count"]
    exact = any("metagradients" in method.method.reads for method in reading)
    if exact and "members" in s["metagradient"]["at"] and runs > members:
        yield (
            "metagradient.runs",
            f"at most members.count = {members} where metagradient.at has members: each run has the subset of a member",
            "Lower it, or raise members.count.",
        )
    if exact and s["training"]["precision"] == "bfloat16":
        yield (
            "training.precision",
            "float32 where training is differentiated, as metagradient and journey_metagradient ask for",
            "Set it to float32, or take these methods out.",
        )


def _estimation(s: dict) -> Iterator[Fault]:
    chosen = methods_of(s).values()
    needs = [f"the method {method.name}" for method in chosen if "estimation" in method.method.reads]
    needs += [f"the choice of options of {method.name}" for method in chosen if method.tuned]
    if needs and s["bank"]["estimation"]["subsets"] < 2:
        yield (
            "bank.estimation.subsets",
            f"a whole number >= 2, needed by {', '.join(needs)}",
            "Raise it, or drop what needs it.",
        )


def _removal(s: dict) -> Iterator[Fault]:
    removal = s["removal"]
    for key, names, of, allowed in [
        ("methods", removal["methods"], "methods", list(methods_of(s))),
        ("full_grid", removal["full_grid"] or [], "removal.methods", removal["methods"]),
    ]:
        for i, name in enumerate(names):
            if name not in allowed:
                yield (
                    f"removal.{key}.{i}",
                    f"the names in {of}: {', '.join(allowed)}",
                    f"{did_you_mean(name, allowed)}Add it to {of}, or take it out here.",
                )
    compare, fractions = removal["compare_fraction"], removal["fractions"]
    needed = removal["full_grid"] is not None and set(removal["methods"]) - set(removal["full_grid"])
    if compare not in fractions and (needed or compare is not None):
        yield (
            "removal.compare_fraction",
            f"one of removal.fractions: {', '.join(map(str, fractions))}"
            + ("" if needed else ", or null while every method is in full_grid"),
            "Choose one of these.",
        )


def _ablation(s: dict) -> Iterator[Fault]:
    limits = {"members": ("members.count", s["members"]["count"])}
    limits["checkpoints"] = ("training.checkpoints", s["training"]["checkpoints"])
    for key, (name, limit) in limits.items():
        for i, value in enumerate(s["ablation"][key]):
            if value > limit:
                yield f"ablation.{key}.{i}", f"at most {name} = {limit}", f"Lower it or raise {name}."


def _subset_fractions(s: dict) -> list[tuple[str, float]]:
    return [("members.fraction", s["members"]["fraction"]), ("bank.fraction", s["bank"]["fraction"])]


CHECKS = (
    _dataset,
    check_networks,
    check_steps,
    _projection,
    _subset_sizes,
    _batch_size,
    _own_checkpoints,
    _targets,
    _choice,
    _computed,
    _estimation,
    _removal,
    _ablation,
)
