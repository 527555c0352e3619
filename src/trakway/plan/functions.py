"""The functions of a model whose gradients are features.

``output`` is the output f, ``norm`` the squared norm of a prediction (D-TRAK), ``window-T`` the output with training
examples seen at steps around T.
"""


def window(timestep: int) -> str:
    """Return the function of a window of steps around one."""
    return f"window-{timestep}"


def is_window(function: str) -> bool:
    """Whether a function is that of a window of steps."""
    return function.startswith("window-")


def window_timestep(function: str) -> int:
    """Return the timestep in the middle of a window's function."""
    return int(function.removeprefix("window-"))
