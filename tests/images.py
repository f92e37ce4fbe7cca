"""The image the tests run: one static busybox, made here, without a registry."""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

IMAGE = "ecsctl/busybox:test"
"""Has /bin/sh, busybox's other applets, a writable /tmp, the users root and nobody; its command is `sh`."""


def ensure_image(name: str = IMAGE, host: str | None = None) -> str:
    """Make sure that the engine has the image, and return its name.

    `host` is an engine's address as `docker --host` takes it, by default the current context's.
    """
    docker = [shutil.which("docker") or "docker", *(("--host", host) if host else ())]
    with (Path(tempfile.gettempdir()) / f"ecsctl-test-image-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers would each make one
        if subprocess.run([*docker, "image", "inspect", name], capture_output=True).returncode:
            subprocess.run(
                [*docker, "import", "--change", 'CMD ["sh"]', "-", name],
                input=root_file_system(),
                capture_output=True,
                check=True,
            )
    return name


def root_file_system() -> bytes:
    """What is in the image, as a tar archive."""
    busybox = _static_busybox()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        _add(tar, "bin", 0o755, tarfile.DIRTYPE)
        _add(tar, "etc", 0o755, tarfile.DIRTYPE)
        _add(tar, "tmp", 0o1777, tarfile.DIRTYPE)
        _add(tar, "bin/busybox", 0o755, content=busybox.read_bytes())
        _add(tar, "etc/passwd", content=b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
        _add(tar, "etc/group", content=b"root:x:0:\nnogroup:x:65534:\n")
        applets = subprocess.run([busybox, "--list"], capture_output=True, check=True, text=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                _add(tar, f"bin/{applet}", 0o777, tarfile.SYMTYPE, target="busybox")
    return out.getvalue()


def _static_busybox() -> Path:
    found = shutil.which("busybox")
    if found is None:
        raise RuntimeError("The tests' image is made of a static busybox: install the package busybox-static.")
    if b"/ld-" in Path(found).read_bytes()[:4096]:  # the interpreter a dynamic ELF file names
        raise RuntimeError(f"{found} is not static: install the package busybox-static.")
    return Path(found)


def _add(
    tar: tarfile.TarFile,
    name: str,
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    *,
    content: bytes = b"",
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.linkname, entry.size = mode, kind, target, len(content)
    tar.addfile(entry, io.BytesIO(content))
