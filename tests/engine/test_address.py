"""An address is one of four forms, and nothing in it can become an option or a command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.engine.address import ContextAddress, SshAddress, TcpAddress, UnixAddress, parse_address
from ecsctl.engine.ssh import runtime_directory, ssh_command
from ecsctl.model.errors import InputError

GOOD = {
    "unix:///var/run/docker.sock": UnixAddress("/var/run/docker.sock"),
    "unix:///a b/c": UnixAddress("/a b/c"),
    "tcp://127.0.0.1:2375": TcpAddress("127.0.0.1", 2375),
    "tcp://[::1]:2376": TcpAddress("::1", 2376),
    "tcp://docker.example.com:2376": TcpAddress("docker.example.com", 2376),
    "ssh://web1": SshAddress("web1"),
    "ssh://root@10.0.0.1": SshAddress("10.0.0.1", "root"),
    "ssh://deploy.er@web_1.example.com:2222": SshAddress("web_1.example.com", "deploy.er", 2222),
    "ssh://me@[fe80::1]:22": SshAddress("fe80::1", "me", 22),
    "context:host1": ContextAddress("host1"),
    "context:a.b_c+d-e": ContextAddress("a.b_c+d-e"),
}

BAD = {
    "": "write unix:///path, tcp://host:port",
    "host1": "context:host1 for a Docker context, ssh://host1",
    "/var/run/docker.sock": "write unix:///path",
    "unix://docker.sock": "absolute path",
    "unix:///" + "a" * 107: "at most 107 bytes",
    "unix:///a\0b": "absolute path",
    "tcp://10.0.0.1": "tcp://host:port",
    "tcp://10.0.0.1:2375/path": "without a path",
    "tcp://10.0.0.1:0": "from 1 to 65535",
    "tcp://10.0.0.1:65536": "from 1 to 65535",
    "http://10.0.0.1:2375/": "write tcp://10.0.0.1:2375",
    "ssh://": "write unix:///path",
    "ssh://-oProxyCommand=id": "ssh configuration",
    "ssh://-oProxyCommand=id@host": "ssh configuration",
    "ssh://user@-host": "ssh configuration",
    "ssh://host/path;id": "without a path",
    "ssh://host?a=b": "without a path",
    "ssh://host;id": "ssh configuration",
    "ssh://host$(id)": "ssh configuration",
    "ssh://host\n": "ssh configuration",
    "ssh://ho st": "ssh configuration",
    "ssh://user:secret@host": "no password in an address",
    "ssh://host:99999": "from 1 to 65535",
    "context:": "begins with a letter or digit",
    "context:../etc": "begins with a letter or digit",
    "npipe:////./pipe/docker": "write unix:///path",
}


@pytest.mark.parametrize("text", GOOD)
def test_the_four_forms_are_understood_and_written_back(text: str) -> None:
    assert parse_address(text) == GOOD[text]
    assert str(GOOD[text]) == text


@pytest.mark.parametrize("text", BAD)
def test_a29_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(InputError, match=re.escape(BAD[text])) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        parse_address("ssh://user:secret@host")
    assert "secret" not in str(caught.value)


@given(st.text() | st.text(alphabet="-@:/[]?;$ oaA1.=\n").map("ssh://{}".format))
def test_no_address_puts_an_option_on_sshs_command_line(text: str) -> None:
    try:
        found = parse_address(text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert str(parse_address(str(found))) == str(found)
    if isinstance(found, SshAddress):
        command = ssh_command(found, runtime_directory() / "ctl")
        end = command.index("--")
        assert command[end + 1 :] == [found.host]
        assert not found.host.startswith("-")
        assert found.user is None or not found.user.startswith("-")
        assert all(re.fullmatch(r"[A-Za-z0-9._:/=-]+", word) for word in command)
