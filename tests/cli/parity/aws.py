"""The AWS CLI, unmodified, in a process of its own: what it imports is not to be mixed with boto3's.

The process reads arguments, a JSON list a line, and answers with the exit code and what was printed, as one too.
A process for each run would take a second; here the models are read once.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.cli.running import environment


class Printed(NamedTuple):
    """What a run came to."""

    code: int
    out: str
    err: str


class Aws:
    """`aws …`"""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *words: str) -> Printed:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process with the AWS CLI ended"
        return Printed(*json.loads(line))


@contextmanager
def running(home: Path, endpoint: str) -> Iterator[Aws]:
    """The AWS CLI with an endpoint of its own, and nothing in its home but what makes v1 print times as v2 does."""
    (home / "config").write_text("[default]\nregion = us-east-1\ncli_timestamp_format = iso8601\n")
    given = environment(
        home,
        AWS_CONFIG_FILE=str(home / "config"),
        AWS_ACCESS_KEY_ID="any",
        AWS_SECRET_ACCESS_KEY="any",
        AWS_ENDPOINT_URL_ECS=endpoint,
        TZ="UTC",
    )
    command = [sys.executable, "-m", "tests.cli.parity.aws"]
    with subprocess.Popen(
        command, env=given, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Aws(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _answer() -> None:
    import botocore.waiter
    from awscli.clidriver import create_clidriver

    botocore.waiter.time.sleep = lambda _: None  # nothing changes while it waits
    loader = create_clidriver().session.get_component("data_loader")
    answers = sys.stdout
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            driver = create_clidriver()  # options of a run stay with its session
            driver.session.register_component("data_loader", loader)
            try:
                code = driver.main(json.loads(line))
            except SystemExit as end:
                code = end.code
        answers.write(json.dumps([code, out.getvalue(), err.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    _answer()
