"""The image of the container that owns the namespaces of a task: one program of a few instructions, which waits.

It is made here, so that no registry is needed for it. It ignores SIGCHLD, so that the kernel clears away what ends
where it is the first process of a task, and then waits for signals for ever; SIGKILL ends it.
"""

from __future__ import annotations

import hashlib
import struct

import msgspec

from ecsctl.engine.archive import tar_of
from ecsctl.model.errors import EngineRefused
from ecsctl.model.identity import PAUSE_IMAGE

_IGNORE = struct.pack("<4Q", 1, 0, 0, 0)
"""The kernel's struct sigaction: SIG_IGN, no flags, no restorer, an empty mask."""

_X86_64 = (
    "6a0d 58"  # push 13; pop rax          rt_sigaction(
    "6a11 5f"  # push 17; pop rdi              SIGCHLD,
    "488d350f000000"  # lea rsi, [rip + 15]    the struct at the end,
    "31d2"  # xor edx, edx                     NULL,
    "6a08 415a"  # push 8; pop r10             8)
    "0f05"  # syscall
    "6a22 58"  # push 34; pop rax          pause()
    "0f05"  # syscall
    "ebf9"  # jmp to the push before       for ever
)
_AARCH64 = (
    "c81080d2"  # mov x8, 134              rt_sigaction(
    "200280d2"  # mov x0, 17                   SIGCHLD,
    "81010010"  # adr x1, 48 further           the struct at the end,
    "020080d2"  # mov x2, 0                    NULL,
    "030180d2"  # mov x3, 8                    8)
    "010000d4"  # svc 0
    "280980d2"  # mov x8, 73               ppoll(
    "000080d2"  # mov x0, 0                    NULL,
    "010080d2"  # mov x1, 0                    0,
    "020080d2"  # mov x2, 0                    no time-out,
    "030080d2"  # mov x3, 0                    NULL)
    "010000d4"  # svc 0
    "faffff17"  # b six back               for ever
    "1f2003d5"  # nop, so that the struct is aligned
)
_PROGRAMS = {"x86_64": (62, _X86_64, "amd64"), "aarch64": (183, _AARCH64, "arm64")}
"""By the kernel's name of the architecture: the ELF machine, the program, the image's name of the architecture."""
_BASE = 0x400000


def pause_image(architecture: str) -> bytes:
    """The image for an architecture (as `uname -m` calls it), as `docker save` writes images; EngineRefused."""
    if architecture not in _PROGRAMS:
        raise EngineRefused(404, f"there is no pause image for {architecture}: load one on the host as {PAUSE_IMAGE}")
    machine, code, name = _PROGRAMS[architecture]
    layer = tar_of({"pause": _executable(machine, bytes.fromhex(code) + _IGNORE)}, 0o755)
    config = msgspec.json.encode(
        {
            "architecture": name,
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "StopSignal": "SIGKILL"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created_by": "ecsctl"}],
        }
    )
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = msgspec.json.encode([{"Config": config_name, "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}])
    return tar_of({"manifest.json": manifest, config_name: config, "layer.tar": layer})


def _executable(machine: int, program: bytes) -> bytes:
    """A static ELF file with one segment (System V ABI, "Object Files")."""
    begin = 64 + 56
    size = begin + len(program)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, _BASE + begin, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return ident + header + segment + program
