"""Finds the packages and adds the gallery to them, which pyproject.toml alone cannot say."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["kanpde", "kanpde.*"]), "kanpde.problems"],
    package_dir={"kanpde.problems": "problems"},
)
