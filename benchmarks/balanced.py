"""Compare random projections on real gradients: how far inner products move, and what that does to the LDS of TRAK.

    snakemake --cores all fashion_resnet_lds
    python benchmarks/balanced.py results/demo/fashion_resnet

Beside the library's kinds stands a balanced sparse form: of every run of k consecutive coordinates, each goes to a
bucket of its own, by a random permutation with signs.

``error``: that of a pair is (⟨Pᵀu, Pᵀv⟩ - ⟨u, v⟩) / (|u| |v|). The table gives its root mean square over pairs and
matrices times √k, with the standard error over matrices, for pairs of different gradients and for each gradient with
itself. ``lds``: every member's gradients are projected by each form with several seeds, and TRAK scores with the
experiment's ridge are judged on its evaluation bank. LDS is the mean over seeds; the intervals, and those of the
difference to one nonzero, are of the same resamples of subsets and targets, and of seeds drawn for each form;
``share`` is that of the resamples in which a form is ahead of it.
"""

import argparse
import math
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
HASHING = "sjlt, 1 nonzero"
FORMS = ("rademacher", HASHING, "sjlt, 4 nonzeros", "balanced", "factored")
COMPARED = (HASHING, "balanced", "factored")
CHUNK = 50


def balanced(gradients, dim: int, seed: int, member: int):
    """Project gradients (B, p) by random signed permutations of each run of ``dim`` coordinates."""
    import torch
    from torch.nn.functional import pad

    from trakway import seeds

    generator = seeds.generator(seed, "balanced", member)
    runs = -(-gradients.shape[1] // dim)
    gradients = pad(gradients, (0, runs * dim - gradients.shape[1])).view(len(gradients), runs, dim)
    features = torch.zeros(len(gradients), dim)
    for run in range(runs):
        signs = torch.from_numpy(generator.integers(0, 2, dim, "int8")).float() * 2 - 1
        features += gradients[:, run, torch.from_numpy(generator.permutation(dim))] * signs
    return features


def project(form: str, gradients, shapes, dim: int, seed: int, member: int):
    """Return the features of gradients (B, p) by one of `FORMS`."""
    from trakway.projection.build import build_projection

    if form == "balanced":
        return balanced(gradients, dim, seed, member)
    kind, _, nonzeros = form.partition(", ")
    settings = {"kind": kind, "dim": dim, "nonzeros": int(nonzeros.split()[0]) if nonzeros else 1}
    return build_projection(settings, gradients.shape[1], seed, member, shapes)(gradients)


def gradients_of(task, model, batch_of, rows):
    """Return (outputs, gradients (rows, p)) of examples."""
    import torch

    from trakway.gradients import per_example_gradients

    parts = [
        per_example_gradients(task, model, batch_of(rows[start : start + CHUNK]))
        for start in range(0, len(rows), CHUNK)
    ]
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def measure_error(folder: Path, dims: list[int], matrices: int, examples: int):
    """Yield a row for each k and form: the error of inner products of one member's gradients."""
    import numpy as np
    from peers import load

    from trakway.gradients import shapes

    task, models, *_ = load(folder)
    seen = shapes(models[0], task.attributed(models[0]))
    _, gradients = gradients_of(task, models[0], task.train_batch, np.arange(examples))
    exact = gradients.double().numpy()
    norms = np.linalg.norm(exact, axis=1)
    exact = exact @ exact.T / np.outer(norms, norms)
    off = ~np.eye(len(exact), dtype=bool)
    for dim in dims:
        for form in FORMS:
            squares = []
            for matrix in range(matrices):
                features = project(form, gradients, seen, dim, 0, matrix).double().numpy()
                error = (features @ features.T / np.outer(norms, norms) - exact) ** 2
                squares.append([error[off].mean(), error[~off].mean()])
            mean = np.sqrt(np.mean(squares, 0) * dim)
            spread = np.std(squares, 0, ddof=1) * dim / (2 * mean * math.sqrt(len(squares)))
            row = {"projection": form, "p": gradients.shape[1], "k": dim, "matrices": matrices}
            values = (float(x) for pair in zip(mean, spread, strict=True) for x in pair)
            names = ("pairs", "pairs_error", "norms", "norms_error")
            yield row | {"gradients": len(gradients)} | dict(zip(names, values, strict=True))


def predictions_of(folder: Path, dims: list[int], count: int):
    """Return {(k, form): a prediction (subsets, targets) for each seed}, their outputs, and the experiment's seed."""
    import numpy as np
    from peers import load

    from trakway.attribution.material import Material
    from trakway.attribution.methods import trak
    from trakway.attribution.reading import load_outputs
    from trakway.attribution.values import Features
    from trakway.gradients import shapes
    from trakway.metrics.lds import predicted
    from trakway.storage.files import read_array

    task, models, rows, settings, ridge = load(folder)
    features = {(dim, form): [[] for _ in range(count)] for dim in dims for form in COMPARED}
    for member, model in enumerate(models):
        seen = shapes(model, task.attributed(model))
        outputs, train = gradients_of(task, model, task.train_batch, np.arange(task.train_size))
        _, targets = gradients_of(task, model, task.target_batch, rows)
        weights = task.loss_slope(outputs).numpy()
        for (dim, form), by_seed in features.items():
            for seed, members in enumerate(by_seed):
                pair = (project(form, part, seen, dim, seed, member).numpy() for part in (train, targets))
                members.append(Features(*pair, weights))
    masks = read_array(folder / "subsets/evaluation.npy")
    found = {}
    for key, by_seed in features.items():
        found[key] = []
        for members in by_seed:
            scores = np.empty((len(rows), task.train_size), np.float32)
            material = Material(settings["seed"], task.train_size, len(rows), features=members)
            trak.score(material, scores, ridge=ridge)
            found[key].append(predicted(scores, masks))
    shards = sorted((folder / "outputs/evaluation").glob("*.npy"))
    outputs = load_outputs(shards, len(masks))[:, :, : len(rows)]
    return found, outputs.mean(1), settings["seed"]


def measure_lds(folder: Path, dims: list[int], count: int, resamples: int):
    """Yield a row for each k and form: its LDS, and how far that is above the LDS of one nonzero."""
    import numpy as np

    from trakway.metrics.intervals import bootstrap_lds, draw, interval, paired_difference
    from trakway.metrics.lds import lds_per_target

    found, outputs, seed = predictions_of(folder, dims, count)
    for dim in dims:
        lds, samples = {}, {}
        for form in COMPARED:
            predictions = found[dim, form]
            lds[form] = float(np.mean([lds_per_target(part, outputs) for part in predictions]))
            by_seed = bootstrap_lds(predictions, outputs, seed=seed, resamples=resamples)
            drawn = draw(seed, f"projections/{dim}/{form}", count, resamples)
            samples[form] = (by_seed * drawn).sum(0) / count
        for form in COMPARED:
            low, high = interval(samples[form])
            row = {"projection": form, "k": dim, "seeds": count, "lds": lds[form], "lds_low": low, "lds_high": high}
            against = paired_difference(lds[form], lds[HASHING], samples[form], samples[HASHING])
            against = dict(zip(("difference", "difference_low", "difference_high", "share"), against, strict=True))
            yield row | (dict.fromkeys(against, math.nan) if form == HASHING else against)


def write(rows, output: Path) -> None:
    """Print rows as they come and write them as CSV."""
    import pandas as pd
    from machine import made

    table, about = [], made("torch", "numba", "numpy")
    for row in rows:
        table.append(row | about)
        print({key: round(x, 4) if isinstance(x, float) else x for key, x in row.items()}, flush=True)
        pd.DataFrame(table).round(5).to_csv(output, index=False)


def main() -> None:
    """Measure and write one table each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an experiment's folder, e.g. results/demo/fashion_resnet")
    parser.add_argument("--measure", nargs="+", choices=["error", "lds"], default=["error", "lds"])
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks"), help="folder for balanced.csv, balanced_lds.csv"
    )
    parser.add_argument("--dims", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--matrices", type=int, default=40, help="of each form, for the error")
    parser.add_argument("--examples", type=int, default=96, help="gradients of training examples, from the first on")
    parser.add_argument("--seeds", type=int, default=8, help="of each form, for the LDS")
    parser.add_argument("--resamples", type=int, default=1000)
    arguments = parser.parse_args()

    import torch

    torch.set_num_threads(1)
    folder, dims = arguments.folder, arguments.dims
    if "error" in arguments.measure:
        rows = measure_error(folder, dims, arguments.matrices, arguments.examples)
        write(rows, arguments.output / "balanced.csv")
    if "lds" in arguments.measure:
        rows = measure_lds(folder, dims, arguments.seeds, arguments.resamples)
        write(rows, arguments.output / "balanced_lds.csv")


if __name__ == "__main__":
    main()
