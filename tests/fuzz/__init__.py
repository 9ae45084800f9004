"""Strangers' bytes at every entrance of the program: `python -m tests.fuzz --help`."""
