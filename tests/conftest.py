"""Puts the repository's root on the import path, and runs the four scripts once for all tests that want the result."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a run in the background starts with Ctrl-C ignored, and so would its children


def run_python(folder, *arguments, stdin=""):
    """A finished `python ...` in a folder, as a user runs it: no GPU, no hub, nothing on standard input but stdin."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        input=stdin,
        encoding="utf-8",
        capture_output=True,
    )


@pytest.fixture(scope="session")
def copy_of_the_tree(tmp_path_factory):
    """A folder with what a fresh clone has."""
    folder = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns(
        ".git",
        ".venv",
        "__pycache__",
        "pages",
        "perfumes.jsonl*",
        "perfume_qa.json*",
        "fine_tuned_open_calm",
        "tests",
    )
    shutil.copytree(ROOT, folder, ignore=ignored, dirs_exist_ok=True)
    (folder / "fine_tuned_open_calm").mkdir()
    return folder


@pytest.fixture(scope="session")
def pipeline(copy_of_the_tree):
    """(folder, {script: finished process}) after the four scripts ran in order on the sample shop."""
    finished = {}
    for script in ("getData.py", "arrangeData.py", "loadModel.py", "generate.py"):
        finished[script] = run_python(copy_of_the_tree, script)
        assert finished[script].returncode == 0, (
            f"{script}\n{finished[script].stdout}\n{finished[script].stderr}"
        )
    return copy_of_the_tree, finished
