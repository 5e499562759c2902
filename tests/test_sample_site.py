"""The sample shop: build.py repeats itself byte for byte, and the pages say what perfumes.csv says."""

import csv
import html
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin

import pytest

SITE = Path(__file__).parent.parent / "data" / "sample_site"
KEPT_BY_HAND = {"build.py", "perfumes.csv", ".gitattributes"}
LISTS = {
    "families",
    "top_notes",
    "middle_notes",
    "last_notes",
    "notes",
    "seasons",
    "scenes",
    "images",
    "impressions",
}
TIER_LABELS = {
    "top_notes": r"トップノート|トップ:|Top\n",
    "middle_notes": r"ミドルノート|ミドル:|Middle\n",
    "last_notes": r"ラストノート|ラスト:|Last\n",
}


def files_of(folder: Path) -> dict[str, bytes]:
    """The shop's files by path, without what is written by hand."""
    paths = (
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {
        name: path.read_bytes()
        for path in paths
        if (name := path.relative_to(folder).as_posix()) not in KEPT_BY_HAND
    }


def text_of(name: str) -> str:
    """A page's text, one line an element or a <br>, without its head's script and without related products."""
    source = (SITE / name).read_bytes()
    page = source.decode("cp932" if b"charset=Shift_JIS" in source else "utf-8")
    page = re.sub(
        r'(?s)<section class="related.*?</section>|<script.*?</script>|<title>.*?</title>', "", page
    )
    page = re.sub(r"</?(p|br|tr|li|dt|div|h\d)\b[^>]*>", "\n", page)
    return re.sub(r"\n\s*", "\n", html.unescape(re.sub(r"<[^>]+>", "", page)))


def rows() -> list[dict]:
    """The perfumes of the csv, read plainly."""
    with open(SITE / "perfumes.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FILES = files_of(SITE)
TEXTS = {name: text_of(name) for name in FILES if name.startswith("product/")}


def page_of(row: dict) -> str:
    """The text of the one page whose heading has the perfume's brand and name."""
    heads = {name: text.split("香りのノート")[0] for name, text in TEXTS.items()}
    names = [(row["brand"], row["name"]), (row["brand_ja"], row["name_ja"])]
    titles = [
        rf"(?m){re.escape(brand)}( – |「| ){re.escape(name)}(」| ～|$)" for brand, name in names
    ]
    found = [
        name for name, head in heads.items() if all(re.search(title, head) for title in titles)
    ]
    assert len(found) == 1, f"{row['brand']} – {row['name']} is on {found}"
    return TEXTS[found[0]]


def test_build_again_gives_the_same_bytes(tmp_path):
    copy = tmp_path / "site"
    copy.mkdir()
    for name in ("build.py", "perfumes.csv"):
        shutil.copy(SITE / name, copy / name)
    (copy / "product" / "gone").mkdir(parents=True)
    (copy / "product" / "gone" / "index.html").write_text(
        "a page of an earlier build", encoding="utf-8"
    )
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-X", "utf8", copy / "build.py"], check=True, capture_output=True
        )
        assert files_of(copy) == FILES


def test_there_are_160_perfumes_and_three_megabytes_at_most():
    assert len(rows()) == 160
    assert sum(map(len, FILES.values())) < 3_000_000


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['brand']} {row['name']}")
def test_every_fact_is_on_its_page(row):
    text = page_of(row)
    for field, cell in row.items():
        if field == "seasons" and "全ての季節に合います" in text:
            assert cell == "春、夏、秋、冬"
            continue
        for value in cell.split("、") if field in LISTS else filter(None, [cell]):
            assert value in text, f"{field}: {value}"
    for field, label in TIER_LABELS.items():
        tier = re.search(rf"(?:{label})(?:：|\s)*([^\n]+)", text) if row[field] else None
        assert bool(re.search(rf"({label})", text)) == bool(row[field])
        if tier:
            wanted = re.escape(row[field]).replace("、", "[、　]")
            assert re.match(wanted + "(?![ぁ-んァ-ヶー一-龠])", tier[1]), f"{field}: {tier[1]}"


