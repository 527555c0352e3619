"""A process that has imported the large libraries, and from which the jobs of a run are forked.

Importing torch takes two CPU seconds and diffusers five more, longer than many a job works. So a script that belongs to
a run on this machine hands its command line, environment and open files to this process, and ends as the fork ends
that does its work. What a job has imported, the next one is forked with; the process itself computes nothing. Where
there is none, or it has died, a script imports what it needs: the results are the same.

Not for jobs on a GPU: what CUDA has set up before a fork is lost in it.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trakway.runtime.environment import use_one_thread

RUN = "TRAKWAY_WARM"
"""The environment variable by which scripts find the process: the interpreter's prefix, ``:``, a socket's path."""

LIBRARIES = ("diffusers", "fontTools", "jsonschema", "matplotlib", "numba", "numpy", "pandas", "PIL", "pyarrow", "rich")
LIBRARIES += ("safetensors", "scipy", "sklearn", "torch", "torchvision", "transformers", "yaml")
"""What is imported for later jobs; nothing that could change as a run goes on."""

REQUEST_SECONDS = 30.0  # in which a script must have said what it wants


@contextlib.contextmanager
def warm() -> Iterator[None]:
    """Run the block with such a process for the jobs that it starts; it lives until the last of them has ended."""
    folder = tempfile.mkdtemp(prefix="trakway-")  # readable by this user only
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(path := f"{folder}/jobs")
            listener.listen(128)
        except (AttributeError, OSError):  # no such sockets here, or the path is too long for one
            os.rmdir(folder)
            yield
            return
        command = [sys.executable, "-P", "-m", __name__, str(listener.fileno()), folder]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # It learns from the end of its input that the run has ended, however that ends.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], **silent)
        listener.close()
        os.environ[RUN] = f"{sys.prefix}:{path}"
        try:
            yield
        finally:
            del os.environ[RUN]
            process.stdin.close()
            process.wait()


def hand_over() -> None:
    """Let the process of this script's run do its work, and end as that ends; returns where there is none."""
    prefix, _, path = os.environ.pop(RUN, "").rpartition(":")
    if prefix != sys.prefix:
        return
    # Pressing Ctrl-C ends this process at once, and with it the fork.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(path)
            request = {"argv": sys.argv, "path": sys.path, "folder": os.getcwd(), "environment": dict(os.environ)}
            socket.send_fds(server, [b"\n"], [0, 1, 2])
            server.sendall(json.dumps(request).encode() + b"\n")
            answers = server.makefile()
            pid = int(answers.readline() or 0)
        except OSError:
            pid = 0
        if not pid:
            signal.signal(signal.SIGINT, before)
            return
        status = answers.readline()
    if not status:
        os.kill(pid, signal.SIGKILL)
        sys.exit("error: the process that held this run's libraries has ended; run again")
    if int(status) < 0:
        os.kill(os.getpid(), -int(status))
    sys.exit(int(status))


@dataclass
class Fork:
    """A job at work: its process, the script that waits for it, the pipe that ends with it, what came through that."""

    pid: int
    script: socket.socket
    pipe: int
    told: bytearray = field(default_factory=bytearray)
    stopped: bool = False


class Forks(selectors.DefaultSelector):
    """The open ends of a run: its own, new scripts, those that wait, and the pipes of their forks."""

    def __init__(self, listener: socket.socket):
        super().__init__()
        self.listener = listener
        self.running = True
        self.alive: list[Fork] = []
        self.wanted: list[str] = []  # modules to import
        self.register(0, selectors.EVENT_READ, self.end)
        self.register(listener, selectors.EVENT_READ, self.begin)

    def next(self) -> dict | None:
        """Do what is to be done; returns the request in a fork, and None here once the run and all forks have ended."""
        while self.get_map():
            if ready := self.select(0 if self.wanted else None):
                if request := ready[0][0].data():  # one at a time: it may close others
                    return request
            else:
                with contextlib.suppress(Exception):  # a job that needs it will say why it cannot be had
                    importlib.import_module(self.wanted.pop(0))
        return None

    def end(self) -> None:
        """The run has ended; its jobs may go on."""
        self.unregister(0)
        self.unregister(self.listener)
        self.listener.close()
        self.running = False
        self.wanted.clear()

    def begin(self) -> dict | None:
        """Fork for a script; returns its request in the fork."""
        script, _ = self.listener.accept()
        script.settimeout(REQUEST_SECONDS)
        try:
            _, files, _, _ = socket.recv_fds(script, 1, 3)
            request = json.loads(script.makefile().readline())
        except (OSError, ValueError):  # it was killed meanwhile
            script.close()
            return None
        read, write = os.pipe()
        gc.freeze()  # later collections leave these pages alone, which forks share
        if not (pid := os.fork()):
            self._leave()
            os.close(read)
            script.close()
            return request | {"files": files, "pipe": write}
        for file in (*files, write):
            os.close(file)
        fork = Fork(pid, script, read)
        self.alive.append(fork)
        self.register(read, selectors.EVENT_READ, lambda: self.listen(fork))
        self.register(script, selectors.EVENT_READ, lambda: self.stop(fork))
        with contextlib.suppress(OSError):
            script.sendall(f"{pid}\n".encode())
        return None

    def listen(self, fork: Fork) -> None:
        """A fork tells what it has imported, or has ended."""
        if part := os.read(fork.pipe, 1 << 16):
            fork.told += part
            return
        status = os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1])
        with contextlib.suppress(OSError):
            fork.script.sendall(f"{status}\n".encode())
        self.unregister(fork.pipe)
        os.close(fork.pipe)
        if not fork.stopped:
            self.unregister(fork.script)
        fork.script.close()
        self.alive.remove(fork)
        if self.running:
            self.wanted += [name for name in fork.told.decode().split() if name not in sys.modules]

    def stop(self, fork: Fork) -> None:
        """The script was killed, so its work is."""
        self.unregister(fork.script)
        fork.stopped = True
        os.kill(fork.pid, signal.SIGKILL)

    def _leave(self) -> None:
        """Close in a fork what belongs to the others."""
        self.close()
        self.listener.close()
        for fork in self.alive:
            fork.script.close()
            os.close(fork.pipe)


def work(request: dict) -> int:
    """Do a script's work in its place; returns its status."""
    for number, file in enumerate(request["files"]):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv, sys.path[:] = request["argv"], request["path"]
    before = set(sys.modules)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status and end.code is not status:
            print(end.code, file=sys.stderr)
    except Exception:
        traceback.print_exc()
        status = 1
    tell(request["pipe"], before)
    return status


def tell(pipe: int, before: set[str]) -> None:
    """Write what was imported, in the order in which that began."""
    names = [name for name in list(sys.modules) if name not in before and name.partition(".")[0] in LIBRARIES]
    with contextlib.suppress(OSError), os.fdopen(pipe, "w") as file:
        file.write("\n".join(names))


def main(listener: str, folder: str) -> None:
    """Fork for the scripts that come to a socket, given by its number, until the run has ended."""
    use_one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # pressed for the run, which ends in its own way
    request = Forks(socket.socket(fileno=int(listener))).next()
    if request:
        status = work(request)
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)  # as forks end: what was imported before belongs to all, and is not taken apart by each
    else:
        shutil.rmtree(Path(folder), ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
