"""Secrets: sealed in the state, and in the containers that ask for them, over a simulated host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller import commands
from ecsctl.controller.sources import Sources
from ecsctl.engine.port import RegistryLogin
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.errors import InputError, StateError
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.secrets import delete_secret, get_secret, list_secrets, put_secrets, rotate_keys
from ecsctl.operations.tasks import run_task
from ecsctl.store.sealing import Seal
from ecsctl.store.store import Store
from tests.controller.world import World, world_in

NOWHERE = Sources()
CANARY = "k4n4ry-v4lu3"
ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


def put(world: World, **values: str) -> None:
    put_secrets(world.process(), {name.replace("__", "/"): value for name, value in values.items()})


def run(world: World, sources: Sources = NOWHERE, **container: Any) -> TaskRecord:
    process = world.process()
    process.controller._sources = sources
    run_task(process, RunTaskRequest(world.define(container)))
    reconcile(world.process())
    return world.tasks()[-1]


def body(world: World) -> dict[str, Any]:
    (engine,) = world.engines.values()
    made: dict[str, Any] = engine.calls_of("create")[-1].args[1]
    return made


def environment(world: World) -> dict[str, str]:
    """Without what ECS puts there."""
    found = dict(pair.split("=", 1) for pair in body(world)["Env"])
    assert found.pop("AWS_EXECUTION_ENV") == "AWS_ECS_EC2"
    return found


def why(record: TaskRecord) -> str:
    assert record.task.stop_code == "TaskFailedToStart"
    return str(record.task.stopped_reason)


def from_(**names: str) -> list[dict[str, str]]:
    return [{"name": name, "valueFrom": value} for name, value in names.items()]


def test_containers_get_the_values_that_their_definition_refers_to(world: World) -> None:
    put(world, prod__db='{"user": "me", "port": 5432}', token=CANARY)
    put(world, token="newer")
    secrets = from_(
        USER=f"{ARN}prod/db-AbC123:user::",
        PORT=f"{ARN}prod/db:port::",
        ALL="/prod/db",
        TOKEN="arn:aws:ssm:us-east-1:000000000000:parameter/token",
        BEFORE=f"{ARN}token::AWSPREVIOUS:",
    )
    record = run(world, secrets=secrets, environment=[{"name": "PLAIN", "value": "x"}])
    assert record.task.last_status == "RUNNING"
    assert environment(world) == {
        "PLAIN": "x",
        "USER": "me",
        "PORT": "5432",
        "ALL": '{"user": "me", "port": 5432}',
        "TOKEN": "newer",
        "BEFORE": CANARY,
    }


def test_a_value_is_nowhere_but_in_the_create_call(world: World, tmp_path: Path) -> None:
    put(world, token=CANARY)
    run(world, secrets=from_(TOKEN="token"))
    assert environment(world)["TOKEN"] == CANARY
    assert CANARY not in str(body(world)["Labels"])
    world.store.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith("secrets-key") for path in files)
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
    world.store = Store.open(tmp_path / "state.db")


def test_the_label_that_names_what_a_container_was_made_of_does_not_depend_on_the_value(world: World) -> None:
    labels = []
    for value in ("one", "two"):
        put(world, token=value)
        run(world, secrets=from_(TOKEN="token"))
        labels.append(body(world)["Labels"]["ecsctl.spec"])
    assert len(set(labels)) == 1


@pytest.mark.parametrize(
    ("value_from", "words"),
    [
        ("none", "there is no secret none: `ecsctl secret put none` adds it"),
        (f"{ARN}none-AbC123", "`ecsctl secret put none` adds it"),
        (f"{ARN}db:password::", "the secret db has no key password"),
        (f"{ARN}text:password::", "the secret text is not a JSON object: it has no key password"),
        (f"{ARN}db::AWSPREVIOUS:", "the secret db has no version AWSPREVIOUS"),
    ],
)
def test_a_task_whose_secret_cannot_be_had_fails_to_start(world: World, value_from: str, words: str) -> None:
    put(world, db='{"user": "me"}', text=CANARY)
    record = run(world, secrets=from_(A=value_from))
    assert why(record).startswith("ResourceInitializationError: unable to pull secrets or registry auth: ")
    assert words in why(record)
    assert CANARY not in why(record)
    world.check_quiet()


def test_what_the_engine_says_does_not_show_a_value(world: World) -> None:
    from ecsctl.engine.simulated_faults import Fault

    put(world, token=CANARY)
    (engine,) = world.engines.values()
    engine.faults.append(Fault("refused", ("create",), status=400, message=f"invalid environment: TOKEN={CANARY}"))
    assert "invalid environment: TOKEN=***" in why(run(world, secrets=from_(TOKEN="token")))


def test_commands_print_what_is_not_in_the_state(world: World, tmp_path: Path) -> None:
    put(world, prod__own="mine")
    log = tmp_path / "log"
    script = f'echo "$1" >> {log}; [ "$1" = prod/bad ] && exit 3; echo "of $1"'
    shell = ["sh", "-c", script, "-", "{name}"]
    sources = Sources({"": ["false"], "prod/": shell, "other/": ["/none/such", "{name}"]})
    run(world, sources, secrets=from_(A="prod/a", B="/prod/a", C="prod/own"))
    assert environment(world) == {"A": "of prod/a", "B": "of prod/a", "C": "mine"}
    assert log.read_text() == "prod/a\n"
    assert "the secret prod/bad: sh exited with code 3" in why(run(world, sources, secrets=from_(A="prod/bad")))
    assert "the secret x: false exited with code 1" in why(run(world, sources, secrets=from_(A="x")))
    assert "/none/such: No such file" in why(run(world, sources, secrets=from_(A="other/a")))


def test_a_command_that_takes_too_long_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "COMMAND_SECONDS", 0.1)
    sources = Sources({"": ["sleep", "10"]})
    assert "the secret a: sleep took more than" in why(run(world, sources, secrets=from_(A="a")))


def s3(*names: str) -> list[dict[str, str]]:
    return [{"value": f"arn:aws:s3:::config/{name}.env", "type": "s3"} for name in names]


def test_environment_files_come_from_the_directory_of_their_bucket(world: World, tmp_path: Path) -> None:
    (tmp_path / "bucket/app").mkdir(parents=True)
    (tmp_path / "bucket/app/web.env").write_text("A=file\nB=file\nC=first\n")
    (tmp_path / "bucket/more.env").write_text("C=second\nD=more\n")
    sources = Sources(buckets={"config": tmp_path / "bucket"})
    plain = [{"name": "A", "value": "plain"}]
    run(world, sources, environmentFiles=s3("app/web", "more"), environment=plain)
    assert environment(world) == {"A": "plain", "B": "file", "C": "first", "D": "more"}
    (tmp_path / "secret.env").write_text(f"X={CANARY}")
    for name, words in (("../secret", "is not in the directory"), ("none", "No such file")):
        found = why(run(world, sources, environmentFiles=s3(name)))
        assert words in found
        assert CANARY not in found
    assert '[buckets] "config" = "/path"' in why(run(world, environmentFiles=s3("more")))


def test_log_options_from_secrets(world: World) -> None:
    put(world, token=CANARY)
    logs = {"logDriver": "splunk", "options": {"tag": "x"}, "secretOptions": from_(**{"splunk-token": "token"})}
    run(world, logConfiguration=logs)
    assert body(world)["HostConfig"]["LogConfig"] == {"Type": "splunk", "Config": {"tag": "x", "splunk-token": CANARY}}


def test_images_are_pulled_by_the_log_in_of_the_definition(world: World) -> None:
    put(world, hub='{"username": "me", "password": "' + CANARY + '"}', bad="{}")
    (engine,) = world.engines.values()
    record = run(world, image="remote", repositoryCredentials={"credentialsParameter": f"{ARN}hub-AbC123"})
    assert record.task.last_status == "RUNNING"
    (call,) = engine.calls_of("pull")
    assert call.args[1] == RegistryLogin("me", CANARY)
    assert CANARY not in str(call)
    del engine.images["remote:latest"]
    record = run(world, image="remote", repositoryCredentials={"credentialsParameter": "bad"})
    assert 'bad: expected {"username": "…", "password": "…"}' in why(record)


def test_versions_of_a_secret(world: World) -> None:
    for value in ("one", "two", "two", "three"):
        put(world, token=value)
    process = world.process()
    (shown,) = list_secrets(process)
    assert (shown.name, shown.versions) == ("token", 3)
    assert get_secret(process, "/token") == "three"
    assert get_secret(process, "token", "AWSPREVIOUS") == "two"
    assert get_secret(process, "token", shown.version_id) == "three"
    with pytest.raises(InputError, match="no version x; it has AWSCURRENT, AWSPREVIOUS"):
        get_secret(process, "token", "x")
    with pytest.raises(InputError, match="there is no secret tokn; did you mean token"):
        get_secret(process, "tokn")
    for number in range(20):
        put(world, token=str(number))
    assert list_secrets(process)[0].versions == 10
    delete_secret(process, "token")
    assert list_secrets(process) == []


def test_many_values_are_put_or_none(world: World) -> None:
    with pytest.raises(InputError, match="the value of b is empty"):
        put_secrets(world.process(), {"a": "1", "b": ""})
    assert list_secrets(world.process()) == []
    for value, words in (("a\0", "NUL"), ("a" * 65537, "longer than 65536 bytes")):
        with pytest.raises(InputError, match=words) as caught:
            put(world, a=value)
        assert value not in str(caught.value)


def test_keys_are_rotated(world: World) -> None:
    assert rotate_keys(world.process()) == 0
    put(world, a="1", b="2")
    put(world, a="3")
    path = world.store.secrets_key_path
    before = path.read_bytes()
    assert rotate_keys(world.process()) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes().split()) == 1
    process = world.process()
    assert [get_secret(process, "a", stage) for stage in ("AWSCURRENT", "AWSPREVIOUS")] == ["3", "1"]
    path.write_bytes(before)
    with pytest.raises(StateError, match="does not open the secrets of this state: restore it"):
        get_secret(process, "a")


def test_a_rotation_that_is_killed_anywhere_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put(world, a="1", b="2")
    for verb in ("add_key", "seal", "forget_older_keys"):
        for after in (False, True):
            with monkeypatch.context() as patch:
                act = getattr(Seal, verb)

                def die(self: Seal, *arguments: Any, act: Any = act, after: bool = after) -> None:
                    if after:
                        act(self, *arguments)
                    raise KeyboardInterrupt

                patch.setattr(Seal, verb, die)
                with pytest.raises(KeyboardInterrupt):
                    rotate_keys(world.process())
            assert [get_secret(world.process(), name) for name in "ab"] == ["1", "2"]
    assert rotate_keys(world.process()) == 2
    assert len(world.store.secrets_key_path.read_bytes().split()) == 1


def test_a_lost_key_is_not_made_anew(world: World) -> None:
    put(world, a="1")
    world.store.secrets_key_path.unlink()
    for act in (lambda: put(world, b="2"), lambda: get_secret(world.process(), "a")):
        with pytest.raises(StateError, match="is missing: restore it from the backup"):
            act()
    assert not world.store.secrets_key_path.exists()


def test_keys_that_others_can_read_are_not_used(world: World) -> None:
    put(world, a="1")
    world.store.secrets_key_path.chmod(0o644)
    with pytest.raises(StateError, match="can be read by others"):
        get_secret(world.process(), "a")
