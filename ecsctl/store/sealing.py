"""Sealing: values that are in the state file for those alone who have the keys beside it.

Fernet (AES-128 in CBC mode with HMAC-SHA256), of the `cryptography` package. Its specification:
https://github.com/fernet/spec/blob/master/Spec.md
"""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ecsctl.model.errors import StateError
from ecsctl.model.key_store import KeyStore
from ecsctl.store.key_store import keep_keys, keys_of


class Seal:
    """The keys of a state, newest first: that one seals, each of them opens."""

    def __init__(
        self, path: Path, advice: str = "restore it from the backup of the state", store: KeyStore | None = None
    ) -> None:
        """`path` is of the keys' file: one per line, for its owner alone. `advice`: what to do when it is not right.
        `store`: where new keys go, and the older ones with them; None: to where those are."""
        self._path = path
        self._advice = advice
        self._store = store

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def add_key(self) -> None:
        """From here on a new key seals. It is on the disk when this returns, with the older ones behind it."""
        keys = self._keys() if self.exists else []
        keep_keys(self._path, [Fernet.generate_key(), *keys], self._store)

    def forget_older_keys(self) -> None:
        keep_keys(self._path, self._keys()[:1], self._store)

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
        return keys_of(self._path, self._advice)
