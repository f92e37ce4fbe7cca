"""Unit files, word for word, and as systemd itself reads them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ecsctl.cli.schedule.job import Job, job_name
from ecsctl.cli.schedule.units import quote, unit_files

JOB = Job(
    Path("/srv/ecs/state.db"),
    ("/usr/bin/ecsctl", "reconcile"),
    {"PATH": "/usr/bin:/bin", "ECSCTL_STATE": "/srv/ecs/state.db"},
    60.0,
)
NASTY = "a b%c\"d'e\\f$HOME;#ü"

SERVICE = """\
# Written by `ecsctl schedule install`, which replaces it; `ecsctl schedule remove` takes it away.

[Unit]
Description=Containers as the ECS state /srv/ecs/state.db wants them (ecsctl reconcile)
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
Environment=ECSCTL_STATE=/srv/ecs/state.db
Environment=PATH=/usr/bin:/bin
ExecStart=/usr/bin/ecsctl reconcile
TimeoutStartSec=10min
"""
TIMER = """\
# Written by `ecsctl schedule install`, which replaces it; `ecsctl schedule remove` takes it away.

[Unit]
Description=Containers as the ECS state /srv/ecs/state.db wants them (ecsctl reconcile)

[Timer]
OnActiveSec=1s
OnUnitActiveSec=60s
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
CONTROLLER = """\
# Written by `ecsctl schedule install`, which replaces it; `ecsctl schedule remove` takes it away.

[Unit]
Description=Containers as the ECS state /srv/ecs/state.db wants them (ecsctl reconcile)
StartLimitIntervalSec=0

[Service]
Type=notify
Environment=ECSCTL_STATE=/srv/ecs/state.db
Environment=PATH=/usr/bin:/bin
ExecStart=/usr/bin/ecsctl reconcile --watch
Restart=always
RestartSec=5s
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=90s

[Install]
WantedBy=default.target
"""


def test_a_timer_starts_a_service_that_passes() -> None:
    assert unit_files(JOB, "n", system=True) == {"n.service": SERVICE, "n.timer": TIMER}


def test_a_controller_is_a_service_that_stays() -> None:
    job = JOB._replace(words=(*JOB.words, "--watch"), every=None)
    assert unit_files(job, "n", system=False) == {"n.service": CONTROLLER}


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/usr/bin/ecsctl", "/usr/bin/ecsctl"),
        ("a b", '"a b"'),
        ("50%", '"50%%"'),
        ('a"b', r'"a\"b"'),
        ("a'b", '"a\'b"'),
        ("a\\b", r'"a\\b"'),
        ("a$b", "a$b"),
        (";", '";"'),
        ("", '""'),
    ],
)
def test_words_are_quoted_as_systemd_reads_them(word: str, quoted: str) -> None:
    assert quote(word) == quoted


def test_a_dollar_is_one_in_arguments_and_in_the_environment() -> None:
    job = JOB._replace(words=("/bin/ecsctl", "$a"), environment={"X": "$a"})
    service = unit_files(job, "n", system=False)["n.service"]
    assert "Environment=X=$a\n" in service
    assert "ExecStart=/bin/ecsctl $$a\n" in service


@pytest.mark.parametrize("part", ["plain", "a b%c;#ü", NASTY])
@pytest.mark.parametrize("every", [60.0, 1.5, None])
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd-analyze")
def test_systemd_understands_them(tmp_path: Path, part: str, every: float | None) -> None:
    folder = tmp_path / part
    folder.mkdir()
    program = folder / "ecsctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    state = folder / "state.db"
    job = Job(state, (str(program), "--profile", part, "reconcile"), {"ECSCTL_STATE": str(state)}, every)
    units = tmp_path / "units"
    units.mkdir()
    for name, content in unit_files(job, "ecsctl-x", system=False).items():
        (units / name).write_text(content)
    first = sorted(map(str, units.iterdir()))[-1]
    ran = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", first],
        env={**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, [line for line in ran.stderr.splitlines() if "ecsctl-x" in line]) == (0, [])


def test_the_usual_state_has_the_plain_name_and_every_other_one_its_own() -> None:
    assert job_name(Path("/home/me/.local/share/ecsctl/state.db"), "/home/me") == "ecsctl-reconcile"
    others = {job_name(Path(path), "/home/me") for path in ("/a/state.db", "/b/state.db")}
    assert len(others) == 2
    assert all(name.startswith("ecsctl-reconcile-") and len(name) == 25 for name in others)
