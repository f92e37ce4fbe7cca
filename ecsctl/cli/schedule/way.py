"""A way to have the machine run a job: what it writes, what is written, and putting one in place of the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from ecsctl.cli.schedule.job import Job
from ecsctl.model.errors import EcsctlError
from ecsctl.model.record import Record

Entries = dict[str, str]
"""What is written, by where it is: unit files by their paths, or the line of a crontab. Empty: nothing is."""


class Status(Record):
    """What is known of an installed job. `every` is a number of seconds; without it the job stays."""

    using: str
    where: list[str]
    command: str
    every: float | None = None
    active: str | None = None
    next_run: datetime | None = None
    last_run: datetime | None = None
    last_result: str | None = None


class Way(ABC):
    """systemd or crontab, for the job of one state."""

    name: str

    @abstractmethod
    def wanted(self, job: Job) -> Entries:
        """What would be written for the job. Raises UsageError for a job that cannot be run this way."""

    @abstractmethod
    def current(self) -> Entries:
        """What is written. Raises EcsctlError when that cannot be known."""

    @abstractmethod
    def write(self, entries: Entries) -> None:
        """Make this what is written."""

    @abstractmethod
    def start(self, entries: Entries) -> None:
        """Bring into force what was written."""

    @abstractmethod
    def stop(self, entries: Entries) -> None:
        """Undo start(); what is written stays."""

    @abstractmethod
    def status(self, entries: Entries, now: datetime) -> Status:
        """What is known of an installed job; `now` is in the machine's zone."""

    def change(self, entries: Entries) -> None:
        """Make this what is written and in force, or leave all as it was."""
        before = self.current()
        try:
            self.stop(before)
            self.write(entries)
            self.start(entries)
        except EcsctlError:
            for undo, what in ((self.stop, entries), (self.write, before), (self.start, before)):
                with suppress(EcsctlError):
                    undo(what)
            raise


class Found:
    """The ways in which a job is installed. `unknown`: why it could not be said of the others."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self.entries: dict[Way, Entries] = {}
        self.unknown: list[EcsctlError] = []
        for way in ways:
            self._look(way)

    def _look(self, way: Way) -> None:
        try:
            entries = way.current()
        except EcsctlError as error:
            self.unknown.append(error)
        else:
            if entries:
                self.entries[way] = entries

    def remove(self) -> None:
        """Take the job away, everywhere or nowhere."""
        removed: list[Way] = []
        try:
            for way in self.entries:
                way.change({})
                removed.append(way)
        except EcsctlError:
            self.restore(removed)
            raise

    def restore(self, ways: Sequence[Way] | None = None) -> None:
        """Put back what was there, as far as that is possible."""
        for way in self.entries if ways is None else ways:
            with suppress(EcsctlError):
                way.change(self.entries[way])


def install(way: Way, entries: Entries, others: Sequence[Way]) -> Found:
    """Put the job in place one way, and take it away from the others: all of it or nothing. What was there."""
    there = Found(others)
    there.remove()
    try:
        way.change(entries)
    except EcsctlError:
        there.restore()
        raise
    return there
