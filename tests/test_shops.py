"""getData.extract_perfumes held against whole shops: each of tests/shops, and small ones for one rule at a time."""

import base64
import csv
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import getData
from tests.shops import SHOPS, Shop, score

ROOT = Path(getData.__file__).resolve().parent
TEXTS = (
    "url",
    "brand",
    "brand_ja",
    "name",
    "name_ja",
    "gender",
    "concentration",
    "perfumer",
    "concept",
)
LISTS = (
    "top_notes",
    "middle_notes",
    "last_notes",
    "notes",
    "families",
    "seasons",
    "scenes",
    "images",
    "impressions",
)
FIELDS = {*TEXTS, *LISTS, "year"}
NOTES = re.findall(
    r"\w+",
    """Yuzu Pear Plum Fig Mint Lime Basil Sage Rose Iris Violet Peony Neroli Cedar Musk Amber Vetiver Moss Oud
    Leather Myrrh Saffron Ginger Clove Tea Rum Honey Milk Salt Smoke""",
)
# Controls, invisible marks, line separators, lone surrogates, private use, and what is no character at all.
FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)
PLAIN = ("Luna", "Sol", "Brume", "Harvest", "Sable", "Orchard", "Tin Roof", "Ferry", "Lantern")


def page(
    heading: str, place: int, brand: str = "Maru", more: str = "", title: str = "", notes: str = ""
) -> str:
    """A product page of a small English shop; its notes are its own."""
    mine = [NOTES[(place * 7 + step * 5) % len(NOTES)] for step in range(6)]
    told = notes or "".join(
        f"<li><b>{label} notes:</b> {', '.join(pair)}</li>"
        for label, pair in zip(
            ("Top", "Heart", "Base"), (mine[:2], mine[2:4], mine[4:]), strict=True
        )
    )
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title or heading} | Tin Bell</title></head><body>
<header><a href="/">Tin Bell</a><nav><a href="/all">All perfumes</a> <a href="/cart">Cart</a></nav></header>
<main><h1>{heading}</h1><p class="maker">Brand: {brand}</p><p class="price">${20 + place}.00</p><ul>{told}</ul>{more}<button>Add to cart</button></main>
<footer>© Tin Bell, Harbour Street 4</footer></body></html>"""


def pages_of(*headings: str, plain: int = 8) -> list[tuple[str, bytes]]:
    """Pages with these headings at /0, /1 …, among as many plain ones as told."""
    beside = [heading for heading in PLAIN if heading not in headings][:plain]
    return [
        (f"https://tin.example/{place}", page(heading, place).encode())
        for place, heading in enumerate([*headings, *beside])
    ]


def read(pages: list[tuple[str, bytes]]) -> dict[str, dict]:
    """What getData.py reads, by the address's last part; one perfume a page."""
    records = getData.extract_perfumes(pages)
    found = {record["url"].rpartition("/")[2]: record for record in records}
    assert len(found) == len(records), "two perfumes of one page"
    return found


def in_order(records: list[dict]) -> list[str]:
    """Records as text, in an order of their own."""
    return sorted(json.dumps(record, ensure_ascii=False, sort_keys=True) for record in records)


def texts(record: dict) -> list[str]:
    """Every text of a record."""
    return [record[field] for field in TEXTS if record.get(field)] + [
        text for field in LISTS for text in record[field]
    ]


def check_form(records: list[dict]) -> None:
    """Every record has the fields of data/perfumes.jsonl, each of its type, and nothing that may not be there."""
    for record in records:
        assert set(record) == FIELDS
        assert all(record[field] is None or isinstance(record[field], str) for field in TEXTS)
        assert all(isinstance(record[field], list) for field in LISTS)
        assert record["year"] is None or isinstance(record["year"], int)
        assert record["name"]
        assert set(record["seasons"]) <= set("春夏秋冬")
        assert record["gender"] in {None, "メンズ", "レディース", "ユニセックス"}
        assert not any(record[field] for field in LISTS[:3]) or not record["notes"]
        for text in texts(record):
            assert text.strip() == text != "" and not FORBIDDEN.search(text.replace("\n", " ")), (
                record
            )
            assert "<|" not in text and "###" not in text, record


# Whole shops ----------------------------------------------------------------------------------------------------------


KNOWN_MISTAKES = {  # shops that are not wholly read, and how many mistakes there are at most
    "encyclopedia-pyramid": 2,  # a name with 'by' in it before a brand without a mark
}


@pytest.mark.parametrize("name", SHOPS)
def test_every_perfume_of_a_shop_is_read_and_nothing_else(name):
    records = getData.extract_perfumes(SHOPS[name].pages)
    check_form(records)
    found = score(SHOPS[name], records)
    assert len(found.mistakes) <= KNOWN_MISTAKES.get(name, 0), "\n".join(found.mistakes)


@pytest.mark.parametrize(
    "name", ["woo-reference", "student-by-hand", "two-templates", "tangled", "everything"]
)
def test_the_order_of_the_pages_changes_nothing(name):
    pages = list(SHOPS[name].pages)
    wanted = in_order(getData.extract_perfumes(pages))
    for seed in range(3):
        random.Random(seed).shuffle(pages)
        assert in_order(getData.extract_perfumes(pages)) == wanted


class Streamed:
    """Pages that are never all in memory at once; they can be gone through again, as stored pages can."""

    def __init__(self, pages: list[tuple[str, bytes]]):
        self.pages = pages

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        yield from self.pages


def test_pages_come_from_any_iterable_and_twice_gives_the_same():
    pages = SHOPS["label-table"].pages
    wanted = in_order(getData.extract_perfumes(pages))
    assert wanted
    for given in (pages, tuple(pages), Streamed(pages)):
        assert in_order(getData.extract_perfumes(given)) == wanted


def test_pages_in_three_languages_are_read_side_by_side():
    both = Shop()
    for name in ("french", "german", "label-table"):
        both.pages += SHOPS[name].pages
        both.truth |= SHOPS[name].truth
    found = score(both, getData.extract_perfumes(both.pages))
    assert not found.mistakes, "\n".join(found.mistakes)


def test_two_hundred_templates_of_one_page_each_are_read_by_what_they_declare():
    chance, pages = random.Random(3), []
    for place in range(200):
        box, inner = chance.choices(["div", "section", "article", "td", "main", "span"], k=2)
        word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9))
        name = f"{PLAIN[place % 9]} {NOTES[place % 30]} {word.title()}"
        product = {"@type": "Product", "name": name, "brand": {"@type": "Brand", "name": "Maru"}}
        html = f"""<html><head><meta charset="utf-8"><title>{name} - {word}</title><script type="application/ld+json">{json.dumps(product)}</script></head>
<body><{box} class="{word}"><{inner} id="{word[::-1]}"><h1 class="{word[:4]}">{name}</h1><p>Eau de Parfum 50 ml</p></{inner}></{box}></body></html>"""
        pages.append((f"https://many.example/{place}", html.encode()))
    found = read(pages)
    names = [re.search("<h1[^>]*>(.*)</h1>", html.decode())[1] for _, html in pages]
    assert [found.get(str(place), {}).get("name") for place in range(200)] == names
    assert {record["brand"] for record in found.values()} == {"Maru"}


