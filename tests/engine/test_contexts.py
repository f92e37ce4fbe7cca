"""Docker contexts are found as the docker command finds them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.address import SshAddress, TcpAddress, UnixAddress
from ecsctl.engine.connect import connect
from ecsctl.engine.contexts import Endpoint, Tls, address_of, addresses, current_address, resolve
from ecsctl.model.errors import EngineUnreachable, InputError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def add_context(home: Path, name: str, host: str, *, tls: tuple[str, ...] = (), **more: Any) -> Path:
    """Returns the directory of its TLS files."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = home / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    found = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, **more}}}
    (meta / "meta.json").write_text(json.dumps(found))
    directory = home / "contexts" / "tls" / digest / "docker"
    directory.mkdir(parents=True)
    for file in tls:
        (directory / f"{file}.pem").touch()
    return directory


def use(home: Path, name: str) -> None:
    (home / "config.json").write_text(json.dumps({"currentContext": name}))


def test_without_anything_it_is_the_local_socket() -> None:
    assert current_address() == "unix:///var/run/docker.sock"
    assert resolve("context:default") == Endpoint(UnixAddress("/var/run/docker.sock"))


def test_the_current_context_is_remembered_by_name(home: Path) -> None:
    add_context(home, "host1", "ssh://root@10.0.0.1")
    use(home, "host1")
    assert current_address() == "context:host1"
    assert resolve("context:host1") == Endpoint(SshAddress("10.0.0.1", "root"))


def test_all_contexts_have_addresses_the_current_one_first(home: Path) -> None:
    add_context(home, "host2", "ssh://root@10.0.0.2")
    add_context(home, "host1", "ssh://root@10.0.0.1")
    use(home, "host2")
    assert addresses() == ["context:host2", "unix:///var/run/docker.sock", "context:host1"]


def test_a_bare_name_is_a_context_or_else_a_host_of_ssh(home: Path) -> None:
    add_context(home, "web", "ssh://root@10.0.0.2")
    for text, address in {
        "web": "context:web",
        "default": "context:default",
        "db": "ssh://db",
        "me@db.example.com:2222": "ssh://me@db.example.com:2222",
        "ssh://web": "ssh://web",
        "unix:///run/podman/podman.sock": "unix:///run/podman/podman.sock",
        "tcp://10.0.0.1:2376": "tcp://10.0.0.1:2376",
        "context:db": "context:db",
    }.items():
        assert address_of(text) == address
    for text in ("", "-oProxyCommand=x", "a/b", "http://x", "me:secret@web", "/var/run/docker.sock", "unix://x"):
        with pytest.raises(InputError, match="is not the address of a Docker Engine"):
            address_of(text)


def test_the_environment_goes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_context(home, "host1", "unix:///run/one.sock")
    add_context(home, "host2", "unix:///run/two.sock")
    use(home, "host1")
    monkeypatch.setenv("DOCKER_CONTEXT", "host2")
    assert current_address() == "context:host2"
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/three.sock")
    assert current_address() == "unix:///run/three.sock"
    monkeypatch.setenv("DOCKER_HOST", "nonsense")
    with pytest.raises(InputError, match="nonsense"):
        current_address()


def test_the_default_context_has_no_file(home: Path) -> None:
    use(home, "default")
    assert current_address() == "unix:///var/run/docker.sock"


def test_an_unknown_context_names_those_there_are(home: Path) -> None:
    add_context(home, "host2", "unix:///run/two.sock")
    add_context(home, "host1", "unix:///run/one.sock")
    broken = home / "contexts" / "meta" / "broken"
    broken.mkdir()
    (broken / "meta.json").write_text("{")
    with pytest.raises(InputError, match=r"no Docker context 'host3'. There are: default, host1, host2\."):
        resolve("context:host3")
    use(home, "host3")
    with pytest.raises(InputError, match="host3"):
        current_address()


def test_tls_files_belong_to_their_context(home: Path) -> None:
    files = add_context(home, "far", "tcp://docker.example.com:2376", tls=("ca", "cert", "key"))
    tls = Tls(files / "ca.pem", files / "cert.pem", files / "key.pem", verify=True)
    assert resolve("context:far") == Endpoint(TcpAddress("docker.example.com", 2376), tls)
    files = add_context(home, "lax", "tcp://10.0.0.1:2376", tls=("ca", "cert", "key"), SkipTLSVerify=True)
    found = resolve("context:lax").tls
    assert found is not None
    assert not found.verify
    add_context(home, "half", "tcp://10.0.0.1:2376", tls=("ca", "cert"))
    with pytest.raises(InputError, match=r"cert\.pem and key\.pem"):
        resolve("context:half")


def test_tcp_without_tls_is_for_this_machine_only(home: Path) -> None:
    assert resolve("tcp://127.0.0.1:2375") == Endpoint(TcpAddress("127.0.0.1", 2375))
    assert resolve("tcp://[::1]:2375").tls is None
    assert resolve("tcp://localhost:2375").tls is None
    add_context(home, "open", "tcp://10.0.0.1:2375")
    for address in ("context:open", "tcp://10.0.0.1:2375", "tcp://docker.example.com:2375"):
        with pytest.raises(InputError, match=r"without TLS is refused.*use ssh://"):
            resolve(address)


def test_the_certificates_of_the_environment_are_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = home / "certs"
    certificates.mkdir()
    for name in ("ca", "cert", "key"):
        (certificates / f"{name}.pem").touch()
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    found = resolve(current_address())
    assert found.where == TcpAddress("10.0.0.1", 2376)
    assert found.tls is not None
    assert found.tls.ca == certificates / "ca.pem"


def test_a_context_that_cannot_be_read_says_where(home: Path) -> None:
    meta = home / "contexts" / "meta" / hashlib.sha256(b"bad").hexdigest()
    meta.mkdir(parents=True)
    for text in ("{", "[]", '{"Endpoints": {}}', '{"Endpoints": {"docker": 1}}'):
        (meta / "meta.json").write_text(text)
        with pytest.raises(InputError, match=r"'bad'.*meta\.json"):
            resolve("context:bad")
    (home / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json cannot be read"):
        current_address()


def test_a_host_whose_context_is_gone_does_not_answer() -> None:
    engine = connect("context:gone")
    with pytest.raises(EngineUnreachable, match="no Docker context 'gone'"):
        engine.ping()
    with pytest.raises(InputError):
        connect("gone")
