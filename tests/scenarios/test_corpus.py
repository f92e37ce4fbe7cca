"""Real definitions from public projects (tests/taskdefs) on a real engine: each that can be registered runs.

What is expected of each file is in the table of tests.operations.test_corpus. In place of its images is one that can be
had without a registry; it takes any arguments, and runs until it is stopped.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.cli.documents import read_document
from tests.operations.test_corpus import CORPUS, REGISTERS
from tests.scenarios.conftest import Cli

pytestmark = pytest.mark.docker

ENTRY_POINT = "usr/local/bin/docker-entrypoint.sh"
"""Where official images have theirs; consul's definition names it."""
RUNS = [name for name, refused in REGISTERS.items() if not refused]


@pytest.fixture(scope="module")
def stand_in(engine_image: str) -> Iterator[str]:
    """The name of an image that stands for those of the corpus."""
    name = "ecsctl/stand-in:test"
    files = {
        "Dockerfile": f'FROM {engine_image}\nCOPY entry /{ENTRY_POINT}\nENTRYPOINT ["/{ENTRY_POINT}"]\n',
        "entry": "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 1 & wait $!; done\n",
    }
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = 0o755, len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    build = ["docker", "build", "--quiet", "--tag", name, "-"]
    subprocess.run(build, input=context.getvalue(), capture_output=True, check=True)
    yield name
    subprocess.run(["docker", "rmi", name], capture_output=True)


FILLED_IN = {"Partition": "aws", "Region": "us-east-1", "Account": "000000000000", "SecretId": "token"}
"""What files leave to their users, as `${Region}`."""


def prepared(cli: Cli, image: str) -> None:
    """What the files need: an image in place of theirs, the values they refer to, the buckets of configurations."""
    for name in (
        "yourbucket/yourdirectory/extra",
        "yourbucket/yourdirectory/tail",
        "firelens-config-bucket/rewrite-tag",
    ):
        path = cli.home / f"{name}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# as the user has it\n")
    buckets = [f'{name} = "{name}"' for name in ("yourbucket", "firelens-config-bucket")]
    lines = ("[image_map]", f'"*" = "{image}"', "[buckets]", *buckets, "[secrets]", 'token = ["echo", "x"]')
    (cli.home / "config.toml").write_text("\n".join(lines))


def of_its_own_family(name: str, directory: Path) -> str:
    """A file of the corpus; several have the same family."""
    path = directory / name
    document: dict[str, Any] = read_document(CORPUS / name)
    text = json.dumps(document | {"family": path.stem})
    path.write_text(re.sub(r"\$\{(\w+)\}", lambda found: FILLED_IN[found[1]], text))
    return str(path)


def test_whatever_is_not_refused_runs(cli: Cli, stand_in: str, subnet: str, tmp_path: Path) -> None:
    prepared(cli, stand_in)
    # Large enough for all of them at once; how much is really there is not what this is about.
    cli("register-container-instance", "--cpu", "65536", "--memory", "65536")
    network = ("--network-configuration", f"awsvpcConfiguration={{subnets=[{subnet}]}}")
    started: dict[str, str] = {}
    for name in RUNS:
        definition = of_its_own_family(name, tmp_path)
        is_awsvpc = json.loads(Path(definition).read_text()).get("networkMode") == "awsvpc"
        answer = cli.json("run-task", "--task-definition", definition, *(network if is_awsvpc else ()))
        assert answer["failures"] == [], name
        started[name] = answer["tasks"][0]["taskArn"]
    found = {
        name: cli.until(arn, lambda task: task["lastStatus"] in ("RUNNING", "STOPPED"), 120)
        for name, arn in started.items()
    }
    stopped = {name: task["stoppedReason"] for name, task in found.items() if task["lastStatus"] == "STOPPED"}
    assert stopped == {}
    for name, task in found.items():
        asked = {container["name"] for container in read_document(CORPUS / name)["containerDefinitions"]}
        running = {container["name"] for container in task["containers"] if container["lastStatus"] == "RUNNING"}
        assert running == asked, name
    for arn in started.values():
        cli("stop-task", "--task", arn)
