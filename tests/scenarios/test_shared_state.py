"""A state in PostgreSQL, as a user types it, on a real engine: the verbs, several controllers, and the bad days."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import Popen
from threading import Thread
from typing import IO, Any

import pytest

from ecsctl.controller.leadership import TERM
from ecsctl.model.state_place import SharedState
from tests.postgresql import PASSWORD, Server, server
from tests.scenarios.conftest import SLEEP, Cli, Watch, clean_up, shell
from tests.scenarios.test_watch import until, up

pytestmark = pytest.mark.docker
File = Callable[..., str]
SOCKET = "unix:///var/run/docker.sock"


@pytest.fixture
def host(shared: Cli) -> str:
    """The engine of all tests, as a container instance of the shared state."""
    found = shared.json("register-container-instance", "--host", SOCKET)
    return str(found["containerInstance"]["containerInstanceArn"])


@pytest.fixture
def machine(shared: Cli, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Another machine that uses the state: it has a copy of the key."""
    assert isinstance(shared.place, SharedState)
    shared("list-clusters")  # which makes the state
    home = tmp_path_factory.mktemp("machine")
    other = Cli(home, shared.place._replace(home=home / shared.place.home.name))
    shutil.copy(f"{shared.place.home}.key", home)
    return other


class Controller:
    """A `reconcile --watch` and what it has said."""

    def __init__(self, process: Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._readers = [Thread(target=self._read, args=(stream,)) for stream in (process.stdout, process.stderr)]
        for reader in self._readers:
            reader.start()

    def has_said(self, words: str, after: int = 0) -> bool:
        """Whether it has, after so many lines."""
        return any(words in line for line in self.said[after:])

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            self.said.append(line)


@contextmanager
def watching(cli: Cli, *more: str) -> Iterator[Controller]:
    """A controller, once it says what it keeps or that it stands by."""
    made = Controller(cli.start("reconcile", "--watch", "--interval", "10m", *more))
    try:
        until(lambda: made.has_said("ecsctl: "))
        yield made
    finally:
        made.end()


def serve(cli: Cli, file: File, count: int = 2) -> list[str]:
    """The containers of a service, steady; nothing goes on in the background."""
    cli("register-task-definition", file(SLEEP))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", str(count))
    cli("reconcile", "--service", "web")
    cli.kill_background()
    return up(cli)


def replaced(cli: Cli, lost: str) -> Callable[[], bool]:
    return lambda: lost not in (found := up(cli)) and len(found) == 2


def test_tasks_and_services_are_as_with_a_state_in_a_file(shared: Cli, host: str, file: File) -> None:
    definition = file(shell("echo said; exit 3"), family="once")
    done = shared("run-task", "--task-definition", definition, "--wait", "--logs", code=3)
    assert "said" in done.stdout
    serve(shared, file)
    assert shared.service("web")["runningCount"] == 2
    shared("update-service", "--service", "web", "--desired-count", "1")
    shared.until_service("web", lambda s: s["runningCount"] == 1)
    shared("execute-command", "--task", "x", "--command", "true", "--interactive", code=254)
    tasks = shared.json("list-tasks", "--service-name", "web")["taskArns"]
    assert len(tasks) == 1
    shared("deregister-container-instance", "--container-instance", host, code=254)
    shared("delete-service", "--service", "web", "--force")
    until(lambda: not up(shared), seconds=40)  # by the background, which may hold the task while a reconcile passes
    shared("reconcile")
    assert "nothing to do" in shared("reconcile", "--detailed-exitcode").stderr
    assert shared.json("state", "check", "--output", "json") == {"findings": []}


def test_what_goes_on_in_the_background_gets_no_password_on_its_command_line(
    shared: Cli, host: str, file: File
) -> None:
    shared("register-task-definition", file(SLEEP))
    shared("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    lines = [Path(f"/proc/{process}/cmdline").read_bytes() for process in shared.processes()]
    assert any(b"reconcile" in line for line in lines)
    assert not [line for line in lines if PASSWORD.encode() in line]
    until(lambda: up(shared), seconds=40)
    told = [shared(*words).stdout for words in (["events"], ["describe-services", "--services", "web"], ["ps"])]
    told.append(shared.docker("inspect", *up(shared)))
    assert not [text for text in told if PASSWORD in text]


def test_no_machines_own_socket_is_a_host_by_itself(shared: Cli, file: File) -> None:
    shared("run-task", "--task-definition", file(SLEEP), code=254)
    assert shared.json("list-container-instances")["containerInstanceArns"] == []


def test_another_engine_at_a_hosts_address_is_left_alone(shared: Cli, host: str, file: File, postgres: Server) -> None:
    running = serve(shared, file)
    assert isinstance(shared.place, SharedState)
    with closing(postgres.connect(shared.place.home.name)) as connection:  # as if it had been another machine's
        connection.execute(
            "UPDATE container_instance SET doc = convert_to("
            "jsonb_set(convert_from(doc, 'UTF8')::jsonb, '{engineId}', '\"another\"')::text, 'UTF8')"
        )
    done = shared("reconcile", code=1)
    assert "another engine than that of" in done.stderr
    assert up(shared) == running


def test_a_secret_is_sealed_for_every_machine_that_has_the_keys(shared: Cli, machine: Cli, host: str) -> None:
    shared.environment["VALUE"] = "v4lue"
    shared("secret", "put", "name", "--env", "VALUE")
    assert "is missing: copy it from a machine" in machine.error("secret", "get", "name", code=1)
    assert isinstance(shared.place, SharedState)
    shutil.copy(f"{shared.place.home}.secrets-key", machine.home)
    assert machine("secret", "get", "name").stdout.strip() == "v4lue"


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_another_machine_takes_over_within_seconds_and_nothing_is_done_twice(
    shared: Cli, machine: Cli, host: str, file: File, sent: signal.Signals
) -> None:
    running = serve(shared, file)
    with watching(shared) as first, watching(machine) as second:
        assert first.has_said("keeping the state")
        assert second.has_said(f"process {first.process.pid} keeps this state; standing by")
        with Watch(lambda: len(up(shared))) as there:
            first.process.send_signal(sent)
            shared.docker("kill", running[0])
            began = time.monotonic()
            until(replaced(shared, running[0]), seconds=60)
            assert time.monotonic() - began < 3 * TERM
            assert second.has_said("keeping the state")
            if sent == signal.SIGSTOP:
                first.process.send_signal(signal.SIGCONT)
                until(lambda: first.has_said(f"process {second.process.pid} keeps this state; standing by"))
                time.sleep(2)
            assert replaced(shared, running[0])()
        assert there.most <= 2
        tasks = shared.json("list-tasks", "--service-name", "web")["taskArns"]
        stopped = shared.json("list-tasks", "--service-name", "web", "--desired-status", "STOPPED")["taskArns"]
        assert (len(tasks), len(stopped)) == (2, 1)
        assert len(shared.containers()) == 3


def test_clusters_are_shared_between_the_controllers_that_stay(shared: Cli, machine: Cli) -> None:
    for name in ("a", "b", "c"):
        shared("create-cluster", "--cluster-name", name)
    with watching(shared) as first:
        assert first.has_said("keeping the state")
        with watching(machine) as second:
            until(lambda: second.has_said("keeping the clusters"))
            until(lambda: first.has_said("keeping the clusters"))  # it leaves them before the second takes them
            with watching(machine, "--cluster", "a") as third:
                until(lambda: third.has_said("keeping the cluster a"))
            before = len(first.said)
        until(lambda: first.has_said("keeping the state", before))


def test_a_watch_outlives_a_restart_of_the_server(tmp_path: Path, file: File) -> None:
    with server() as postgres:
        name = postgres.new_database()
        cli = Cli(tmp_path, SharedState(postgres.url(name), tmp_path / name))
        try:
            cli("register-container-instance", "--host", SOCKET)
            running = serve(cli, file)
            with watching(cli) as controller:
                postgres.stop()
                cli.docker("kill", running[0])  # of which nothing can be noted
                time.sleep(3)
                postgres.start()
                until(replaced(cli, running[0]), seconds=60)
                postgres.stop()
                time.sleep(TERM + 3)
                cli.docker("kill", running[1])
                postgres.start()
                until(replaced(cli, running[1]), seconds=60)
                assert controller.process.poll() is None
                controller.process.send_signal(signal.SIGTERM)
                assert controller.process.wait(timeout=30) == 0
            assert controller.has_said("cannot be reached") or controller.has_said("was lost")
            assert controller.has_said("the state answers again")
            assert not controller.has_said(PASSWORD)
        finally:
            clean_up(cli)


def test_a_state_moves_from_a_file_to_postgresql_with_all_that_runs(cli: Cli, file: File, postgres: Server) -> None:
    running = serve(cli, file)
    backup = cli("state", "backup", "--with-keys").stdout.split()[0]
    name = postgres.new_database()
    moved = Cli(cli.home, SharedState(postgres.url(name), cli.home / name))
    assert "is now what" in moved("state", "restore", backup).stderr
    assert "nothing to do" in moved("reconcile", "--detailed-exitcode").stderr
    assert moved.service("web")["runningCount"] == 2
    assert moved.containers("--filter", "status=running") == running
    assert "there is a state in" in moved.error("state", "restore", backup, code=1)
    back = moved("state", "backup", "--with-keys").stdout.split()[0]
    cli("state", "restore", back)
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr
    moved("delete-service", "--service", "web", "--force")


def test_a_lost_database_is_rebuilt_from_the_hosts(shared: Cli, host: str, file: File, postgres: Server) -> None:
    running = serve(shared, file)
    assert isinstance(shared.place, SharedState)
    with closing(postgres.connect(shared.place.home.name)) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert "it was lost" in shared.error("ps", code=1)
    shown = shared("recover", "--host", SOCKET)
    assert "nothing was written" in shown.stderr
    assert "it was lost" in shared.error("list-clusters", code=255)
    shared("recover", "--host", SOCKET, "--yes")
    assert up(shared) == running
    assert shared.service("web")["runningCount"] == 2
    assert shared.json("state", "check", "--output", "json") == {"findings": []}
    assert up(shared) == running


def test_what_is_wrong_with_the_server_is_one_line_and_the_right_exit_code(shared: Cli, postgres: Server) -> None:
    good = shared.environment["ECSCTL_STATE"]
    shared("list-clusters")
    for bad, words in (
        (good.replace(PASSWORD, "wrong-one"), "check the user and the password"),
        (good + "x", "createdb"),
        (good.replace(str(postgres.port), "1"), "see that the server runs"),
    ):
        shared.environment["ECSCTL_STATE"] = bad
        for words_of_command, code in ((["list-clusters"], 255), (["ps"], 1), (["reconcile"], 1)):
            line = shared.error(*words_of_command, code=code)
            assert words in line
            assert PASSWORD not in line
            assert "wrong-one" not in line
    shared.environment["ECSCTL_STATE"] = good + "?passwort=x"
    assert "libpq" in shared.error("list-clusters", code=253)
    shared.environment["ECSCTL_STATE"] = "mysql://x/y"
    assert "the path of a file, or postgresql://" in shared.error("list-clusters", code=253)


def test_no_password_lies_open_in_a_schedule(shared: Cli) -> None:
    assert "~/.pgpass" in shared.error("schedule", "install", "--using", "crontab", code=1)


def test_eight_that_write_at_once_lose_nothing(shared: Cli) -> None:
    names = [f"c{number}" for number in range(8)]
    processes = [shared.start("create-cluster", "--cluster-name", name) for name in names]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out)["cluster"]["status"] == "ACTIVE"
    found: list[Any] = shared.json("list-clusters")["clusterArns"]
    assert {arn.rpartition("/")[2] for arn in found} == {*names, "default"}
