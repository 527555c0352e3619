"""The names of the options that a call in a notebook gives."""

from collections.abc import Collection, Iterable

from trakway.errors import UserError
from trakway.plan.suggestions import did_you_mean


def check_options(call: str, given: Iterable[str], known: Collection[str], of: str = "") -> None:
    """Stop at an option that there is none of.

    Args:
        call: the function that was called, for the message.
        given: names of the options that were given.
        known: names of those there are.
        of: whose options they are, where not of the call itself.

    Raises:
        UserError: names the option, the closest known one and all there are.
    """
    for name in given:
        if name not in known:
            raise UserError(
                f"{call}: found option {name!r}{of and f' of {of}'}. {did_you_mean(name, known)}"
                f"Allowed: {', '.join(known) or 'none'}"
            )
