"""A task of which only some parameters are attributed."""

import copy
import re

from torch import nn

from trakway.errors import UserError
from trakway.tasks import Task

MOST_NAMED = 8


def restricted(task: Task, pattern: str) -> Task:
    """Return a task whose attributed parameters are those of ``task`` in whose names a regular expression is found.

    Args:
        task: any.
        pattern: ``projection.parameters``; empty for all.

    Raises:
        UserError: once a model is asked for its parameters and none fits.
    """
    if not pattern:
        return task

    def attributed(model: nn.Module) -> list[str]:
        every = task.attributed(model)
        chosen = [name for name in every if re.search(pattern, name)]
        if not chosen:
            more = f", ... ({len(every)} in all)" if len(every) > MOST_NAMED else ""
            raise UserError(
                f"projection.parameters: found {pattern!r}, which is in no name; allowed: part of"
                f" {', '.join(every[-MOST_NAMED:])}{more}"
            )
        return chosen

    other = copy.copy(task)
    other.attributed = attributed
    return other
