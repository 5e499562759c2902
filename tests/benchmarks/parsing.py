"""Pages read a second: getData.py beside the plainest BeautifulSoup script that finds the same fields.

    python tests/benchmarks/parsing.py

Reads the perfume pages of data/sample_site into memory, lets both read all of them in turn, ROUNDS times, and prints the
median of each in CPU seconds (other programs on the machine count less so), their ratio, the spread of the rounds, and on
how many pages each finds the table's brand, name and notes. Then one page of 4 MB.
"""

import csv
import re
import statistics
import sys
import time
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
import getData  # noqa: E402 - found on the path set above

ROUNDS = 5
SITE = ROOT / "data" / "sample_site"
LABELS = {"Top": "top_notes", "Middle": "middle_notes", "Last": "last_notes"}
PLAIN_LABELS = {"調香師": "perfumer", "発売年": "year"}


def plainly(html: bytes) -> dict:
    """Fields of one page, as a scraper of this one shop in its usual shape reads them."""
    soup = BeautifulSoup(html, "html.parser")
    brand, _, name = soup.select_one("h1").get_text().partition(" – ")
    perfume = {"brand": brand, "name": name, "top_notes": [], "middle_notes": [], "last_notes": []}
    description = soup.select_one(".woocommerce-product-details__short-description")
    lines = (
        [line.strip() for line in description.get_text("\n").split("\n") if line.strip()]
        if description
        else []
    )
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        if line in LABELS:
            perfume[LABELS[line]] = following.split("\u3000")
        elif line.startswith("【") and "／" in line:
            perfume["gender"], *perfume["families"], perfume["concentration"] = line.strip(
                "【】"
            ).split("／")
        elif line.partition("：")[0] in PLAIN_LABELS:
            perfume[PLAIN_LABELS[line.partition("：")[0]]] = line.partition("：")[2]
        elif re.fullmatch("[春夏秋冬 ]+", line):
            perfume["seasons"] = line.split()
        elif line == "ご利用シーン・季節":
            perfume["scenes"] = following.split("\u3000")
        elif line == "香りのイメージと印象":
            perfume["images"] = following.split("\u3000")
        elif len(line) > 60:
            perfume["concept"] = line
    return perfume


def carefully(html: bytes) -> dict:
    """Fields of one page, by getData.py."""
    return next(iter(getData.extract_perfumes(html, "https://shop.example/p/", "text/html")), {})


def right(perfumes: list[dict]) -> int:
    """On how many pages brand, name and the three tiers are those of the table."""
    with open(SITE / "perfumes.csv", encoding="utf-8", newline="") as file:
        wanted = {
            (row["brand"], row["name"]): [row[field] for field in LABELS.values()]
            for row in csv.DictReader(file)
        }
    return sum(
        wanted.get((perfume.get("brand"), perfume.get("name")))
        == ["、".join(perfume[field]) for field in LABELS.values()]
        for perfume in perfumes
        if perfume
    )


def main() -> None:
    """Times both readers in turn and prints them side by side."""
    pages = [path.read_bytes() for path in sorted(SITE.glob("product/*/index.html"))]
    seconds = {plainly: [], carefully: []}
    for _ in range(ROUNDS):
        for reader, rounds in seconds.items():
            start = time.process_time()
            perfumes = [reader(page) for page in pages]
            rounds.append(time.process_time() - start)
            if len(rounds) == 1:
                print(
                    f"{reader.__name__:>9}: brand, name and tiers right on {right(perfumes)} of {len(pages)} pages"
                )
    for reader, rounds in seconds.items():
        middle = statistics.median(rounds)
        print(
            f"{reader.__name__:>9}: {len(pages) / middle:,.0f} pages/s, {1000 * middle / len(pages):.2f} ms a page "
            f"(rounds {min(rounds):.2f} to {max(rounds):.2f} s)"
        )
    ratio = statistics.median(seconds[carefully]) / statistics.median(seconds[plainly])
    print(f"getData.py takes {ratio:.2f} times the plain script's time a page (aim: at most 2)")
    card = "<div class='card'><a href='/p/1'><img src='x.jpg' alt=''><span>商品の名前です</span></a><p>説明の文章です。</p></div>"
    for kind, filling in {
        "prose": "<p>夜の庭を歩くような香りです。<b>香り</b></p>",
        "goods": card,
        "rows": "<tr><td>x<td>y</tr>",
    }.items():
        large = pages[0].replace(
            b"</main>", (filling * (4_000_000 // len(filling.encode()))).encode() + b"</main>"
        )
        start = time.process_time()
        found = carefully(large)
        print(
            f"one page of {len(large):,} bytes, {large.count(b'<'):,} tags of {kind}: {time.process_time() - start:.2f} s "
            f"(aim: under 2), {found.get('name')}"
        )


if __name__ == "__main__":
    main()
