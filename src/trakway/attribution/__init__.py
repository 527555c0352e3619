"""Attribution methods: from features to scores, one file a method, one interface.

A method is a module of this package with a function ``score(material, out, **options)`` that fills ``out`` (float32,
targets × n, perhaps a memory map) with scores: positive means that training on the example raises the target's output.
Options are the keys of the ``scores`` section that the method takes.
"""

import importlib
from collections.abc import Callable

from trakway.attribution.material import Features, Material

__all__ = ["Features", "Material", "method"]


def method(name: str) -> Callable[..., None]:
    """Return the ``score`` function of a method."""
    return importlib.import_module(f"trakway.attribution.methods.{name}").score