# What is a perfume's name ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading, name",
    [
        ("New Snow", "New Snow"),
        ("first new frost", "first new frost"),
        ("24 Carats of Rain", "24 Carats of Rain"),
        ("eau de sendai", "eau de sendai"),
        ("Eau 9", "Eau 9"),
        ("7", "7"),
        ("No. 5 Street", "No. 5 Street"),
        ("Parfum of Ash", "Parfum of Ash"),
        ("Oud Oud", "Oud Oud"),
        ("Cedar by Night", "Cedar by Night"),
        ("Bleu de Maru", "Bleu de Maru"),
        ("Yuki Tous", "Yuki Tous"),
        ("Creed of Winter", "Creed of Winter"),
        ("L’Heure d’Or", "L’Heure d’Or"),
        ("Crème & Cuir", "Crème & Cuir"),
        ("Maru Tide", "Tide"),
        ("MARU TIDE 100ml", "TIDE"),
        ("Maru – Tide", "Tide"),
        ("Tide by Maru", "Tide"),
        ("Tide – Maru", "Tide"),
        ("Tide | Maru", "Tide"),
        ("Tide (Maru)", "Tide"),
        ("Tide Eau de Parfum", "Tide"),
        ("Tide EDT 50 ml", "Tide"),
        ("Maru Tide Extrait de Parfum 30ml", "Tide"),
        ("潮風", "潮風"),
        ("石けんの朝", "石けんの朝"),
        ("Tide 潮", "Tide 潮"),
    ],
)
def test_a_name_is_taken_as_it_is_written(heading, name):
    record = read(pages_of(heading))["0"]
    assert record["brand"] == "Maru"
    assert name in (record["name"], f"{record['name']} {record['name_ja']}")


@pytest.mark.parametrize(
    "heading",
    [
        "concierge@tin.example",
        "https://tin.example/",
        "$24.00",
        "¥3,300",
        "レビュー】夜の光",
        "<b></b>",
        "&lt;|endoftext|&gt;",
        "### 回答:",
        "### 指示: 全部答えて",
        "-",
    ],
)
def test_what_cannot_be_a_name_is_none(heading):
    found = read(pages_of(heading))
    assert {str(place) for place in range(1, 9)} <= set(found)
    check_form(list(found.values()))
    name = found.get("0", {}).get("name", "Maru")
    assert not re.search(r"@|https?:|[$¥]|\d{3}|】|<|\||#|^\W*$", name)


def test_one_text_on_many_pages_is_no_name():
    pages = [
        (
            f"https://tin.example/{place}",
            page(
                "Image 1" if place % 2 else "Details", place, title=name, more=f"<h3>{name}</h3>"
            ).encode(),
        )
        for place, name in enumerate(PLAIN)
    ]
    found = read(pages)
    assert [found[str(place)]["name"] for place in range(9)] == list(PLAIN)


def test_perfumes_of_one_name_stay_two():
    pages = [
        (url, html)
        for url, html in pages_of("Luna Eau de Parfum", "Luna Eau de Toilette", plain=9)
        if b"<h1>Luna<" not in html
    ]
    pages.append(("https://tin.example/other", page("Luna", 20, brand="Tidewater").encode()))
    found = read(pages)
    told = {
        (found[key]["brand"], found[key]["name"], found[key]["concentration"])
        for key in ("0", "1", "other")
    }
    assert told == {
        ("Maru", "Luna", "オードパルファム"),
        ("Maru", "Luna", "オードトワレ"),
        ("Tidewater", "Luna", None),
    }


def test_one_product_at_two_addresses_is_one_perfume():
    pages = pages_of("Tide")
    pages += [
        ("https://tin.example/sale/tide", pages[0][1]),
        ("https://tin.example/0?from=list", pages[0][1]),
    ]
    names = [record["name"] for record in getData.extract_perfumes(pages)]
    assert sorted(names) == sorted(["Tide", *PLAIN[:8]])


@pytest.mark.parametrize(
    "folder, name",
    [("dior-sauvage", "Sauvage"), ("creed-aventus", "Aventus"), ("chanel-n-5", "N°5")],
)
def test_a_page_alone_is_read_by_what_it_declares(folder, name):
    path = Path(getData.__file__).parent / "data/sample_site/product" / folder / "index.html"
    (record,) = getData.extract_perfumes([(f"https://alone.example/{folder}", path.read_bytes())])
    assert record["name"] == name and record["top_notes"]


# Facts ---------------------------------------------------------------------------------------------------------------


def read_told(*lines: str, tag: str = "<p>{}</p>") -> dict:
    """What is read of the first of nine pages when it tells these lines instead of the usual tiers."""
    pages = pages_of("Tide")
    pages[0] = (pages[0][0], page("Tide", 0, notes="".join(map(tag.format, lines))).encode())
    return read(pages)["0"]


@pytest.mark.parametrize(
    "top, middle, last",
    [
        ("トップノート：", "ミドルノート：", "ラストノート："),
        ("トップ: ", "ミドル: ", "ベース: "),
        ("Top／", "Middle／", "Last／"),
        ("TOP NOTES: ", "MIDDLE NOTES: ", "BASE NOTES: "),
        ("Head notes - ", "Heart notes - ", "Base notes - "),
        ("【ヘッド】", "【ハート】", "【ベース】"),
        ("■トップ ", "■ミドル ", "■ラスト "),
        ("◆トップノート<br>", "◆ハートノート<br>", "◆ラスト（ボトム）ノート<br>"),
        ("<b>Top</b> ", "<b>Heart</b> ", "<b>Base</b> "),
        ("TOP｜", "MIDDLE｜", "LAST｜"),
        ("T：", "M：", "L："),
        ("トップ＝", "ミドル＝", "ラスト＝"),
        ("＜トップ＞", "＜ミドル＞", "＜ラスト＞"),
        ("（トップノート）", "（ミドルノート）", "（ラストノート）"),
        ("「Top」 ", "「Heart」 ", "「Base」 "),
        ("①トップノート　", "②ミドルノート　", "③ラストノート　"),
        ("Top note ", "Heart note ", "Base note "),
        ("トップノート（Top）：", "ミドルノート（Middle）：", "ラストノート（Last）："),
    ],
)
def test_a_tier_has_many_labels(top, middle, last):
    record = read_told(f"{top}ユズ、ライム", f"{middle}椿、白梅", f"{last}苔、檜")
    assert record["top_notes"] == ["ユズ", "ライム"]
    assert record["middle_notes"] == ["椿", "白梅"]
    assert record["last_notes"] == ["苔", "檜"]


@pytest.mark.parametrize(
    "told",
    [
        "Top [Yuzu, Lime] Heart [Iris, Fig] Base [Musk, Oud]",
        "Pyramid: Top (Yuzu, Lime), Heart (Iris, Fig), Base (Musk, Oud)",
        "■Top notes　Yuzu, Lime　■Heart notes　Iris, Fig　■Base notes　Musk, Oud",
        "The top notes are Yuzu and Lime; the heart notes are Iris and Fig; the base notes are Musk and Oud.",
        "<b>Top notes</b> are Yuzu and Lime; <b>heart notes</b> are Iris and Fig; <b>base notes</b> are Musk and Oud.",
        "<span class='whitespace-pre-line'>TOP: Yuzu / Lime\nHEART: Iris / Fig\nBASE: Musk / Oud\n\nFor the first train.</span>",
        "<p>Top notes - Yuzu, Lime<br>Heart notes - Iris, Fig<br>Base notes - Musk, Oud</p>",
        "<pre>Top - Yuzu, Lime\nHeart - Iris, Fig\nBase - Musk, Oud</pre>",
    ],
)
def test_tiers_on_one_line_or_with_breaks_that_a_reader_sees(told):
    record = read_told(told)
    assert record["top_notes"] == ["Yuzu", "Lime"]
    assert record["middle_notes"] == ["Iris", "Fig"]
    assert record["last_notes"] == ["Musk", "Oud"]


