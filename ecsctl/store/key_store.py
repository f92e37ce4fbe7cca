"""Where the keys are that open the secrets: in a file beside the state; or in the keyring of the operating system, and
then the file says under which name there.

The keyring is that of the package `keyring`, which has the ones of GNOME, KDE and macOS: https://keyring.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from ecsctl.model.errors import StateError
from ecsctl.model.key_store import KeyStore
from ecsctl.store.files import private_file, replace_private_file

SERVICE = "ecsctl"
_ENTRY = b"keyring "


def keys_of(path: Path, advice: str = "restore it from the backup of the state") -> list[bytes]:
    """The keys that a file has, or says where they are, newest first. StateError, with the `advice`, when they are not
    there."""
    content = private_file(path, advice=advice).read_bytes()
    if not content.startswith(_ENTRY):
        return content.split()
    name = _name(content)
    found = _asked(_said(path, name), lambda keyring: keyring.get_password(SERVICE, name))
    if found is None:
        raise StateError(f"the keys of {path} are not in this keyring, {SERVICE}/{name}: {advice}")
    return str(found).encode().split()


def keep_keys(path: Path, keys: Sequence[bytes], store: KeyStore | None) -> None:
    """Keep keys in this store, or else where they are, the first in the file. All of them, or those before stay."""
    content = b"\n".join(keys) + b"\n"
    name = entry_of(path)
    if store == "keyring" or (store is None and name is not None):
        _keep_in_keyring(path, name, content.decode())
        return
    replace_private_file(path, content)
    if name is not None:
        _asked(_said(path, name), lambda keyring: keyring.delete_password(SERVICE, name))


def entry_of(path: Path) -> str | None:
    """The name that the keys of a file have in the keyring; None where they are in the file, or there is none."""
    content = path.read_bytes() if path.exists() else b""
    return _name(content) if content.startswith(_ENTRY) else None


def described(path: Path) -> str:
    """What has to be kept, for the keys not to be lost."""
    name = entry_of(path)
    return f"{path} and {SERVICE}/{name} of the keyring" if name else str(path)


def _keep_in_keyring(path: Path, name: str | None, content: str) -> None:
    new = name or token_hex(8)
    what = f"the keys of {path} cannot be put into the keyring"
    _asked(what, lambda keyring: keyring.set_password(SERVICE, new, content))
    if _asked(what, lambda keyring: keyring.get_password(SERVICE, new)) != content:
        raise StateError(f"{what}: it does not keep what it is given")  # as the one that is for none does
    if name is None:
        replace_private_file(path, _ENTRY + new.encode() + b"\n")


def _name(content: bytes) -> str:
    return content.removeprefix(_ENTRY).strip().decode("ascii", "replace")


def _said(path: Path, name: str) -> str:
    return f"the keys of {path} are in the keyring, {SERVICE}/{name}"


def _asked(what: str, ask: Callable[[Any], Any]) -> Any:
    """What the keyring answers. StateError, one line that begins with `what`, when it does not."""
    try:
        import keyring  # whoever has the keys in the file need not have it
    except ImportError:
        raise StateError(f"{what}: install ecsctl-hosts[keyring], or the package keyring") from None
    try:
        return ask(keyring)
    except Exception as error:  # whatever the library of a backend raises
        why = str(error).partition("\n")[0] or type(error).__name__
        raise StateError(f"{what}: it does not answer: {why}") from None
