"""Options before environment before file before what holds without any."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import astuple

from ecsctl.cli.config import load_config
from ecsctl.cli.durations import is_duration, parse_duration, short_duration
from ecsctl.controller.sources import Sources
from ecsctl.model.errors import ConfigError, InputError
from ecsctl.model.file_system import FileSystem
from ecsctl.model.state_place import home_of


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".config/ecsctl").mkdir(parents=True)
    return {"HOME": str(tmp_path)}


def write(home: dict[str, str], text: str) -> Path:
    path = Path(home["HOME"], ".config/ecsctl/config.toml")
    path.write_text(text)
    return path


def test_without_anything_the_defaults_hold(home: dict[str, str]) -> None:
    config = load_config({}, home)
    assert astuple(config) == (
        Path(home["HOME"], ".local/share/ecsctl/state.db"),
        "us-east-1",
        "000000000000",
        "json",
        604800.0,
        10800.0,
        256,
        40.0,
        60.0,
        3,
        2592000.0,
        "prefer-cached",
        None,
        3600.0,
        1800.0,
        5,
        {},
        {},
        {},
        {},
        "limited",
        {},
        {},
        True,
        "busybox:stable",
        100,
        None,
        None,
        None,
        (),
    )


def test_the_order_of_precedence(home: dict[str, str]) -> None:
    write(home, 'region = "eu-west-1"\naccount = "111111111111"\nstate = "s.db"\noutput = "yaml"\n')
    assert astuple(load_config({}, home))[:4] == (
        Path(home["HOME"], ".config/ecsctl/s.db"),
        "eu-west-1",
        "111111111111",
        "yaml",
    )
    home |= {"AWS_DEFAULT_REGION": "eu-west-2"}
    assert load_config({}, home).region == "eu-west-2"
    home |= {"AWS_REGION": "eu-west-3", "ECSCTL_ACCOUNT": "222222222222", "ECSCTL_STATE": "/e.db"}
    assert astuple(load_config({}, home))[:3] == (Path("/e.db"), "eu-west-3", "222222222222")
    home |= {"ECSCTL_REGION": "eu-north-1"}
    assert load_config({}, home).region == "eu-north-1"
    options = {"region": "us-west-2", "account": "333333333333", "state": "~/f.db", "output": "text"}
    found = load_config(options, home)
    assert astuple(found)[1:4] == ("us-west-2", "333333333333", "text")
    assert home_of(found.state).is_absolute()


def test_an_empty_variable_is_no_variable(home: dict[str, str]) -> None:
    assert load_config({}, home | {"ECSCTL_REGION": "", "ECSCTL_STATE": ""}) == load_config({}, home)


def test_xdg_directories_count(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "c/ecsctl").mkdir(parents=True)
    (tmp_path / "c/ecsctl/config.toml").write_text('history = "2d"\nstopped_container_retention = "90"\n')
    found = load_config({}, home | {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")})
    assert found.state == tmp_path / "d/ecsctl/state.db"
    assert (found.history, found.stopped_container_retention) == (172800.0, 90.0)
    assert home_of(load_config({}, home | {"XDG_DATA_HOME": "relative"}).state).is_relative_to(home["HOME"])


def test_another_file_can_be_named(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("reserved_memory = 0")
    (tmp_path / "b.toml").write_text("reserved_memory = 1")
    home |= {"ECSCTL_CONFIG": str(tmp_path / "a.toml")}
    assert load_config({}, home).reserved_memory == 0
    assert load_config({"config": str(tmp_path / "b.toml")}, home).reserved_memory == 1


def test_a_profile_is_put_before_the_rest_of_the_file(home: dict[str, str]) -> None:
    write(home, 'region = "eu-west-1"\naccount = "111111111111"\n[profile.b]\nregion = "eu-west-2"\n')
    assert astuple(load_config({"profile": "b"}, home))[1:3] == ("eu-west-2", "111111111111")
    with pytest.raises(ConfigError, match=r"The config profile \(c\) could not be found: .*has no \[profile.c\]"):
        load_config({"profile": "c"}, home)


def test_a_profile_without_a_file_cannot_be_found(home: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"The config profile \(c\) could not be found: there is no "):
        load_config({"profile": "c"}, home)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('regio = "x"', "unknown key 'regio'; did you mean \"region\"?"),
        ("zzz = 1", "unknown key 'zzz'; the keys are region, account"),
        ('region = "Frankfurt"', "region: 'Frankfurt' is not a region; write it like us-east-1"),
        ('registry = "https://x"', "registry: 'https://x' is not the address of a registry"),
        ('account = "12"', "account: '12' is not an account: it has twelve digits"),
        ("account = 123456789012", "account: expected a string, in quotes"),
        ('history = "soon"', "history: 'soon' is not a duration: write 90, 90s, 5m, 2h or 7d"),
        ('healthy_after = "-1s"', "healthy_after: '-1s' is not a duration: write 90, 90s, 5m, 2h or 7d"),
        ("reserved_memory = true", "reserved_memory: expected a whole number"),
        ("reserved_memory = -1", "reserved_memory: -1 MiB cannot be kept back"),
        ('key_store = "pocket"', "key_store: 'pocket' is none of file, keyring"),
        ('output = "xml"', "output: 'xml' is none of json, yaml"),
        ('image_pull_behavior = "never"', "'never' is none of default, always, once, prefer-cached"),
        ('image_cleanup = "yes"', "image_cleanup: expected true or false"),
        ('loss_grace = "soon"', "loss_grace: 'soon' is not a duration"),
        ("loss_contacts = 0", "loss_contacts: a host is not lost after 0 contacts; write 1 or more"),
        ("throttle = -1", "throttle: -1 times the rates of ECS cannot be"),
        ("images_deleted_per_cycle = 0", "images_deleted_per_cycle: 0 images cannot be deleted at once"),
        ('image_cleanup_interval = "often"', "image_cleanup_interval: 'often' is not a duration"),
        ("[image_map]\nnginx = 1", "image_map.nginx: expected the name of an image, in quotes"),
        ("region = =", "config.toml:1:"),
        ("[profile.a]\nfoo = 1", "unknown key 'profile.a.foo'"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(home: dict[str, str], text: str, problem: str) -> None:
    path = write(home, text)
    with pytest.raises(ConfigError) as raised:
        load_config({"profile": "a"} if "profile" in text else {}, home)
    assert str(raised.value).startswith(str(path))
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_variable_that_cannot_be_used_is_named(home: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"^ECSCTL_ACCOUNT: 'x' is not an account"):
        load_config({}, home | {"ECSCTL_ACCOUNT": "x"})


def test_a_named_file_must_be_there_and_be_text(home: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read: No such file or directory"):
        load_config({"config": str(tmp_path / "nowhere.toml")}, home)
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_config({"config": str(tmp_path / "x.toml")}, home)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 604800), ("1h30m", 5400), ("0.5", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5 m", "-5", "5x", "m5", "1" * 40, "٣"])
def test_what_is_no_duration(text: str) -> None:
    assert not is_duration(text)
    with pytest.raises(InputError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5s"), (119, "119s"), (120, "2m"), (7200, "2h"), (9e5, "10d"), (-3, "0s")]
)
def test_ages(seconds: float, text: str) -> None:
    assert short_duration(seconds) == text


def test_file_systems_have_something_that_stands_for_them(home: dict[str, str]) -> None:
    write(
        home,
        "[file_systems]\n"
        'fs-1 = {nfs = "10.0.0.5:/export", mount_options = "nfsvers=3"}\n'
        'fs-2 = {path = "/mnt/efs"}\nfsap-3 = {volume = "shared"}\n'
        'ebs = {driver = "local", driver_options = {type = "tmpfs"}}\n',
    )
    assert load_config({}, home).file_systems == {
        "fs-1": FileSystem(nfs="10.0.0.5:/export", mount_options="nfsvers=3"),
        "fs-2": FileSystem(path="/mnt/efs"),
        "fsap-3": FileSystem(volume="shared"),
        "ebs": FileSystem(driver="local", driver_options={"type": "tmpfs"}),
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fs-1 = {}", 'fs-1: expected {nfs = "10.0.0.5:/export"} or {volume = "name"} or {path = "/mnt/efs"}'),
        ('fs-1 = "/mnt"', "fs-1: expected {nfs"),
        ('fs-1 = {path = "/a", volume = "b"}', "fs-1: expected {nfs"),
        ('fs-1 = {paht = "/a"}', "fs-1: expected {nfs"),
        ('fs-1 = {driver = "local"}', "fs-1: expected {nfs"),
        ('fs-1 = {path = "a"}', "'a' is no absolute path"),
        ('fs-1 = {nfs = "/export"}', "'/export' is no export of an NFS server"),
        ('fs-1 = {nfs = "a,b:/c"}', "'a,b:/c' is no export of an NFS server"),
        ('ebs = {path = "/a"}', 'ebs: expected {driver = "local"}'),
    ],
)
def test_what_cannot_stand_for_a_file_system(home: dict[str, str], line: str, words: str) -> None:
    path = write(home, f"[file_systems]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_config({}, home)
    assert f"{path}: file_systems." in str(caught.value)
    assert words in str(caught.value)


def test_ephemeral_storage_is_limited_or_recorded(home: dict[str, str]) -> None:
    write(home, 'ephemeral_storage = "recorded"\n')
    assert load_config({}, home).ephemeral_storage == "recorded"
    write(home, 'ephemeral_storage = "ignored"\n')
    with pytest.raises(ConfigError, match="'ignored' is none of limited, recorded"):
        load_config({}, home)


def test_a_role_gets_its_credentials_from_a_profile_or_a_command(home: dict[str, str]) -> None:
    write(
        home, 'metadata_endpoint = false\n[roles]\napp = { profile = "dev" }\n"arn:aws:iam::1" = ["print", "{role}"]\n'
    )
    found = load_config({}, home)
    assert found.metadata_endpoint is False
    assert found.roles == {
        "app": ["aws", "configure", "export-credentials", "--format", "process", "--profile", "dev"],
        "arn:aws:iam::1": ["print", "{role}"],
    }


@pytest.mark.parametrize("role", ['"dev"', "{}", '{ profile = "" }', '{ profile = "a", more = 1 }', "[]", "[1]"])
def test_what_is_no_source_of_credentials_is_refused(home: dict[str, str], role: str) -> None:
    write(home, f"[roles]\napp = {role}\n")
    with pytest.raises(ConfigError, match=r"roles\.app: expected { profile"):
        load_config({}, home)


def test_a_subnet_is_private_or_public(home: dict[str, str]) -> None:
    write(home, '[subnets]\n"db-*" = "private"\n"db-1" = "public"\n')
    subnets = load_config({}, home).subnets
    assert [Sources(subnets=subnets).is_private(name) for name in ("db-2", "db-1", "web")] == [True, False, False]
    path = write(home, '[subnets]\na = "internal"\n')
    with pytest.raises(ConfigError) as caught:
        load_config({}, home)
    assert str(caught.value) == f'{path}: subnets.a: expected "private", for no way out of it, or "public"'


def test_whether_there_is_an_endpoint_is_true_or_false(home: dict[str, str]) -> None:
    write(home, 'metadata_endpoint = "no"\n')
    with pytest.raises(ConfigError, match="expected true or false"):
        load_config({}, home)
