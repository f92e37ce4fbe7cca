"""One run of the command: its options, its configuration, and the surroundings of the operations."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ecsctl.cli.config import Config, load_config

if TYPE_CHECKING:
    from ecsctl.cli.commands import Entry
    from ecsctl.operations.context import Context


class Invocation:
    """`options` are the global ones, gathered from both sides of the command's name."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.options: dict[str, Any] = {}
        self.entry: Entry | None = None

    @property
    def is_own(self) -> bool:
        """Whether the command is one that AWS does not have, with our own exit codes."""
        return self.entry is not None and self.entry.own

    @property
    def wants_traceback(self) -> bool:
        return bool(self.options.get("debug") or self.environment.get("ECSCTL_DEBUG"))

    @cached_property
    def config(self) -> Config:
        return load_config(self.options, self.environment)

    def open(self, image_map: Mapping[str, str] | None = None) -> AbstractContextManager[Context]:
        """The surroundings of the operations; closed at the end of the `with`. `image_map`: see open_context."""
        from ecsctl.cli.session import open_context

        return open_context(self.config, image_map or {})

    def show(self, data: Any, title: str = "") -> None:
        """Print an answer on stdout in the format that was asked for."""
        from ecsctl.cli.output import show

        show(data, self.config.output, self.options.get("query"), title)

    def show_next(self, data: Any, title: str = "") -> None:
        """Print one of several answers that come one by one, at once."""
        from ecsctl.cli.output import STREAMED, show

        show(data, STREAMED.get(self.config.output, self.config.output), self.options.get("query"), title)
        sys.stdout.flush()

    @property
    def for_scripts(self) -> bool:
        """Whether the output of an own verb is asked for as data rather than for people."""
        return "output" in self.options or "query" in self.options
