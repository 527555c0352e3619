import platform
import subprocess
import sys

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_kept(environment):
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from trakway.runtime import memory\n"
        "if sys.argv[1] == 'kept':\n    memory.keep_freed_memory()\n"
        "def resident():\n"
        "    return next(int(x.split()[1]) / 1024 for x in open('/proc/self/status') if x.startswith('VmRSS'))\n"
        "before = resident()\n"
        "np.ones(5 * 2**20)\n"
        "print(resident() - before)"
    )
    more = {
        how: float(subprocess.check_output([sys.executable, "-c", code, how], text=True, env=environment))
        for how in ("kept", "left")
    }
    assert more["left"] < 10 < 35 < more["kept"]  # MiB, of 40
