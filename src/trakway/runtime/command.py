"""The frame of every script: arguments, device, threads, cost, and errors a person can read."""

import argparse
import gc
import os
import sys
from collections.abc import Callable

from trakway.errors import UserError
from trakway.runtime import alone, device, environment, memory, resources, warm
from trakway.storage.room import full_disk

environment.use_one_thread()
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # a fixed order of sums on a GPU
gc.set_threshold(500_000)  # imports make a million objects and no garbage: looking for it was a tenth of their time


class Command(argparse.ArgumentParser):
    """An argument parser that runs a script's ``main(arguments)``.

    Adds ``--cost FILE`` (where to write CPU seconds, wall seconds, peak memory, processor and GPU as JSON) and, for
    scripts that compute with torch, ``--device auto|cpu|cuda``; ``arguments.device`` is then ``"cpu"`` or ``"cuda"``.
    """

    def __init__(self, description: str, computes: bool = False):
        super().__init__(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        self.computes = computes
        self.add_argument("--cost", help="JSON file for what this run cost, and on which processor and GPU")
        if computes:
            self.add_argument("--device", default="auto", choices=device.CHOICES, help="where to compute")

    def run(self, main: Callable[[argparse.Namespace], dict | None]) -> None:
        """Parse the command line, claim the device, run ``main``, write the cost.

        In a run on this machine a fork does so that need not import the libraries, see `trakway.runtime.warm`.

        ``main`` may return a cost of its own (see `trakway.runtime.resources`) where earlier, interrupted runs did a
        part of the work. A `UserError` is printed without a traceback and ends the process with status 1.
        """
        arguments = self.parse_args()
        warm.hand_over()
        alone.join()
        try:
            if self.computes:
                arguments.device = device.claim(arguments.device)
                memory.keep_freed_memory()
            with resources.measured() as cost:
                whole = main(arguments)
            if arguments.cost:
                from trakway.runtime.provenance import computer
                from trakway.storage.files import write_json

                write_json(arguments.cost, (whole or cost) | computer())
        except UserError as error:
            sys.exit(f"error: {error}")
        except Exception as error:
            if said := full_disk(error):
                sys.exit(f"error: {said}")
            raise