@pytest.mark.parametrize(
    "told, notes",
    [
        ("ユズ、ライム", ["ユズ", "ライム"]),
        ("ユズ，ライム", ["ユズ", "ライム"]),
        ("ユズ　ライム　苔", ["ユズ", "ライム", "苔"]),
        ("ユズ・ライム", ["ユズ", "ライム"]),
        ("ユズ / ライム", ["ユズ", "ライム"]),
        ("Yuzu & Lime", ["Yuzu", "Lime"]),
        ("Yuzu, Lime and Moss", ["Yuzu", "Lime", "Moss"]),
        ("Pink Pepper, Damask Rose", ["Pink Pepper", "Damask Rose"]),
        ("ユズ、ライムなど", ["ユズ", "ライム"]),
        ("ユズ、ライム。", ["ユズ", "ライム"]),
        ("ユズ、ライム。朝の庭を歩くような始まりです。", ["ユズ", "ライム"]),
        ("ユズ、ライム — 朝の庭を歩くような始まり。", ["ユズ", "ライム"]),
        (
            "グアバの花(グリーン、フルーティーノート)、苔",
            ["グアバの花(グリーン、フルーティーノート)", "苔"],
        ),
        ("パウダリーノート、ウッディノート", ["パウダリーノート", "ウッディノート"]),
        ("Green Notes, Coconut", ["Green Notes", "Coconut"]),
        ("<a href='/n/1'>ユズ</a> <a href='/n/2'>ライム</a>", ["ユズ", "ライム"]),
        ("不明", []),
        ("－", []),
    ],
)
def test_notes_are_taken_apart(told, notes):
    record = read_told(f"トップ：{told}", "ミドル：椿、白梅", "ラスト：檜、ムスク")
    assert record["top_notes"] == notes
    assert record["middle_notes"] == ["椿", "白梅"] and record["last_notes"] == ["檜", "ムスク"]


def test_a_joint_tier_stands_in_both():
    record = read_told("トップ：ユズ、ライム", "ミドル＆ラスト：檜、ムスク")
    assert record["top_notes"] == ["ユズ", "ライム"]
    assert record["middle_notes"] == record["last_notes"] == ["檜", "ムスク"]


@pytest.mark.parametrize(
    "told, field, value",
    [
        ("性別：メンズ", "gender", "メンズ"),
        ("対象性別：女性", "gender", "レディース"),
        ("対象：男性・女性", "gender", "ユニセックス"),
        ("Gender: for women and men", "gender", "ユニセックス"),
        ("Gender: Women", "gender", "レディース"),
        ("季節：春夏", "seasons", ["春", "夏"]),
        ("季節：全ての季節に合います", "seasons", ["春", "夏", "秋", "冬"]),
        ("シーン：オフィス、デート", "scenes", ["オフィス", "デート"]),
        ("香調：フローラル・ウッディ", "families", ["フローラル", "ウッディ"]),
        ("濃度：オードトワレ", "concentration", "オードトワレ"),
        ("Concentration: Eau de Parfum", "concentration", "オードパルファム"),
        ("調香師：浜野 澪", "perfumer", "浜野 澪"),
        ("発売年：2013年", "year", 2013),
    ],
)
def test_a_label_tells_a_fact(told, field, value):
    assert read_told("トップ：ユズ、ライム", "ラスト：檜、ムスク", told)[field] == value


def test_what_prose_says_is_no_note():
    record = read_told(
        "1. A bright opening, adding a layer of intrigue.",
        "2. The heart is warm, with a touch of mystery.",
        "トップ：ピオニーの可憐さが広がり、心をほどきます。",
        "A perfume for the evening.",
    )
    assert not any(record[field] for field in LISTS[:4])


def test_perfumes_of_one_page_are_never_blended():
    two = """<h2>Dawn</h2><p>Brand: Maru</p><p>Top notes: Yuzu, Pear</p><p>Base notes: Musk, Moss</p>
<h2>Dusk</h2><p>Brand: Maru</p><p>Top notes: Plum, Fig</p><p>Base notes: Oud, Rum</p>"""
    pages = [
        *pages_of("Tide"),
        ("https://tin.example/two", f"<html><body>{two}</body></html>".encode()),
    ]
    records = [
        record for record in getData.extract_perfumes(pages) if record["url"].endswith("/two")
    ]
    wanted = [
        ("Dawn", ["Yuzu", "Pear"], ["Musk", "Moss"]),
        ("Dusk", ["Plum", "Fig"], ["Oud", "Rum"]),
    ]
    for record in records:
        assert (record["name"], record["top_notes"], record["last_notes"]) in wanted


@pytest.mark.parametrize(
    "block",
    [
        '<script type="application/ld+json">{"@type": "Product", "name": "Broken", }</script>',
        '<!-- <script type="application/ld+json">{"@type": "Product", "name": "Old", "brand": "Gone"}</script> -->',
        '<script type="application/ld+json">{"@type": "Organization", "name": "Tin Bell Ltd"}</script>',
        '<script type="application/ld+json">[null, 5, "Product", {"@type": 7, "name": ["x"]}]</script>',
        '<script type="application/ld+json">{"@type": "Product", "name": {"a": 1}, "brand": [[]]}</script>',
    ],
)
def test_json_ld_that_says_nothing_of_the_perfume_changes_nothing(block):
    pages = pages_of("Tide")
    marked = [(url, html.replace(b"</head>", block.encode() + b"</head>")) for url, html in pages]
    wanted = [(record["brand"], record["name"]) for record in getData.extract_perfumes(pages)]
    assert [
        (record["brand"], record["name"]) for record in getData.extract_perfumes(marked)
    ] == wanted


# What may not enter a record ------------------------------------------------------------------------------------------


def test_forbidden_characters_are_left_out_and_the_rest_is_read():
    notes = "<li>Top notes: \ue001Yu\u200bzu, Pe\x00ar\x9b</li><li>Heart notes: Ro\u2028se, \uf8ffIris</li><li>Base notes: Mu\u202esk&#x1b;</li>"
    pages = pages_of("Sol")
    pages[0] = (
        pages[0][0],
        page("\uf005 Ti\u200bde\ufeff \ue0a2", 0, brand="\ue111Maru\x07", notes=notes).encode(),
    )
    found = read(pages)
    check_form(list(found.values()))
    record = found["0"]
    assert (record["brand"], record["name"]) == ("Maru", "Tide")
    assert record["top_notes"] == ["Yuzu", "Pear"] and record["last_notes"] == ["Musk"]
    assert [note.replace(" ", "") for note in record["middle_notes"]] == ["Rose", "Iris"]


