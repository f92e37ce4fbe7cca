"""Environment files, as ECS reads them.

Source: ECS developer guide, "Pass environment variables to an Amazon ECS container".
"""

from __future__ import annotations


def parse_env_file(text: str, where: str) -> dict[str, str]:
    """`NAME=value` per line; lines that are empty or begin with # say nothing. Quotes and spaces are part of a value,
    and the first of several values of a name holds. ValueError with the line that is none; `where` names the file."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip() or "\0" in line:
            raise ValueError(f"{where}, line {number}: expected NAME=value")
        found.setdefault(name.strip(), value)
    return found
