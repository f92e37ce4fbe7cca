"""Sealing: values that are in the state file for those alone who have the keys beside it.

Fernet (AES-128 in CBC mode with HMAC-SHA256), of the `cryptography` package. Its specification:
https://github.com/fernet/spec/blob/master/Spec.md
"""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ecsctl.model.errors import StateError
from ecsctl.store.files import private_file, replace_private_file


class Seal:
    """The keys of a state, newest first: that one seals, each of them opens."""

    def __init__(self, path: Path, advice: str = "restore it from the backup of the state") -> None:
        """`path` is of the keys' file: one per line, for its owner alone. `advice`: what to do when it is not right."""
        self._path = path
        self._advice = advice

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def add_key(self) -> None:
        """From here on a new key seals. It is on the disk when this returns, with the older ones behind it."""
        keys = self._keys() if self.exists else []
        self._write([Fernet.generate_key(), *keys])

    def forget_older_keys(self) -> None:
        self._write(self._keys()[:1])

    def seal(self, value: str) -> str:
        return self._fernet().encrypt(value.encode()).decode()

    def open(self, sealed: str) -> str:
        """StateError when none of the keys opens it."""
        try:
            return self._fernet().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise StateError(f"{self._path} does not open the secrets of this state: {self._advice}") from None

    def _fernet(self) -> MultiFernet:
        try:
            return MultiFernet([Fernet(key) for key in self._keys()])
        except ValueError:
            raise StateError(f"{self._path} has no keys in it: {self._advice}") from None

    def _keys(self) -> list[bytes]:
        return private_file(self._path, advice=self._advice).read_bytes().split()

    def _write(self, keys: list[bytes]) -> None:
        replace_private_file(self._path, b"\n".join(keys) + b"\n")
