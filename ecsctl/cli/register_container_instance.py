"""`register-container-instance`: which Docker host, and what is said of it rather than found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Flag, Parsed
from ecsctl.cli.flags import build
from ecsctl.cli.problems import UsageError
from ecsctl.cli.values import from_words
from ecsctl.model.errors import InputError
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.hosts import HostOptions


class RegisterContainerInstance(Action):
    """The action; the host is named by `--context` or `--host`, else it is the current Docker context's."""

    additions = (
        Flag("--context", "context", metavar="<name>", own=True, help="The Docker context of the host."),
        Flag("--host", "host", metavar="<url>", own=True, help="ssh://user@host, unix:///path or tcp://host:port."),
        Flag("--name", "name", metavar="<string>", own=True, help="What to call it; else the name it gives itself."),
        Flag("--capacity-provider", "provider", metavar="<string>", own=True, help="The capacity provider it is of."),
        Flag("--availability-zone", "zone", metavar="<string>", own=True, help="Its ecs.availability-zone."),
        Flag("--cpu", "cpu", kind=int, metavar="<units>", own=True, help="CPU units for tasks; else 1024 per CPU."),
        Flag("--gpus", "gpus", metavar="<id,...>", own=True, help="The ids of its GPUs, as nvidia-smi -L has them."),
        Flag(
            "--memory",
            "memory",
            kind=int,
            metavar="<MiB>",
            own=True,
            help="Memory for tasks; else all but the reserve.",
        ),
    )

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        request = build(self.request_type, parsed.values, self.own_flags)
        from ecsctl.operations.container_instances import register_container_instance

        with invocation.open() as context:
            answer = register_container_instance(context, request, self._host(parsed))  # type: ignore[arg-type]
        invocation.show(to_wire(answer), self.entry.action)
        return 0

    def _host(self, parsed: Parsed) -> HostOptions:
        from ecsctl.operations.hosts import HostOptions

        given = parsed.values
        cpu, memory = (from_words(f"--{key}", int, given.get(key)) for key in ("cpu", "memory"))
        for key, value in (("cpu", cpu), ("memory", memory)):
            if value is not None and value < 1:
                raise UsageError(f"argument --{key}: expected a number above 0, got {value}")
        return HostOptions(
            address=self._address(given.get("context"), given.get("host")),
            name=given.get("name"),
            availability_zone=given.get("zone"),
            cpu=cpu,
            memory=memory,
            provider=given.get("provider"),
            gpus=tuple(given["gpus"].split(",")) if "gpus" in given else (),
        )

    def _address(self, name: str | None, host: str | None) -> str:
        from ecsctl.engine.address import ContextAddress, parse_address
        from ecsctl.engine.contexts import current_address

        if name is not None and host is not None:
            raise UsageError("only one of --context and --host can be given")
        if name is not None:
            return str(ContextAddress(name))
        if host is None:
            return current_address()
        try:
            return str(parse_address(host))
        except InputError as error:
            raise UsageError(f"argument --host: {error}") from None
