"""`simulate`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ecsctl.cli.picture import Drawing, Rectangle, Text, save
from tests.cli.running import Runner

FLEET = ("--hosts", "6 hosts of 4 vCPU, 16 GB in 3 zones at 0.17")
TASKS = ("--task", "0.25 vCPU, 1 GB=12")


def test_a_fleet_and_a_workload_in_words(ecsctl: Runner) -> None:
    told = ecsctl("simulate", *FLEET, *TASKS, "--output", "json")
    assert told.code == 0
    answer = json.loads(told.out)
    assert (answer["hosts"], answer["hostsUsed"]) == (6, 6)
    assert answer["zones"] == {"us-east-1a": 2, "us-east-1b": 2, "us-east-1c": 2}
    assert answer["workload"][0]["zones"] == {"us-east-1a": 4, "us-east-1b": 4, "us-east-1c": 4}
    assert answer["needed"] == [{"cpu": 4096, "memory": 16384, "atLeast": 1, "hosts": 1, "pricePerHour": 0.17}]
    assert answer["pricePerHour"] == 1.02
    assert [(loss["zone"], loss["lost"], loss["moved"]) for loss in answer["lostZones"]] == [
        ("us-east-1a", 4, 4),
        ("us-east-1b", 4, 4),
        ("us-east-1c", 4, 4),
    ]


def test_people_get_a_table(ecsctl: Runner) -> None:
    told = ecsctl("simulate", *FLEET, *TASKS, "--priority", "cost", "--lose-zone", "us-east-1b")
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    assert told.out.startswith("1 of 6 hosts used (us-east-1a 2, us-east-1b 2, us-east-1c 2); CPU 12.5%")
    assert ["4", "vCPU,", "16", "GB", "1", "1", "0.17"] in lines
    assert [line[0] for line in lines if line and line[0].startswith("us-east-1")] == ["us-east-1b"]


def test_hosts_without_a_price_beside_priced_ones_are_told(ecsctl: Runner) -> None:
    told = ecsctl("simulate", *FLEET, "--hosts", "2 hosts of 8 vCPU, 32 GB", *TASKS)
    assert "1.36 an hour" in told.out
    assert "hosts without a price: 2; each counts as the dearest" in told.out


def test_what_does_not_fit_is_told_and_ends_with_1(ecsctl: Runner) -> None:
    told = ecsctl("simulate", "--hosts", "1 vCPU, 2 GB", "--task", "0.5 vCPU, 1 GB=3", "--output", "json")
    (load,) = json.loads(told.out)["workload"]
    assert (told.code, load["placed"], load["count"]) == (1, 2, 3)
    assert "insufficient memory available" in load["reason"]
    told = ecsctl("simulate", "--hosts", "1 vCPU, 2 GB", "--task", "2 vCPU, 1 GB=1")
    assert (told.code, "cannot be: 2 vCPU, 1 GB: RESOURCE:CPU: needs 2048" in told.out) == (1, True)


def test_a_file_with_both_and_its_task_definitions(ecsctl: Runner, tmp_path: Path) -> None:
    container = {"name": "a", "image": "x", "cpu": 512, "memory": 1024}
    (tmp_path / "app.json").write_text(json.dumps({"family": "app", "containerDefinitions": [container]}))
    (tmp_path / "plan.yaml").write_text(
        "fleet: [{count: 2, cpu: 2 vCPU, memory: 4 GB, zones: [a, b], attributes: {rack: r1}}]\n"
        "workload: [{taskDefinition: app.json, count: 4, placementConstraints: [{type: distinctInstance}]}]\n"
    )
    told = ecsctl(
        "simulate", str(tmp_path / "plan.yaml"), "--query", "workload[0].[name, placed, zones]", "--output", "json"
    )
    assert (told.code, json.loads(told.out)) == (1, ["app", 2, {"a": 1, "b": 1}])
    other = ("--task", f"{tmp_path / 'app.json'}=1")  # relative to where one is, not to the file
    told = ecsctl("simulate", str(tmp_path / "plan.yaml"), *other, "--query", "workload[].name", "--output", "json")
    assert json.loads(told.out) == ["app", "app (2)"]


def test_the_same_seed_is_the_same_plan(ecsctl: Runner) -> None:
    words = ("simulate", *FLEET, *TASKS, "--strategy", "type=random", "--output", "json", "--seed")
    assert ecsctl(*words, "5").out == ecsctl(*words, "5").out != ecsctl(*words, "6").out


def test_the_hosts_of_a_cluster(ecsctl: Runner) -> None:
    told = ecsctl("simulate", "--cluster", "nosuch", *TASKS)
    assert (told.code, "Cluster not found" in told.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ((), 2, "give a fleet"),
        (FLEET, 2, "give a workload"),
        ((*TASKS, "--hosts", "many"), 2, "argument --hosts: 'many' is not like"),
        ((*FLEET, "--task", "web.json"), 2, "argument --task: 'web.json' is not like FILE=COUNT"),
        ((*FLEET, "--task", "nosuch.json=3"), 1, "nosuch.json"),
        ((*FLEET, "--task", "0.3333 vCPU, 1 GB=3"), 1, "workload[0].cpu: Invalid 'cpu' setting"),
        ((*FLEET, "--task", "1 vCPU, 1 GB=0"), 1, "workload[0].count: 0 is not between 1"),
        ((*TASKS, "--hosts", "99999 hosts of 1 vCPU, 1 GB"), 1, "fleet[0].count: 99999 is not between 1"),
        ((*TASKS, "--hosts", "1 vCPU, 1 GB in 0 zones"), 1, "fleet[0].zones: 0 is not between 1 and 26"),
        ((*FLEET, *TASKS, "--lose-zone", "x"), 1, "there is no zone 'x': there are us-east-1a"),
        ((*FLEET, *TASKS, "--priority", "cheap"), 1, "workload[0]: priority: 'cheap' is none of"),
        ((*FLEET, *TASKS, "--strategy", "type=spread,field=colour"), 1, "spread is by instanceId"),
        ((*FLEET, *TASKS, "--strategy", "type=heap"), 2, "argument --strategy"),
        ((*FLEET, *TASKS, "--picture", "hosts.gif"), 1, "hosts.gif: a picture is .svg or .png"),
        ((*FLEET, *TASKS, "--picture", "no/such/dir.svg"), 1, "the picture cannot be written: No such file"),
        (("nosuch.yaml",), 1, "nosuch.yaml"),
    ],
)
def test_bad_input_gets_one_line(ecsctl: Runner, words: tuple[str, ...], code: int, line: str) -> None:
    told = ecsctl("simulate", *words)
    assert (told.code, told.out, told.err.count("\n")) == (code, "", 1)
    assert line in told.err


@pytest.mark.parametrize("hosts", [3, 2000])
def test_the_picture_shows_every_zone_and_every_item(ecsctl: Runner, tmp_path: Path, hosts: int) -> None:
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    fleet = ("--hosts", f"{hosts} hosts of 4 vCPU, 16 GB in 3 zones")
    for path in (svg, png):
        assert ecsctl("simulate", *fleet, *TASKS, "--task", "1 vCPU, 2 GB=2", "--picture", str(path)).code == 0
    texts = [found.text for found in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 ours
    assert {"us-east-1a", "us-east-1b", "us-east-1c", "0.25 vCPU, 1 GB", "1 vCPU, 2 GB", "CPU", "memory"} <= set(texts)
    bars = ElementTree.parse(svg).findall(".//{http://www.w3.org/2000/svg}rect")  # noqa: S314
    assert len(bars) < 2500
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_many_items_tells_the_largest_apart_and_says_what_was_not_placed(
    ecsctl: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "a.svg"
    tasks = [word for number in range(30) for word in ("--task", f"{128 * (number + 1)}, {256 * (number + 1)}=1")]
    fleet = ("--hosts", "8 hosts of 16 vCPU, 64 GB", "--picture", str(path))
    assert ecsctl("simulate", *fleet, *tasks, "--task", "99 vCPU, 1 GB=4").code == 1
    svg = "{http://www.w3.org/2000/svg}"
    found = ElementTree.parse(path)  # noqa: S314 ours
    texts = [text.text or "" for text in found.iter(f"{svg}text")]
    assert "21 others" in texts
    assert any(text.startswith("not placed: ") and "4 of 99 vCPU, 1 GB" in text for text in texts)
    colours = {}
    for bar in found.iter(f"{svg}rect"):
        title = bar.findtext(f"{svg}title") or ""
        if " 1 of " in title:
            colours[title.partition(" 1 of ")[2]] = bar.get("fill")
    assert len(set(colours.values())) == 11
    assert len({fill for name, fill in colours.items() if int(name.partition(",")[0]) > 128 * 20}) == 10


def test_gpus_and_capacity_providers_of_a_file(ecsctl: Runner, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "fleet:\n"
        "  - {count: 2, cpu: 4 vCPU, memory: 8 GB, gpus: 2, capacityProvider: dear}\n"
        "  - {count: 2, cpu: 4 vCPU, memory: 8 GB, capacityProvider: spare}\n"
        "workload:\n"
        "  - {name: learn, count: 5, cpu: 1 vCPU, memory: 1 GB, gpus: 1}\n"
        "  - {name: web, count: 4, cpu: 1 vCPU, memory: 1 GB, capacityProviderStrategy: \n"
        "      [{capacityProvider: spare, weight: 3}, {capacityProvider: dear, weight: 1}]}\n"
    )
    answer = json.loads(ecsctl("simulate", str(path), "--output", "json").out)
    assert [(load["name"], load["placed"], load["hosts"]) for load in answer["workload"]] == [
        ("learn", 4, 2),
        ("web", 4, 3),
    ]
    assert "insufficient GPU" in answer["workload"][0]["reason"]
    assert {need.get("gpus"): need.get("hosts") for need in answer["needed"]} == {2: 3, None: None}
    path.write_text(path.read_text().replace("Provider: spare, weight", "Provider: spar, weight"))
    told = ecsctl("simulate", str(path))
    assert (told.code, "workload[1]: no host of the fleet is of the capacity provider 'spar'" in told.err) == (1, True)
    path.write_text(path.read_text().replace("gpus: 2", "gpus: -2"))
    assert "fleet[0].gpus: -2 is not between 0 and 64" in ecsctl("simulate", str(path)).err


def test_a_name_in_a_picture_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    save(Drawing(10, 10, [Text(0, 0, "<script>&"), Rectangle(0, 0, 1, 1, "#fff", "</title>")]), path)
    assert "<script>" not in path.read_text()
    ElementTree.parse(path)  # noqa: S314 ours
