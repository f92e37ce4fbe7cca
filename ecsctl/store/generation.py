"""The generation of a state's access keys, which only grows: noted in the state and, on each machine, beside it.

Each time a key is revoked the next generation begins, and the keys that are still good are of it. A backup that is put
back has keys of the generation that it was made in: what was noted beside the state says that there was a later one,
and none of them is honoured until it is made Active again. What was revoked does not come back by itself.
"""

from __future__ import annotations

from contextlib import suppress

from ecsctl.model.errors import StateError
from ecsctl.model.record import evolve
from ecsctl.store.files import beside, private_file, replace_private_file
from ecsctl.store.iam_tables import ACCESS_KEYS
from ecsctl.store.store import Store, Transaction, View

ENDING = "key-generation"
_META = "key_generation"


def current(store: Store, view: View) -> int:
    """The generation that keys have to be of, at the least; noted beside the state from here on."""
    stored, known = int(view.meta(_META) or 0), _known(store)
    if stored > known:
        _note(store, stored)
    return max(stored, known)


def _known(store: Store) -> int:
    place = beside(store.path, ENDING)
    if not place.exists():
        return 0
    content = private_file(place).read_bytes()
    try:
        return int(content)
    except ValueError:
        raise StateError(f"{place} has no number in it: write one above those of lost backups, e.g. 1000000") from None


def _note(store: Store, generation: int) -> None:
    with suppress(FileNotFoundError):  # another process notes it at this moment
        replace_private_file(beside(store.path, ENDING), b"%d\n" % generation)


def begin_next(store: Store, tx: Transaction) -> int:
    """Begin another generation, in which what is honoured now goes on; call `current` when this is committed. A crash
    before that loses nothing: the state has it."""
    before = current(store, tx)
    for key in tx.find(ACCESS_KEYS):
        if key.generation >= before:
            tx.put(ACCESS_KEYS, evolve(key, generation=before + 1))
    tx.set_meta(_META, str(before + 1))
    return before + 1
