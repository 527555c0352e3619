"""Time the projections of a CPU beside `traker`'s BasicProjector, one thread.

    pip install -c envs/constraints.txt .[peers]
    python benchmarks/projection.py --output benchmarks/projection.csv

Every measurement has a process of its own, which gives its peak memory: what the projection adds to the resident
size that gradients, libraries and compiled code took before it. BasicProjector, like our dense projection, makes its
matrix again in every call (100 columns at a time). Seconds are of the CPU, the best of the calls that fit two seconds;
`setup_seconds` is spent once, before the first call.
"""

import argparse
import gc
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
OURS = {
    "rademacher": {"kind": "rademacher"},
    "rademacher, bfloat16": {"kind": "rademacher", "precision": "bfloat16"},
    "sjlt, 1 nonzero": {"kind": "sjlt", "nonzeros": 1},
    "sjlt, 4 nonzeros": {"kind": "sjlt", "nonzeros": 4},
}
THEIRS = {"traker rademacher": "rademacher", "traker normal": "normal"}


def measure(name: str, parameters: int, dim: int, batch: int) -> dict:
    """Time one projection in this process."""
    import torch
    from machine import peak_mb

    from trakway.projection.build import build_projection

    torch.set_num_threads(1)
    gradients = torch.randn(batch, parameters, generator=torch.Generator().manual_seed(0))
    if name in OURS:
        # Compiled code is there before the clock and the memory's meter start.
        build_projection(OURS[name] | {"dim": 8}, 64, 0, 0)(gradients[:, :64])

        def build():
            projection = build_projection(OURS[name] | {"dim": dim}, parameters, 0, 0)
            projection(gradients[:1])
            return projection
    else:
        from trak.projectors import BasicProjector, ProjectionType

        def build():
            projector = BasicProjector(parameters, dim, 0, ProjectionType(THEIRS[name]), "cpu")
            return lambda rows: projector.project(rows, model_id=0)

    gc.collect()
    before, start = peak_mb(), time.process_time()
    project = build()
    setup, seconds, began = time.process_time() - start, [], time.perf_counter()
    while not seconds or time.perf_counter() - began < 2:
        start = time.process_time()
        project(gradients)
        seconds.append(time.process_time() - start)
    best = min(seconds)
    return {
        "setup_seconds": round(setup, 4),
        "seconds": round(best, 5),
        "gradients_per_second": round(batch / best, 1),
        "peak_mb_beyond_gradients": round(peak_mb() - before, 1),
    }


def main() -> None:
    """Run all measurements, one after the other, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/projection.csv"))
    parser.add_argument("--parameters", type=int, nargs="+", default=[77_562, 1_000_000])
    parser.add_argument("--dims", type=int, nargs="+", default=[512, 1024, 4096])
    parser.add_argument("--batches", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--kinds", nargs="+", default=[*OURS, *THEIRS], choices=[*OURS, *THEIRS])
    parser.add_argument("--note", default="", help="kept in the table, e.g. what else the machine did")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*json.loads(arguments.one))))
        return

    import pandas as pd
    from machine import alone, made

    about = made("torch", "numba", "numpy", "traker", note=arguments.note)
    rows = []
    for parameters in arguments.parameters:
        for dim in arguments.dims:
            for batch in arguments.batches:
                for name in arguments.kinds:
                    case = [name, parameters, dim, batch]
                    found = alone(case)
                    rows.append({"projection": name, "p": parameters, "k": dim, "batch": batch} | found | about)
                    print(*case, *found.values(), flush=True)
                    pd.DataFrame(rows).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
