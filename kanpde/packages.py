"""What is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed(name: str) -> str:
    """The version of a package, '' without it: the program also runs from a folder on the path."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
