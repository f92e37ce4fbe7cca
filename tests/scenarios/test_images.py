"""Images, from a registry to containers on real engines: pulled when they should be, the same for a whole deployment,
sent without any registry, and removed when nobody needs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.engine.registry import Registry, registry
from tests.scenarios.conftest import SLEEP, Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]
TELL = shell("cat /version")


@pytest.fixture
def hub(cli: Cli) -> Iterator[Registry]:
    """A registry, whose images are gone from the engine afterwards."""
    with registry() as made:
        yield made
        cli.kill_background()
        if left := cli.docker("ps", "-aq", "--filter", "network=none").split():
            names = cli.docker("inspect", "-f", "{{.Id}} {{.Config.Image}}", *left, check=False).splitlines()
            ours = [line.split()[0] for line in names if made.host in line]
            cli.docker("rm", "-f", *ours, check=False)
        images = cli.docker("images", "--digests", "--format", "{{.Repository}} {{.ID}}").splitlines()
        for image in {line.split()[1] for line in images if line.startswith(made.host)}:
            cli.docker("rmi", "-f", image)


def says(cli: Cli, definition: str) -> str:
    """What a task of it prints."""
    done = cli("run-task", "--task-definition", definition, "--wait", "--logs")
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def configure(cli: Cli, text: str) -> None:
    (cli.home / "config.toml").write_text(text)


def last_task(cli: Cli) -> dict[str, object]:
    arns = cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]
    tasks = cli.json("describe-tasks", "--tasks", *arns)["tasks"]
    return dict(max(tasks, key=lambda task: str(task["createdAt"]))["containers"][0])


def test_a_moved_tag_is_seen_or_not_as_the_pull_behavior_says(cli: Cli, file: File, hub: Registry) -> None:
    first = hub.put("app:1", "one")
    definition = file(TELL | {"image": hub.name("app:1")}, networkMode="none")
    assert says(cli, definition) == "one"
    shape = last_task(cli)
    assert (shape["image"], shape["imageDigest"]) == (hub.name("app:1"), first)
    second = hub.put("app:1", "two")
    assert says(cli, definition) == "one"
    configure(cli, 'image_pull_behavior = "once"\n')
    assert says(cli, definition) == "one"
    configure(cli, 'image_pull_behavior = "always"\n')
    assert says(cli, definition) == "two"
    assert last_task(cli)["imageDigest"] == second
    hub.down = True
    done = cli("run-task", "--task-definition", definition, "--wait", code=1)
    assert "CannotPullContainerError: " in done.stderr
    configure(cli, 'image_pull_behavior = "default"\n')
    assert says(cli, definition) == "two"
    hub.down = False
    hub.put("app:1", "three")
    assert says(cli, definition) == "three"
    cli.docker("rmi", "-f", hub.name("app:1"))
    hub.down = True
    done = cli("run-task", "--task-definition", definition, "--wait", code=1)
    assert "CannotPullContainerError: " in done.stderr
    assert "503" in done.stderr


def test_a_registry_that_asks_who_it_is_gets_the_log_in_of_the_definition_or_the_users(
    cli: Cli, file: File, hub: Registry
) -> None:
    hub.put("app:1", "one")
    hub.login, hub.kind = ("me", "s3cret-word"), "bearer"
    container = TELL | {"image": hub.name("app:1")}
    done = cli("run-task", "--task-definition", file(container, networkMode="none"), "--wait", code=1)
    assert "CannotPullContainerError: " in done.stderr
    cli.environment["DOCKER_CONFIG"] = str(cli.home)
    auths = {hub.host: {"auth": "bWU6czNjcmV0LXdvcmQ="}}
    (cli.home / "config.json").write_text(json.dumps({"auths": auths}))
    assert says(cli, "app") == "one"
    cli.docker("rmi", "-f", hub.name("app:1"))
    (cli.home / "config.json").unlink()
    cli.environment["LOGIN"] = '{"username": "me", "password": "s3cret-word"}'
    cli("secret", "put", "login", "--env", "LOGIN")
    container |= {"repositoryCredentials": {"credentialsParameter": "login"}}
    assert says(cli, file(container, networkMode="none", family="private")) == "one"


def test_what_a_service_runs_stays_the_same_while_the_tag_moves(cli: Cli, file: File, hub: Registry) -> None:
    first = hub.put("app:1", "one")
    container = SLEEP | {"image": hub.name("app:1")}
    cli(
        "register-task-definition", "--cli-input-json", f"file://{file(container, networkMode='none', family='pinned')}"
    )
    free = {**container, "versionConsistency": "disabled"}
    cli("register-task-definition", "--cli-input-json", f"file://{file(free, networkMode='none', family='free')}")
    configure(cli, 'image_pull_behavior = "always"\n')
    for name in ("pinned", "free"):
        cli("create-service", "--service-name", name, "--task-definition", name, "--desired-count", "1")
        cli.until_service(name, lambda service: service["runningCount"] == 1)
    second = hub.put("app:1", "two")
    for name, expected in (("pinned", {first}), ("free", {first, second})):
        cli("update-service", "--service", name, "--desired-count", "2")
        cli.until_service(name, lambda service: service["runningCount"] == 2)
        tasks = cli.json("list-tasks", "--service-name", name)["taskArns"]
        described = cli.json("describe-tasks", "--tasks", *tasks)["tasks"]
        assert {task["containers"][0]["imageDigest"] for task in described} == expected
        assert {task["containers"][0]["image"] for task in described} == {hub.name("app:1")}
    (brief,) = cli.json("list-service-deployments", "--service", "pinned")["serviceDeployments"]
    revision = cli.json("describe-service-revisions", "--service-revision-arns", brief["targetServiceRevisionArn"])
    (image,) = revision["serviceRevisions"][0]["containerImages"]
    assert image == {"containerName": "main", "image": hub.name("app:1"), "imageDigest": first}
    cli("update-service", "--service", "pinned", "--force-new-deployment")
    cli.until_service("pinned", lambda s: len(s["deployments"]) == 1 and s["runningCount"] == 2)
    tasks = cli.json("list-tasks", "--service-name", "pinned")["taskArns"]
    described = cli.json("describe-tasks", "--tasks", *tasks)["tasks"]
    assert {task["containers"][0]["imageDigest"] for task in described} == {second}


def test_an_image_that_was_made_here_has_no_digest(cli: Cli, file: File) -> None:
    cli("run-task", "--task-definition", file(shell("true"), networkMode="none"), "--wait", "--logs")
    assert "imageDigest" not in last_task(cli)
