"""Reads a perfume shop's pages into data/perfumes.jsonl, one perfume a line.

    python getData.py

Reads   START_URL: the shop's address, or a folder of pages, which is served on 127.0.0.1 (its records
        carry http://<folder>.localhost/...); data/page_words.csv: words of pages; data/brands.csv.
Writes  PAGES_DIR: every page as fetched, so that a second run asks the shop for nothing twice;
        OUTPUT_FILE: the perfumes, read from all stored pages together at the end of each run.
Prints  progress bars, then counts: pages by source, failures by reason, how often each field is
        filled and with how many different values, and three of the perfumes as read.
"""

import codecs
import contextlib
import csv
import errno
import functools
import gc
import hashlib
import html as entities
import http.server
import itertools
import json
import os
import random
import re
import socket
import sys
import threading
import time
import unicodedata
import warnings
import weakref
import zlib
from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import SequenceMatcher
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import lxml.etree
import lxml.html
import requests
import soupsieve
import urllib3
from bs4 import BeautifulSoup, NavigableString, Tag
from filelock import FileLock, Timeout
from protego import Protego
from requests.utils import requote_uri
from tqdm import tqdm
from urllib3.util import parse_url

# --------------------------------------------------------------------------------------------------
START_URL = "data/sample_site"  # a shop's address (https://...; read its terms first) or a folder
OUTPUT_FILE = "data/perfumes.jsonl"  # one shop's perfumes; read by arrangeData.py and generate.py
PAGES_DIR = "data/pages"  # pages as fetched; delete it to start over
SELECTORS = {}  # where a field stands, in CSS, if it is read wrongly: {"name": "h1.item"}; README
DELAY_SECONDS = 1.5  # least wait between requests; robots.txt may ask for more; none for a folder
MAX_PAGES = 5_000  # pages read in one run, listings included; raise it for a larger shop
USER_AGENT = "PerfumeChatbot/1.0 (+https://example.com/contact)"  # put your own contact here
AI_AGENTS = ("GPTBot", "ClaudeBot", "CCBot")  # who is refused by robots.txt, so are we; (): nobody
REFRESH_DAYS = None  # ask again for stored pages older than so many days, if changed; None: never
CONNECT_SECONDS = 10  # for connecting
READ_SECONDS = 30  # for each silence while reading
PAGE_SECONDS = 90  # for one whole page, however slowly it drips
MAX_BYTES = 8_000_000  # largest page, unpacked; larger ones are left out
ATTEMPTS = 4  # tries for 408, 429, 5xx and network faults; anything else is tried once
BACKOFF_SECONDS = 2  # wait before the second try; doubles each time
RETRY_AFTER_CAP = 120  # longest Retry-After (seconds) waited for; beyond it the run stops
MAX_FAILURES = 10  # pages failing in a row after which the shop is asked for nothing more
MAX_BARREN = 100  # pages in a row of one kind of address, nothing new on them: the kind is left
# --------------------------------------------------------------------------------------------------

MAX_LINES = 5_000  # lines of text of one page that are looked at
MAX_TAGS = 150_000  # opening and closing tags of one page that are looked at

# ==================================================================================================
# Reading: the old code and a thin adapter, to be cut out whole up to the next double line
# ==================================================================================================

TIERS = ("top_notes", "middle_notes", "last_notes")
LISTS = (*TIERS, "notes", "families", "seasons", "scenes", "images", "impressions")
FIELDS = (
    "url",
    "brand",
    "brand_ja",
    "name",
    "name_ja",
    "gender",
    *TIERS,
    "notes",
    "families",
    "concentration",
    "seasons",
    "scenes",
    "images",
    "impressions",
    "perfumer",
    "year",
    "concept",
)
CRUMB = 9  # rank of a line of a breadcrumb trail
MARK = "\x1f"  # stands in a line where one inline element ends and another begins
INLINE = {  # elements that do not begin a line
    "a",
    "abbr",
    "b",
    "bdi",
    "big",
    "cite",
    "code",
    "data",
    "del",
    "em",
    "font",
    "i",
    "img",
    "input",
    "ins",
    "label",
    "link",
    "mark",
    "meta",
    "q",
    "ruby",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "time",
    "tt",
    "u",
    "wbr",
}
LABELLED = ("th", "td", "dt", "dd", "li")  # elements that hold labels and their values apart
WHOLE = (
    "body",
    "main",
    "article",
)  # elements whose class speaks of the page, not of what they hold
DROPPED = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "nav",
    "header",
    "footer",
    "aside",
    "iframe",
    "select",
    "textarea",
    "head",
}
NOT_HTML = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"{",
    b"[",
)  # other files
CONTROL = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\ud800-\udfff]"
)
WIDE = {0xFEE0 + code: code for code in range(0x21, 0x7E) if code != ord("&")} | {
    0x3000: 0x20
}  # full-width letters
SMALL = str.maketrans("ァィゥェォ", "アイウエオ")
YEAR = r"(?<!\d)(?:1[789]|20)\d\d(?!\d)"
GAP = rf"[\s:：{MARK}】〉》≫>＞）)\]］〕/／|｜…–—―→⇒・=＝~〜」』-]+|$"  # may end a label
DASH = rf"\s*[–—―|｜／{MARK}]\s*|\s+[-/:：~〜～]\s+|：\s*"  # between brand and item in a title
OPEN, SHUT = "（(【〈《≪<＜[［〔「", "】〉》≫>＞]］〕）)」"
DECORATION = "■●◆▼◇▽△▲◎○★☆◉"
LABEL_INSIDE = re.compile(  # a label in the midst of a line: what is before it, its bracket, itself, what follows it
    rf"(?:^|[\s、。,;；/／|｜→{MARK}】]|(?=[【〈《<＜≪「[{DECORATION}]))([{re.escape(OPEN)}{DECORATION}]\s*)?"
    r"((?:(?:top|head|middle|heart|mid|base|last|dry)\s)?"
    rf"[^\s、。,;；:：/／|｜…{MARK}{re.escape(OPEN + SHUT)}{DECORATION}]{{1,16}})"
    rf"\s?(?:[:：…]|(?<=ノート)[\s/／{MARK}]|[{re.escape(SHUT)}{DECORATION}{MARK}])",
    re.IGNORECASE,
)
BRAND_NOISE = re.compile(  # what clings to a brand
    rf"^(?:ブランド|brand\b|by\s)\s*[:：]?\s*|\s*{YEAR}$|\s*日本$|\s*powered by .*$|"
    r"\s*の?(?:商品|アイテム)?(?:一覧|を(?:もっと)?見る).*$|"
    r"\s*(?:日本)?(?:公式|オフィシャル|official)(?:サイト|ストア|通販|オンライン\S*|shop|store|site)*",
    re.IGNORECASE,
)
TRAIL = (
    rf"[\s{MARK}]*[>＞»›][\s{MARK}]*|[\s{MARK}]+[/／][\s{MARK}]+"  # between the steps of a trail
)
PIECES = rf"(?:\s*[|｜／{MARK}<>＜＞♡♥♪!！、。]\s*|\s+[/:~〜～]\s+|[:：]\s*(?=\D))(?![^(（]*[)）])"  # of a title
ARTICLES = {
    "Article",
    "BlogPosting",
    "NewsArticle",
    "CollectionPage",
    "SearchResultsPage",
}  # types of JSON-LD
FRONT = re.compile(
    r"(?:https?://(?!cart|my)[^/]+/?|\.?/)?(?:index\.\w+)?"
)  # address of a shop's front page
COPYRIGHT = re.compile(
    r"(?:©|\(c\)|copyright)[\s\d,.©–-]*(?:\(c\)|by\s)?[\s\d]*"
    r"([^,.|]{2,40}?)\.?\s*(?:all rights.*)?$",
    re.IGNORECASE,
)


class Fact(NamedTuple):
    """Something that a page says of its perfume."""

    rank: int  # of its source, lower is better
    at: int  # place on the page
    field: str
    value: object


@functools.cache
def words(use: str) -> dict[str, re.Pattern]:
    """Patterns of data/page_words.csv for one use, by name."""
    with open(
        Path(__file__).parent / "data" / "page_words.csv", encoding="utf-8", newline=""
    ) as file:
        rows = [row for row in csv.DictReader(file) if row["use"] == use]
    return {row["name"]: re.compile(row["words"], re.IGNORECASE) for row in rows}


def says(use: str, text: str, *names: str) -> str | None:
    """The first name of a use (of all, or of those given) whose words stand in the text."""
    return next((name for name in names or words(use) if words(use)[name].search(text)), None)


@functools.cache
def houses() -> dict[str, int]:
    """Well-known perfume houses: each spelling of data/brands.csv, folded, with the number of its line."""
    with open(Path(__file__).parent / "data" / "brands.csv", encoding="utf-8", newline="") as file:
        return {folded(name): number for number, row in enumerate(csv.reader(file)) for name in row}


# Text -----------------------------------------------------------------------------------------------------------------


