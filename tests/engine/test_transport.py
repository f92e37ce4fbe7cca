"""What failed before the request and what failed after are told apart, and nothing is done twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ecsctl.engine import docker, docker_images
from ecsctl.engine.connect import connect
from ecsctl.engine.dial import dial_unix
from ecsctl.engine.docker import DockerEngine
from ecsctl.engine.transport import Transport
from ecsctl.model.errors import (
    Conflict,
    EngineError,
    EngineRefused,
    EngineTimeout,
    EngineUnreachable,
    NetworkNotFound,
    NotFound,
)
from tests.engine.faulty_server import FaultyServer, answers, hangs, says, serving

GARBAGE = [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[]",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]",
    b"HTTP/1.1 200 OK\r\n",
    b"x" * 100_000,
    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000,
]


def engine_at(server: FaultyServer) -> DockerEngine:
    address = f"unix://{server.path}"
    return DockerEngine(Transport(address, lambda **_: dial_unix(str(server.path), address)))


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    engine = connect(f"unix://{tmp_path}/none.sock")
    with pytest.raises(
        EngineUnreachable, match=r"none\.sock: there is no such socket. Is dockerd running there\?"
    ) as caught:
        engine.ping()
    assert caught.value.cause == "docker"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(EngineUnreachable, match="nobody listens"):
        connect(f"unix://{tmp_path}/dead.sock").ping()
    (tmp_path / "plain.sock").touch()
    with pytest.raises(EngineUnreachable):
        connect(f"unix://{tmp_path}/plain.sock").ping()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(EngineUnreachable, match="nobody listens on this port") as caught:
            connect(f"tcp://127.0.0.1:{free.getsockname()[1]}").ping()
    assert caught.value.cause == "port"


def test_a_host_without_tls_that_should_have_it_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    (tmp_path / "ca.pem").write_text("no certificate")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        with pytest.raises(EngineUnreachable, match="No TLS connection") as caught:
            connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}").ping()
    assert caught.value.cause == "tls"


def test_silence_is_a_time_out_and_the_question_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIST_SECONDS", "START_SECONDS"):
        monkeypatch.setattr(docker, name, 0.2)
    with serving(tmp_path / "s", hangs()) as server:
        engine = engine_at(server)
        began = time.monotonic()
        with pytest.raises(EngineTimeout, match=r"did not answer GET /containers/json within 0\.2 s") as caught:
            engine.list("x")
        assert "may still be" not in str(caught.value)
        with pytest.raises(EngineTimeout, match="Whether it was done is unknown"):
            engine.start("abc")
        assert time.monotonic() - began < 2
        assert len(server.requests) == 2


def test_an_answer_that_trickles_keeps_its_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "LIST_SECONDS", 0.4)

    def trickle(sock: socket.socket, _: str) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _piece in range(100):
            sock.sendall(b" ")
            time.sleep(0.05)
        return False

    with serving(tmp_path / "s", trickle) as server:
        began = time.monotonic()
        with pytest.raises(EngineTimeout):
            engine_at(server).list("x")
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("raw", GARBAGE)
def test_half_an_answer_and_garbage_are_of_unknown_outcome(tmp_path: Path, raw: bytes) -> None:
    with serving(tmp_path / "s", says(raw)) as server:
        with pytest.raises(EngineTimeout) as caught:
            engine_at(server).create("name", {})
        assert "\n" not in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b'[{"Id": "x"}]', b'"x"'])
def test_an_answer_of_something_else_is_no_traceback(tmp_path: Path, content: bytes) -> None:
    with serving(tmp_path / "s", answers(content)) as server:
        engine = engine_at(server)
        asks: list[Callable[[], object]] = [lambda: engine.inspect("x"), engine.info, lambda: engine.create("n", {})]
        if content != b"{}":  # a listing of nothing at all
            asks.append(lambda: engine.list("x"))
        for ask in asks:
            with pytest.raises(EngineRefused, match="not that of a Docker Engine"):
                ask()
        engine.close()


def test_a_lost_change_is_not_sent_again(tmp_path: Path) -> None:
    with serving(tmp_path / "s", answers(), says(b"")) as server:
        engine = engine_at(server)
        engine.list("x")
        with pytest.raises(EngineTimeout, match=r"closed the connection.*Whether it was done is unknown"):
            engine.start("abc")
        assert len(server.requests) == 2
        assert server.requests[0][0] != server.requests[1][0], "a change has a connection of its own"
        engine.close()


def test_questions_share_a_connection_and_survive_its_end(tmp_path: Path) -> None:
    with serving(tmp_path / "s", answers(), answers(), answers(stays=False), answers(), says(b""), answers()) as server:
        engine = engine_at(server)
        for _ in range(5):
            engine.list("x")
            time.sleep(0.01)
        connections = [number for number, _ in server.requests]
        assert connections == [0, 0, 0, 1, 1, 2], "the fifth question was lost on a kept connection and asked again"
        engine.close()


def test_a_question_that_gets_no_answer_is_asked_once_more(tmp_path: Path) -> None:
    with serving(tmp_path / "s", says(b"")) as server:
        with pytest.raises(EngineTimeout, match="Is dockerd running there"):
            engine_at(server).list("x")
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [("404 Not Found", NotFound), ("409 Conflict", Conflict), ("500 Oh", EngineRefused), ("403 No", EngineRefused)],
)
def test_a_refusal_has_the_engines_words(tmp_path: Path, status: str, kind: type[EngineRefused]) -> None:
    with serving(tmp_path / "s", answers(b'{"message":"the\\n words"}', status), answers(b"no json", status)) as server:
        engine = engine_at(server)
        for words in ("the words", "no json"):
            with pytest.raises(EngineRefused) as caught:
                engine.inspect("x")
            assert caught.type is kind
            assert (caught.value.status, caught.value.message) == (int(status[:3]), words)
        engine.close()


def test_a_newer_engine_is_asked_as_it_wants(tmp_path: Path) -> None:
    words = b'{"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade"}'
    with serving(tmp_path / "s", answers(words, "400 Bad Request"), answers(b"")) as server:
        engine = engine_at(server)
        engine.start("abc")
        engine.ping()
        assert server.asked == [
            "POST /v1.41/containers/abc/start HTTP/1.1",
            "POST /v1.44/containers/abc/start HTTP/1.1",
            "GET /v1.44/_ping HTTP/1.1",
        ]
        engine.close()


def test_podman_is_one_engine_whatever_id_it_makes_up(tmp_path: Path) -> None:
    said = (
        b'{"ID":"%d","BuildahVersion":"1.28.2","Name":"host2","DockerRootDir":"/var/lib/containers/storage","NCPU":2,'
        b'"MemTotal":8000000000,"OSType":"linux","Architecture":"amd64","ServerVersion":"4.3.1",'
        b'"LiveRestoreEnabled":false,"SystemTime":"2026-01-31T09:30:00.5+01:00"}'
    )
    with serving(tmp_path / "s", answers(said % 1), answers(said % 2)) as server:
        engine = engine_at(server)
        first, second = engine.info(), engine.info()
        assert (first.id, first.podman, first.clock) == (second.id, True, 1769848200.5)
        assert first.live_restore, "containers do not need it to go on"
        engine.close()


def test_an_older_engine_is_told_so(tmp_path: Path) -> None:
    words = b'{"message":"client version 1.41 is too new. Maximum supported API version is 1.40"}'
    with serving(tmp_path / "s", answers(words, "400 Bad Request")) as server:
        engine = engine_at(server)
        with pytest.raises(EngineRefused, match=r"too old: it speaks API 1\.40, and 1\.41 is needed \(Docker 20\.10"):
            engine.ping()
        with pytest.raises(EngineRefused, match="too old"):
            list(engine.logs("abc"))
        engine.close()


def test_a_removal_in_progress_is_waited_for(tmp_path: Path) -> None:
    busy = answers(b'{"message":"removal of container abc is already in progress"}', "409 Conflict")
    there = answers(
        b'{"Id":"abc","Name":"/n","Image":"i","Config":{"Labels":null},"NetworkSettings":{},"State":{"Status":'
        b'"removing","ExitCode":0,"OOMKilled":false,"Error":"","StartedAt":"","FinishedAt":""}}'
    )
    gone = answers(b'{"message":"No such container: abc"}', "404 Not Found")
    with serving(tmp_path / "s", busy, there, gone) as server:
        engine = engine_at(server)
        engine.remove("abc")
        assert len(server.requests) == 3
        engine.close()


def test_nothing_is_started_before_the_engine_has_cleaned_up_behind_what_has_just_ended(tmp_path: Path) -> None:
    event = b'{"Action":"die","Actor":{"ID":"abc","Attributes":{}}}\n'
    with serving(tmp_path / "s", answers(event, stays=False), answers(), answers()) as server:
        engine = engine_at(server)
        with pytest.raises(EngineTimeout):  # at the end of the stream
            list(engine.events("install", 5.0))
        engine.start("new")
        engine.start("newer")
        engine.close()
    assert [line.split("?")[0].partition(" /v1.41")[2].split(" ")[0] for line in server.asked] == [
        "/events",
        "/containers/abc/json",
        "/containers/new/start",
        "/containers/newer/start",
    ]


def test_a_network_that_is_not_there_is_not_a_container_that_is_gone(tmp_path: Path) -> None:
    with serving(tmp_path / "s", answers(b'{"message":"network x not found"}', "404 Not Found")) as server:
        engine = engine_at(server)
        for act in (lambda: engine.start("abc"), lambda: engine.create("n", {})):
            with pytest.raises(EngineRefused, match="network x not found") as caught:
                act()
            assert caught.type is NetworkNotFound
        engine.close()


def test_a_pull_asks_for_one_tag_and_hears_the_error_in_the_stream(tmp_path: Path) -> None:
    fine = answers(b'{"status":"Pulling"}\n{"status":"Downloaded"}\n')
    bad = answers(b'{"status":"Pulling"}\n{"errorDetail":{"message":"m"},"error":"manifest unknown"}\n')
    with serving(tmp_path / "s", fine, fine, fine, fine, bad) as server:
        engine = engine_at(server)
        for image in ("nginx", "registry.test:5000/a/b", "a/b:1.2", "a@sha256:0123"):
            engine.pull(image)
        with pytest.raises(EngineRefused, match=r"^manifest unknown$"):
            engine.pull("a")
        assert [line.split("?")[1].removesuffix(" HTTP/1.1") for line in server.asked[:4]] == [
            "fromImage=nginx&tag=latest",
            "fromImage=registry.test%3A5000%2Fa%2Fb&tag=latest",
            "fromImage=a%2Fb&tag=1.2",
            "fromImage=a%40sha256%3A0123",
        ]


def test_what_a_registry_repeats_of_who_asked_is_not_passed_on(tmp_path: Path) -> None:
    bad = answers(b'{"error":"Get https://me:pw@registry.test/v2/?token=t0k&x=1: Bearer abc.def is not allowed"}\n')
    with serving(tmp_path / "s", bad) as server, pytest.raises(EngineRefused) as caught:
        engine_at(server).pull("a")
    assert caught.value.message == "Get https://***@registry.test/v2/?token=***&x=1: Bearer *** is not allowed"


def test_a_pull_that_stands_still_is_a_time_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_images, "QUIET_SECONDS", 0.2)
    script = hangs(b'HTTP/1.1 200 OK\r\n\r\n{"status":"Pulling"}\n')
    with serving(tmp_path / "s", script) as server, pytest.raises(EngineTimeout, match="POST /images/create"):
        engine_at(server).pull("a")


def test_a_name_cannot_ask_for_something_else(tmp_path: Path) -> None:
    with serving(tmp_path / "s", answers(b"", "404 Not Found")) as server:
        engine = engine_at(server)
        for name in ("a/../../images", "a?force=1", "a b\r\nX: y", "ä"):
            engine.remove(name)
        for name in ("", ".", ".."):
            with pytest.raises(NotFound):
                engine.inspect(name)
        assert [line.split(" ")[1].split("?")[0] for line in server.asked] == [
            "/v1.41/containers/a%2F..%2F..%2Fimages",
            "/v1.41/containers/a%3Fforce%3D1",
            "/v1.41/containers/a%20b%0D%0AX%3A%20y",
            "/v1.41/containers/%C3%A4",
        ]
        engine.close()


def test_a_broken_log_stream_says_so_after_what_came(tmp_path: Path) -> None:
    frame = b"\x01\0\0\0\0\0\0\x02t "
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(frame), frame)
    with serving(tmp_path / "s", says(raw)) as server, pytest.raises(EngineTimeout):
        list(engine_at(server).logs("abc", follow=True))


def test_many_threads_may_ask(tmp_path: Path) -> None:
    with serving(tmp_path / "s", answers()) as server:
        engine = engine_at(server)
        failed: list[EngineError] = []

        def work() -> None:
            try:
                for _ in range(20):
                    assert engine.list("x") == []
            except EngineError as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert len(server.requests) == 160
        assert len({number for number, _ in server.requests}) <= 8
        engine.close()
