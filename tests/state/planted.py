"""What an attacker may put where a store wants its file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
NOBODY = 65534


def symlink(victim: Path, name: Path) -> None:
    name.symlink_to(victim)


def hard_link(victim: Path, name: Path) -> None:
    os.link(victim, name)


def fifo(victim: Path, name: Path) -> None:
    os.mkfifo(name, 0o600)


def a_folder(victim: Path, name: Path) -> None:
    name.mkdir()


def anothers(victim: Path, name: Path) -> None:
    shutil.copyfile(victim, name)
    os.chown(name, NOBODY, NOBODY)


THINGS = [symlink, hard_link, fifo, a_folder, pytest.param(anothers, marks=AS_ROOT)]
