"""Prints what getData.py makes of the shops: python -m tests.shops [part of a name ...]; with names, each mistake too."""

import sys
import time

import getData

from . import SHOPS, Score, score

COLUMNS = "{:32} {:>8} {:>6} {:>11} {:>7} {:>6} {:>6} {:>6} {:>5} {:>7}"


def line(name: str, found: Score, seconds: float) -> str:
    """One shop's line of the table."""
    precision = found.notes_right / max(1, found.notes_found)
    recall = found.notes_right / max(1, found.notes_told)
    return COLUMNS.format(
        name,
        found.perfumes,
        found.right,
        found.wrong_names,
        found.missed,
        found.false,
        found.wrong_fields,
        f"{precision:.2f}",
        f"{recall:.2f}",
        f"{seconds:.1f} s",
    )


def main() -> int:
    """Reads every shop, or those named, and prints the table; 1 when anything is wrong."""
    wanted = sys.argv[1:]
    names = [name for name in SHOPS if not wanted or any(part in name for part in wanted)]
    print(
        COLUMNS.format(
            "shop", "perfumes", "right", "wrong names", "missed", "false", "other", "P", "R", "time"
        )
    )
    total, mistakes = [0] * (len(Score._fields) - 1), []
    began = time.perf_counter()
    for name in names:
        start = time.perf_counter()
        found = score(SHOPS[name], getData.extract_perfumes(SHOPS[name].pages))
        print(line(name, found, time.perf_counter() - start))
        if wanted:
            print(*(f"    {mistake}\n" for mistake in found.mistakes), sep="", end="")
        total = [sum(pair) for pair in zip(total, found[:-1], strict=True)]
        mistakes += found.mistakes
    print(line("all", Score(*total, mistakes), time.perf_counter() - began))
    return int(bool(mistakes))


if __name__ == "__main__":
    sys.exit(main())
