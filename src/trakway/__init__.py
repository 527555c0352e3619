"""Trakway: trace model outputs back to training examples, and check the answer by retraining.

``import trakway as tw`` is light: the functions below are loaded when they are first asked for (docs/notebook.md).
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "task": "notebook.task",
    "random_subsets": "subsets",
    "train": "notebook.training",
    "load": "notebook.models",
    "featurize": "notebook.features",
    "score": "notebook.scores",
    "evaluate": "notebook.validation",
    "lds": "notebook.validation",
    "pairs": "notebook.validation",
    "figure": "notebook.figure",
    "Task": "tasks.base",
    "UserError": "errors",
}
"""Where the functions of a notebook live. None has the name of a room, which an import would put in its place."""

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
