"""Compare random projections on real gradients: how far inner products move, over many matrices.

    snakemake --cores all fashion_resnet_lds
    python benchmarks/balanced.py results/demo/fashion_resnet --output benchmarks/balanced.csv

Beside the library's kinds stands a balanced sparse form: of every run of k consecutive coordinates, each goes to a
bucket of its own, by a random permutation with signs. The error of a pair is
(⟨Pᵀu, Pᵀv⟩ - ⟨u, v⟩) / (|u| |v|); the table gives its root mean square over pairs and matrices times √k, with the
standard error over matrices, for pairs of different gradients and for each gradient with itself.
"""

import argparse
import math
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")


def balanced(gradients, dim: int, seed: int):
    """Project gradients (B, p) by random signed permutations of each run of ``dim`` coordinates."""
    import torch
    from torch.nn.functional import pad

    from trakway import seeds

    generator = seeds.generator(seed, "balanced")
    runs = -(-gradients.shape[1] // dim)
    gradients = pad(gradients, (0, runs * dim - gradients.shape[1])).view(len(gradients), runs, dim)
    features = torch.zeros(len(gradients), dim)
    for run in range(runs):
        signs = torch.from_numpy(generator.integers(0, 2, dim, "int8")).float() * 2 - 1
        features += gradients[:, run, torch.from_numpy(generator.permutation(dim))] * signs
    return features


def main() -> None:
    """Project the gradients of one member again and again and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an experiment's folder, e.g. results/demo/fashion_resnet")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/balanced.csv"))
    parser.add_argument("--dims", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--matrices", type=int, default=20)
    parser.add_argument("--examples", type=int, default=96, help="gradients of training examples, from the first on")
    arguments = parser.parse_args()

    import numpy as np
    import pandas as pd
    import torch
    from peers import load

    from trakway.gradients import per_example_gradients
    from trakway.projection.build import build_projection

    torch.set_num_threads(1)
    task, models, *_ = load(arguments.folder)
    batch = task.train_batch(np.arange(arguments.examples))
    gradients = per_example_gradients(task, models[0], batch)[1].float()
    exact = gradients.double().numpy()
    norms = np.linalg.norm(exact, axis=1)
    exact = exact @ exact.T / np.outer(norms, norms)
    off = ~np.eye(len(exact), dtype=bool)

    def project(name: str, dim: int, matrix: int):
        if name == "balanced":
            return balanced(gradients, dim, matrix)
        kind, _, nonzeros = name.partition(", ")
        settings = {"kind": kind, "dim": dim, "nonzeros": int(nonzeros.split()[0]) if nonzeros else 1}
        return build_projection(settings, gradients.shape[1], 0, matrix)(gradients)

    rows = []
    for dim in arguments.dims:
        for name in ("rademacher", "sjlt, 1 nonzero", "sjlt, 4 nonzeros", "balanced"):
            squares = []
            for matrix in range(arguments.matrices):
                features = project(name, dim, matrix).double().numpy()
                error = (features @ features.T / np.outer(norms, norms) - exact) ** 2
                squares.append([error[off].mean(), error[~off].mean()])
            mean = np.sqrt(np.mean(squares, 0) * dim)
            spread = np.std(squares, 0, ddof=1) * dim / (2 * mean * math.sqrt(len(squares)))
            rows.append(
                {
                    "projection": name,
                    "p": gradients.shape[1],
                    "k": dim,
                    "matrices": arguments.matrices,
                    "gradients": len(gradients),
                    "pairs": mean[0],
                    "pairs_error": spread[0],
                    "norms": mean[1],
                    "norms_error": spread[1],
                }
            )
            print({key: round(x, 4) if isinstance(x, float) else x for key, x in rows[-1].items()}, flush=True)
            pd.DataFrame(rows).round(5).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
