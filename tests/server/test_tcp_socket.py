"""Where a server listens by TCP, what of it only this machine reaches, and TLS."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack, closing
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ecsctl.model.errors import InputError
from ecsctl.server.tcp_socket import bound, parse_address, tls_context, url_of
from tests.controller.world import World
from tests.server.running import serving


def certificate(folder: Path, name: str = "cert", password: bytes | None = None) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    sealing = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing)
    (folder / f"{name}.key").write_bytes(text)
    (folder / f"{name}.key").chmod(0o600)
    return folder / f"{name}.pem", folder / f"{name}.key"


@pytest.mark.parametrize(
    ("text", "ip", "port", "loopback"),
    [
        ("127.0.0.1:8478", "127.0.0.1", 8478, True),
        ("127.9.9.9:0", "127.9.9.9", 0, True),
        ("[::1]:8478", "::1", 8478, True),
        ("[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1, True),
        ("0.0.0.0:8478", "0.0.0.0", 8478, False),
        ("[::]:8478", "::", 8478, False),
        ("192.0.2.1:65535", "192.0.2.1", 65535, False),
        ("[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1, False),
    ],
)
def test_an_address_is_known_for_what_reaches_it(text: str, ip: str, port: int, loopback: bool) -> None:
    found = parse_address(text)
    assert (found.ip, found.port, found.is_loopback) == (ip, port, loopback)
    assert str(found) == text


def test_a_name_is_looked_up() -> None:
    assert parse_address("localhost:80").is_loopback


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write HOST:PORT"),
        ("8478", "write HOST:PORT"),
        (":8478", "write HOST:PORT"),
        ("127.0.0.1", "write HOST:PORT"),
        ("127.0.0.1:65536", "write HOST:PORT"),
        ("127.0.0.1:-1", "write HOST:PORT"),
        ("127.0.0.1:²", "write HOST:PORT"),
        ("::1:8478", "write an IPv6 address in brackets, like [::1]:8478"),
        ("nowhere.invalid:80", "nowhere.invalid is no address, and no name of one"),
        ("a..b:80", "a..b is no address, and no name of one"),
    ],
)
def test_what_is_no_address_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


HAS_IPV6 = "00000000000000000000000000000001" in Path("/proc/net/if_inet6").read_text().split()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"][: 1 + HAS_IPV6])
def test_port_0_is_a_free_one_and_one_in_use_is_refused_in_a_line(host: str) -> None:
    with bound([parse_address(f"{host}:0")]) as (listener,):
        port = listener.getsockname()[1]
        assert url_of(listener, tls=False) == f"http://{host}:{port}"
        with socket.create_connection((host.strip("[]"), port)):
            pass
        with pytest.raises(InputError) as caught, bound([parse_address(f"{host}:0"), parse_address(f"{host}:{port}")]):
            pass
    why = "is in use by another process: end that one, or give another address by --bind"
    assert str(caught.value) == f"{host}:{port} {why}"
    with bound([parse_address(f"{host}:{port}")]):  # at once again, though a connection of it was open just now
        pass


def test_an_address_of_another_machine_cannot_be_listened_at() -> None:
    with (
        pytest.raises(InputError, match=r"192\.0\.2\.1:0 cannot be listened at: "),
        bound([parse_address("192.0.2.1:0")]),
    ):
        pass


def test_connections_leave_half_of_the_open_files_for_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecsctl.server.tcp_socket.resource.getrlimit", lambda _: (8, 8))
    with bound([parse_address("127.0.0.1:0")] * 2) as (listener, _), ExitStack() as clients:
        listener.settimeout(1)
        there = [clients.enter_context(socket.create_connection(listener.getsockname())) for _ in range(3)]
        taken = [clients.enter_context(listener.accept()[0]) for _ in range(2)]
        with pytest.raises(TimeoutError):
            listener.accept()
        assert there[-1].recv(1) == b"", "the third is closed"
        taken[0].close()
        clients.enter_context(socket.create_connection(listener.getsockname()))
        clients.enter_context(listener.accept()[0])


def test_boto3_by_tls_is_answered_and_plain_text_is_not(world: World, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    assert tls_context(cert, key).minimum_version == ssl.TLSVersion.TLSv1_2
    with serving(world.process(), tmp_path / "s", signed=False, tls=tls_context(cert, key)) as server:
        url, any_key = f"https://127.0.0.1:{server.port}", {"aws_access_key_id": "a", "aws_secret_access_key": "a"}
        with closing(boto3.client("ecs", "us-east-1", endpoint_url=url, verify=str(cert), **any_key)) as ecs:
            assert len(ecs.list_clusters()["clusterArns"]) == 1
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"HTTP/1.1 200" not in plain.recv(1000)


def test_files_that_are_no_certificate_and_its_key_are_refused_in_a_line(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    _, other = certificate(tmp_path, "other")
    _, sealed = certificate(tmp_path, "sealed", b"secret")
    open_key = tmp_path / "open.key"
    open_key.write_bytes(key.read_bytes())
    open_key.chmod(0o644)
    for pair, said in (
        ((cert, tmp_path / "none"), f"--tls-key {tmp_path / 'none'}: No such file or directory"),
        ((tmp_path / "none", key), f"--tls-cert {tmp_path / 'none'}: No such file or directory"),
        ((cert, other), "the key is not the key of that certificate"),
        ((cert, cert.with_suffix(".pem")), f"--tls-key {cert} can be read by everybody: chmod 600 {cert}"),
        ((key, key), f"--tls-cert {key} --tls-key {key}: they are not both PEM"),
        ((cert, sealed), "--tls-key: the key has a password, which nobody is there to type: give one without"),
        ((cert, open_key), f"--tls-key {open_key} can be read by everybody: chmod 600 {open_key}"),
        ((cert, tmp_path), "--tls-key"),
    ):
        with pytest.raises(InputError) as caught:
            tls_context(*pair)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
