"""Runs Python code whose system calls fail or kill it from one point on, as a disk's or a lock's may.

    python syscalls.py PLAN CODE [ARGUMENT]...

PLAN is JSON: {"fsync": 5} lets fsync(2) fail with errno 5, {"fsync": "kill"} ends the process that calls it.
CODE starts it with `arm()`, and tells with `tell(text)`, which gets through where write(2) does not.
"""

import ctypes
import json
import os
import platform
import sys
from typing import Any

#: by machine: the numbers of asm/unistd.h; a C library may use either call of a pair
NUMBERS = {
    "x86_64": {"write": (1,), "flock": (73,), "fsync": (74,), "fchmod": (91,), "rename": (82, 264, 316)},
    "aarch64": {"write": (64,), "flock": (32,), "fsync": (82,), "fchmod": (52,), "rename": (38, 276)},
}
# linux/seccomp.h, linux/prctl.h, linux/bpf_common.h
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("code", ctypes.POINTER(_Instruction)))


def supported() -> bool:
    """Whether this system can do that."""
    return sys.platform == "linux" and platform.machine() in NUMBERS


def _arm(plan: dict[str, Any]) -> None:
    numbers = NUMBERS[platform.machine()]
    code = [_Instruction(_LOAD, 0, 0, 0)]  # the call's number stands first in struct seccomp_data
    for name, what in plan.items():
        for number in numbers[name]:
            code.append(_Instruction(_JUMP_IF_EQUAL, 0, 1, number))
            code.append(_Instruction(_RETURN, 0, 0, _KILL if what == "kill" else _ERRNO | what))
    code.append(_Instruction(_RETURN, 0, 0, _ALLOW))
    program = _Program(len(code), (_Instruction * len(code))(*code))
    system = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    if system.prctl(_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), nothing, nothing, nothing) or system.prctl(
        _SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), nothing, nothing
    ):
        raise OSError(ctypes.get_errno(), "prctl")


def _tell(text: str) -> None:
    os.writev(1, [text.encode()])


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    exec(sys.argv[1], {"arm": lambda: _arm(json.loads(sys.argv[0])), "tell": _tell, "sys": sys})