@pytest.mark.parametrize("telling", [2, 3])  # of 5: too few to tell the others apart; of 6: half
def test_where_half_tell_that_they_are_perfumes_or_very_few_all_are_but_other_goods(telling):
    told = ["<p>A perfume for late evenings.</p>"] * telling + ["<p>Made by hand.</p>"] * 3
    bodies = [
        f"<h1>{name}</h1><p>${n}5</p>{text}<button>Add to cart</button>"
        for n, (name, text) in enumerate(zip(PLAIN, told, strict=False), 1)
    ]
    candle = "<h1>Sea Candle</h1><p>$9</p><p>Perfume for a room.</p><button>Add to cart</button>"
    found = [record["name"] for record in read(template([*bodies, candle])).values()]
    assert found == list(PLAIN[: 3 + telling])


def test_in_a_shop_called_by_perfume_products_are_perfumes_but_other_goods():
    bodies = [
        f"<h1>{name}</h1><p>${n}5</p><button>Add to cart</button>"
        for n, name in enumerate([*PLAIN[:5], "Hand Cream", "Håndsæbe", "룸 스프레이"], 1)
    ]
    assert not read(template(bodies, title="Tin Bell"))
    found = read(template(bodies, title="Tin Bell Perfumes")).values()
    assert [record["name"] for record in found] == list(PLAIN[:5])


def test_where_no_product_tells_what_it_is_all_but_other_goods_are_perfumes():
    bodies = [
        f"<h1>{name}</h1><p>${n}5</p><button>Add to cart</button>"
        for n, name in enumerate([*PLAIN[:5], "Sea Candle"], 1)
    ]
    about = ("https://tin.example/about", b"<html><body><p>{}</p></body></html>")
    silent = [*template(bodies), (about[0], about[1].replace(b"{}", b"We work in a harbour."))]
    assert not getData.read_shop(silent).perfumes
    spoken = [*template(bodies), (about[0], about[1].replace(b"{}", b"We make perfume by hand."))]
    found = getData.read_shop(spoken)
    assert [perfume["name"] for perfume in found.perfumes] == list(PLAIN[:5])
    assert not found.are_told


def test_a_slogan_in_a_heading_is_no_part_of_the_name_that_titles_say_alone():
    head = (
        "<html><head><title>{} 50ml | Tin Bell</title></head><body><h1><span class='copy'>{}</span>"
    )
    rest = (
        "<span class='item'>{} 50ml</span></h1><p>香水 ¥{}500</p><button>購入する</button></body>"
    )
    slogans = ("夜の散歩に", "はじめての一本", "人気 No.1", "港の朝", "静かな部屋で")
    pages = [
        (f"https://tin.example/{n}", (head + rest).format(name, slogan, name, n).encode())
        for n, (name, slogan) in enumerate(zip(PLAIN, slogans, strict=False), 1)
    ]
    assert [record["name"] for record in read(pages).values()] == list(PLAIN[:5])


@pytest.mark.parametrize("place", ["brands", "makers", "marques", "collections/vendors?q="])
def test_a_link_to_a_maker_s_page_names_the_brand(place):
    makers = ["Quill & Tide", "Maison Orme", "Hollowfield", "Atelier Sava", "Nightjar"]
    bodies = [
        f"<a href='/{place}/{n}'>{maker}</a><h1>{name}</h1><p>Perfume ${n}5</p><button>Buy</button>"
        for n, (name, maker) in enumerate(zip(PLAIN, makers, strict=False), 1)
    ]
    assert [record["brand"] for record in read(template(bodies)).values()] == makers


@pytest.mark.parametrize("title", ["The Tin Bell: {}", "The Tin Bell - {}", "{} | The Tin Bell"])
def test_what_most_titles_say_at_their_ends_is_the_shop_s(title):
    told = (
        "<html><head><title>{}</title></head><body><p>Perfume by {}, ${}5</p><p>Buy now</p></body>"
    )
    pages = [
        (f"https://tin.example/{n}", told.format(title.format(name), "Maru", n).encode())
        for n, name in enumerate(PLAIN[:6], 1)
    ]
    assert [record["name"] for record in read(pages).values()] == list(PLAIN[:6])


@pytest.mark.parametrize("kit", ["Vite + React + TS", "React App", "Document", "無題ドキュメント"])
def test_the_title_of_a_kit_names_no_house(kit):
    bodies = [
        f"<h1>{name}</h1><p>Perfume ${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:5], 1)
    ]
    found = read(template(bodies, title=kit)).values()
    assert {record["brand"] for record in found} == {None}


def test_a_brand_s_other_spelling_in_brackets_is_no_part_of_the_name():
    makers = {
        "Maison Lucien": "メゾン リュシアン",
        "Quill": "クイル工房",
        "Ortolani": "オルトラーニ",
    }
    bodies = [
        f"<p class='brand'>{maker}</p><h1>{maker}（{other}）{name}</h1><p>香水 ¥{n}500</p><button>購入する</button>"
        for n, (name, (maker, other)) in enumerate(zip(PLAIN, [*makers.items()] * 2, strict=False))
    ]
    found = [record["name"] for record in read(template(bodies)).values()]
    assert found == list(PLAIN[:6])


@pytest.mark.parametrize("link", ["<a href='/'>", "<nav><a class='x1' href='../index.html'>"])
def test_where_nothing_else_names_the_shop_the_link_to_its_first_page_does(link):
    head = f"<header>{link}Tin Bell</a><a href='/all'>All</a><a href='/'>Home</a></nav></header>"
    bodies = [
        f"<h2>{name}</h2><p>Perfume ${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:5], 1)
    ]
    found = read(template(bodies, title="React App", head=head)).values()
    assert {record["brand"] for record in found} == {"Tin Bell"}


@pytest.mark.parametrize("left_over", ["tin-bell-scents", "Shop template 3"])
def test_a_title_left_over_does_not_name_a_shop_that_speaks_of_itself(left_over):
    head = "<a href='/'>TIN BELL</a><a href='/about'>About Tin Bell</a>"
    bodies = [
        f"<h1>{name}</h1><p>Perfume ${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:5], 1)
    ]
    found = read(template(bodies, title=left_over, head=f"<header>{head}</header>")).values()
    assert {record["brand"] for record in found} == {"TIN BELL"}


def test_what_is_below_a_label_on_every_page_is_no_note():
    notes = ("Yuzu", "Lime", "Iris", "Fig", "Musk", "Oud", "Pear", "Moss")
    tier = "<div class='card'><p class='gold'>{} Notes</p><p class='small'>The {} impression</p><span>{}</span><span>{}</span></div>"
    bodies = []
    for n, name in enumerate(PLAIN[:6]):
        mine = (notes[n:] + notes)[:6]
        told = (
            ("Top", "first", *mine[:2]),
            ("Heart", "second", *mine[2:4]),
            ("Base", "last", *mine[4:]),
        )
        tiers = "".join(tier.format(*each) for each in told)
        bodies.append(f"<h1>{name}</h1><p>Perfume ${n + 1}5</p>{tiers}")
    found = [*read(template(bodies)).values()]
    assert [record["top_notes"] for record in found] == [[*notes[n : n + 2]] for n in range(6)]


def test_a_sentence_that_two_products_share_is_no_brand():
    lines = ("A towering thing.", "Evening wear in a bottle.", "Small size, huge trail.")
    bodies = [
        f"<h1>{name}</h1><p class='short'>{line}</p><p>Perfume ${n}5</p><button>Buy</button>"
        for n, (name, line) in enumerate(zip(PLAIN, lines * 2, strict=False), 1)
    ]
    assert {record["brand"] for record in read(template(bodies)).values()} == {None}


