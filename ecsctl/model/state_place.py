"""Where a state is: in a file of this machine, or in a PostgreSQL database that several machines share."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ecsctl.model.errors import ConfigError

SCHEMES = ("postgresql://", "postgres://")


class SharedState(NamedTuple):
    """A state in PostgreSQL.

    `url` is libpq's and may have a password in it; `home` is the path that what belongs to this machine lies beside:
    the keys and the logs. Shown, it has no password.
    """

    url: str
    home: Path

    def __str__(self) -> str:
        from urllib.parse import urlsplit

        parts = urlsplit(self.url)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def __repr__(self) -> str:
        return f"<state {self}>"

    @property
    def has_password(self) -> bool:
        from urllib.parse import parse_qs, urlsplit

        parts = urlsplit(self.url)
        return bool(parts.password) or "password" in parse_qs(parts.query)


StatePlace = Path | SharedState


def home_of(place: StatePlace) -> Path:
    """What lies beside it belongs to the state on this machine: its keys and logs."""
    return place if isinstance(place, Path) else place.home


def shared_state(url: str, folder: Path, source: str) -> SharedState:
    """The state of a URL that was given in `source`; its keys are in `folder`. ConfigError does not repeat the URL, as
    what is wrong with it may be the password."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    if parts.fragment or "@" in parts.path + parts.query or parts.netloc.count("@") > 1:
        raise ConfigError(f"{source}: a password with @, /, ?, # or % in it is percent-encoded, as %40 for @")
    try:
        _ = parts.port
    except ValueError:
        if "," not in parts.netloc:  # several hosts have several ports, which libpq reads
            raise ConfigError(f"{source}: the port is no number") from None
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name or name.startswith("."):
        raise ConfigError(f"{source}: name the database: postgresql://user@host/database")
    return SharedState(url, folder / name)
