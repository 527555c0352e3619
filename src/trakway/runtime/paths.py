"""Paths on a command line: a word may stand for the files of all shards (see `trakway.plan.shards.compact`)."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from trakway.plan.shards import expand


def expanded(words: Sequence[str]) -> list[Path]:
    """Return the paths that words stand for, in order."""
    return [Path(path) for word in words for path in expand(word)]


class Paths(argparse.Action):
    """One or more paths, as a list."""

    def __init__(self, *arguments, nargs="+", **options):
        super().__init__(*arguments, nargs=nargs, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, expanded(values))


class Named(argparse.Action):
    """``NAME PATH...``, given any number of times: a mapping of names to lists of paths."""

    def __init__(self, *arguments, choices=None, **options):
        super().__init__(*arguments, nargs="+", metavar=("NAME", "PATH"), **options)
        self.names = choices

    def __call__(self, parser, namespace, values, option_string=None):
        name, *words = values
        if self.names is not None and name not in self.names:
            parser.error(f"{option_string}: found {name}; allowed: {', '.join(self.names)}")
        found = {**getattr(namespace, self.dest), name: expanded(words)}
        setattr(namespace, self.dest, found)