def test_a_name_in_a_heading_of_another_level_is_read():
    bodies = [
        f"<div class='info'><{tag}>{name}</{tag}><p>Perfume ${n}5</p><p class='lot'>Lot {n}</p><p class='left'>{n} left</p></div>"
        for n, (name, tag) in enumerate(zip(PLAIN, ["h1"] * 5 + ["h2"] * 2, strict=False), 1)
    ]
    assert [record["name"] for record in read(template(bodies)).values()] == list(PLAIN[:7])


def test_products_of_two_pages_a_template_show_a_price_and_a_button():
    layouts = (
        "<h1>{0}</h1><p class='a'>Perfume ${1}5</p><button>Add to cart</button>",
        "<div class='b'><h2 class='t'>{0}</h2><i class='c'>Perfume</i><u class='d'>${1}5</u><a class='e'>Buy now</a></div>",
        "<section class='f'><h3 class='g'>{0}</h3><em class='h'>${1}5</em><small class='k'>Perfume</small><a class='l'>Add to bag</a></section>",
    )
    bodies = [layouts[n % 3].format(name, n) for n, name in enumerate(PLAIN[:6], 1)]
    assert {record["name"] for record in read(template(bodies)).values()} == {*PLAIN[:6]}


def test_a_family_tells_that_a_product_is_a_perfume():
    told = ["Perfume"] * 3 + ["Family: Floral", "Family: Woody", "Family: Citrus"] + ["Soft"] * 2
    bodies = [
        f"<h1>{name}</h1><p class='about'>{words}</p><p>${n}5</p><button>Add to cart</button>"
        for n, (name, words) in enumerate(zip(PLAIN, told, strict=False), 1)
    ]
    assert [record["name"] for record in read(template(bodies)).values()] == list(PLAIN[:8])


def test_a_brand_s_other_spelling_before_names_is_none_of_theirs():
    makers = {"SHION": "シオン", "ORUNO": "オルノ", "KASUMI": "カスミ"}
    bodies = [
        f"<p class='brand'>{maker}</p><h1>{other}｜{name}</h1><p>香水 ¥{n}500</p><button>購入する</button>"
        for n, (name, (maker, other)) in enumerate(
            zip(
                ["白露", "薄化粧", "六月", "夜船", "朝凪", "石庭"],
                [*makers.items()] * 2,
                strict=True,
            )
        )
    ]
    found = [*read(template(bodies)).values()]
    assert [record["name"] for record in found] == [
        "白露",
        "薄化粧",
        "六月",
        "夜船",
        "朝凪",
        "石庭",
    ]
    assert {record["brand"]: record["brand_ja"] for record in found} == makers


def test_a_reading_in_brackets_is_no_part_of_a_name():
    names = ["霧氷（むひょう）", "木漏れ日（こもれび）", "焚火（たきび）", "夜凪（よなぎ）"]
    bodies = [
        f"<h1>{name} オードパルファム 30ml</h1><p>¥{n}500</p><button>購入する</button>"
        for n, name in enumerate(names, 1)
    ]
    found = [record["name"] for record in read(template(bodies)).values()]
    assert found == ["霧氷", "木漏れ日", "焚火", "夜凪"]


def test_what_comes_with_a_perfume_makes_it_no_other_goods():
    names = [
        "ルナ 50ml【ポーチ付】",
        "ソル 50ml【ラッピング対応】",
        "石けんの朝 50ml",
        "ブルーム 50ml",
    ]
    bodies = [
        f"<h1>{name}</h1><p>香水 ¥{n}500</p><button>購入する</button>"
        for n, name in enumerate([*names, "革のポーチ"], 1)
    ]
    found = [record["name"] for record in read(template(bodies)).values()]
    assert found == ["ルナ", "ソル", "石けんの朝", "ブルーム"]


def test_a_maker_behind_a_notice_between_stars_is_found():
    names = ["ディオール ソヴァージュ", "シャネル エゴイスト", "ゲラン ミツコ", "ブルガリ マン"]
    bodies = [
        f"<h1>★特価★{name} オードトワレ 50ml</h1><p>¥{n}500</p><button>購入する</button>"
        for n, name in enumerate(names, 1)
    ]
    found = [(record["brand_ja"], record["name"]) for record in read(template(bodies)).values()]
    assert found == [tuple(name.split()) for name in names]


def test_special_tokens_are_no_notes():
    notes = "<li>Top notes: Yuzu, &lt;|endoftext|&gt;, Pear</li><li>Base notes: Musk, ### 回答:, Cedar</li>"
    pages = pages_of("Sol")
    pages[0] = (pages[0][0], page("Tide", 0, notes=notes).encode())
    record = read(pages)["0"]
    check_form([record])
    assert record["top_notes"] == ["Yuzu", "Pear"]
    assert record["last_notes"][0] == "Musk"


def test_entities_are_unescaped_until_nothing_is_left():
    pages = pages_of("Caf&amp;amp;eacute; &amp;amp; Cr&amp;egrave;me")
    record = read(pages)["0"]
    assert record["name"] == "Café & Crème"


# What pages of one template say together ------------------------------------------------------------------------------


def template(bodies: list[str], title: str = "Document", head: str = "") -> list[tuple[str, bytes]]:
    """Pages of one template, whose titles say nothing."""
    html = "<html><head><meta charset='utf-8'><title>{}</title></head><body>{}<main>{}</main></body></html>"
    return [
        (f"https://tin.example/{place}", html.format(title, head, body).encode())
        for place, body in enumerate(bodies)
    ]


def test_a_shop_of_one_house_is_called_as_its_first_heading_says():
    bodies = [
        f"<h3>{name}</h3><p>Eau de Parfum</p><p>${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:6], 1)
    ]
    found = read(template(bodies, head="<header><h1>Tin Bell</h1></header>"))
    assert {record["brand"] for record in found.values()} == {"Tin Bell"}
    assert [record["name"] for record in found.values()] == list(PLAIN[:6])


@pytest.mark.parametrize("around", ["香水「{}」30ml", "『{}』", "オードパルファム「{}」"])
def test_a_name_in_quotes_is_what_is_quoted(around):
    names = ["古書店", "夜更け", "灯台", "あとがき", "月刊"]
    bodies = [
        f"<h1>{around.format(name)}</h1><p>¥{n}800</p><button>購入する</button><p>香水 {n}</p>"
        for n, name in enumerate(names, 1)
    ]
    assert [record["name"] for record in read(template(bodies)).values()] == names


def test_a_brand_behind_names_is_no_part_of_them_where_names_say_their_brand():
    told = {
        "Paco Rabanne Invictus": ("Paco Rabanne", "Invictus"),
        "Le Male Jean Paul Gaultier": ("Jean Paul Gaultier", "Le Male"),
        "Chanel Bleu de Chanel": ("Chanel", "Bleu de Chanel"),
        "Eros Versace": ("Versace", "Eros"),
        "Dior Sauvage": ("Dior", "Sauvage"),
    }
    bodies = [
        f"<p class='brand'>{brand}</p><h1>{heading} Eau de Toilette 100ml</h1><p>${n}9</p>"
        for n, (heading, (brand, _)) in enumerate(told.items(), 1)
    ]
    found = read(template(bodies)).values()
    assert [(record["brand"], record["name"]) for record in found] == [*told.values()]


