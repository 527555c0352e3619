"""Which files a figure or a table reads: patterns of paths below an experiment's folder, filled in from settings."""

import re

from trakway.errors import UserError
from trakway.plan import ensemble_shards, ensemble_sizes, main_method, method_names, step_methods
from trakway.plan.suggestions import did_you_mean
from trakway.report.costs import cost_names

PLACEHOLDERS = {
    "main": lambda settings: [main_method(settings)],
    "method": method_names,
    "per_step": step_methods,
    "ensemble": ensemble_sizes,
    "cost": cost_names,
}
"""What may stand in braces, with its values; beside these ``{shard}`` and ``{a,b}``, see `files`."""

_BRACES = re.compile(r"{([^{}]*)}")


def files(pattern: str, settings: dict) -> dict[str, str]:
    """Return the files of a pattern in order: what stood in the place of the braces (joined by ``/``) → path.

    - ``{main}``: the main method; ``{method}``: every method; ``{per_step}``: those whose scores differ by step,
    - ``{ensemble}``: every ensemble; ``{a,b}``: a and b,
    - ``{shard}``: every shard of the ensemble whose name stands before it, ``outputs/reference/{shard}.npy``,
    - ``{cost}``: whatever has a cost.

    A pattern without braces is one file, or a folder where it ends in a slash.

    Args:
        pattern: below the experiment's folder.
        settings: of the experiment.

    Raises:
        UserError: there is no such word for braces.
    """
    return {"/".join(words): path for words, path in _filled(pattern, settings)}


def is_several(pattern: str) -> bool:
    """Whether a pattern may stand for several files, which are then read as a mapping."""
    return bool(set(_BRACES.findall(pattern)) - {"main"})


def _filled(pattern: str, settings: dict):
    """Yield (words in the place of the braces, path)."""
    found = _BRACES.search(pattern)
    if not found:
        yield (), pattern
        return
    before, after = pattern[: found.start()], pattern[found.end() :]
    for word in _words(found[1], before, settings, pattern):
        for further, path in _filled(f"{before}{word}{after}", settings):
            yield (word, *further), path


def _words(name: str, before: str, settings: dict, pattern: str) -> list[str]:
    """Return what stands in the place of ``{name}``; ``before`` is the path up to it."""
    if name == "shard":
        return ensemble_shards(settings, before.rstrip("/").rpartition("/")[2])
    if "," in name:
        return name.split(",")
    if name not in PLACEHOLDERS:
        allowed = [*PLACEHOLDERS, "shard"]
        raise UserError(
            f"reads: found {{{name}}} in {pattern!r}; allowed: {', '.join(f'{{{word}}}' for word in allowed)}, or "
            f"{{a,b}} for a and b. {did_you_mean(name, allowed)}"
        )
    return list(PLACEHOLDERS[name](settings))