def test_descriptions_differ_and_are_japanese():
    descriptions = [max(page_of(row).split("\n"), key=len) for row in rows()]
    assert [text for text, times in Counter(descriptions).items() if times > 1] == []
    for text in descriptions:
        assert 60 <= len(text) <= 400, text
        assert not re.search(r"[{}]|None|のの|、、|。。|がが|はは", text), text


def test_markups_beside_the_usual_one():
    pages = [
        page.decode("utf-8", "replace")
        for name, page in FILES.items()
        if name.startswith("product/")
    ]
    kinds = {
        "usual": "香りのノート</strong>",
        "JSON-LD": "application/ld+json",
        "table": "shop_attributes",
        "dl": '<dl class="spec">',
    }
    counts = {kind: sum(mark in page for page in pages) for kind, mark in kinds.items()}
    assert counts["usual"] > 120 and min(counts.values()) >= 4, counts
    flat = [row["name"] for row in rows() if row["notes"]]
    assert len(flat) == 4 and not any("Top\n" in page_of(row) for row in rows() if row["notes"])
    old = [page for page in FILES.values() if b"charset=Shift_JIS" in page]
    assert len(old) == 1
    with pytest.raises(UnicodeDecodeError):
        old[0].decode("shift_jis")


def test_what_is_no_perfume():
    for path in (
        "about",
        "guide",
        "product/fig-candle",
        "product/rose-hand-cream",
        "product/empty-atomizer",
        "product/members-preview",
    ):
        assert f"{path}/index.html" in FILES
    assert len([name for name in FILES if name.startswith("product/")]) == 160 + 4


def test_robots_forbids_by_wildcard_only_the_preview_and_sorted_listings():
    robots = FILES["robots.txt"].decode()
    assert "Crawl-delay: 0.03\n" in robots and "\nSitemap: /sitemap.xml\n" in robots
    rules = [
        re.escape(rule).replace(r"\*", ".*") for rule in re.findall(r"Disallow: (\S+)", robots)
    ]
    assert len(rules) == 2 and all(".*" in rule for rule in rules)
    pages = [f"/{name.removesuffix('index.html')}" for name in FILES]
    assert [page for page in pages if any(re.match(rule, page) for rule in rules)] == [
        "/product/members-preview/"
    ]


def test_sitemaps_name_existing_pages_and_every_perfume():
    def addresses(name: str) -> list[str]:
        return re.findall(r"<loc>/([^<]*)</loc>", FILES[name].decode())

    assert addresses("sitemap.xml") == ["page-sitemap.xml", "product-sitemap.xml"]
    named = addresses("page-sitemap.xml") + addresses("product-sitemap.xml")
    assert len(named) == len(set(named)) and all(
        f"{address}index.html" in FILES for address in named
    )
    assert set(TEXTS) - {f"{address}index.html" for address in named} == {
        "product/members-preview/index.html"
    }


def test_links_stay_in_the_shop_and_lead_somewhere():
    for name, page in FILES.items():
        for link in re.findall(rb'(?:href|src)="([^"]+)"', page):
            target = urljoin(f"/{name}", html.unescape(link.decode())).split("?")[0].lstrip("/")
            assert (
                target + "index.html" if target.endswith("/") or not target else target
            ) in FILES, f"{name}: {link}"


def test_the_listing_leads_to_every_product():
    seen, queue = [], ["product-category/all/index.html"]
    while queue:
        page = FILES[queue.pop()].decode()
        seen += re.findall(r'class="woocommerce-LoopProduct-link" href="/([^"]+)"', page)
        queue += [
            f"{link}index.html"
            for link in re.findall(r'<a class="next page-numbers" href="/([^"]+)"', page)
        ]
    assert len(seen) == len(set(seen)) == 163
    assert {f"{address}index.html" for address in seen} == set(TEXTS) - {
        "product/members-preview/index.html"
    }
