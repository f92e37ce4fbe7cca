"""Programs that speak ECS, unmodified, in processes of their own, and `ecsctl serve` that answers them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenarios.conftest import Cli
from tests.scenarios.test_serve import Serving, serving

BIN = Path(sys.executable).parent


class Clients:
    """Runs them with all that they need in the environment, as a user sets it."""

    def __init__(self, process: Serving, url: str, key: dict[str, str], home: Path) -> None:
        self.process = process
        self.url = url
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "AWS_ENDPOINT_URL_ECS": url,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_PAGER": "",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, *words: str, code: int | None = 0, stdin: str | None = None) -> str:
        """What it says, with its errors; its exit code has to be `code` (None: any)."""
        done = subprocess.run(
            words,
            env=self.environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert code in (None, done.returncode), f"exit {done.returncode}\n{done.stdout}\n{self.process.lines[-20:]}"
        return done.stdout


@contextmanager
def clients_of(cli: Cli) -> Iterator[Clients]:
    """Clients of a server that runs as long, with a key of a user who may use all of ECS and nothing else."""
    cli.configure('healthy_after = "1s"\n')
    cli("iam", "create-user", "--user-name", "ci")
    cli(
        "iam", "attach-user-policy", "--user-name", "ci", "--policy-arn", "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
    )
    key = cli.json("iam", "create-access-key", "--user-name", "ci")["AccessKey"]
    with serving(cli, "--bind", "127.0.0.1:0") as process:
        (url,) = re.findall(r"answering on (http://\S+)", "".join(process.lines))
        yield Clients(process, url, key, cli.home)
