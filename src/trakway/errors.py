"""The one exception for mistakes a user can mend."""


class UserError(Exception):
    """Something the user gave is wrong: a key, a file, a number.

    The message says which file and key, what was found, what is allowed, and what to do next. Scripts print the message
    alone, without a traceback, and exit with status 1.
    """
