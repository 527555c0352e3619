"""Say when numba compiles: the one wait of a first call, which later processes are spared."""

import sys

from numba.core import event

_said = False


class _Told(event.Listener):
    """Writes a line when the first loop of the library is compiled, not when it comes from the cache on disk."""

    def on_start(self, begun):
        global _said
        function = begun.data["dispatcher"].py_func
        if not _said and function.__module__.startswith("trakway."):
            _said = True
            print(
                "compiling the projection for this processor: some seconds, once; kept for later runs",
                file=sys.stderr,
                flush=True,
            )

    def on_end(self, ended):
        """Nothing to say."""


def tell_compilation() -> None:
    """Write a line to stderr where this process has to compile a loop, before it does, once."""
    event.register("numba:compile", _Told())
