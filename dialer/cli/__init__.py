"""The command line. One file per group of verbs; `app` puts them together."""

from dialer.cli.app import main

__all__ = ["main"]