def decode(html: bytes) -> str:
    """The page's text: by byte order mark, as UTF-8, or in the encoding that leaves least nonsense."""
    if html.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return html.decode("utf-16", "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return html.decode("iso2022_jp" if b"\x1b$" in html[:20_000] else "utf-8-sig")
    if 5 * len(re.findall(rb"[\x80-\xff].?[\x80-\xff]", html)) < len(
        re.findall(rb"[\x80-\xff]", html)
    ):
        return html.decode("cp1252", "replace")  # accents stand alone, Japanese letters do not
    texts = [html.decode(name, "replace") for name in ("cp932", "euc_jp", "utf-8")]
    return min(
        texts,
        key=lambda text: 5 * text.count("\ufffd") + len(re.findall("[｡-ﾟ\ue000-\uf8ff]", text)),
    )


@functools.lru_cache(4096)
def tidy(text: str) -> str:
    """Text on one line; full-width spaces and MARKs, which separate, are kept, control characters are not."""
    text = re.sub("[｡-ﾟ]+", lambda kana: unicodedata.normalize("NFKC", kana[0]), text)
    text = re.sub(rf"\s*{MARK}[\s{MARK}]*", MARK, re.sub(r"[ \t\r\n\f\v\xa0]+", " ", text))
    return CONTROL.sub(lambda found: MARK if found[0] == MARK else "", text).strip(f" \u3000{MARK}")


def plain(text: str) -> str:
    """Text for a record: on one line, without MARKs and control characters."""
    return " ".join(CONTROL.sub("", unicodedata.normalize("NFC", text.replace(MARK, " "))).split())


@functools.lru_cache(8192)
def folded(text: str) -> str:
    """Text as names are compared: without accents, case, spaces and punctuation; ヴァ as バ, small vowels as large."""
    text = re.sub(
        "[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text.lower().replace("&", "and"))
    )
    text = re.sub(r"[^a-z0-9ァ-ヶーぁ-ん一-龠]", "", unicodedata.normalize("NFC", text))
    text = re.sub(
        "ヴ([ァィェォ]?)", lambda kana: "ブバビベボ"["ァィェォ".find(kana[1] or "ヴ") + 1], text
    )
    return text.translate(SMALL)


def is_japanese(text: str) -> bool:
    """Whether a text has kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


def is_prose(text: str) -> bool:
    """Whether a line reads as a sentence, by its words or its length."""
    return len(text) > 90 or says("text", text, "prose") is not None


# The page's lines -----------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One line of a page as a reader sees it."""

    text: str
    block: Tag | None = None  # the element that it stands in
    rank: int = 4  # of the source, lower is better

    @property
    def level(self) -> int:
        """1 to 6 for a heading, else 0."""
        return (
            int(self.block.name[1]) if self.block and re.fullmatch("h[1-6]", self.block.name) else 0
        )


@functools.lru_cache(1)  # a page is read twice, for its perfumes and for its links
def parse(html: bytes) -> BeautifulSoup | None:
    """A page's tree; None for what is no page."""
    if html.lstrip().startswith(NOT_HTML) or not html.strip():
        return None
    text = "<".join(CONTROL.sub("", decode(html)).split("<", MAX_TAGS)[:MAX_TAGS])
    with warnings.catch_warnings(action="ignore"):  # of what is XML: it has no perfume
        return BeautifulSoup(text, "lxml", multi_valued_attributes=None)


def names_in(tag: Tag) -> str:
    """An element's class and id."""
    return f"{tag.get('class', '')} {tag.get('id', '')}"


@functools.lru_cache(4096)
def is_side(name: str, names: str) -> bool:
    """Whether an element, by its name, class and id, is one of menus, reviews or other products."""
    side = name in DROPPED or (
        name not in ("body", "main") and words("skip")["class"].search(names)
    )
    return bool(side) and not words("skip")["trail"].search(names)


def attribute_label(tag: Tag) -> str:
    """A label that an element has only as an attribute (data-label, alt, class …), or empty."""
    said = [
        tag.get(key, "")
        for key in ("data-label", "data-title", "data-th", "aria-label", "alt", "title")
    ]
    said += [
        name
        for name in tag.get("class", "").split()
        if name.endswith(("notes", "note")) and len(name) > 6
    ]
    if label := next((label for label in said if label and label_fields(label)), ""):
        return f"{label}："
    return ""


def first_text(tag: Tag) -> str:
    """Text of the first 20 nodes within an element; not of all, since pages nest thousands deep."""
    todo, texts = [tag], []
    for _ in range(20):
        if todo:
            node = todo.pop()
            texts += [node[:100]] if type(node) is NavigableString else []
            todo += reversed(getattr(node, "contents", [])[:20])
    return " ".join(texts)


def brand_said(tag: Tag) -> str:
    """'brand：X' of an element that is the brand X by its itemprop or class, 'brandlink：X' by its link; or empty."""
    around_heading = tag.name in WHOLE or any(
        getattr(child, "name", "") in ("h1", "h2") for child in tag.contents
    )
    marked = tag.get("itemprop") == "brand" or (
        not around_heading and says("skip", names_in(tag), "brand_class")
    )
    if not marked and not says("url", tag.get("href", ""), "brand"):
        return ""
    texts = [
        first_text(tag),
        *(mark.get("content", "") for mark in (tag, *tag.find_all("meta", recursive=False))),
    ]
    said = next((text for text in map(tidy, texts) if 0 < len(text) < 80), "")
    return f"{'brand' if marked else 'brandlink'}：{said}"


def headed_cells(table: Tag) -> list[tuple[Tag, str]]:
    """Texts 'label：value' by cell, of a table of two rows, the first of labels."""
    parts = [table, *table.find_all(["thead", "tbody"], recursive=False)]
    rows = [row for part in parts for row in part.find_all("tr", recursive=False)]
    rows = [row.find_all(["th", "td"], recursive=False) for row in rows]
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        return []
    labels, values = ([tidy(MARK.join(cell.strings)) for cell in row] for row in rows)
    if None in map(label_fields, labels) or any(map(label_fields, values)):
        return []
    return [
        (cell, f"{label}：{value}")
        for cell, label, value in zip(rows[1], labels, values, strict=True)
    ]


def card_lists(root: Tag) -> set[int]:
    """Elements (their ids) that hold cards of products: three or more children alike, each with a price and a link."""
    price, found = words("gate")["price"], {}
    priced = (
        text for text in root.descendants if type(text) is NavigableString and price.search(text)
    )
    for text in itertools.islice(priced, 500):
        for tag in itertools.islice(text.parents, 8):
            kind = id(tag.parent), tag.name, re.sub(r"\d", "", tag.get("class", ""))
            found.setdefault(kind, {})[id(tag)] = tag
    return {
        kind[0]
        for kind, tags in found.items()
        if len(tags) > 2 and all(tag.name == "a" or tag.find("a") for tag in tags.values())
    }


def texts_of(root: Tag) -> Iterator[Line]:
    """Texts of the page's own content, one for each line that a reader sees."""
    kept = {
        id(tag) for heading in root.find_all("h1", limit=5) for tag in (heading, *heading.parents)
    }
    cards, pieces, marks, current = card_lists(root), [], [], Line("", root)
    todo = [(root, Line("", root))]
    while todo:  # no recursion: pages nest thousands deep
        node, place = todo.pop()
        text = str(node) if type(node) is NavigableString else ""
        if isinstance(node, Tag):
            names = names_in(node) if node.attrs else ""
            if id(node) not in kept and (is_side(node.name, names) or id(node) in cards):
                continue
            if node.name not in INLINE and not (node.name == "br" and place.level):
                rank = (
                    2
                    if "short-description" in names
                    else 3
                    if node.name in LABELLED
                    else place.rank
                )
                place = Line("", node, rank)
            cells = headed_cells(node) if node.name == "table" else []
            inside = [(NavigableString(said), Line("", cell, 3)) for cell, said in cells]
            todo += reversed(inside or [(child, place) for child in node.contents])
            text = attribute_label(node) if node.attrs and not place.level else ""
            if node.name == "img" and not text and not first_text(node.parent).strip():
                text = node.get("alt", "")
        if place.block is not current.block:
            yield from (current._replace(text=line) for line in written_lines(pieces) + marks)
            pieces, marks, current = [], [], place
        if isinstance(node, Tag) and node.attrs and (said := brand_said(node)):
            marks.append(said)
        if text and not text.isspace():
            pieces.append(text)
    yield from (current._replace(text=line) for line in written_lines(pieces) + marks)


def written_lines(pieces: list[str]) -> list[str]:
    """An element's text as one line; as several where its line breaks part labelled lines."""
    text = MARK.join(pieces)
    lines = [*filter(None, map(tidy, text.split("\n")))] if "\n" in text else []
    labelled = sum(split_label(line) is not None for line in lines)
    return lines if labelled > 1 else [*filter(None, [tidy(text)])]


def label_first(text: str) -> str:
    """A line as 'label：A、B' that has one of the two in brackets at its end: 'トップ（A、B）', 'A、B（トップ）'."""
    label, listed = rf"(?P<label>[^\s（()）{MARK}]+)", "(?P<listed>.+?)"
    for shape in (rf"{label}\s?[（(]{listed}[)）]", rf"{listed}[\s{MARK}]*[（(]{label}[)）]"):
        found = re.fullmatch(shape, text)
        if found and {*TIERS} & {*(label_fields(found["label"]) or ())}:
            return f"{found['label']}：{found['listed']}"
    return text


def page_lines(root: Tag) -> list[Line]:
    """Lines of the page's own content, cut before each label; without what stands under 関連商品 or レビュー."""
    lines, hidden = [], 0  # hidden: level of the heading under which something else stands
    for line in texts_of(root):
        hidden = 0 if 0 < line.level <= hidden else hidden
        if (
            len(line.text) < 40
            and line.level != 1
            and (
                says("skip", line.text, "others")
                or (line.level and says("skip", line.text, "heading"))
            )
        ):
            hidden = hidden or line.level or 7
        if not hidden:
            line = line._replace(rank=CRUMB if is_trail(line) else line.rank)
            lines += [line._replace(text=part) for part in split_inline(label_first(line.text))]
        if len(lines) > MAX_LINES:
            break
    return lines


# JSON-LD --------------------------------------------------------------------------------------------------------------


def as_text(value: object) -> str:
    """Text of a JSON-LD value: of a string, a number, an object's name, a list's first."""
    for _ in range(4):
        value = value[0] if isinstance(value, list) and value else value
        value = (
            value.get("name", value.get("value", value.get("@value")))
            if isinstance(value, dict)
            else value
        )
    return (
        entities.unescape(re.sub(r"<[^>]*>", "\n", str(value)))
        if isinstance(value, str | int | float)
        else ""
    )


def entries(value: object) -> list[dict]:
    """The objects of a JSON-LD value: of a list, or it alone."""
    return [
        entry
        for entry in (value if isinstance(value, list) else [value])
        if isinstance(entry, dict)
    ]


def json_products(scripts: list[Tag]) -> tuple[list[dict], set[str]]:
    """The page's own Products from its JSON-LD, and every type that it names; what is no JSON is passed over."""
    products, types, todo = {}, set(), []
    for script in scripts:
        with contextlib.suppress(ValueError, RecursionError):
            source = re.sub(
                r",\s*(?=[}\]])|<!--|-->", "", script.string or ""
            )  # as templates leave it
            todo += entries(json.loads(source, strict=False))
    while todo:
        node = todo.pop(0)
        kinds, name = {*re.findall(r"\w+", str(node.get("@type")))}, as_text(node.get("name"))
        types |= kinds
        if kinds & {"Product", "ProductGroup"} and name:
            products.setdefault(name, node)
        else:
            todo += [
                entry
                for key in ("@graph", "mainEntity", "mainEntityOfPage")
                for entry in entries(node.get(key))
            ]
    return list(products.values()), types


def json_lines(product: dict) -> list[Line]:
    """What a JSON-LD Product says, as lines of a page."""
    pairs = [("name", product.get("name")), ("brand", product.get("brand"))]
    pairs += [
        ("gender", entry.get("suggestedGender")) for entry in entries(product.get("audience"))
    ]
    pairs += [
        (as_text(entry.get("name")), entry.get("value"))
        for entry in entries(product.get("additionalProperty"))
    ]
    labelled = [
        Line(f"{tidy(label)}：{tidy(as_text(value))}", rank=0)
        for label, value in pairs
        if as_text(value)
    ]
    description = as_text(product.get("description")).split("\n")
    return labelled + [
        Line(part, rank=5) for line in description for part in split_inline(tidy(line))
    ]


# Labels ---------------------------------------------------------------------------------------------------------------


@functools.lru_cache(8192)
def label_fields(text: str) -> tuple[str, ...] | None:
    """Fields that a label stands for: () for one of no use here, None for what is no label; 'ミドル＆ラスト' is two."""
    label = unicodedata.normalize("NFKC", text).lower() if len(text) < 48 else ""
    label = re.sub(r"\([^()]*(?:\d|分|時間|min|hour|直後)[^()]*(?:\)|$)|\W|_|^\d+", "", label)
    tiers = {field: tier.pattern for field, tier in words("tier").items() if tier.search(label)}
    joints = "ノート|not[ea][ns]?|香り立ち|の?香りの?|the|and|del?|du|di|から|と"
    if tiers and re.fullmatch(rf"(?:{'|'.join(tiers.values())}|{joints})+", label):
        return tuple(tiers)
    named = (fields for fields, found in words("label").items() if label and found.fullmatch(label))
    return next((tuple(fields.split()) for fields in named), None)


@functools.lru_cache(8192)
def split_label(text: str) -> tuple[tuple[str, ...], str, bool] | None:
    """Fields, value, and whether they stand clearly apart, of a line that opens with a label: 'トップノート：A、B'."""
    found = None
    for gap in re.finditer(GAP, text[:60]):
        label = text[: gap.start()]
        fields = label_fields(label)
        if fields is not None and (gap[0] != " " or {*fields} & {*TIERS}):
            found = fields, text[gap.end() :].strip(f" \u3000{MARK}"), gap[0] != " "
    return found


def label_of(line: Line) -> tuple[str, ...]:
    """Fields of the label that opens a line; () for a line without one."""
    label = split_label(line.text)
    return label[0] if label else ()


@functools.lru_cache(8192)
def split_inline(text: str) -> list[str]:
    """A line cut before each label that stands inside it: 'トップ:A、B、ミドル:C' is two."""
    text, cuts, at = re.sub(r"(?<=[ァ-ー]) (?=ノート)", "", text), [0], 0
    while found := LABEL_INSIDE.search(text, at):
        if label_fields(found[2]) is not None:
            cuts.append(found.start(1) if found[1] else found.start(2))
        at = max(found.end() - 1, found.start() + 1)
    parts = [
        text[start:end].strip(f" \u3000{MARK}、,/／")
        for start, end in zip(cuts, [*cuts[1:], None], strict=True)
    ]
    return [part for part in parts if part]


def around(block: Tag) -> list[Tag]:
    """A block and the elements around it, as far as a label and its value may stand apart."""
    return [block, *itertools.islice(block.parents, 12)]


def branch(block: Tag, other: Tag) -> Tag:
    """The outermost element around a block that does not hold the other; the block itself where there is none."""
    holding = {id(tag) for tag in around(other)}
    apart = [tag for tag in around(block) if id(tag) not in holding]
    return apart[-1] if apart else block


def values_under(lines: list[Line], at: int, rest: str) -> list[str]:
    """Lines that belong to the label on line `at`: the rest of that line, or what stands in the element after it."""
    label, window = lines[at], [line for line in lines[at + 1 : at + 40] if line.block]
    ends = (
        place
        for place, line in enumerate(window)
        if (line.level and place) or split_label(line.text)
    )
    duration = words("text")["duration"]  # トップノート（つけてから10分）
    after = [
        line for line in window[: next(ends, len(window))] if not duration.fullmatch(line.text)
    ]
    if rest and not duration.fullmatch(rest):
        while rest.endswith(("、", ",", "，")) and after:
            rest += after.pop(0).text
        return [rest]
    if not after or not label.block:
        return []
    holder, first = branch(label.block, after[0].block), branch(after[0].block, label.block)
    several = first.name != holder.name  # dt, dd, dd
    holders = {
        id(tag)
        for tag in [first, *(first.find_next_siblings(first.name, limit=30) if several else ())]
    }
    return [line.text for line in after if holders & set(map(id, around(line.block)))]


# Notes and other lists ------------------------------------------------------------------------------------------------


def split_items(text: str) -> list[str]:
    """Items of a written list, by the strongest separator outside parentheses; it ends at 。 and at a dash."""
    held = re.findall(r"[(（\[][^()（）\[\]]*[)）\]]", text)
    for place, parenthesis in enumerate(
        held
    ):  # each stands as one private letter while the text is cut
        text = text.replace(parenthesis, chr(0xF0000 + place), 1)
    text = re.split(r"[—―─]+|。|\s[–-]\s", text.strip(" 　・/／、,–-—"))[0]
    items = [text]
    for separator in (
        rf"[、,，;；/／|｜\n{MARK}]",
        "\u3000+",
        r"\s*[・･·]\s*",
        r"(?<=[ァ-ー一-龠]) +(?=[ァ-ー一-龠])",
    ):
        parts = re.split(separator, text)
        if len(parts) > 2 or (len(parts) == 2 and parts[0] != parts[1] and "?<=" not in separator):
            items = parts
            break
    joints = (
        r"\s*(?:そして|および|または|[&＆])\s*|(?<=[ァ-ヶー一-龠\U000F0000-\U000FFFFF])[やと](?=[ァ-ヶー一-龠])|"
        r"(?:^|\s+)and\s+|\s+と\s+|(?<=[ァ-ヶー一-龠])\s*[+＋]\s*"
    )
    return [
        re.sub("[\U000f0000-\U000fffff]", lambda found: held[ord(found[0]) - 0xF0000], part)
        for item in items
        for part in re.split(joints, item, flags=re.IGNORECASE)
    ]


def tidy_item(text: str) -> str:
    """An item of a list without what clings to it (など, decoration); empty for 不明, なし, -, N/A."""
    text = plain(text).strip(" ・･*＊-–—:：.。,、'\"“”「」『』■●◆→")
    text = re.sub(
        r"(?:\s*(?:などの?|ほか|その他|(?<=[ァ-ヶー\s])[等他]|etc\.?))*(?:の香り)?$", "", text
    )
    return "" if words("text")["nothing"].fullmatch(text) else text


def is_note(item: str) -> bool:
    """Whether an item of a list of notes reads as a material."""
    core = re.sub(r"[(（].*", "", item)
    if label_fields(item) is not None or len(core) > (24 if is_japanese(core) else 45):
        return False
    prose = says("text", core, "prose", "figure") or (
        re.search("[ぁ-ん]", core) and says("text", core, "headline")
    )
    return bool(re.search(r"[^\W\d_]{2}|[ぁ-んァ-ヶ一-龠]", core)) and not prose


def read_notes(values: list[str]) -> list[str]:
    """Notes of the lines under a label, up to the first line that is no list of notes."""
    notes = []
    for value in values:
        items = [item for item in map(tidy_item, split_items(value)) if item]
        good = [*filter(is_note, items)]
        if len(good) < 0.6 * len(items):
            break
        notes += good
    return list(dict.fromkeys(notes))


def read_words(values: list[str]) -> list[str]:
    """Short words of a list of families, scenes, images or impressions."""
    parts = [
        part
        for value in values[:3]
        for item in split_items(value)
        for part in re.split(r"[\s・･]+", item)
    ]
    return [
        item
        for item in dict.fromkeys(map(tidy_item, parts))
        if 0 < len(item) < 15 and label_fields(item) is None
    ]


def gender_of(text: str) -> str | None:
    """Gender that a text names; both sexes are ユニセックス."""
    named = [
        name
        for name, found in words("gender").items()
        if found.search(unicodedata.normalize("NFKC", text))
    ]
    return "ユニセックス" if len(named) > 1 else named[0] if named else None


def read_field(field: str, values: list[str]) -> object:
    """A field's value, or something empty, from the lines under its label."""
    text, first = plain(" ".join(values[:3])), plain(values[0]) if values else ""
    year, seasons = (
        re.search(YEAR, text),
        [season for season, found in words("season").items() if found.search(text)],
    )
    readers = {
        "gender": lambda: gender_of(text),
        "families": lambda: read_words(values),
        "concentration": lambda: says("concentration", text),
        "seasons": lambda: (
            [] if len(text) > 60 else ["春", "夏", "秋", "冬"] if "" in seasons else seasons
        ),
        "scenes": lambda: [
            word
            for word in read_words(values)
            if says("season", word) is None and "季節" not in word
        ],
        "images": lambda: [
            word for word in read_words(values) if says("mood", word) in ("images", None)
        ],
        "impressions": lambda: [
            word for word in read_words(values) if says("mood", word) in ("impressions", None)
        ],
        "year": lambda: int(year[0]) if year else None,
        "concept": lambda: text if len(text) >= 20 else None,
    }
    if field.endswith("notes"):
        return read_notes(values)
    if field in readers:
        return readers[field]()
    return (
        first if tidy_item(first) and len(first) < 80 and "。" not in first else None
    )  # brand, name, perfumer


# Facts ----------------------------------------------------------------------------------------------------------------


@functools.lru_cache(4096)
def sentence_facts(text: str) -> list[tuple[str, object]]:
    """Tiers and more that a sentence names: 'Top notes are A, B and C', 'トップノートはA、B、ミドルノートはC'."""
    text = re.sub(rf"(?<=[ぁ-ヶー一-龠、]){MARK}|{MARK}(?=[ぁ-ヶー一-龠、])", "", text)
    found, other = [], "|".join(tier.pattern for tier in words("tier").values())
    for field, tier in words("tier").items() if says("tier", text) else ():
        english = (
            rf"\b(?:{tier.pattern})(?:\snotes?)?\s(?:are|is|includes?|of|features?)\s([^;.。]+?)"
            rf"(?=[;.。]|,?\s(?:and\s)?(?:with\s)?(?:an?\s|the\s)?(?:{other})(?:\snotes?)?\s|$)"
        )
        japanese = (
            rf"(?:{tier.pattern})(?:ノートの|(?:ノート)?(?:には|は|に))、?([^。]+?)"
            rf"(?=、?(?:{other})|です|。|が|を|へ|で構成|の香り|$)"
        )
        match = re.search(f"{english}|{japanese}", text, re.IGNORECASE)
        items = (
            [item for item in map(tidy_item, split_items(match[1] or match[2])) if item]
            if match
            else []
        )
        found += [(field, items)] if items and all(map(is_note, items)) else []
    for field, pattern in words("sentence").items():
        if match := pattern.search(plain(text)):
            found.append((field, read_field(field, [match[match.lastindex]])))
    return found


def tag_facts(text: str) -> list[tuple[str, object]]:
    """Facts of tags: of a text's '【ユニセックス／フローラル／オードトワレ】', of a line '100 ml · Unisex'."""
    tags, facts = re.search(r"[【\[]([^【】\[\]]*[／/・、][^【】\[\]]*)[】\]]", text), []
    for part in re.split(
        rf"[／/・、|｜·,{MARK}]", tags[1] if tags else text if len(text) < 60 else ""
    ):
        kind = says("concentration", part)
        if gender_of(part) and (tags or words("gate")["gender"].fullmatch(plain(part))):
            facts.append(("gender", gender_of(part)))
        elif kind and (
            tags or (not clean_name(part) and kind != "パルファム")
        ):  # フェラガモ・パルファン is a house
            facts.append(("concentration", kind))
        elif tags:
            facts.append(("families", read_words([part])))
    return facts if {kind for kind, _ in facts} - {"families"} else []


def facts_of(lines: list[Line]) -> list[Fact]:
    """Every fact that labelled lines, tags in brackets and sentences give, the most trusted first."""
    found = []
    for at, line in enumerate(lines):
        if label := split_label(line.text):
            fields, rest, apart = label
            values = values_under(lines, at, rest)
            read = [(field, read_field(field, values)) for field in fields]
            found += [
                Fact(line.rank, at, *fact)
                for fact in read
                if apart or (fact[0] in TIERS and len(fact[1]) > 1)
            ]
        elif tags := tag_facts(line.text):
            found += [Fact(2, at, *fact) for fact in tags]
        else:
            found += [Fact(5, at, *fact) for fact in sentence_facts(line.text)]
    return sorted((fact for fact in found if fact.value), key=lambda fact: fact[:2])


def merged(found: list[Fact]) -> dict:
    """One value a field: the most trusted; lists of the same rank and place are joined; no flat list beside tiers."""
    facts, sources = {}, {}
    for rank, at, field, value in found:
        if sources.setdefault(field, (rank, at)) == (rank, at) and isinstance(value, list):
            facts[field] = list(dict.fromkeys([*facts.get(field, []), *value]))
        facts.setdefault(field, value)
    return facts | ({"notes": []} if any(facts.get(tier) for tier in TIERS) else {})


# Names ----------------------------------------------------------------------------------------------------------------


@functools.lru_cache(8192)
def consonants(text: str) -> str:
    """Rough consonants of a Latin or a kana word, alike for both spellings of a name: シャネル and Chanel give snr."""
    sounds, latin = {"TI": "chi", "TU": "tsu", "SI": "shi", "HU": "fu"}, ""
    for letter in unicodedata.normalize("NFKC", text.translate({ord("ッ"): None, ord("っ"): None})):
        _, kana, sound = unicodedata.name(letter, "").partition("KANA LETTER ")
        sound = sound.split()[-1].replace("G", "Q") if kana else letter
        latin += sounds.get(sound, sound) if kana else letter
    latin = re.sub("[^a-z]", "", unicodedata.normalize("NFKD", latin.lower()))
    for sound, written in (
        ("k", "ch(?=[lr])"),
        ("s", "ch|sh|ti(?=[aeou])|[cg](?=[eiy])|[jzx]"),
        ("k", "[cqg]"),
        ("", "ph|[fhywaeiou]"),
        ("r", "l"),
        ("b", "[vp]"),
        ("t", "d"),
        ("n", "m"),
        (r"\1", r"(.)\1+"),
    ):
        latin = re.sub(written, sound, latin)
    return latin


def are_two_scripts(one: str, other: str) -> bool:
    """Whether one text is all Japanese and the other all Latin."""
    japanese, latin = sorted((one, other), key=is_japanese, reverse=True)
    return (
        is_japanese(japanese) and not is_japanese(latin) and not re.search("[A-Za-zÀ-ÿ]", japanese)
    )


@functools.lru_cache(8192)
def alike(one: str, other: str) -> float:
    """How well two texts fit as spellings of one name, 0 to 1: by letters, by the known houses, or by sound."""
    if folded(one) == folded(other) or houses().get(folded(one), -1) == houses().get(
        folded(other), -2
    ):
        return 1.0
    pair = (
        sorted([consonants(one), consonants(other)], key=len)
        if are_two_scripts(one, other)
        else ["", ""]
    )
    return 0.95 * (
        SequenceMatcher(None, *pair).ratio() if len(pair[0]) > 2 else pair[0] == pair[1] != ""
    )


def openings(text: str) -> list[int]:
    """Where the words of a text end."""
    gaps = rf"\sの{MARK}・･/／()（）〈〉《》「『」』>＞】｜|–—―:：~〜～-"
    return [
        end.start()
        for end in re.finditer(rf"(?<![{gaps}])(?=[{gaps}]|$)", text[:90])
        if end.start()
    ]


def opening(text: str, name: str) -> int:
    """Length of a text's opening that spells a name: in the same letters, as a known house, or by sound; or 0."""
    fits = {end: alike(text[:end], name) for end in openings(text)}
    same = [end for end in fits if fits[end] == 1]
    least = max([0.76, *(fit - 0.05 for fit in fits.values())])
    return same[-1] if same else next((end for end in fits if fits[end] >= least), 0)


def bracketed(text: str) -> list[str]:
    """Latin and Japanese text of 'Chloé（クロエ）'; empty for what has no such bracket at its end."""
    halves = re.fullmatch(r"(.+?)\s*[(（\[「]([^()（）\[\]]+)[)）\]」]", text.strip())
    apart = halves and is_japanese(halves[1]) != is_japanese(halves[2])
    return sorted(halves.groups(), key=is_japanese) if apart else []


def is_read_freely(one: str, other: str) -> bool:
    """Whether one text is a short word with kanji, whose sound nobody can tell, and the other is of Latin letters."""
    kanji, latin = sorted((one, other), key=lambda text: not is_japanese(text))
    return bool(
        re.fullmatch("[ぁ-ん一-龠々ノヶ]{2,8}", kanji)
        and re.fullmatch(r"[A-Za-z][A-Za-z .'&-]{2,}", latin)
    )


def spellings(text: str) -> list[str | None]:
    """Latin and Japanese spelling of a name: of 'Chloé（クロエ）', 'クロエ / Chloé', 'CHLOE クロエ', 'Chloé'."""
    text = plain(text).strip(' -–—|／/・:：~〜～「」『』"“”')
    cuts = [
        (text[: gap.start()], text[gap.end() :], 0.4 if gap[0].strip() else 0.55)
        for gap in re.finditer(r"\s*[/／|｜~〜～]\s*|\s+", text)
    ]
    fits = [
        (alike(one, other), at, one, other)
        for at, (one, other, least) in enumerate(cuts)
        if are_two_scripts(one, other)
        and (alike(one, other) >= least or is_read_freely(one, other))
        and not (folded(one) in houses() and alike(one, other) < 0.8)
    ]  # a house's other spelling is known
    if halves := bracketed(text) or sorted(max(fits, default=())[2:], key=is_japanese):
        return halves
    return [None, text or None] if is_japanese(text) else [text or None, None]


@functools.lru_cache(8192)
def clean_name(text: str) -> str:
    """A name without size, concentration, year, shop words and decoration; empty when nothing else is left."""
    text = re.sub(rf"[|{MARK}]\s*{YEAR}$", "", text).replace(MARK, " ").translate(WIDE)
    patterns = [
        r"【[^】]*】|\[[^\]]*\]|[™®©★☆◆●■①-⑳]",
        words("text")["size"],
        *words("concentration").values(),
        words("skip")["shop"],
        rf"\(\s*{YEAR}年?[^)]*\)|{YEAR}年(?:発売)?",
        r"\(\s*[/・,\s]*\)",
    ]
    for pattern in patterns:
        text = re.sub(pattern, " ", text)
    return (
        " ".join(text.split())
        .removeprefix("の ")
        .strip(' -–—|/・･:~〜,、*.「」『』"')
        .rstrip("(（ ")
    )


def without_brand(text: str, brand: list[str | None]) -> str:
    """A title without the brand that opens it, once in each script, or that closes it after a dash or 'by'."""
    scripts = {False, True}
    while end := min(filter(None, (opening(text, name) for name in brand if name)), default=0):
        spelt = plain(text[:end]).strip(DECORATION + " (（")
        joint = re.match(rf"(?:の(?=[\s「『]))?[\s{MARK}・:：/／】＞>（(）)–—|｜-]*", text[end:])[0]
        script = is_japanese(spelt)
        if script not in scripts or not clean_name(text[end:]):
            break
        brand[script], text = brand[script] or spelt, text[end + len(joint) :]
        scripts.remove(script)
        if re.search("[–—]| -", joint):  # Gucci – Gucci Bloom
            break
    pieces = re.split(r"\s*[–—―]\s*|\s+-\s+|\s+by\s+", text)
    closed = len(pieces) > 1 and any(name and alike(pieces[-1], name) == 1 for name in brand)
    return clean_name(text[: -len(pieces[-1])] if closed else text)


def learn_spelling(known: list[str | None], found: list[str | None], least: float) -> None:
    """Adds the spelling that a name lacks from another text that has the same name, in letters or by sound."""
    for new, old in ((0, 1), (1, 0)):
        if known[old] and found[new] and not known[new]:
            same = (
                folded(found[old]) == folded(known[old])
                if found[old]
                else alike(known[old], found[new]) >= least
            )
            known[new] = (
                found[new] if same and not re.search(r"\w-\w+-\d", found[new]) else None
            )  # no item's code


def cut_at_brand(title: str, brand: list[str | None]) -> list[str]:
    """A title cut where it names the brand anew in other letters: 'BRAND Item ブランド アイテム' is two."""
    cuts = [0]
    for gap in re.finditer(r"\s+", title[:90]):
        before, rest = title[cuts[-1] : gap.start()].rpartition(" ")[2], title[gap.end() :]
        other = is_japanese(before) != is_japanese(re.split(r"[\s（(]", rest)[0])
        anew = re.search(r"\w", before) and (other or not clean_name(before))
        if anew and any(
            alike(rest[:end], half) == 1 for end in openings(rest) for half in brand if half
        ):
            cuts.append(gap.end())
    return [
        part
        for start, end in zip(cuts, [*cuts[1:], None], strict=True)
        if (part := title[start:end].strip())
    ]


def item_of(title: str, brand: list[str | None], shops: list[str]) -> list[str | None]:
    """Latin and Japanese name of a title; a spelling of the brand that the title adds is added to brand."""
    title = re.sub(words("text")["size"], "|", re.sub(r"【[^】]*】|[〈《〉》]", " ", title))
    names = {True: [], False: []}  # by whether their piece opens with the brand
    for piece in (half for part in re.split(PIECES, title) for half in cut_at_brand(part, brand)):
        if any(half and folded(half) == folded(piece) for half in brand):
            continue
        if quoted := re.match(
            r"([^「『]*?)の?\s?[「『]([^」』]+)[」』]", piece
        ):  # ブランド「名前」はどんな香り
            piece = quoted[2] if is_prose(quoted[1]) else f"{quoted[1]} {quoted[2]}"
        halves = bracketed(piece)
        name = [without_brand(half, brand) for half in halves] or spellings(
            without_brand(piece, brand)
        )
        learn_spelling(brand, name, 0.75)
        names[any(opening(piece, half) for half in brand if half)] += [name] if any(name) else []
    names = names[True] + names[False]
    others = {folded(name) for name in (*brand, *shops) if name}
    names = [
        name for name in names if not {folded(half) for half in name if half} & others
    ] or names
    item = names[0] if names else spellings(clean_name(title) or title)
    for other in names[1:]:
        learn_spelling(item, other, 0.45)
    return item


# Brands ---------------------------------------------------------------------------------------------------------------


class Clues(NamedTuple):
    """What a page says about its product's brand and name, each list in order of trust."""

    titles: list[str]  # heading, labelled names, og:title, title; without the shop's name
    brands: list[str]  # told by JSON-LD, labels, classes or links
    near: list[str]  # short lines below and above the heading
    shops: list[str]


def house_in(text: str) -> str:
    """The first known house that a text names, in its longest spelling, or empty."""
    for start in (word.start() for word in re.finditer(r"(?<![\w'’.&＆])[\w&＆]", text[:90])):
        ends = [
            end
            for end in reversed(openings(text[start:]))
            if text[start + end : start + end + 1] != "・"
        ]
        if house := next(
            (
                text[start : start + end]
                for end in ends
                if folded(text[start : start + end]) in houses()
            ),
            "",
        ):
            return house
    return ""


def is_house(text: str) -> bool:
    """Whether a text is a well-known house, in one spelling or two."""
    return folded(text) in houses() or all(
        name is None or folded(name) in houses() for name in spellings(text)
    )


def brand_text(text: str) -> str:
    """A brand as told, without label, decoration and 公式サイト; empty for what is none: a price, a menu's word."""
    text = BRAND_NOISE.sub(
        " ", re.sub("[™®©]", "", plain(text)).strip(DECORATION + " 　・:：/／|｜–—-<>＜＞【】›»")
    )
    other = says("gate", text, "no_page", "article", "shop", "price", "furniture", "category")
    return text.strip() if 0 < len(clean_name(text)) < 60 and not other else ""


def title_brands(titles: list[str], heading: str) -> list[str]:
    """Brands that titles show by form: 'Brand – Item', 'Item（Brand）', '〈Brand〉Item'."""
    found, heading = [], folded(heading)
    for title in titles:
        found += re.findall(r"[〈《]([^〉》]+)[〉》]", title)
        found += map(clean_name, re.findall(r"(?:^|】)\s*([^「『【】]{2,30}?)の?\s?[「『]", title))
        pieces = [piece for piece in map(str.strip, re.split(DASH, title)) if clean_name(piece)]
        inside = [
            re.fullmatch(r"(.+?)\s?[(（]([^()（）]+)[)）]", piece)
            for piece in pieces
            if not bracketed(piece)
        ]
        found += [half[2] for half in inside if half]
        others = [piece for piece in pieces if folded(clean_name(piece)) not in heading] or pieces
        pair = [clean_name(piece) for piece in pieces]  # two spellings of one name
        if len(pair) > 2 or (len(pair) == 2 and alike(*pair) < 0.5 and not is_read_freely(*pair)):
            found.append(others[0])
    return found


def brand_texts(clues: Clues) -> list[str]:
    """Texts that may be the page's brand, in order of trust: told, known, by a title's form, nearby, the shop."""
    whole, shops, name = (
        folded(" ".join(clues.titles)),
        [*map(folded, clues.shops)],
        clues.titles[0],
    )
    pieces = [piece for title in clues.titles for piece in re.split(DASH, title)]
    near = [line for line in clues.near if folded(line) not in map(folded, clues.titles)]
    in_titles = [
        text
        for text in clues.brands
        if any(half and folded(half) in whole for half in spellings(text))
    ]
    ranked = [
        *in_titles,
        *map(house_in, [*clues.titles, *pieces]),
        *clues.brands,
        *map(house_in, near),
    ]
    ranked = [text for text in ranked if folded(text) not in shops] + [
        *filter(is_house, clues.shops)
    ]
    ranked += title_brands(clues.titles[:-1] or clues.titles, name)
    ranked += [text for text in near if folded(text) in whole or re.match(r"by\s", text)]
    ranked += [text for text in title_brands(clues.titles[-1:], name) if folded(text) not in shops]
    ranked = [*filter(None, map(brand_text, [*ranked, *clues.brands, *clues.shops, *near[:2]]))]
    is_name = folded(
        clean_name(name)
    ).__eq__  # the whole heading is the name, unless a label says the brand
    return sorted(ranked, key=lambda text: is_name(folded(text)) and text not in in_titles)


def names_of(clues: Clues) -> dict:
    """Brand and name in both spellings: from the first text that has them, a missing spelling from any that fits."""
    brands, name = brand_texts(clues), [None, None]
    if not brands:
        return {}
    brand = spellings(brands[0])
    for other in brands[1:]:
        learn_spelling(brand, spellings(other), 0.75)
    for title in [*clues.titles, *clues.near]:
        if all([*brand, *name]):
            break
        found = item_of(title, brand, clues.shops)
        name = name if any(name) else found
        is_brand = [any(part and part in brand for part in parts) for parts in (found, name)]
        if is_brand != [True, False]:
            learn_spelling(name, found, 0.6)
    name = name if name[0] else name[::-1]
    return {"brand": brand[0], "brand_ja": brand[1], "name": name[0], "name_ja": name[1]}


# Pages ----------------------------------------------------------------------------------------------------------------


def shop_names(root: Tag, tags: list[Tag], meta: dict[str, str]) -> list[str]:
    """What a page calls its shop: in its meta data, on the link to the front page, after ©."""
    links = [
        tag for tag in tags if tag.name == "a" and tag.get("href") and FRONT.fullmatch(tag["href"])
    ]
    marks = [
        tidy(text)
        for tag in links[:5]
        for text in (tag.get_text(), *(img.get("alt", "") for img in tag("img")))
    ]
    owners = [
        found[1] for found in itertools.islice(filter(None, map(COPYRIGHT.search, root.strings)), 3)
    ]
    names = [meta.get("og:site_name", ""), *marks, *map(tidy, owners)]
    names = [
        short for name in names for short in (name, re.sub(r"\.(?:co\.jp|com|jp|net)$", "", name))
    ]
    return [
        name
        for name in dict.fromkeys(names)
        if 2 < len(name) < 40
        and label_fields(name) is None
        and not says("gate", name, "furniture", "sns")
    ]


def own_title(title: str, shops: list[str]) -> str:
    """A title without the shop's name that opens or closes it, and without what brackets add: 【送料無料】."""
    title = re.sub(r"(?i)\s*powered by .*$", "", title)
    for shop in map(re.escape, shops):
        title = (
            re.sub(rf"^{shop}\s*[|｜/／:：–—-]\s*|[\s|｜/／:：–—-]*{shop}\s*$", "", title) or title
        )
    pieces = re.split(DASH, title)
    if len(pieces) > 1 and says("gate", pieces[-1], "shop"):
        title = title[: title.rindex(pieces[-1])]
    inside = re.compile(r"[【＜<\[]([^】＞>\]]*)[】＞>\]]")  # a brand in brackets stays
    shown = inside.sub(lambda found: f" {found[1]} " if house_in(found[1]) else " ", title)
    shown = re.sub(words("skip")["lead"], "", re.sub(" +", " ", shown).strip(" |｜/／:：–—-"))
    return shown or title


def agreement(text: str, said: str) -> float:
    """Letters of a text's words, without a known house, that stand in what is said, less a third of the others."""
    if not any(part and part in said for part in map(folded, re.split(r"\W+", text))):
        return 0
    own = own_title(text.replace(house_in(text) or MARK, " "), [])
    return sum(
        len(part) if part in said else -len(part) / 3
        for part in {*map(folded, re.split(r"\W+", own))}
    )


def heading_of(lines: list[Line], titles: list[str], shops: list[str]) -> tuple[int, str]:
    """Number and text of the line (or a part of it) that names the product: it agrees most with the page's titles."""
    said, found, headings = folded(" ".join(titles)), [], []
    closing = {
        folded(pieces[-1])
        for pieces in (re.split(DASH, title) for title in titles)
        if len(pieces) > 1
    }
    for at, line in enumerate(lines[:2_000]):
        before = split_label(lines[at - 1].text) if at else None
        valued = split_label(line.text) or (before and not before[1])  # a label or its value
        if (
            label_fields(line.text) is not None
            or line.rank == CRUMB
            or (line.level != 1 and valued)
        ):
            continue
        weight = 9 if line.level == 1 else 3 if line.level else 0
        for text in {line.text, *line.text.split(MARK)}:
            fit = agreement(text, said)
            fit -= weight if folded(text) in closing else 0  # the shop's name
            if fit >= 2 and text not in shops and not is_house(text):
                found.append((fit + weight, -at, text))
                headings += found[-1:] if line.level == 1 and folded(text) not in closing else []
    if found:
        _, at, text = max(headings or found)
        return -at, text
    named = [
        at
        for at, line in enumerate(lines)
        if 0 < line.level < 4 and label_fields(line.text) is None
    ]
    first = next((at for at in named if lines[at].level == 1 or not said), None)
    if first is None and titles and clean_name(titles[0]) and not says("gate", titles[0], "shop"):
        return 0, titles[0]
    label = next((at for at, line in enumerate(lines) if split_label(line.text)), 0)
    spoken = (at for at in range(label - 1, -1, -1) if not is_prose(lines[at].text))
    at = next(spoken, 0) if first is None else first
    return at, lines[at].text if lines else ""


def beside(lines: list[Line], top: int, heading: str) -> list[str]:
    """Short texts that may name the brand or spell the name again: of the heading's line, above, below, the trail."""
    parts = [
        part
        for line in lines[top : top + 1]
        for part in line.text.split(MARK)
        if part not in heading
    ]
    below = itertools.takewhile(lambda line: not split_label(line.text), lines[top + 1 : top + 7])
    trails = (line.text for line in lines[max(0, top - 12) : top + 1] if line.rank == CRUMB)
    trail = [step for text in trails for step in re.split(TRAIL, text)]
    above = [
        line for line in lines[max(0, top - 1) : top] if line.block.name != "li"
    ]  # the last of a menu
    nearby = [line.text for line in [*above, *below] if line.rank != CRUMB]
    nearby = [
        re.sub(rf"[\s/／|｜]*{YEAR}年?$", "", text) for text in nearby if text.count(MARK) < 4
    ]  # no index
    return [
        text
        for text in [*parts, *nearby, *trail]
        if 1 < len(text) < 60
        and not (is_prose(text) or split_label(text) or says("gate", text, "furniture", "figures"))
    ]


def is_trail(line: Line) -> bool:
    """Whether a line is of a breadcrumb trail, by its form or its element's class."""
    classes = " ".join(names_in(tag) for tag in around(line.block)[:4])
    start = rf"(?:ホーム|home|トップページ)(?:{TRAIL})|(?:top|トップ)[\s{MARK}]*[>＞»›]"
    return bool(re.match(start, line.text, re.IGNORECASE) or words("skip")["trail"].search(classes))


def are_several(found: list[Fact]) -> bool:
    """Whether a page has lists of top notes that contradict each other, and middle notes with more than one of them."""
    ranked = [fact for fact in found if 0 < fact.rank < 5 and fact.field in TIERS[:2]]
    ranked = [fact for fact in ranked if fact.rank == ranked[0].rank]
    tops, middles = ([fact.value for fact in ranked if fact.field == field] for field in TIERS[:2])
    tops = [top for top in tops if is_japanese(top[0]) == is_japanese(tops[0][0])]
    return len(middles) > 1 and any(
        not ({*top} <= {*tops[0]} or {*tops[0]} <= {*top}) for top in tops
    )


def is_perfume_page(
    tags: list[Tag],
    lines: list[Line],
    products: list[dict],
    types: set[str],
    titles: list[str],
    facts: dict,
) -> bool:
    """Whether a page is one product's and that product a perfume: by its words, its notes and its shop's furniture."""
    heading = " ".join([*titles[:1], *(as_text(product.get("category")) for product in products)])
    kind = facts.get("concentration") or says("concentration", " ".join(titles))
    tiers = [facts[tier] for tier in TIERS if facts.get(tier)]
    goods = says("gate", heading, "goods") and not (
        kind and len(tiers) > 1
    )  # a perfume may be named after soap
    if (
        goods
        or says("gate", " ".join(titles), "no_page")
        or says("gate", heading, "sets", "article")
    ):
        return False
    if len(tiers) > 1:
        return True
    if types & ARTICLES or (says("gate", heading, "extras") and not kind):
        return False
    product = products or any(
        "product" in tag.get("content", "") for tag in tags if tag.get("property") == "og:type"
    )
    furniture = any(
        "Product" in tag.get("itemtype", "") or "price" in tag.get("class", "") for tag in tags
    ) or any(words("gate")["price"].search(line.text) for line in lines[:12])
    labels = sum(
        bool(facts.get(field))
        for field in ("brand", "name", "gender", "families", "perfumer", "seasons")
    )
    labels += any(map(house_in, titles))
    if tiers or len(facts.get("notes", [])) > (0 if labels > 1 else 2) or kind:
        return bool(product or furniture or labels > (1 if kind else 0))
    return bool(product) and says("gate", heading, "perfume") is not None


def canonical_link(tags: list[Tag], url: str) -> str:
    """The address that a page calls its own, if it is on the same host and not the front page, else the given one."""
    links = (
        tag.get("href", "")
        for tag in tags
        if tag.name == "link" and tag.get("rel", "").lower() == "canonical"
    )
    named = canonical(next(links, ""), url)
    return (
        named
        if urlsplit(named).netloc == urlsplit(url).netloc and urlsplit(named).path != "/"
        else canonical(url)
    )


def page_perfumes(html: bytes, url: str) -> list[dict]:
    """Perfumes of a page as records of perfumes.jsonl without fetched_at; none for a page that is about no perfume."""
    gc.disable()  # a large page's tree would be gone through again and again, and nothing of it freed
    try:
        root = parse(html)
        return [] if root is None else perfumes_of(root, url)
    finally:
        gc.enable()


def own_lines(lines: list[Line], top: int) -> list[Line]:
    """Lines about the product that line `top` names: from there on, and what is labelled just above."""
    above, below = (
        [line for line in part if line.rank != CRUMB] for part in (lines[:top], lines[top:])
    )
    if not any({*label_of(line)} & {*TIERS, "notes"} for line in below) and (
        sorted(fact.field for fact in facts_of(above) if fact.field in TIERS) == sorted(TIERS)
    ):
        return below + above  # a shop that describes its product before it names it
    labelled = (
        line
        for line in above[-3:]
        if label_of(line) and not {*label_of(line)} & {*TIERS, "brandlink"}
    )
    return [line for line in labelled if split_label(line.text)[1]] + below


def perfumes_of(root: BeautifulSoup, url: str) -> list[dict]:
    """Records of a page's tree: one or none."""
    tags = [tag for tag in root.find_all(True) if tag.attrs or tag.name == "title"]
    meta = {
        tag.get("property") or tag.get("name") or "": tidy(tag.get("content", ""))
        for tag in tags
        if tag.name == "meta"
    }
    products, types = json_products(
        [tag for tag in tags if tag.name == "script" and "ld+json" in tag.get("type", "")]
    )
    shops, lines = shop_names(root, tags, meta), page_lines(root)

    page_title = tidy(next((tag.get_text() for tag in tags if tag.name == "title"), ""))
    said = [
        own_title(title, shops)
        for title in (meta.get("og:title", ""), page_title)
        if clean_name(title)
    ]
    said = [title for title in said if label_fields(title) is None]
    top, heading = heading_of(
        lines, [*said, *(as_text(product["name"]) for product in products)], shops
    )
    near = beside(lines, top, heading)
    same = [
        product
        for product in products
        if folded(heading) in folded(as_text(product["name"]))
        or folded(as_text(product["name"])) in folded(heading)
    ]
    products = same[:1] or products

    trail = " ".join(line.text for line in lines if line.rank == CRUMB)
    lines = own_lines(lines, top)
    told = [Line(f"brand：{meta['product:brand']}", rank=1)] if meta.get("product:brand") else []
    told += [Line(part, rank=6) for part in split_inline(meta.get("description", ""))]
    found = facts_of(
        [*lines, *told, *(line for product in products for line in json_lines(product))]
    )
    facts = merged(found)
    spoken = [
        fact.value
        for fact in found
        if fact.field == "name"
        and (
            is_prose(heading)
            or (fact.rank == 5 and len(fact.value) > 2 and folded(fact.value) in folded(heading))
        )
    ]
    titles = [
        own_title(title, []) for title in [*spoken, heading, facts.get("name"), *said] if title
    ]
    if (
        len(products) > 1
        or are_several(found)
        or not is_perfume_page(tags, lines, products, types, [*titles, page_title], facts)
    ):
        return []

    links = [fact.value for fact in found if fact.field == "brandlink"]
    brands = [fact.value for fact in found if fact.field == "brand"] + (
        links if len({*links}) < 4 else []
    )  # no menu
    names = names_of(Clues([*dict.fromkeys(titles)], [*map(brand_text, brands)], near, shops))
    if not names.get("name") or len(names["name"]) > 80:
        return []
    prose = (
        line.text
        for line in lines
        if len(line.text) > 40 and is_prose(line.text) and not split_label(line.text)
    )
    kinds = says("concentration", " ".join(titles)), facts.get("concentration")
    perfume = {
        "gender": gender_of(" ".join(titles)) or gender_of(trail),
        "concept": re.sub(r"\s*【[^】]*】$", "", plain(next(prose, ""))),
        **facts,
        **names,
        "url": canonical_link(tags, url),
        "concentration": min(
            filter(None, kinds), key="パルファム".__eq__, default=None
        ),  # Parfum may be of the brand
    }
    return [{field: perfume.get(field) or ([] if field in LISTS else None) for field in FIELDS}]


class ShopRead(NamedTuple):
    """What the pages of a shop say."""

    perfumes: list[dict]
    silent: list[str]  # addresses of pages that look like products and give nothing
    unmatched: list[str]  # SELECTORS that find nothing on any page


@functools.cache
def page_words(use: str) -> dict[str, list[str]]:
    """Words of data/page_words_url.csv for one use, by name."""
    path = Path(__file__).parent / "data" / "page_words_url.csv"
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {
            name: [*filter(None, cells)] for kind, name, *cells in csv.reader(file) if kind == use
        }


def read_shop(pages: Iterable[tuple[str, bytes]], progress: bool = False) -> ShopRead:
    """Perfumes of a shop's pages (address, bytes)."""
    perfumes = []
    for url, html in tqdm(pages, desc="読み取り", unit="枚", disable=None if progress else True):
        perfumes += [perfume | {"url": url} for perfume in page_perfumes(html, url)]
    return ShopRead(perfumes, [], [])


def extract_perfumes(pages: Iterable[tuple[str, bytes]]) -> list[dict]:
    """Perfumes of a shop's pages (address, bytes) as records of perfumes.jsonl without fetched_at."""
    return read_shop(pages).perfumes


# ==================================================================================================
# End of the reading to be cut out
# ==================================================================================================


# Addresses ----------------------------------------------------------------------------------------

COMMAND = "python getData.py を実行してください"
MAX_DEPTH = 10  # folders of an address; traps build deeper ones
PAGE_ENDING = re.compile(r"\.(html?|php)$", re.IGNORECASE)
INDEX = re.compile(r"(^|/)index\.(?:html?|php)(?=$|\?)", re.IGNORECASE)


@functools.cache
def url_words(name: str) -> tuple[str, ...]:
    """Words of addresses from data/page_words.csv: parameter, opening, path or ending."""
    return tuple(page_words("url").get(name, []))


@functools.lru_cache(2**16)
def canonical(url: str, base: str = "") -> str:
    """The address in one spelling, without fragment and idle parameters; empty for what is none."""
    try:
        parts = parse_url(urljoin(base, url.strip()))
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.host:
        return ""
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    path = re.sub(r"(?i);jsessionid=[^/]*|(?<=/)/+", "", requote_uri(parts.path or "/"))
    kept = []
    for pair in sorted(filter(None, requote_uri(parts.query or "").split("&"))):
        name = pair.partition("=")[0].lower()
        idle = name in url_words("parameter") or name.startswith(url_words("opening"))
        kept += [] if idle else [pair]
    return urlunsplit((parts.scheme, parts.host + port, path, "&".join(kept), ""))


def url_key(url: str) -> str:
    """What two spellings of one page's address share: no scheme, no closing slash."""
    return re.sub(r"^https?:|/(?=\?|$)", "", url)


def kind_of(url: str) -> str:
    """What the addresses of a shop's like pages share: folder and first parameter, no numbers."""
    path, _, query = url.partition("?")
    folder = re.sub(r"[^/]*\d[^/]*", "0", path.rstrip("/").rpartition("/")[0])
    return f"{folder}/?{query.partition('=')[0]}"


def is_page(url: str) -> bool:
    """Whether an address may lead to a page worth reading: no picture, feed, cart or log-in."""
    path = urlsplit(url).path.lower()
    names = [PAGE_ENDING.sub("", name) for name in path.split("/")]
    if any(name in url_words("path") or name.startswith(".") for name in names):
        return False
    return path.rpartition(".")[2] not in url_words("ending")


# Pages --------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A page as fetched: address, status, times, headers, what it says of itself; its body."""

    head: dict
    body: bytes


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its name and moves it into place: a kill leaves the old or the new."""
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(content)
    os.replace(beside, path)


def stored_file(url: str) -> Path:
    """File that keeps a page: its head as one line of JSON, then its body."""
    return Path(PAGES_DIR) / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.page"


def stored_page(file: Path) -> Page | None:
    """The page that a file keeps, or None."""
    with contextlib.suppress(OSError, ValueError):
        head, body = file.read_bytes().split(b"\n", 1)
        return Page(json.loads(head), body)
    return None


@functools.lru_cache(1)
def tree_of(html: bytes) -> lxml.html.HtmlElement | None:
    """A page's tree for its links, plain and fast; None for what is no page."""
    try:
        html.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = None  # as the page names it
    parser = lxml.html.HTMLParser(encoding=encoding, huge_tree=True)
    with contextlib.suppress(lxml.etree.LxmlError, ValueError, AssertionError):
        return lxml.html.document_fromstring(html, parser=parser)
    return None


def head_of(url: str, status: int, headers: Mapping[str, str], html: bytes) -> dict:
    """What is kept of a page beside its body: title, own address and rules for robots included."""
    names = ("location", "etag", "last_modified", "retry_after")
    head = {name: headers.get(name.replace("_", "-"), "") for name in names}
    head["location"] = head["location"].encode("latin-1").decode("utf-8", "replace")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    head |= {"url": url, "status": status, "checked_at": time.time(), "fetched_at": now}
    head |= {"title": "", "own": ""}
    root, robots = tree_of(html), headers.get("X-Robots-Tag", "")
    for tag in root.iter("title", "link", "meta") if root is not None else ():
        kind = (tag.get("rel") or tag.get("name") or tag.tag).lower()
        if kind == "title":
            head["title"] = head["title"] or (tag.text or "").strip()
        elif kind == "canonical":
            head["own"] = head["own"] or canonical(tag.get("href", ""), url)
        elif kind == "robots":
            robots += "," + tag.get("content", "")
    return head | {"rules": [rule.strip() for rule in robots.lower().split(",")]}


def links_of(root: lxml.html.HtmlElement, url: str) -> list[str]:
    """Addresses that a page leads to."""
    bases = [canonical(tag.get("href"), url) for tag in root.iter("base") if tag.get("href")]
    base = next(filter(None, bases), url)
    found = []
    for tag in root.iter("a", "area", "frame", "iframe", "link"):
        rel = tag.get("rel", "").lower().split()
        if "nofollow" not in rel and (tag.tag != "link" or "next" in rel):
            found.append(tag.get("href") or tag.get("src") or "")
    for script in root.xpath("//@onclick"):
        found += re.findall(r"location(?:\.href)?\s*=\s*[\"']([^\"']+)", script)
    for refresh in root.xpath("//meta[@http-equiv]/@content"):
        found += re.findall(r"(?i);\s*url\s*=\s*[\"']?([^\"']+)", refresh)
    front = urljoin(base, "/")  # menus' links are the same on every page
    return [canonical(link, front if link[:1] == "/" else base) for link in dict.fromkeys(found)]


def lines_of(root: lxml.html.HtmlElement) -> set[int]:
    """Lines of a page's text as numbers to be compared, without figures and punctuation."""
    shown = "//text()[not(parent::style or parent::script[not(contains(@type, 'ld+json'))])]"
    texts = root.xpath(shown, smart_strings=False)
    return {hash(line) for text in texts if (line := re.sub(r"[\W\d_]+", "", text))}


# The shop -----------------------------------------------------------------------------------------

REDIRECTS = (301, 302, 303, 307, 308)
LASTING = (200, 301, 308, 404, 410)  # answers that are kept; others are asked for again
HEALING, REFUSING = (408, 429), (401, 403)  # 5xx may heal too
MAX_REDIRECTS = 5
ROBOTS_BYTES, ROBOTS_DAYS = 512_000, 1  # read of robots.txt, and kept (RFC 9309, 2.4 and 2.5)
FOLDER_DELAY = 0.05  # most seconds between pages of a folder: robots.txt means to spare a server
DAY = 86_400  # seconds
JITTER = 1.2  # most times the delay that is waited
GZIP = 31  # zlib's number for it; nothing else is asked for
ELSEWHERE, REFUSED = "別のホスト", "robots.txt が断っている"
UNREAD, BARREN = "MAX_PAGES のため未読", "新しいことがないため未読"
NO_AI, READ, READ_NOTHING = "AI の利用を断っている", "香水のページ", "香水のないページ"
COUNTED = ("取得", "ディスクから", REFUSED, READ_NOTHING, READ)  # come first at the end
CHECK_START = f"START_URL を確かめるか、時間をおいて、もう一度 {COMMAND}。"
INTERRUPTED = f"中断しました。続きは、もう一度 {COMMAND}。"
FAULTS = {  # kinds of fault, as counted at the end
    requests.Timeout: "時間切れ",
    urllib3.exceptions.TimeoutError: "時間切れ",
    requests.exceptions.SSLError: "安全に接続できない",
    zlib.error: "圧縮が壊れている",
    urllib3.exceptions.ProtocolError: "途中で切れた",
    urllib3.exceptions.HTTPError: "接続できない",
    OSError: "接続できない",
}


class PageFailed(Exception):
    """A page that could not be had; the text is the reason, as counted at the end."""


def retry_after(value: str) -> float:
    """Seconds that a Retry-After header asks for, as number or date, a year at most; 0 for none."""
    with contextlib.suppress(urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return min(urllib3.Retry().parse_retry_after(value), 366 * DAY)
    return 0.0


def unpacked(body: bytes, encoding: str) -> bytes:
    """A body as it was before the server packed it; what ends in the midst is no body."""
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise PageFailed(f"頼んでいない圧縮（{re.sub('[^A-Za-z0-9, -]', '', encoding)[:20]}）")
    unpacker = zlib.decompressobj(GZIP)
    body = unpacker.decompress(body, MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise PageFailed("大きすぎる")
    if not unpacker.eof:
        raise zlib.error("a body that ends in the midst")
    return body


class Connections(requests.adapters.HTTPAdapter):
    """Connections that can be cut from outside: what drips never meets a reading time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets = weakref.WeakSet()

    def get_connection_with_tls_context(
        self, *args: object, **options: object
    ) -> urllib3.HTTPConnectionPool:
        """The pool that a request takes its connection from; each connection notes its socket."""
        pool = super().get_connection_with_tls_context(*args, **options)
        kind, sockets = type(pool).ConnectionCls, self.sockets

        class Noted(kind):
            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        pool.ConnectionCls = Noted
        return pool

    def cut(self) -> None:
        """Ends whatever the connections wait for."""
        for opened in list(self.sockets):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)


class Shop:
    """A polite visitor of one host: robots.txt, pace, retries, redirects, pages kept on disk."""

    def __init__(self, start: str, served: str = "", paths: Container[str] = ()) -> None:
        self.start, self.host = start, urlsplit(start).netloc
        self.served, self.paths = served, paths  # a folder's local address and its paths
        self.days = 0 if served else REFRESH_DAYS  # a folder may have changed
        self.delay = 0 if served else DELAY_SECONDS
        self.robots: dict[str, Protego] = {}
        self.counts = Counter(dict.fromkeys(COUNTED, 0))
        self.ended = self.ready = 0.0  # when the last request ended, and the next may begin
        self.failures = 0  # pages failing in a row
        self.missed = False  # whether a page failed that another time may give
        self.stopped = ""  # why nothing more is asked for; pages on disk are still read
        self.pages = 0  # how many were read or tried
        self.moved = ""  # another host that the shop sends to
        self.connections = Connections()
        self.session = requests.Session()
        self.session.trust_env = not served  # no proxy between this machine and itself

    def own(self, url: str) -> str:
        """The address; one of another host that the folder was saved from, as the folder's own."""
        parts = urlsplit(url)
        if not self.paths or parts.netloc in ("", self.host):
            return url
        path = urlunsplit(("", "", *parts[2:]))
        known = path_key(unquote(path)).removesuffix("/") in self.paths
        return f"http://{self.host}{path}" if known else url

    def refusal(self, url: str, robots: bool = True) -> str:
        """Why an address may not be asked for; empty where it may."""
        if urlsplit(url).netloc != self.host:
            return ELSEWHERE
        agents = (USER_AGENT, *AI_AGENTS) if robots else ()
        return "" if all(self.rules(url).can_fetch(url, agent) for agent in agents) else REFUSED

    def rules(self, url: str) -> Protego:
        """The address's robots.txt (RFC 9309): 4xx allows all, 5xx or silence stops the run."""
        origin = urljoin(url, "/")
        if origin in self.robots:
            return self.robots[origin]
        try:
            page = self.follow(f"{origin}robots.txt", robots=False)
        except PageFailed as failure:
            said = f"{origin}robots.txt が読めません（{failure}）。{self.moved}{CHECK_START}"
            raise SystemExit(self.stopped or said) from None
        text = page.body[:ROBOTS_BYTES] if page.head["status"] == 200 else b""
        rules = Protego.parse(text.decode("utf-8-sig", "replace"))
        delay = rules.crawl_delay(USER_AGENT) or 0
        if self.served:
            delay = min(delay, FOLDER_DELAY)
        if delay > RETRY_AFTER_CAP:
            raise SystemExit(
                f"{origin}robots.txt が {delay:,.0f} 秒に 1 ページだけと求めています。"
                f"集めるなら RETRY_AFTER_CAP をその秒数以上にして、もう一度 {COMMAND}。"
            )
        self.delay = max(self.delay, delay)
        self.robots[origin] = rules
        return rules

    def read(self, url: str) -> Page | None:
        """The page at an address; None, and the reason is counted, where it cannot be had."""
        if reason := self.refusal(url):
            self.counts[reason] += 1
            return None
        self.pages += 1
        try:
            page = self.follow(url)
            if page.head["status"] == 200:
                return page
            raise PageFailed(f"HTTP {page.head['status']}")
        except PageFailed as failure:
            self.counts[f"失敗: {failure}"] += 1
            return None

    def follow(self, url: str, robots: bool = True) -> Page:
        """The page that an address leads to; each redirect is checked like any address."""
        passed = []
        while url not in passed and len(passed) <= MAX_REDIRECTS:
            page = self.page(url)
            if page.head["status"] not in REDIRECTS:
                return page
            passed.append(url)
            url = self.own(canonical(page.head["location"], url))
            if not url:
                raise PageFailed("転送先が読めない")
            if reason := self.refusal(url, robots):
                self.moved = f"{url} に転送されています。" if reason == ELSEWHERE else self.moved
                raise PageFailed(f"転送先: {reason}")
        raise PageFailed("転送が終わらない")

    def page(self, url: str) -> Page:
        """The page as stored; from the shop where there is none or it is too old."""
        file, always = stored_file(url), url.endswith("/robots.txt")
        days = ROBOTS_DAYS if always else self.days
        stored = stored_page(file)
        if stored and not always and stored.head["status"] not in LASTING:
            stored = None
        if stored and (days is None or time.time() - stored.head["checked_at"] < days * DAY):
            self.counts["ディスクから"] += 1
            return stored
        try:
            page = self.request(url, stored)
            lasting = always or page.head["status"] in LASTING
            if stored and not lasting:
                raise PageFailed(f"HTTP {page.head['status']}")
        except PageFailed:
            if not stored:
                raise
            self.counts["更新できず前のページを使用"] += 1
            return stored
        self.counts["取得"] += 1
        if lasting:
            head = json.dumps(page.head, ensure_ascii=False).encode(errors="replace")
            replace_file(file, head + b"\n" + page.body)
        return page

    def request(self, url: str, stored: Page | None) -> Page:
        """One page from the shop: at a polite pace, again after what can heal, never faster."""
        if self.stopped:
            raise PageFailed("停止のあと取得せず")
        for attempt in range(ATTEMPTS):
            ready = max(self.ready, self.ended + self.delay * random.uniform(1, JITTER))
            time.sleep(max(0.0, ready - time.monotonic()))
            wait = 0.0
            try:
                page = self.exchange(url, stored)
                status = page.head["status"]
                reason, wait = f"HTTP {status}", retry_after(page.head["retry_after"])
                if status < 500 and status not in HEALING:
                    self.note(reason if status in REFUSING else "")
                    return page
            except tuple(FAULTS) as error:
                reason = next(said for kind, said in FAULTS.items() if isinstance(error, kind))
            finally:
                self.ended = time.monotonic()
            if wait > RETRY_AFTER_CAP:
                when = datetime.fromtimestamp(time.time() + wait).strftime("%Y年%m月%d日 %H:%M")
                said = f"{self.host} が待つよう求めています（{reason}）。"
                self.stopped = f"{said}{when} 以降にもう一度 {COMMAND}。"
                break
            if attempt + 1 < ATTEMPTS:
                wait = max(wait, BACKOFF_SECONDS * 2**attempt)
            self.ready = self.ended + wait
        self.note(reason)
        raise PageFailed(reason)

    def note(self, failure: str) -> None:
        """Counts pages that fail in a row; after too many nothing more is asked for."""
        self.failures = self.failures + 1 if failure else 0
        self.missed = self.missed or bool(failure)
        if self.failures >= MAX_FAILURES and not self.stopped:
            said = f"{self.host} のページが続けて取得できません（{failure}）。"
            self.stopped = f"{said}時間をおいて、もう一度 {COMMAND}。"

    def exchange(self, url: str, stored: Page | None) -> Page:
        """One request and its answer, within PAGE_SECONDS and MAX_BYTES; </html> ends a body."""
        address = self.served + url.split(self.host, 1)[1] if self.served else url
        asked = {"User-Agent": USER_AGENT, "Accept-Language": "ja", "Accept-Encoding": "gzip"}
        for name, key in (("If-None-Match", "etag"), ("If-Modified-Since", "last_modified")):
            if stored and stored.head[key] and not self.served:  # a folder may be another by now
                asked[name] = stored.head[key]
        sent = requests.Request("GET", address, headers=asked).prepare()
        way = self.session.merge_environment_settings(address, {}, True, None, None)  # proxies
        timeout = CONNECT_SECONDS, READ_SECONDS
        body, deadline = bytearray(), time.monotonic() + PAGE_SECONDS
        clock = threading.Timer(PAGE_SECONDS, self.connections.cut)
        clock.start()
        try:
            with self.connections.send(sent, timeout=timeout, **way) as answer:
                status, headers = answer.status_code, answer.headers
                while status == 200 and (part := answer.raw.read1(2**16)):
                    body += part
                    if len(body) > MAX_BYTES:
                        raise PageFailed("大きすぎる")
        except tuple(FAULTS):
            if time.monotonic() < deadline and not body.rstrip().lower().endswith(b"</html>"):
                raise
        finally:
            clock.cancel()
        if time.monotonic() >= deadline:
            self.note("時間切れ")
            raise PageFailed("時間切れ")
        if status == 304 and stored:
            return Page({**stored.head, "checked_at": time.time()}, stored.body)
        html = unpacked(bytes(body), headers.get("Content-Encoding", "")) if body else b""
        return Page(head_of(url, status, headers, html), html)


# The crawl ----------------------------------------------------------------------------------------

MAX_SITEMAPS = 200
MAX_LISTED = 250_000  # addresses that are taken from sitemaps


def sitemap_entries(body: bytes) -> list[tuple[str, str]]:
    """(url or sitemap, address) of each entry of a sitemap, packed or not; none of what is none."""
    with contextlib.suppress(zlib.error, lxml.etree.LxmlError, AttributeError, ValueError):
        if body.startswith(b"\x1f\x8b"):
            body = zlib.decompressobj(GZIP).decompress(body, 5 * MAX_BYTES)
        parser = lxml.etree.XMLParser(recover=True, resolve_entities=False)
        places = lxml.etree.fromstring(body, parser).iter("{*}loc")
        return [(lxml.etree.QName(loc.getparent()).localname, loc.text or "") for loc in places]
    return []


def sitemap_links(shop: Shop) -> list[str]:
    """Addresses that the shop's sitemaps list, indexes and packed ones included."""
    todo = deque([*shop.rules(shop.start).sitemaps] or ["/sitemap.xml"])
    seen, links = {""}, []
    while todo and len(seen) <= MAX_SITEMAPS and len(links) < MAX_LISTED:
        url = shop.own(canonical(todo.popleft(), shop.start))
        if url in seen:
            continue
        seen.add(url)
        try:
            if reason := shop.refusal(url):
                raise PageFailed(reason)
            entries = sitemap_entries(shop.follow(url).body)
        except PageFailed as failure:
            shop.counts[f"読めないサイトマップ: {failure}"] += 1
            continue
        todo += [address for kind, address in entries if kind == "sitemap"]
        links += [canonical(address, shop.start) for kind, address in entries if kind == "url"]
    return links


class Frontier:
    """The addresses to read, each once: a sitemap's first, kinds in turn, no kind in vain."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.known = shop, {url_key(shop.start)}
        self.queues = {(0, kind_of(shop.start)): deque([shop.start])}  # by rank and kind
        self.turns, self.barren = Counter(), Counter()
        self.seen: set[int] = set()  # lines and bodies of pages

    def add(self, urls: list[str], rank: int) -> bool:
        """Queues what is new and of this host; whether a kind of it was not known before."""
        kinds = len(self.queues)
        for url in map(self.shop.own, urls):
            parts, key = urlsplit(url), url_key(url)
            if parts.netloc != self.shop.host or key in self.known or not is_page(url):
                continue
            if parts.path.count("/") <= MAX_DEPTH:
                self.known.add(key)
                self.queues.setdefault((rank, kind_of(url)), deque()).append(url)
        return len(self.queues) > kinds

    def __iter__(self) -> Iterator[str]:
        """The addresses in turn."""
        while ready := [
            (rank, self.turns[rank, kind], kind)
            for (rank, kind), queue in self.queues.items()
            if queue and self.barren[kind] < MAX_BARREN
        ]:
            rank, _, kind = min(ready, key=itemgetter(0, 1))
            self.turns[rank, kind] += 1
            yield self.queues[rank, kind].popleft()

    def __len__(self) -> int:
        """How many addresses are not yet read."""
        return sum(map(len, self.queues.values()))

    def judge(self, page: Page) -> None:
        """Queues a page's links, and notes whether it says or leads to anything new."""
        root, url, rules = tree_of(page.body), page.head["url"], page.head.get("rules", [])
        body, lines, new = hash(page.body), set(), False
        if root is not None:
            lines = lines_of(root)
            if body not in self.seen and not {"nofollow", "none"} & {*rules}:
                new = self.add(links_of(root, url), rank=1)
        new = new or not lines <= self.seen
        self.barren[kind_of(url)] = 0 if new else self.barren[kind_of(url)] + 1
        self.seen |= lines | {body}  # one page under endless addresses is a trap


def crawl(shop: Shop, frontier: Frontier) -> Iterator[dict]:
    """The head of each page of the shop, in an order that only the pages decide."""
    frontier.add(sitemap_links(shop), rank=0)
    read = set()
    for url in frontier:
        if shop.pages >= MAX_PAGES:
            shop.counts[UNREAD] = len(frontier) + 1
            return
        page = shop.read(url) if url_key(url) not in read else None
        if page is None or url_key(page.head["url"]) in read:
            continue
        read |= {url_key(url), url_key(page.head["url"])}
        frontier.judge(page)
        yield page.head
    shop.counts[BARREN] = len(frontier)


def others_stored(shop: Shop, reached: list[dict]) -> list[dict]:
    """Heads of the shop's pages that earlier runs stored and this one, cut short, did not reach."""
    known, heads = {head["url"] for head in reached}, []
    for file in sorted(Path(PAGES_DIR).glob("*.page")):
        if page := stored_page(file):
            url = page.head["url"]
            if urlsplit(url).netloc == shop.host and page.head["status"] == 200 and is_page(url):
                heads += [page.head] if url not in known else []
    return heads


class StoredPages:
    """Stored pages (address, body), however often gone through: one at a time is in memory."""

    def __init__(self, heads: list[dict]) -> None:
        titles: dict[str, set[str]] = {}
        for head in heads:
            titles.setdefault(head.get("own", ""), set()).add(head.get("title", ""))
        self.heads: dict[str, dict] = {}
        for head in heads:
            own = head.get("own", "")
            parts, start = urlsplit(own), urlsplit(head["url"])
            meant = parts.netloc == start.netloc and parts.path != "/" and len(titles[own]) == 1
            self.heads.setdefault(own if meant else head["url"], head)  # else a template's mistake

    def __len__(self) -> int:
        return len(self.heads)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for address, head in self.heads.items():
            if page := stored_page(stored_file(head["url"])):
                yield address, page.body


# A folder as a shop -------------------------------------------------------------------------------


def path_key(path: str) -> str:
    """A path in one spelling, of a file or of what a request asks for; either may hold a `?`."""
    url = canonical("http://folder/" + quote(path.lstrip("/"), safe="/?&=;"))
    return url.removeprefix("http://folder")


def folder_files(folder: Path) -> dict[str, Path]:
    """The folder's files by what a static host finds them under; `?` and @ as wget writes names."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found: dict[str, Path] = {}
    for bare in (False, True):  # each file by its own name before any by a shorter one
        for path in files:
            name = path.relative_to(folder).as_posix()
            short = INDEX.sub(r"\1", PAGE_ENDING.sub("", INDEX.sub(r"\1", name)))
            name = short if bare else name
            for spelling in (name, re.sub(r"@(?=[^/]*=)", "?", name)):
                found.setdefault(path_key(spelling), path)
    return found


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, Container[str]]]:
    """Address and paths of a folder that is served on 127.0.0.1 for as long as the block runs."""
    files = folder_files(folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each page waits 40 ms for its second half

        def translate_path(self, path: str) -> str:
            key = path_key(unquote(path))
            file = files.get(key) or files.get(key.removesuffix("/"))
            return str(file) if file else super().translate_path(path)

        def log_message(self, *_: object) -> None:
            """Says nothing: the run counts its pages itself."""

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        paths = {key.removesuffix("/") for key in files}
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()


# The perfumes -------------------------------------------------------------------------------------

SHOWN = 3  # perfumes and addresses that are shown
GONE_SHOWN = 10  # names that are shown of perfumes that are gone
DOUBTED = ("name", "top_notes", "notes", "concept")  # differ from perfume to perfume
DOUBTFUL = 0.2  # share of the perfumes that say the same ...
DOUBTFUL_COUNT = 4  # ... and how many these are at least
REMEDY = f'SELECTORS = {{"項目": "h1"}} のように場所を書き（README）、もう一度 {COMMAND}。'


def earlier_names(host: str) -> dict[str, str]:
    """Names, by address, of this host's perfumes that OUTPUT_FILE has from an earlier run."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        lines = Path(OUTPUT_FILE).read_bytes().splitlines()
        names = {perfume["url"]: str(perfume["name"]) for perfume in map(json.loads, lines)}
        return {url: name for url, name in names.items() if urlsplit(url).netloc == host}
    return {}


def without_copies(perfumes: list[dict]) -> list[dict]:
    """Perfumes without those that say the same as one before under another address."""
    chosen = {}
    for perfume in perfumes:
        chosen.setdefault(str(perfume | {"url": ""}), perfume)
    return list(chosen.values())


def gather(shop: Shop) -> list[dict]:
    """Heads of the shop's stored pages; where the crawl was cut short, of earlier runs' too."""
    heads, frontier = [], Frontier(shop)
    try:
        with tqdm(desc="ページ", unit="枚", disable=None) as bar:
            for head in crawl(shop, frontier):
                heads.append(head)
                bar.set_postfix_str(f"待ち {len(frontier):,}", refresh=False)
                bar.update()
    except (SystemExit, KeyboardInterrupt) as stop:
        shop.stopped = str(stop) or INTERRUPTED
    if shop.stopped == INTERRUPTED:
        print("中断しました。ここまでのページから香水を読み取ります（やめるには Ctrl-C）。")
    if shop.stopped or shop.missed or shop.counts[UNREAD]:
        heads += others_stored(shop, heads)
    return heads


def visit(shop: Shop) -> None:
    """Crawls the shop, then reads all its stored pages into OUTPUT_FILE, whole or not at all."""
    heads = gather(shop)
    open_heads = [head for head in heads if "noai" not in head.get("rules", [])]
    pages = StoredPages(open_heads)
    read, earlier = read_shop(pages, progress=True), earlier_names(shop.host)
    perfumes = [
        perfume | {"fetched_at": pages.heads[perfume["url"]]["fetched_at"]}
        for perfume in without_copies(read.perfumes)
    ]
    if perfumes:  # a wrong START_URL leaves the file as it was
        lines = [json.dumps(perfume, ensure_ascii=False) + "\n" for perfume in perfumes]
        replace_file(Path(OUTPUT_FILE), "".join(lines).encode())
    shop.counts[NO_AI] = len(heads) - len(open_heads)
    named = {perfume["url"] for perfume in read.perfumes}
    shop.counts[READ] = len({perfume["url"] for perfume in perfumes})
    shop.counts[READ_NOTHING] = len(pages) - len(named)
    shop.counts["ほかと同じ香水のページ"] = len(named) - shop.counts[READ]
    report(shop, read._replace(perfumes=perfumes), earlier)


def report(shop: Shop, read: ShopRead, earlier: dict[str, str]) -> None:
    """Prints what came of the run; ends the program when it stopped early or found nothing."""
    counts = [f"{reason} {count:,}" for reason, count in shop.counts.items() if count]
    if counts:
        print("、".join(counts))
    if read.perfumes:
        describe(read.perfumes)
        found = {perfume["url"] for perfume in read.perfumes}
        if gone := [name for url, name in earlier.items() if url not in found]:
            print(f"前回あって今回ない香水 {len(gone):,}: {'、'.join(gone[:GONE_SHOWN])}")
    if read.silent:
        shown = "、".join(read.silent[:SHOWN])
        print(f"商品のようで何も読めなかったページ {len(read.silent):,}: {shown}")
    for field in read.unmatched:
        print(f'SELECTORS の "{field}": "{SELECTORS.get(field)}" はどのページにも見つかりません。')
    if shop.counts[UNREAD]:
        print(f"MAX_PAGES（{MAX_PAGES:,}）まで読みました。残りは、大きくして、もう一度 {COMMAND}。")
    if read.perfumes:
        print(f"（最初からやり直すには {PAGES_DIR} を削除してください）")
        print(
            f"{len(read.perfumes):,} 件の香水を {OUTPUT_FILE} に書きました。次: python arrangeData.py"
        )
    if shop.stopped:
        raise SystemExit(shop.stopped)
    if not read.perfumes:
        refused = f"robots.txt が {shop.counts[REFUSED]:,} ページを断っています。"
        said = f"{START_URL} から香水が見つかりませんでした。{shop.moved}"
        raise SystemExit(said + refused * bool(shop.counts[REFUSED]) + CHECK_START)


def describe(perfumes: list[dict]) -> None:
    """Prints how the fields are filled, what cannot be, and some perfumes as read."""
    filled, doubts = [], []
    for field in FIELDS[1:]:
        values = Counter(str(perfume[field]) for perfume in perfumes if perfume[field])
        filled.append(f"{field} {values.total() / len(perfumes):.0%}（{len(values):,}）")
        value, often = next(iter(values.most_common(1)), ("", 0))
        if field in DOUBTED and often >= max(DOUBTFUL_COUNT, DOUBTFUL * len(perfumes)):
            doubts.append(f"{field} が {often:,} 件で同じ「{value[:40]}」")
    print("埋まった項目（違う値の数）: " + "、".join(filled))
    if doubts:
        print(f"注意: {'、'.join(doubts)}です。読み違いなら {REMEDY}")
    for perfume in perfumes[:: max(1, len(perfumes) // SHOWN)][:SHOWN]:
        names = [perfume[field] for field in ("brand", "brand_ja", "name", "name_ja")]
        notes = itertools.chain(*(perfume[tier] for tier in (*TIERS, "notes")))
        notes = "、".join(dict.fromkeys(notes)) or "香料の記載なし"
        print(f"例: {' / '.join(filter(None, names))} — {notes}")


# The run ------------------------------------------------------------------------------------------

COUNTS = ("MAX_PAGES", "MAX_BYTES", "ATTEMPTS", "MAX_FAILURES", "MAX_BARREN")
SECONDS = ("CONNECT_SECONDS", "READ_SECONDS", "PAGE_SECONDS")
WAITS = ("DELAY_SECONDS", "BACKOFF_SECONDS", "RETRY_AFTER_CAP", "REFRESH_DAYS")
LEAST = dict.fromkeys(COUNTS, 1) | dict.fromkeys(SECONDS, 0.1) | dict.fromkeys(WAITS, 0)
MOST = 1e9


def expect(meant: object, name: str, value: object, remedy: str) -> None:
    """Ends the program at a setting's value that cannot be meant."""
    if not meant:
        raise SystemExit(f"{name} = {value!r} は使えません。{remedy}直して、もう一度 {COMMAND}。")


def check_settings() -> None:
    """Ends the program at a constant that cannot be meant."""
    settings = globals()
    for name, least in LEAST.items():
        value, kinds = settings[name], int if name in COUNTS else int | float
        number = isinstance(value, kinds) and not isinstance(value, bool)
        meant = (number and least <= value < MOST) or (name, value) == ("REFRESH_DAYS", None)
        expect(meant, name, value, f"{least} 以上の数に")
    for name in ("OUTPUT_FILE", "PAGES_DIR", "USER_AGENT"):
        meant = isinstance(settings[name], str | Path) and str(settings[name]).strip()
        expect(meant, name, settings[name], "空でない文字列に")
    for name, value in (("USER_AGENT", [USER_AGENT]), ("AI_AGENTS", AI_AGENTS)):
        meant = isinstance(value, tuple | list) and all(map(is_token, value))
        expect(meant, name, settings[name], '英字の名前（AI_AGENTS は ("GPTBot",) のような組）に')
    expect(isinstance(SELECTORS, dict), "SELECTORS", SELECTORS, '{"name": "h1.item"} のような形に')
    for field, css in SELECTORS.items():
        expect(field in FIELDS[1:], "SELECTORS の項目", field, f"{'、'.join(FIELDS[1:])} に")
        try:
            soupsieve.compile(css)
        except (soupsieve.SelectorSyntaxError, ValueError, TypeError, AttributeError) as error:
            why = str(error).split("\n")[0]
            expect(False, f"SELECTORS の {field}", css, f"（{why}）正しい CSS に")
    page_words("url")  # a file that cannot be read is told before the shop is asked


def is_token(name: object) -> bool:
    """Whether a name may stand in a header."""
    return isinstance(name, str) and bool(name.strip()) and name.isascii() and name.isprintable()


def run() -> None:
    """Reads the shop at START_URL into OUTPUT_FILE."""
    for place in (Path(OUTPUT_FILE).parent, Path(PAGES_DIR)):
        place.mkdir(parents=True, exist_ok=True)
        (place / ".tmp").touch()  # fails now what would fail after the first page
        (place / ".tmp").unlink()
    if Path(OUTPUT_FILE).is_dir():
        raise IsADirectoryError(errno.EISDIR, "フォルダーです", str(OUTPUT_FILE))
    start, folder = canonical(str(START_URL)), Path(str(START_URL))
    with FileLock(Path(PAGES_DIR) / ".lock", blocking=False):  # ends with the process
        if start:
            visit(Shop(start))
        elif folder.is_dir() and str(START_URL).strip():
            name = re.sub("[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "folder"
            with served(folder) as (address, paths):
                visit(Shop(f"http://{name}.localhost/", address, paths))
        else:
            why = "はファイルです" if folder.is_file() else "がありません"
            remedy = f"START_URL に店のアドレス（https://…）かフォルダーを書いて {COMMAND}。"
            raise SystemExit(f"{START_URL or '（空白）'} {why}。{remedy}")


def main() -> None:
    """Runs; every mistake and every interruption is told in one line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8", errors="replace")
    check_settings()
    try:
        run()
    except KeyboardInterrupt:
        said = f"中断しました。{OUTPUT_FILE} は前のままです。"
        raise SystemExit(f"{said}もう一度 {COMMAND}。") from None
    except Timeout:
        said = f"もう 1 つの getData.py が {PAGES_DIR} に書き込んでいます。"
        raise SystemExit(f"{said}それが終わってから、もう一度 {COMMAND}。") from None
    except BrokenPipeError:  # who read the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        place = error.filename or f"{OUTPUT_FILE} か {PAGES_DIR}"
        said = f"{place} が読み書きできません（{error.strerror}）。"
        remedy = f"空き容量と書き込みの許可を確かめて、もう一度 {COMMAND}。"
        raise SystemExit(said + remedy) from None


if __name__ == "__main__":
    main()
