"""The table of docs/iam.md: what is evaluated of each action. `make docs` writes it."""

from __future__ import annotations

from pathlib import Path

from ecsctl.operations.authorization import RULES

PAGE = Path(__file__).parents[2] / "docs" / "iam.md"
_MARK = "<!-- Written by `make docs` from ecsctl/operations/authorization.py: change that. -->\n"


def page() -> str:
    """The page as it should be: what is above the mark stays."""
    above, mark, _ = PAGE.read_text(encoding="utf-8").partition(_MARK)
    rows = [
        f"| {action} | {', '.join(rule.kinds) or '`*`'} | {', '.join(f'`{key}`' for key in sorted(rule.keys))} |"
        for action, rule in sorted(RULES.items())
    ]
    return above + mark + "\n" + "\n".join(["| Action | Resources | Keys |", "| --- | --- | --- |", *rows]) + "\n"
