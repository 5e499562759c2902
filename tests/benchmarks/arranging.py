"""Prints how long arrangeData.py takes for catalogues of 1,591, 10,000 and 100,000 perfumes, and its peak memory.

    python tests/benchmarks/arranging.py

Each size runs as a user runs it, as a process of its own: start-up included, reading and writing included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from catalogue import make_catalogue  # noqa: E402

SIZES = (1_591, 10_000, 100_000)  # perfumes
WATCHED = """import resource, arrangeData
arrangeData.main()
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)"""


def main() -> None:
    print("perfumes   records   seconds   of CPU   CPU ms/perfume   peak MiB   file MiB")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "data").mkdir()
            with open(Path(folder, "data", "perfumes.jsonl"), "w", encoding="utf-8") as file:
                file.writelines(
                    json.dumps(perfume, ensure_ascii=False) + "\n"
                    for perfume in make_catalogue(size, seed=1)
                )
            start = time.perf_counter()
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                [sys.executable, "-c", WATCHED],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            seconds = time.perf_counter() - start
            output = Path(folder, "data", "perfume_qa.json")
            with open(output, encoding="utf-8") as file:
                records = sum(1 for _ in file) - 2
            cpu, peak = done.stdout.split()[-2:]
            peak = int(peak) / (2**20 if sys.platform == "darwin" else 2**10)
            print(f"{size:>8,}{records:>10,}{seconds:>10.2f}{float(cpu):>9.2f}{float(cpu) / size * 1e3:>16.2f}"
                  f"{peak:>11,.0f}{output.stat().st_size / 2**20:>11,.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
