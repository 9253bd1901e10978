"""The root of our own errors, so that an entry point can tell them from bugs."""

from __future__ import annotations


class GoodnameError(Exception):
    """Something a person can act on: the message says what to do."""


class SettingsError(GoodnameError):
    """The settings name an unknown key, a wrong type or a missing file."""


class DatabaseError(GoodnameError):
    """The database cannot be started, reached or migrated."""


class AddressRefused(GoodnameError):  # noqa: N818 - reads as a fact in logs and rows
    """A URL leads to an address that we never connect to."""
