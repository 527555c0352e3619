"""Ends the whole run as `kill -9` would, just before a file gets its final name.

Python imports this module at its start where its folder is on PYTHONPATH. TRAKWAY_KILL=GLOB:N means the moment before
a process renames something to a path that matches GLOB for the N-th time: what it has written is there under its
temporary name, and nothing after it has happened.
"""

import fnmatch
import os
import signal
import sys
import time

pattern, _, number = os.environ.get("TRAKWAY_KILL", "").rpartition(":")
rename, clock, count = os.replace, time.monotonic, 0


def replace(source, target, **options):
    global count
    if fnmatch.fnmatch(os.fspath(target), pattern):
        count += 1
        if count == int(number):
            os.killpg(os.getpgrp(), signal.SIGKILL)
    rename(source, target, **options)


# In scripts, and in what jobs are forked from.
if pattern and any("/scripts/" in word or word == "trakway.runtime.warm" for word in sys.orig_argv):
    os.replace = replace
    # Unfinished work is saved by the clock: a fast one has every block and every epoch saved, however small the work.
    time.monotonic = lambda: 1e5 * clock()
