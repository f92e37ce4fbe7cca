"""Images, from a registry to containers on real engines: pulled when they should be, the same for a whole deployment,
sent without any registry, and removed when nobody needs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.dockerd import Dockerd
from tests.engine.registry import Registry, registry
from tests.images import IMAGE, ensure_image
from tests.scenarios.conftest import SLEEP, Cli, register, set_status, shell

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
        # By name, not by id: what a registry gave may be the image that other tests' containers run.
        form = "{{.Repository}}:{{.Tag}}\n{{.Repository}}@{{.Digest}}"
        given = [name for name in cli.docker("images", "--digests", "--format", form).split() if made.host in name]
        cli.docker("rmi", "-f", *given, check=False)  # one of them may go with another
        assert made.host not in cli.docker("images")


def says(cli: Cli, definition: str) -> str:
    """What a task of it prints."""
    done = cli("run-task", "--task-definition", definition, "--wait", "--logs")
    assert all(line.startswith("pulling ") for line in done.stderr.splitlines()), done.stderr
    return done.stdout.strip()


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
    cli.configure('image_pull_behavior = "once"\n')
    assert says(cli, definition) == "one"
    cli.configure('image_pull_behavior = "always"\n')
    assert says(cli, definition) == "two"
    assert last_task(cli)["imageDigest"] == second
    hub.down = True
    done = cli("run-task", "--task-definition", definition, "--wait", code=1)
    assert "CannotPullContainerError: " in done.stderr
    cli.configure('image_pull_behavior = "default"\n')
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
    cli.configure('image_pull_behavior = "always"\n')
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


def test_a_deployment_has_the_same_image_on_every_host(
    cli: Cli, file: File, hub: Registry, hosts: list[Dockerd], nothing_left: None
) -> None:
    first = hub.put("app:1", "one")
    for host in hosts[:2]:
        hub.serve_apart(host.pid)
    one, two = (register(cli, host, f"h{i}") for i, host in enumerate(hosts[:2]))
    definition = file(SLEEP | {"image": hub.name("app:1")}, networkMode="none")
    cli("register-task-definition", "--cli-input-json", f"file://{definition}")
    set_status(cli, two, "DRAINING")
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    cli.until_service("web", lambda service: service["runningCount"] == 1)
    hub.put("app:1", "two")
    set_status(cli, two, "ACTIVE")
    set_status(cli, one, "DRAINING")
    cli.until_service("web", lambda service: service["runningCount"] == 1 and len(hosts[1].containers()) == 1)
    (container,) = hosts[1].containers()
    assert hosts[1].docker("exec", container, "cat", "/version") == "one"
    assert first in hosts[1].docker("inspect", "-f", "{{.Config.Image}}", container)


def test_an_image_is_sent_to_hosts_without_a_registry(
    cli: Cli, file: File, hub: Registry, hosts: list[Dockerd], nothing_left: None
) -> None:
    hub.put("app:1", "sent")
    name, bare = hub.name("app:1"), hosts[2]
    cli.docker("pull", name)
    instances = [register(cli, host, f"h{i}") for i, host in enumerate((hosts[0], bare))]
    bare.docker("rmi", "--force", IMAGE)
    try:
        first, second = cli("image", "push", name, "--all").stdout.splitlines()
    finally:
        ensure_image(host=bare.address)
    # The first has the layer below already, that of the tests' image.
    assert first.startswith("h0: 1 of 2 layers sent, 0.0 MB")
    assert second.startswith("h1: 2 of 2 layers sent, 2.")
    assert cli("image", "push", name, "--host", "h0", instances[1]).stdout == "h0: there already\nh1: there already\n"
    hub.down = True
    cli.configure('image_pull_behavior = "always"\n')
    assert says(cli, file(TELL | {"image": name}, networkMode="none")) == "sent"
    shown = cli.json("image", "ls", hub.host, "--output", "json")["images"]
    assert [(row["host"], row["tags"], row["cameBy"]) for row in shown] == [(h, [name], "push") for h in ("h0", "h1")]
    assert "there is no container instance nowhere" in cli.error("image", "push", name, "--host", "nowhere", code=1)
    assert "has no image none/such" in cli.error("image", "push", "none/such", "--all", code=1)
    assert "name hosts by --host" in cli.error("image", "push", name, code=2)


def test_what_nobody_needs_is_removed_and_nothing_else(cli: Cli, file: File, hub: Registry) -> None:
    for version in ("service", "task", "old", "user", "tagged"):
        hub.put(f"app:{version}", version)
    cli.docker("pull", hub.name("app:user"))
    cli.configure('image_pull_behavior = "default"\nimage_minimum_cleanup_age = "0s"\nimage_cleanup_interval = "0s"\n')
    for version in ("old", "user", "tagged"):
        assert says(cli, file(TELL | {"image": hub.name(f"app:{version}")}, networkMode="none")) == version
    cli.docker("tag", hub.name("app:tagged"), hub.name("mine:1"))
    definition = file(TELL | {"image": hub.name("app:service")}, networkMode="none", family="service")
    cli("register-task-definition", "--cli-input-json", f"file://{definition}")
    cli("create-service", "--service-name", "idle", "--task-definition", "service", "--desired-count", "0")
    assert says(cli, "service") == "service"
    running = file(SLEEP | {"image": hub.name("app:task")}, networkMode="none", family="running")
    cli("run-task", "--task-definition", running, "--wait")

    def there() -> set[str]:
        return set(cli.docker("images", hub.name("app"), "--format", "{{.Tag}}").split())

    cli("reconcile")
    assert there() == {"service", "task", "old", "user", "tagged"}  # containers that have ended use it still
    cli.docker("rm", *cli.containers("--filter", "status=exited"))
    assert f"remove image {hub.name('app:old')}" in cli("reconcile", "--dry-run").stdout
    assert there() == {"service", "task", "old", "user", "tagged"}
    assert f"remove image {hub.name('app:old')}: nothing needs it" in cli("reconcile").stdout
    assert there() == {"service", "task", "user", "tagged"}
    cli.configure('image_pull_behavior = "prefer-cached"\nimage_minimum_cleanup_age = "0s"\n')
    cli("delete-service", "--service", "idle")
    cli("reconcile")
    assert there() == {"service", "task", "user", "tagged"}


def test_another_image_takes_the_place_of_one_that_no_registry_within_reach_has(
    cli: Cli, file: File, engine_image: str
) -> None:
    definition = file(shell("echo here", image="public.example/none:1"), networkMode="none")
    mapped = ("--image-map", f"public.example/*={engine_image}")
    assert (
        f"{engine_image} takes its place"
        in cli("run-task", "--task-definition", definition, "--dry-run", *mapped).stdout
    )
    assert f"to {engine_image}" in cli("check", definition, *mapped).stdout
    assert "here" in cli("run-task", "--task-definition", definition, "--wait", "--logs", *mapped).stdout
    assert last_task(cli)["image"] == "public.example/none:1"
    cli.configure(f'[image_map]\n"public.example/none" = "{engine_image}"\n')
    assert says(cli, definition) == "here"
    assert "write FROM=TO" in cli.error("check", definition, "--image-map", "nginx", code=2)
    cli.configure("")
    sleeping = file(SLEEP | {"image": "public.example/none:1"}, networkMode="none", family="web")
    (cli.home / "web.yaml").write_text(
        f"taskDefinitions:\n- {json.dumps(json.loads(Path(sleeping).read_text()))}\n"
        "services:\n- {serviceName: web, taskDefinition: web, desiredCount: 1}\n"
    )
    cli("apply", "-f", str(cli.home / "web.yaml"), "--yes", "--wait", *mapped)
    cli("update-service", "--service", "web", "--desired-count", "2")
    cli.until_service("web", lambda service: service["runningCount"] == 2)


def test_an_image_that_was_made_here_has_no_digest(cli: Cli, file: File) -> None:
    cli("run-task", "--task-definition", file(shell("true"), networkMode="none"), "--wait", "--logs")
    assert "imageDigest" not in last_task(cli)
