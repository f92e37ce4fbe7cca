"""A keyring for tests: a backend of the package `keyring` that has its entries in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class Drawer(KeyringBackend):
    """In the file that the variable DRAWER names."""

    priority = 1

    def __init__(self) -> None:
        self._file = Path(os.environ["DRAWER"])

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self.entries(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self.entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("it is not there")
        self._write(entries)

    def entries(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return found

    def _write(self, entries: dict[str, str]) -> None:
        self._file.write_text(json.dumps(entries))
