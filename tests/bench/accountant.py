"""Runs the command that its arguments are; prints its wall seconds, CPU seconds and peak bytes.

A process of its own, and as small as can be: a child's peak memory is never counted below that of the process
which has started it.
"""

import os
import sys
import time

# Linux counts ru_maxrss in KiB, macOS in bytes: getrusage(2).
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_SILENT = (
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
)

start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=_SILENT)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT)
sys.exit(os.waitstatus_to_exitcode(status))
