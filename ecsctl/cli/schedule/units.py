"""A job as systemd unit files (systemd.service(5), systemd.timer(5), systemd.syntax(7)). Pure."""

from __future__ import annotations

from ecsctl.cli.schedule.job import Job

WRITTEN_BY = "# Written by `ecsctl schedule install`, which replaces it; `ecsctl schedule remove` takes it away."
"""The first line of our files: no other is touched."""


def unit_files(job: Job, name: str, *, system: bool) -> dict[str, str]:
    """File name → content: a service that stays, or one that a timer starts.

    `system`: for the machine's manager rather than a user's, which knows neither the network nor docker.service.
    """
    if job.every is None:
        return {f"{name}.service": _text(_unit(job, system), _staying(job), _install(system))}
    timer = [
        "[Timer]",
        "OnActiveSec=1s",
        f"OnUnitActiveSec={job.every:g}s",
        "AccuracySec=1s",  # its default is a minute
    ]
    return {
        f"{name}.service": _text(_unit(job, system), _passing(job)),
        f"{name}.timer": _text(
            ["[Unit]", f"Description={_escape(_about(job))}"], timer, ["[Install]", "WantedBy=timers.target"]
        ),
    }


def quote(word: str) -> str:
    """A word as unit files write it: no specifier, no escape, one word."""
    text = _escape(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if text != word or not word or set(word) & set(" '#;") else word


def _unit(job: Job, system: bool) -> list[str]:
    lines = ["[Unit]", f"Description={_escape(_about(job))}"]
    if system:
        lines += ["Wants=network-online.target", "After=network-online.target docker.service"]
    # What fails is tried again for ever: the next run goes on where this one could not.
    return [*lines, "StartLimitIntervalSec=0"]


def _passing(job: Job) -> list[str]:
    return ["[Service]", "Type=oneshot", *_command(job), "TimeoutStartSec=10min"]


def _staying(job: Job) -> list[str]:
    ending = ["KillSignal=SIGTERM", "KillMode=mixed", "TimeoutStopSec=90s"]
    return ["[Service]", "Type=notify", *_command(job), "Restart=always", "RestartSec=5s", *ending]


def _install(system: bool) -> list[str]:
    return ["[Install]", f"WantedBy={'multi-user' if system else 'default'}.target"]


def _command(job: Job) -> list[str]:
    environment = [f"Environment={quote(f'{name}={value}')}" for name, value in sorted(job.environment.items())]
    first, *rest = job.words
    if set(first) & set("$\"'\\"):  # systemd takes none of these in the path of what it starts itself
        first, rest = "/usr/bin/env", [first, *rest]
    words = [quote(first), *(quote(word.replace("$", "$$")) for word in rest)]
    return [*environment, f"ExecStart={' '.join(words)}"]


def _about(job: Job) -> str:
    return f"Containers as the ECS state {job.state} wants them (ecsctl reconcile)"


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _text(*sections: list[str]) -> str:
    return "\n\n".join([WRITTEN_BY, *("\n".join(section) for section in sections)]) + "\n"
