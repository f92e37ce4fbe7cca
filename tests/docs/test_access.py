"""docs/iam.md is true: its table is that of the code, its commands work as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.running import environment
from tests.docs.access import PAGE, page


def test_the_table_is_what_make_docs_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_commands_of_the_page_work_as_they_stand(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "ecsctl").write_text(f'#!/bin/sh\nexec {sys.executable} -m ecsctl "$@"\n')
    (tmp_path / "ecsctl").chmod(0o755)
    ran = subprocess.run(
        ["/bin/sh", "-eu", "-c", "\n".join(blocks)],
        env=environment(tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "implicitDeny\n" in ran.stdout
