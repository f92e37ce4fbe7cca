"""`register-task-definition [FILE]`: AWS's options, or simply a file in JSON, YAML or TOML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecsctl.cli.action import Action
from ecsctl.cli.argv import Parsed
from ecsctl.cli.flags import build, given_request, members
from ecsctl.cli.problems import UsageError
from ecsctl.model.errors import UnknownWord, invalid_parameter
from ecsctl.model.record import to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest


class RegisterTaskDefinition(Action):
    """The action, with a file in place of `--cli-input-json`; options override what it says."""

    words = 1
    words_help = ("[FILE]", "The definition: JSON, YAML or TOML. Options override what it says.")

    def run(self, invocation: Invocation, parsed: Parsed) -> int:
        request = self._request(parsed)
        with invocation.open() as context:
            answer = to_wire(self.operation()(context, request))
        invocation.show(answer, self.entry.action)
        return 0

    def _request(self, parsed: Parsed) -> Any:
        data = given_request(parsed.values)
        options = members(self.request_type, parsed.values, self.own_flags)
        if parsed.words:
            if data is not None:
                raise UsageError("a file and --cli-input-json or --cli-input-yaml cannot both be given")
            return definition_in(Path(parsed.words[0]), options)
        if data is not None:
            from ecsctl.operations.definition_document import definition_request

            try:
                return definition_request(data | options, "")
            except UnknownWord as error:
                raise invalid_parameter(str(error)) from None
        return build(self.request_type, parsed.values, self.own_flags)


def definition_in(path: Path, options: dict[str, Any] | None = None) -> RegisterTaskDefinitionRequest:
    """The request in a file, overridden by options. Raises InputError, one line that begins with the path."""
    from ecsctl.cli.documents import read_document
    from ecsctl.operations.definition_document import definition_request

    return definition_request(read_document(path) | (options or {}), str(path))


def definition_given(text: str) -> RegisterTaskDefinitionRequest | None:
    """The request in the file that a `--task-definition` names; None when it names none."""
    path = path_in(text)
    return definition_in(path) if path else None


def path_in(text: str) -> Path | None:
    """The file that a `--task-definition` names: it has the ending of one, or a slash and is no ARN."""
    if text.startswith("arn:"):
        return None
    if "/" in text or text.lower().endswith((".json", ".yaml", ".yml", ".toml")):
        return Path(text.removeprefix("file://"))
    return None
