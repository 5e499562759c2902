"""A shop read by getData.py beside the plainest BeautifulSoup script that finds the same fields, and what large pages cost.

    python tests/benchmarks/parsing.py [pages]

Reads the product pages of data/sample_site into memory, lets both read all of them in turn, ROUNDS times, and prints the
median of each in CPU seconds (other programs on the machine count less so; every pass over the pages counts), their ratio, the spread of the
rounds, and on how many pages each finds the table's brand, name and notes. Then pages of 370 KB and of 4 MB: what one more costs
a shop, and what each costs in a shop of nothing else. At last a process of its own reads so many such pages (5,000) as a
stream, and its peak of memory is printed.
"""

import csv
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
import getData  # noqa: E402 - found on the path set above

ROUNDS = 5
STREAMED = 5_000  # pages of the last measure
LARGE, HUGE = 370_000, 4_000_000  # bytes
SITE = ROOT / "data" / "sample_site"
LABELS = {"Top": "top_notes", "Middle": "middle_notes", "Last": "last_notes"}
PLAIN_LABELS = {"調香師": "perfumer", "発売年": "year"}
FILLINGS = {
    "prose": "<p>夜の庭を歩くような香りです。<b>香り</b></p>",
    "goods": "<div class='card'><a href='/p/1'><img src='x.jpg' alt=''><span>商品の名前です</span></a><p>説明の文章です。</p></div>",
    "rows": "<tr><td>x<td>y</tr>",
    "scripts": '<script>window.state={"items":[1,2,3],"text":"' + "abc " * 100 + '"}</script>',
}
FILLINGS["all"] = "".join(FILLINGS.values())

Page = tuple[str, bytes]


def plainly(pages: list[Page]) -> list[dict]:
    """The perfumes of pages, as a scraper of this one shop in its usual shape reads them."""
    return [plain_fields(html) for _, html in pages]


def plain_fields(html: bytes) -> dict:
    """Fields of one page."""
    soup = BeautifulSoup(html, "html.parser")
    brand, _, name = soup.select_one("h1").get_text().partition(" – ")
    perfume = {"brand": brand, "name": name, "top_notes": [], "middle_notes": [], "last_notes": []}
    description = soup.select_one(".woocommerce-product-details__short-description")
    texts = description.get_text("\n").split("\n") if description else []
    lines = [text.strip() for text in texts if text.strip()]
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        label, _, value = line.partition("：")
        if line in LABELS:
            perfume[LABELS[line]] = following.split("\u3000")
        elif line.startswith("【") and "／" in line:
            perfume["gender"], *perfume["families"], perfume["concentration"] = line.strip(
                "【】"
            ).split("／")
        elif label in PLAIN_LABELS:
            perfume[PLAIN_LABELS[label]] = value
        elif re.fullmatch("[春夏秋冬 ]+", line):
            perfume["seasons"] = line.split()
        elif line == "ご利用シーン・季節":
            perfume["scenes"] = following.split("\u3000")
        elif line == "香りのイメージと印象":
            perfume["images"] = following.split("\u3000")
        elif len(line) > 60:
            perfume["concept"] = line
    return perfume


def carefully(pages: list[Page]) -> list[dict]:
    """The perfumes of pages, by getData.py."""
    return getData.extract_perfumes(pages)


def right(perfumes: list[dict]) -> int:
    """How many perfumes have brand, name and tiers as the table says."""
    with open(SITE / "perfumes.csv", encoding="utf-8", newline="") as file:
        wanted = {
            (row["brand"], row["name"]): [row[field] for field in LABELS.values()]
            for row in csv.DictReader(file)
        }
    return sum(
        wanted.get((perfume["brand"], perfume["name"]))
        == ["、".join(perfume[field]) for field in LABELS.values()]
        for perfume in perfumes
    )


def seconds_of(work: Callable[[], object]) -> float:
    """CPU seconds that some work takes, here and in processes it waits for."""
    start = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - start


