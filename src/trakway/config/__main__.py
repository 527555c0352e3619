"""Print the settings of one experiment at one tier as JSON: ``python -m trakway.config FILE TIER``.

For running a script by hand: ``--settings`` of the scripts takes what this prints.
"""

import argparse
import json
import sys

from trakway.config import load_experiment
from trakway.errors import UserError


def main() -> None:
    """Read the arguments, print the settings."""
    parser = argparse.ArgumentParser(prog="python -m trakway.config", description="Check an experiment and print it.")
    parser.add_argument("file", help="the experiment, e.g. config/experiments/fashion_resnet.yaml")
    parser.add_argument("tier", help="one of its tiers, e.g. demo")
    arguments = parser.parse_args()
    try:
        print(json.dumps(load_experiment(arguments.file, arguments.tier), indent=1))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
