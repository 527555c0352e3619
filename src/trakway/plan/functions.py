"""The functions of a model whose gradients are features."""


def feature_functions(need: str, settings: dict) -> list[str]:
    """Return the functions whose gradients a need is made of; none if it needs no gradients.

    ``output`` is the model output f, ``norm`` the squared norm of a prediction (D-TRAK), ``window-T`` the output with
    training examples seen at steps around T.
    """
    if need == "windows":
        return [f"window-{timestep}" for timestep in settings["journey"]["timesteps"]]
    return {"features": ["output"], "checkpoints": ["output"], "norm": ["norm"]}.get(need, [])


def is_window(function: str) -> bool:
    """Whether a function is that of a window of steps."""
    return function.startswith("window-")


def window_timestep(function: str) -> int:
    """Return the timestep in the middle of a window's function."""
    return int(function.removeprefix("window-"))