def shop() -> list[Page]:
    """The sample shop's product pages."""
    return [
        (f"https://shop.example/product/{path.parent.name}/", path.read_bytes())
        for path in sorted(SITE.glob("product/*/index.html"))
    ]


def large(page: Page, number: int, size: int = LARGE, kind: str = "all") -> Page:
    """A product page of this size, with a name of its own."""
    url, html = page
    filling = FILLINGS[kind]
    more = filling * (max(0, size - len(html)) // len(filling.encode()) + 1)
    renamed = html.replace(b"</h1>", f" {number}</h1>".encode())
    return f"{url}{number}/", renamed.replace(b"</main>", more.encode() + b"</main>")


class Stream:
    """So many large pages, each made when it is asked for, as stored pages are read."""

    def __init__(self, count: int):
        self.count = count

    def __iter__(self) -> Iterator[Page]:
        pages = shop()
        for number in range(self.count):
            yield large(pages[number % len(pages)], number)


def streamed(count: int) -> None:
    """Reads so many large pages and prints the peak of this process's memory."""
    import resource  # not on Windows, and needed here alone

    start = time.perf_counter()
    found = len(getData.extract_perfumes(Stream(count)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.perf_counter() - start
    print(
        f"{count:,} streamed pages of {LARGE:,} bytes: peak {peak:,.0f} MiB (aim: at most 900 for 5,000), "
        f"{1000 * seconds / count:.0f} ms a page in all, {found:,} perfumes"
    )


def compare(pages: list[Page]) -> None:
    """Times both readers in turn and prints them side by side."""
    seconds: dict[str, list[float]] = {}
    for reader in (plainly, carefully):
        print(
            f"{reader.__name__:>9}: brand, name and tiers right on {right(reader(pages))} of {len(pages)} pages"
        )
    for _ in range(ROUNDS):
        for reader in (plainly, carefully):
            seconds.setdefault(reader.__name__, []).append(
                seconds_of(lambda reader=reader: reader(pages))
            )
    for name, rounds in seconds.items():
        middle = statistics.median(rounds)
        print(
            f"{name:>9}: {len(pages) / middle:,.0f} pages/s, {1000 * middle / len(pages):.2f} ms a page "
            f"(rounds {min(rounds):.2f} to {max(rounds):.2f} s)"
        )
    ratios = [slow / fast for fast, slow in zip(*seconds.values(), strict=True)]
    print(
        f"getData.py takes {statistics.median(ratios):.2f} times the plain script's time "
        f"(rounds {min(ratios):.2f} to {max(ratios):.2f}; aim: at most 2)"
    )


def added(pages: list[Page], size: int, kind: str) -> float:
    """Seconds that one large page more costs a shop, the middle of some paired rounds."""
    more = [*pages, large(pages[0], 1, size, kind)]
    return statistics.median(
        seconds_of(lambda: carefully(more)) - seconds_of(lambda: carefully(pages))
        for _ in range(ROUNDS)
    )


def main() -> None:
    """Prints all measures."""
    pages = shop()
    compare(pages)
    few = pages[:20]
    for kind in FILLINGS:
        print(
            f"one page more of {kind:>7}: {LARGE:,} bytes {1000 * added(few, LARGE, kind):.0f} ms (aim: at most 70), "
            f"{HUGE:,} bytes {added(few, HUGE, kind):.2f} s (aim: under 2)"
        )
    heavy = [large(page, number) for number, page in enumerate(pages[:40])]
    each = statistics.median(seconds_of(lambda: carefully(heavy)) for _ in range(3)) / len(heavy)
    plain = statistics.median(seconds_of(lambda: plainly(heavy)) for _ in range(3)) / len(heavy)
    print(
        f"a shop of such pages: {1000 * each:.0f} ms a page (aim: at most 70), the plain script {1000 * plain:.0f} ms"
    )
    count = sys.argv[1] if len(sys.argv) > 1 else str(STREAMED)
    subprocess.run([sys.executable, __file__, count, "streamed"], check=True)


if __name__ == "__main__":
    if sys.argv[2:] == ["streamed"]:
        streamed(int(sys.argv[1]))
    else:
        main()
