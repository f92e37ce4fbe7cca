"""Every example runs as it is, and the README's first five minutes as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecsctl.engine.contexts import current_address
from ecsctl.model.identity import namespace_network
from ecsctl.store.store import Store
from tests.scenarios.conftest import Cli, fetched

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
# One worker for all of them, and for the tests of the metadata endpoint: they share it, and an image that is made for
# the first and removed after the last.
pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("examples"), pytest.mark.usefixtures("image")]


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """As configured by default: with the metadata endpoint."""
    cli.configure(endpoint=True)
    return cli


@pytest.fixture(scope="module")
def image() -> Iterator[None]:
    """busybox:stable, made here unless the engine has it."""
    subprocess.run([ROOT / "scripts" / "make-image"], check=True)
    yield
    subprocess.run([ROOT / "scripts" / "make-image", "--remove"], check=True)


def run(cli: Cli, name: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return cli("run-task", "--task-definition", str(EXAMPLES / name), *arguments, code=code)


def test_none_is_forgotten_here() -> None:
    kinds = {".json", ".yaml", ".toml"}
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix in kinds} == {
        "hello.json",
        "whoami.json",
        "batch.toml",
        "web.json",
        "pod.yaml",
        "crash.json",
        "site.yaml",
        "nightly.yaml",
        "fleet.yaml",
        "hosts.toml",
        "shop.yaml",
    }


def test_hello(cli: Cli) -> None:
    assert run(cli, "hello.json", "--wait", "--logs").stdout == "Hello from a task.\n"


def test_whoami(cli: Cli) -> None:
    told = json.loads(run(cli, "whoami.json", "--wait", "--logs").stdout)
    assert (told["Family"], told["Containers"][0]["Name"]) == ("whoami", "whoami")


def test_hosts(cli: Cli, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.toml"  # where the tests' engine is another than the default, it is that one
    inventory.write_text((EXAMPLES / "hosts.toml").read_text().replace('"default"', f'"{current_address()}"'))
    for result in ("added", "unchanged"):
        assert cli("host", "add", "-f", str(inventory)).stdout.startswith(f"here: {result} (")
    assert cli("host", "ls").stdout.splitlines()[1].startswith("here ")


def test_fleet(cli: Cli) -> None:
    shown = cli("simulate", str(EXAMPLES / "fleet.yaml")).stdout
    assert "of 14 hosts used (us-east-1a 5, us-east-1b 5, us-east-1c 4)" in shown
    assert "workers   18 of 18" in shown


def test_batch(cli: Cli) -> None:
    assert run(cli, "batch.toml", "--wait", "--logs").stdout == "1 of 3\n2 of 3\n3 of 3\n"


def test_crash(cli: Cli) -> None:
    assert "cannot find my configuration" in run(cli, "crash.json", "--wait", "--logs", code=3).stderr


def test_web(cli: Cli) -> None:
    run(cli, "web.json", "--wait")
    (task,) = cli.json("list-tasks")["taskArns"]
    port = cli.task(task)["containers"][0]["networkBindings"][0]["hostPort"]
    assert fetched(f"127.0.0.1:{port}/") == b"It works.\n"
    cli.until(task, lambda found: found["healthStatus"] == "HEALTHY")


def test_pod(cli: Cli) -> None:
    run(cli, "pod.yaml", "--wait")
    (task,) = cli.json("list-tasks")["taskArns"]
    end = time.monotonic() + 20
    while "sidecar | sidecar: app says: A page written by init." not in cli("logs", task).stdout:
        assert time.monotonic() < end
        time.sleep(0.3)
    states = {c["name"]: (c["lastStatus"], c.get("exitCode")) for c in cli.task(task)["containers"]}
    assert states == {"init": ("STOPPED", 0), "app": ("RUNNING", None), "sidecar": ("RUNNING", None)}


def test_site(cli: Cli) -> None:
    site = str(EXAMPLES / "site.yaml")
    cli("apply", "-f", site, "--yes", "--wait", "--timeout", "100")
    try:
        assert cli.service("site")["runningCount"] == 2
        assert "nothing to do" in cli("apply", "-f", site, "--yes", "--detailed-exitcode").stderr
    finally:
        cli("delete-service", "--service", "site", "--force")


def test_shop(cli: Cli) -> None:
    shop = str(EXAMPLES / "shop.yaml")
    # Tasks without a health check count as healthy after 40 seconds.
    cli("apply", "-f", shop, "--yes", "--wait", "--timeout", "100")
    try:
        assert "nothing to do" in cli("apply", "-f", shop, "--yes", "--detailed-exitcode").stderr
        end = time.monotonic() + 20
        while "Bread and cheese." not in cli("logs", "front").stdout:
            assert time.monotonic() < end
            time.sleep(0.3)
    finally:
        for service in ("goods", "front"):
            cli("delete-service", "--service", service, "--force")
        cli("wait", "services-inactive", "--services", "goods", "front")
        store = Store.open(cli.state)
        cli.docker("network", "rm", namespace_network("shop", store.install))
        store.close()


def test_nightly(cli: Cli) -> None:
    nightly = str(EXAMPLES / "nightly.yaml")
    cli("apply", "-f", nightly, "--yes")
    assert "nothing to do" in cli("apply", "-f", nightly, "--yes", "--detailed-exitcode").stderr
    cli("reconcile")
    schedules = {found["name"]: found for found in cli.json("scheduled-tasks", "--output", "json")["schedules"]}
    assert "lastRun" not in schedules["nightly"]
    (task,) = schedules["now-and-then"]["lastRun"]["taskArns"]
    cli("wait", "tasks-stopped", "--tasks", task)
    assert cli("logs", task).stdout == "A report about half a day.\n"


OTHERS = {EXAMPLES / name for name in ("site.yaml", "nightly.yaml", "fleet.yaml", "hosts.toml", "shop.yaml")}
"""What is no task definition."""


@pytest.mark.parametrize("path", sorted(set(EXAMPLES.glob("*.[jyt]*")) - OTHERS, key=str), ids=lambda path: path.name)
def test_check_finds_nothing_that_is_refused(cli: Cli, path: Path) -> None:
    cli("check", str(path))


def test_the_readme(cli: Cli) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    script = "set -euxo pipefail\n" + "".join(blocks)
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env={**cli.environment, "PATH": here}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Hello from a task.\n" in done.stdout
    assert "It works.\n" in done.stdout
    assert "is to stop: EssentialContainerExited: Essential container in task exited\n" in done.stdout
    assert '"DRAINING"\n' in done.stdout