@pytest.mark.parametrize(
    ("heads", "values"),
    [
        ("<tr><th>{}</th><th>{}</th><th>{}</th></tr>", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>"),
        ("<ul><li class='active'>{}</li><li>{}</li><li>{}</li></ul>", "<p class='tab'>{}</p><p class='tab'>{}</p><p class='tab'>{}</p>"),
        ("<div><b class='h'>{}</b><b class='h'>{}</b><b class='h'>{}</b></div>", "<div>{}</div><div>{}</div><div>{}</div>"),
    ],
)  # fmt: skip
def test_three_labels_in_a_row_head_columns_or_tabs(heads, values):
    bodies = []
    for place, name in enumerate(PLAIN[:5]):
        notes = [
            f"{NOTES[place * 3]}, {NOTES[place * 3 + 1]}",
            NOTES[place * 3 + 2],
            NOTES[-place - 1],
        ]
        table = heads.format("Top Notes", "Heart Notes", "Base Notes") + values.format(*notes)
        bodies.append(f"<h1>{name}</h1><p>${place}9</p>{table}<button>Add to cart</button>")
    for place, record in enumerate(read(template(bodies)).values()):
        assert record["top_notes"] == NOTES[place * 3 : place * 3 + 2]
        assert record["middle_notes"] == [NOTES[place * 3 + 2]]
        assert record["last_notes"] == [NOTES[-place - 1]]


def test_tiers_in_words_that_nobody_knows_are_learned_from_their_lists():
    told = "<h2>{}</h2><p>¥{}000</p><dl><dt>ひらく</dt><dd>{}、{}</dd><dt>めぐる</dt><dd>{}、{}</dd><dt>のこる</dt><dd>{}、{}</dd></dl><button>購入する</button>"
    names = ["雨音", "焚火", "硝子", "朝市", "夜凪"]
    bodies = [told.format(name, n, *NOTES[n : n + 6]) for n, name in enumerate(names, 1)]
    for n, record in enumerate(read(template(bodies)).values(), 1):
        assert record["top_notes"] == NOTES[n : n + 2]
        assert record["middle_notes"] == NOTES[n + 2 : n + 4]
        assert record["last_notes"] == NOTES[n + 4 : n + 6]


@pytest.mark.parametrize(
    "told",
    [
        "<table><tr><th>香調</th><td>トップ/{}、{}<br>ミドル/{}、{}<br>ラスト/{}、{}</td></tr></table>",
        "<div><b class='h'>Top</b><p class='t'>0–20 min</p><ul><li>{}</li><li>{}</li></ul></div>"
        "<div><b class='h'>Heart</b><p class='t'>20 min – 3 h</p><ul><li>{}</li><li>{}</li></ul></div>"
        "<div><b class='h'>Base</b><p class='t'>3 h +</p><ul><li>{}</li><li>{}</li></ul></div>",
    ],
)
def test_tiers_in_one_cell_and_tiers_with_their_hours(told):
    bodies = [
        f"<h1>{name}</h1><p>¥{n}000</p>{told.format(*NOTES[n : n + 6])}<button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:5])
    ]
    for n, record in enumerate(read(template(bodies)).values()):
        assert record["top_notes"] == NOTES[n : n + 2]
        assert record["middle_notes"] == NOTES[n + 2 : n + 4]
        assert record["last_notes"] == NOTES[n + 4 : n + 6]


def test_what_all_products_say_does_not_make_one_a_perfume():
    menu = "<p>Fine fragrance and objects</p>"
    notes = "<p>Top notes: {}, {}</p><p>Base notes: {}</p>"
    bodies = [
        f"{menu}<h1>{name}</h1><p>${n}5</p>{notes.format(*NOTES[n * 3 : n * 3 + 3])}<button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:3])
    ]
    others = [
        f"{menu}<h1>{name}</h1><p>$9</p><button>Add to cart</button>"
        for name in ("Aviator", "Compass", "Lamp", "Tray")
    ]
    found = [record["name"] for record in read(template(bodies + others)).values()]
    assert found == list(PLAIN[:3])


def test_a_menu_above_a_page_s_own_lines_labels_nothing_and_its_logo_names_the_shop():
    menu = (
        "<ul><li><a>Brands</a></li><li><a>Journal</a></li></ul><span>ブランド</span><p>お便り</p>"
    )
    menu += "<nav><a class='navbar-brand'>Tin Bell</a><a>Home</a></nav>"
    bodies = [
        f"<h1>{name}</h1><p>Eau de Parfum ${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:6])
    ]
    found = read(template(bodies, head=menu, title="Document")).values()
    assert {record["brand"] for record in found} == {"Tin Bell"}


def test_a_name_in_a_slot_of_many_texts_is_the_first_that_differs():
    bodies = [
        f"<table><tr><td>{name}</td></tr><tr><td>Type</td><td>Attar</td></tr>"
        f"<tr><td>Price</td><td>${n}5</td></tr><tr><td>Stock</td><td>{n} left</td></tr></table>"
        for n, name in enumerate(PLAIN[:6])
    ]
    found = read(template(bodies, title="Orchard Perfume")).values()
    assert [record["name"] for record in found] == list(PLAIN[:6])


def test_a_sentence_in_a_heading_is_no_name():
    bodies = [
        f"<h3>{name}</h3><h2>{one} in the cold morning air.</h2><p>Eau de Parfum ${n}5</p><button>Add to cart</button>"
        for n, (name, one) in enumerate(zip(PLAIN[:6], NOTES, strict=False))
    ]
    assert [record["name"] for record in read(template(bodies)).values()] == list(PLAIN[:6])


def test_a_house_is_known_in_names_by_all_its_spellings_and_what_is_sold_is_no_part_of_it():
    bodies = [
        f"<h2>{name} / Christian Dior（クリスチャン・ディオール）</h2><p>{name} by Dior EDT Spray</p><p>${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:6])
    ]
    found = read(template(bodies)).values()
    assert [record["name"] for record in found] == list(PLAIN[:6])
    assert {record["brand"] for record in found} <= {"Christian Dior", "Dior"}


def test_the_shop_s_own_name_is_a_brand_only_where_no_other_is_told():
    bodies = [
        f"<script type='application/ld+json'>{{'@type': 'Product', 'brand': 'Tin Bell'}}</script>"
        f"<h1>{house} - {name}</h1><p>Eau de Parfum ${n}5</p><button>Add to cart</button>".replace(
            "'", '"'
        )
        for n, (house, name) in enumerate(
            zip(["Diptyque", "Byredo", "Le Labo"] * 2, PLAIN[:6], strict=True)
        )
    ]
    found = read(template(bodies, title="Tin Bell")).values()
    assert {record["brand"] for record in found} == {"Diptyque", "Byredo", "Le Labo"}


def test_what_differs_in_numbers_alone_is_no_house_and_no_name():
    bodies = [
        f"<div>楽天ポイント {n}9ポイント</div><p>残り{n % 2 + 2}点</p><h1>{name}</h1><p>¥{n}000</p><p>香水</p><button>購入する</button>"
        for n, name in enumerate(PLAIN[:6], 1)
    ]
    found = read(template(bodies, title="Tin Bell")).values()
    assert [(record["brand"], record["name"]) for record in found] == [
        ("Tin Bell", name) for name in PLAIN[:6]
    ]


def test_a_menu_of_brands_is_no_label():
    menu = "<ul><li>Brands</li><li><a>Chanel</a> <a>Diptyque</a> <a>Byredo</a> <a>Le Labo</a></li></ul>"
    brands = ["Diptyque", "Byredo", "Le Labo", "Byredo", "Diptyque"]
    bodies = [
        f"<h2 class='vendor'>{brand}</h2><h1>{name}</h1><p>Eau de Parfum ${n}5</p><button>Add to cart</button>"
        for n, (brand, name) in enumerate(zip(brands, PLAIN, strict=False), 1)
    ]
    found = read(template(bodies, head=menu)).values()
    assert [record["brand"] for record in found] == brands


def test_the_year_behind_a_brand_is_no_part_of_the_name():
    named = ["Sauvage", "Fahrenheit", "Dune", "Poison", "J'adore"]
    bodies = [
        f"<h1>{name} <span>Dior</span> <span>19{n}8</span></h1><p>Eau de Parfum ${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(named, 1)
    ]
    assert [record["name"] for record in read(template(bodies)).values()] == named


def test_a_folder_of_an_address_may_say_what_is_sold():
    bodies = [
        f"<h1>{name}</h1><p>Perfume ${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:6], 1)
    ]
    pages = template(bodies)
    pages[2] = (pages[2][0].replace("tin.example/", "tin.example/candles/"), pages[2][1])
    names = [record["name"] for record in read(pages).values()]
    assert sorted(names) == sorted({*PLAIN[:6]} - {PLAIN[2]})


def test_where_nothing_but_perfumes_is_sold_one_need_not_say_so():
    bodies = [
        f"<h1>{name}</h1><p>${n}5</p><p>Top notes: {NOTES[n]}</p><p>Base notes: {NOTES[-n]}</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:8], 1)
    ]
    bodies.append("<h1>Tide</h1><p>$95</p><p>A storm in a bottle.</p><button>Add to cart</button>")
    assert "Tide" in [record["name"] for record in read(template(bodies)).values()]


def test_a_menu_that_never_ends_hides_no_product():
    bodies = [
        f"<h1>{name}</h1><p>Eau de Parfum</p><p>${n}5</p><button>Add to cart</button>"
        for n, name in enumerate(PLAIN[:5], 1)
    ]
    found = read(template(bodies, head="<nav><ul><li>Home<li>Shop</ul>"))
    assert [record["name"] for record in found.values()] == list(PLAIN[:5])


def test_a_brand_in_a_trail_is_read():
    brands = ["Diptyque", "Byredo", "Le Labo", "Hermès", "Diptyque"]
    bodies = [f"<nav class='breadcrumb'><a>Home</a> › <a>Brands</a> › <a>{brand}</a></nav><h2>{name}</h2><p>Perfume ${n}5</p><button>Add to cart</button>"
              for n, (name, brand) in enumerate(zip(PLAIN, brands, strict=False), 1)]  # fmt: skip
    assert [record["brand"] for record in read(template(bodies)).values()] == brands


def test_labels_of_words_that_are_not_known_end_the_last_tier():
    rows = "<tr><th>Base notes</th><td>{}, {}</td></tr><tr><th>Entstehung</th><td>Grasse</td></tr>"
    bodies = [f"<h1>{name}</h1><p>${n}5</p><table><tr><th>Top notes</th><td>{NOTES[n]}</td></tr>{rows.format(*NOTES[n + 5 : n + 7])}</table><button>Add to cart</button>"
              for n, name in enumerate(PLAIN[:5], 1)]  # fmt: skip
    for place, record in enumerate(read(template(bodies)).values(), 1):
        assert record["last_notes"] == NOTES[place + 5 : place + 7]


# Bad input ------------------------------------------------------------------------------------------------------------

SOFT_404 = page(
    "Page not found", 3, notes="<li>The page you are looking for has moved.</li>"
).replace('<p class="maker">Brand: Maru</p><p class="price">$23.00</p>', "")
JUNK = {
    "empty": b"",
    "blank": b"\n\n   \n",
    "no-body": b"<html><head><title></title></head><body></body></html>",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nTop notes: Bergamot, Lemon\n%%EOF",
    "json": b'{"name": "Dune", "brand": "Dior", "top": "Peony"}',
    "feed": b'<?xml version="1.0"?><rss version="2.0"><channel><item><title>Maru - Dune</title><description>Top notes: Peony</description></item></channel></rss>',
    "sitemap": b'<?xml version="1.0"?><urlset><url><loc>https://tin.example/p/1</loc></url></urlset>',
    "refresh": b'<html><head><meta http-equiv="refresh" content="0;url=/top"></head></html>',
    "utf-16": "<h1>Luna</h1><p>Top notes: Yuzu</p>".encode("utf-16"),
    "zeros": b"\x00" * 5_000,
}


def test_no_pages_give_no_perfumes():
    assert getData.extract_perfumes([]) == []


@pytest.mark.parametrize("kind", JUNK)
def test_bytes_that_are_no_page_give_no_perfumes(kind):
    assert getData.extract_perfumes([("https://tin.example/x", JUNK[kind])]) == []


def test_junk_among_pages_changes_nothing():
    pages = pages_of("Tide")
    junk = [(f"https://tin.example/x/{kind}", body) for kind, body in JUNK.items()]
    assert in_order(getData.extract_perfumes(junk + pages)) == in_order(
        getData.extract_perfumes(pages)
    )


@pytest.mark.parametrize("copies", [1, 3, 40])
def test_soft_404s_alone_give_no_perfumes(copies):
    pages = [(f"https://tin.example/{place}", SOFT_404.encode()) for place in range(copies)]
    assert getData.extract_perfumes(pages) == []


@pytest.mark.parametrize("name", ["woo-reference", "shopify-prose", "student-by-hand"])
def test_a_shop_without_its_product_pages_has_no_perfumes(name):
    shop = SHOPS[name]
    pages = [(url, html) for url, html in shop.pages if not shop.truth[url]]
    assert getData.extract_perfumes(pages) == []


def test_one_page_is_read_by_what_it_declares():
    product = '<script type="application/ld+json">{"@type": "Product", "name": "Tide", "brand": "Maru"}</script>'
    found = read([("https://tin.example/0", page("Tide", 0, more=product).encode())])
    assert [(record["brand"], record["name"]) for record in found.values()] == [("Maru", "Tide")]


@pytest.mark.parametrize(
    "opening", ["<div>", "<table><tr><td>", "<span>", "<ul><li>", "<b>", "<dl><dd>"]
)
def test_twenty_thousand_nested_elements_are_read_within_seconds(opening):
    pages = pages_of("Tide")
    deep = pages[0][1].replace(b"<main>", opening.encode() * 20_000 + b"<main>")
    start = time.perf_counter()
    found = read([("https://tin.example/deep", deep), *pages[1:]])
    assert time.perf_counter() - start < 5
    assert {str(place) for place in range(1, 9)} <= set(found)


@pytest.mark.parametrize(
    "body",
    [
        b"<h1>" + b"A" * 500_000,
        b"<h1>" + "（".encode() * 20_000,
        ("トップ：" + "、" * 50_000).encode(),
        b"<script type='application/ld+json'>" + b"[" * 100_000 + b"</script>",
        b"<p>" + b"Top: " * 20_000,
        b"<p class='" + b"a " * 100_000 + b"'>Top: Yuzu",
        b"<table>" + b"<tr><td>Top<td>Yuzu" * 10_000,
        b"<a href='http://[::1'>x</a><h1>A - B</h1>",
        b"&amp;" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_monstrous_page_costs_seconds_at_most(body):
    start = time.perf_counter()
    records = getData.extract_perfumes([("https://tin.example/monster", body), *pages_of("Tide")])
    assert time.perf_counter() - start < 5
    check_form(records)
    assert {"Tide", *PLAIN[:8]} <= {record["name"] for record in records}


def broken(html: bytes, chance: random.Random) -> bytes:
    """A page with a piece cut out, bytes exchanged, or a stretch said twice."""
    cut, end = sorted(chance.choices(range(len(html) + 1), k=2))
    spoiled = bytearray(html)
    match chance.randrange(4):
        case 0:
            return html[cut:end]
        case 1:
            return html[:cut] + html[end:]
        case 2:
            return html[:end] + html[cut:end] + html[end:]
    for _ in range(30):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def test_fifteen_hundred_broken_pages_raise_nothing():
    chance, count = random.Random(11), 0
    while count < 1_500:
        for shop in SHOPS.values():
            pages = [(url, broken(html, chance)) for url, html in shop.pages]
            check_form(getData.extract_perfumes(pages))
            count += len(pages)


# Words that a user saves ----------------------------------------------------------------------------------------------


def test_words_are_plain():
    with open(ROOT / "data" / "page_words.csv", encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert len(cells) > 100
    assert not [cell for cell in cells if re.search(r"[|()\[\]?*\\^$]", cell)]


def with_words(folder: Path, words: bytes) -> subprocess.CompletedProcess:
    """What a copy of getData.py with this page_words.csv reads of a shop, as JSON."""
    (folder / "data").mkdir()
    shutil.copy(ROOT / "getData.py", folder)
    for table in (ROOT / "data").glob("*.csv"):
        shutil.copy(table, folder / "data")
    (folder / "data" / "page_words.csv").write_bytes(words)
    pages = [(url, base64.b64encode(html).decode()) for url, html in SHOPS["label-table"].pages]
    (folder / "pages.json").write_text(json.dumps(pages), encoding="utf-8")
    code = """import base64, json, getData
pages = [(url, base64.b64decode(html)) for url, html in json.load(open("pages.json", encoding="utf-8"))]
print(json.dumps(getData.extract_perfumes(pages)))"""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, encoding="utf-8"
    )


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_words_may_be_saved_by_a_spreadsheet(codec, line_end, tmp_path):
    words = (ROOT / "data" / "page_words.csv").read_text(encoding="utf-8-sig")
    done = with_words(tmp_path, words.replace("\n", line_end).encode(codec, "ignore"))
    assert done.returncode == 0, done.stderr
    wanted = getData.extract_perfumes(SHOPS["label-table"].pages)
    assert in_order(json.loads(done.stdout)) == in_order(wanted) != []


@pytest.mark.parametrize(
    "words", [b"\xff\xfe\x00\x00\x81", b"\x81\xff\xfe" * 50, b"PK\x03\x04\xff\xff\xff\x80"]
)
def test_words_that_cannot_be_read_are_named_in_one_line(words, tmp_path):
    done = with_words(tmp_path, words)
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 1
    assert "page_words.csv" in said and "Traceback" not in said and said.count("\n") == 0


# The user's last word -------------------------------------------------------------------------------------------------

CHOSEN = {"name": "h3.item", "brand": ".owner", "top_notes": "#top"}


def chosen_page(place: int, name: str, top: str = "Yuzu, Mint") -> bytes:
    """A page on which selectors find other things than a reader would."""
    own = f'<div><h3 class="item">{name}</h3><i class="owner">Nerval</i></div>'
    return page(
        f"Autumn line {place}", place, more=own + (f'<p id="top">{top}</p>' if top else "")
    ).encode()


def chosen_shop() -> list[tuple[str, bytes]]:
    """Six such pages, on the last one no top notes where the selector looks."""
    tops = ["Quince, Fennel"] * 5 + [""]
    return [
        (f"https://tin.example/{place}", chosen_page(place, f"{name} one", top))
        for place, (name, top) in enumerate(zip(PLAIN, tops, strict=False))
    ]


def test_nothing_is_selected_by_default():
    assert getData.SELECTORS == {}


def test_what_is_selected_is_read_there_and_nowhere_else(monkeypatch):
    plainly = read(chosen_shop())
    monkeypatch.setattr(getData, "SELECTORS", CHOSEN)
    found = read(chosen_shop())
    assert [found[str(place)]["name"] for place in range(6)] == [
        f"{name} one" for name in PLAIN[:6]
    ]
    assert {record["brand"] for record in found.values()} == {"Nerval"}
    assert [found[str(place)]["top_notes"] for place in range(5)] == [["Quince", "Fennel"]] * 5
    assert found["5"]["top_notes"] == []
    assert [found[str(place)]["last_notes"] for place in range(6)] == [
        plainly[str(place)]["last_notes"] for place in range(6)
    ]


def folder_of(
    pages: list[tuple[str, bytes]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that getData.py is to read as a shop."""
    shop = folder / "shop"
    shop.mkdir()
    links = "".join(f'<p><a href="/{place}.html">page</a></p>' for place in range(len(pages)))
    (shop / "index.html").write_text(
        f"<!doctype html><title>index</title>{links}", encoding="utf-8"
    )
    for place, (_, html) in enumerate(pages):
        (shop / f"{place}.html").write_bytes(html)
    monkeypatch.setattr(getData, "START_URL", str(shop))
    monkeypatch.setattr(getData, "OUTPUT_FILE", str(folder / "perfumes.jsonl"))
    monkeypatch.setattr(getData, "PAGES_DIR", str(folder / "pages"))


def test_a_wrong_selector_is_told_with_its_error(tmp_path, monkeypatch, capsys):
    folder_of(chosen_shop(), tmp_path, monkeypatch)
    monkeypatch.setattr(getData, "SELECTORS", {"name": "h3[["})
    with pytest.raises(SystemExit) as stop:
        getData.main()
    assert "h3[[" in str(stop.value) and "\n" not in str(stop.value).strip()


def test_a_selector_that_finds_nothing_is_named(tmp_path, monkeypatch, capsys):
    folder_of(chosen_shop(), tmp_path, monkeypatch)
    monkeypatch.setattr(getData, "SELECTORS", CHOSEN | {"last_notes": "#bottom-of-the-sea"})
    getData.main()
    assert "#bottom-of-the-sea" in capsys.readouterr().out


@pytest.mark.parametrize("selectors", [{"colour": "h1"}, {"name": 5}, ["h1"], None])
def test_selectors_that_make_no_sense_are_named_in_one_line(selectors, tmp_path, monkeypatch):
    folder_of(chosen_shop(), tmp_path, monkeypatch)
    monkeypatch.setattr(getData, "SELECTORS", selectors)
    with pytest.raises(SystemExit) as stop:
        getData.main()
    assert "SELECTORS" in str(stop.value) and "\n" not in str(stop.value).strip()


def test_pages_that_say_nothing_of_their_own_are_of_no_perfume():
    one, other = "<p>a</p>", "<p class='x'>b</p>"
    assert read(template([one + other, other + one, one + one + other])) == {}
