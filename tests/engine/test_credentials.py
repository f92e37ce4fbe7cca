"""A pull goes with the user's own credentials, a connection with the context's certificates."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ecsctl.engine.address import TcpAddress
from ecsctl.engine.contexts import Endpoint, Tls
from ecsctl.engine.dial import dialer
from ecsctl.engine.docker import DockerEngine
from ecsctl.engine.registry_auth import auth_headers
from ecsctl.engine.transport import Transport
from ecsctl.model.errors import EngineRefused, EngineUnreachable
from tests.terminal import Terminal


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def test_stored_credentials_go_to_their_registry_only(home: Path) -> None:
    login = base64.b64encode(b"me:secret").decode()
    (home / "config.json").write_text(json.dumps({"auths": {"registry.test:5000": {"auth": login}}}))
    header = json.loads(base64.urlsafe_b64decode(auth_headers("registry.test:5000/a/b:1")["X-Registry-Auth"]))
    assert (header["username"], header["password"]) == ("me", "secret")
    assert auth_headers("other.test/a/b") == {}
    assert auth_headers("nginx") == {}


def test_a_credential_helper_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = home / "docker-credential-lab"
    answer = json.dumps({"ServerURL": "registry.test", "Username": "me", "Secret": "word"})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null; echo '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    (home / "config.json").write_text(json.dumps({"credHelpers": {"registry.test": "lab", "broken.test": "none"}}))
    found = json.loads(base64.urlsafe_b64decode(auth_headers("registry.test/a")["X-Registry-Auth"]))
    header = {name.lower(): value for name, value in found.items()}  # engines take either
    assert (header["username"], header["password"]) == ("me", "word")
    with pytest.raises(EngineRefused, match=r"credentials for broken\.test cannot be read") as caught:
        auth_headers("broken.test/a")
    assert "\n" not in str(caught.value)


def header_of(image: str) -> dict[str, str]:
    found = json.loads(base64.urlsafe_b64decode(auth_headers(image)["X-Registry-Auth"]))
    return {name.lower(): value for name, value in found.items()}  # engines take either


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "index.docker.io", "docker.io"])
def test_docker_hub_is_known_by_all_of_its_names(home: Path, key: str) -> None:
    login = base64.b64encode(b"me:secret").decode()
    (home / "config.json").write_text(json.dumps({"auths": {key: {"auth": login}}}))
    for image in ("nginx", "me/app:1", "docker.io/library/nginx", "index.docker.io/library/nginx:1"):
        assert (header_of(image)["username"], header_of(image)["password"]) == ("me", "secret")
    assert auth_headers("registry.test/nginx") == {}


def test_an_identity_token_is_passed_on_as_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.json").write_text(
        json.dumps({"auths": {"registry.test": {"auth": base64.b64encode(b"me:").decode(), "identitytoken": "t0k"}}})
    )
    assert header_of("registry.test/a")["identitytoken"] == "t0k"
    helper = home / "docker-credential-lab"
    answer = json.dumps({"ServerURL": "store.test", "Username": "<token>", "Secret": "of-a-store"})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null; echo '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    (home / "config.json").write_text(json.dumps({"auths": {"store.test": {}}, "credsStore": "lab"}))
    assert header_of("store.test/a")["identitytoken"] == "of-a-store"


def test_registries_of_ecr_ask_their_own_helpers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = home / "docker-credential-ecr-login"
    answer = '{"ServerURL": "%s", "Username": "AWS", "Secret": "%s"}'
    helper.write_text(f"#!/bin/sh\nread server; printf '{answer}' $server $server\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    hosts = ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "public.ecr.aws")
    (home / "config.json").write_text(json.dumps({"credHelpers": dict.fromkeys(hosts, "ecr-login")}))
    for host in hosts:
        assert (header_of(f"{host}/team/app:1")["username"], header_of(f"{host}/a")["password"]) == ("AWS", host)
    assert auth_headers("210987654321.dkr.ecr.eu-central-1.amazonaws.com/a") == {}


def test_without_credentials_the_sdk_is_not_loaded(home: Path) -> None:
    program = (
        "import sys; from ecsctl.engine.connect import connect; from ecsctl.engine.registry_auth import auth_headers; "
        "connect('unix:///x'); assert auth_headers('nginx') == {}; "
        "print([m for m in ('docker', 'ssl', 'http.client', 'email', 'subprocess', 'requests') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command to make certificates")
def test_tls_proves_both_sides(tmp_path: Path) -> None:
    def certificate(name: str) -> tuple[Path, Path]:
        cert, key = tmp_path / f"{name}.pem", tmp_path / f"{name}-key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
        subprocess.run(command, check=True, capture_output=True)
        return cert, key

    (server_cert, server_key), (cert, key) = certificate("server"), certificate("client")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=cert)
    context.load_cert_chain(server_cert, server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    _check_tls(context, Tls(server_cert, cert, key), Tls(cert, cert, key), Tls(None, cert, key, verify=False))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command to make a key")
def test_a_key_with_a_pass_phrase_is_one_line_and_no_question(tmp_path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-subj", "/CN=client"]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = (
            "from ecsctl.engine.connect import connect; from ecsctl.model.errors import EngineUnreachable\n"
            f"try: connect('tcp://127.0.0.1:{listener.getsockname()[1]}').ping()\n"
            "except EngineUnreachable as error: print(error.cause, error)\n"
        )
        tls = {"DOCKER_CERT_PATH": str(tmp_path), "DOCKER_TLS_VERIFY": "1"}
        terminal = Terminal([sys.executable, "-c", program], {**os.environ, **tls})
        try:
            terminal.until(b"which nobody is asked for; give a key without one.")
        finally:
            terminal.close()
    assert terminal.seen.startswith(b"tls No TLS connection to tcp://127.0.0.1:")
    assert f"the key {tmp_path}/key.pem has a pass phrase" in terminal.seen.decode()


def _check_tls(context: ssl.SSLContext, right: Tls, wrong: Tls, lax: Tls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(3):
                raw, _ = listener.accept()
                try:
                    with raw, context.wrap_socket(raw, server_side=True) as sock:
                        sock.recv(65536)
                        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        where = TcpAddress("127.0.0.1", listener.getsockname()[1])

        def ask(tls: Tls) -> None:
            engine = DockerEngine(Transport(str(where), dialer(Endpoint(where, tls), str(where))))
            assert engine.list("x") == []
            engine.close()

        ask(right)
        with pytest.raises(EngineUnreachable, match=r"No TLS connection to tcp://127\.0\.0\.1"):
            ask(wrong)
        ask(lax)
        thread.join()
