"""Puts the repository's root on the import path, so that a test imports a script by its name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
