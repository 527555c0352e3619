"""The name that somebody may have meant."""

import difflib
from collections.abc import Iterable
from typing import Any


def did_you_mean(name: Any, valid: Iterable[str]) -> str:
    """Return ``'Did you mean "x"? '`` for the valid name closest to ``name``, or nothing."""
    plain = {str(choice).lower(): choice for choice in valid}
    near = difflib.get_close_matches(str(name).lower(), plain, n=1)
    return f'Did you mean "{plain[near[0]]}"? ' if near else ""
