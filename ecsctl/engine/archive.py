"""Files as a tar archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Literal


def archive(
    files: Mapping[str, bytes], mode: int = 0o755, *, mtime: float = 0, how: Literal["w", "w:gz"] = "w"
) -> bytes:
    """The files by their paths, each with that mode, and changed at that time (seconds since 1970)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=how) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size, entry.mtime = mode, len(content), mtime
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()
