"""The same arguments to the AWS CLI, which asks `ecsctl serve`, and to ecsctl: the same output and the same exit code.

Each has a world of its own. Both are the same, down to their clocks and what chance gives, so that ids and times agree.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import jmespath
import pytest
import yaml

from ecsctl.cli.commands import COMMANDS
from ecsctl.cli.main import run
from ecsctl.controller.limits import Limits
from ecsctl.engine.simulated_container import Program
from ecsctl.operations.actions import ROOMS
from ecsctl.server.protocol import ELSEWHERE
from ecsctl.store.tables import CLUSTERS
from tests.cli.parity.aws import Aws, Printed, running
from tests.cli.parity.cases import KEPT, ONLY_V2, Case, cases, words_of
from tests.cli.running import environment
from tests.controller.world import World, world_in
from tests.model.test_coverage import EXTENSIONS
from tests.server.running import forwarded, serving

pytestmark = pytest.mark.xdist_group("parity")

CASES = [case for case in cases() if case.line != "settle"]
CONTAINERS = [{"name": "main", "image": "up", "memory": 16, "environment": [{"name": "É", "value": "日本"}]}]
NOT_AWS = set().union(*EXTENSIONS.values())
OF_TERMINALS = {"ExecuteCommand"}
"""What the AWS CLI does with a plugin and a terminal: tests/scenarios has it."""
USAGE, SERVICE = 252, 254


class Pair(NamedTuple):
    """What both said."""

    aws: Printed
    ours: Printed


def ecsctl(world: World, words: list[str], home: Path) -> Printed:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("os.environ", environment(home, TZ="UTC"))
        patch.setattr("ecsctl.cli.session.open_context", lambda *_: nullcontext(world.process()))
        code = run(words)
    return Printed(code, out.getvalue(), err.getvalue())


def settle(world: World) -> None:
    """Let time pass, and everything come to rest."""
    for _ in range(8):
        world.clock.seconds += 30
        controller = world.process().controller
        with world.store.read() as view:
            clusters = [str(cluster.cluster_arn) for cluster in view.find(CLUSTERS)]
        controller.reconcile(clusters, Limits(wait=False))


@contextmanager
def both(folder: Path) -> Iterator[tuple[Aws, World, World]]:
    """The AWS CLI and its world, and another like it."""
    with ExitStack() as stack:

        def world(name: str) -> World:
            (folder / name).mkdir()
            return stack.enter_context(world_in(folder / name, hosts=2, once=Program(exits_after=1.0)))

        theirs, ours = world("theirs"), world("ours")
        stack.enter_context(serving(theirs.process(), folder / "s"))
        url = stack.enter_context(forwarded(folder / "s"))
        yield stack.enter_context(running(folder, url)), theirs, ours


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("parity")
    (folder / "containers.json").write_text(json.dumps(CONTAINERS))
    (folder / "definition.json").write_text(json.dumps({"family": "filed", "containerDefinitions": CONTAINERS}))
    made, found = {"folder": str(folder)}, {}
    with both(folder) as (aws, theirs, ours):
        for case in cases():
            if case.line == "settle":
                settle(theirs)
                settle(ours)
                continue
            words = words_of(case.line, made)
            answer = ecsctl(ours, words, folder)
            found[case.line] = Pair(aws("ecs", *words_of(case.aws, made)), answer)
            keep(case.line, answer, made)
    return found


def keep(line: str, answer: Printed, made: dict[str, str]) -> None:
    """Note what later lines name."""
    for name, path in KEPT.get(line, {}).items():
        made[name] = jmespath.search(path, json.loads(answer.out))
        made[f"{name}-id"] = made[name].rpartition("/")[2]


def in_v2(said: Printed) -> int:
    """The exit code of AWS CLI v2 where v1 has another (AWS CLI user guide, "Return codes")."""
    if said.code == 255 and "An error occurred (" in said.err:
        return SERVICE
    if said.code == 255 and "Waiter " not in said.err:
        return USAGE
    return {2: USAGE}.get(said.code, said.code)


def without_engine_ids(text: str) -> str:
    """Without the ids of containers, which depend on what of two that begin at once comes first."""
    return re.sub(r"\b[0-9a-f]{64}\b", "0" * 64, text)


def outline(data: Any) -> Any:
    """A skeleton without the order of its members, the words that AWS draws by lot, and what is not of AWS's."""
    if isinstance(data, dict):
        return {name: outline(value) for name, value in data.items() if name not in NOT_AWS}
    return [outline(value) for value in data] if isinstance(data, list) else type(data)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_arguments_have_the_same_outcome(case: Case, said: dict[str, Pair]) -> None:
    aws, ours = said[case.line]
    assert ours.code == in_v2(aws), (aws, ours)
    out, theirs = without_engine_ids(ours.out), without_engine_ids(aws.out)
    if "--generate-cli-skeleton" in case.line and not ours.code:
        assert outline(yaml.safe_load(out)) == outline(json.loads(theirs))
    elif case.line != case.aws:
        assert yaml.safe_load(out) == json.loads(theirs)
    else:
        assert out == theirs
        assert bool(ours.err) == bool(aws.err)
    if ours.code == SERVICE:
        assert ours.err.strip() == aws.err.strip().replace(" (reached max retries: 0)", "")


def test_enough_is_compared() -> None:
    assert len(CASES) >= 200
    names = {case.line.split()[0] for case in CASES}
    actions = {entry.action: name for name, entry in COMMANDS.items()}
    assert {actions[action] for action in set(ROOMS) - set(ELSEWHERE) - OF_TERMINALS} <= names
    assert all(reason for _, _, reason in ONLY_V2)
