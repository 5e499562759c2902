"""Reads a perfume shop's pages into data/perfumes.jsonl, one perfume a line.

    python getData.py

Reads   START_URL: the shop's address, or a folder of pages, which is served on 127.0.0.1 (its records
        carry http://<folder>.localhost/...); data/page_words.csv: words of pages; data/brands.csv.
Writes  PAGES_DIR: every page as fetched, so that a second run asks the shop for nothing twice;
        OUTPUT_FILE: the perfumes, read from all stored pages together at the end of each run.
Prints  progress bars, then counts: pages by source, failures by reason, how often each field is
        filled and with how many different values, and three of the perfumes as read.
"""

import contextlib
import csv
import functools
import hashlib
import heapq
import html as entities
import http.server
import itertools
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
import unicodedata
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import charset_normalizer
import lxml.etree
import lxml.html
import requests
import soupsieve
import urllib3
from anyascii import anyascii
from bs4 import BeautifulSoup
from filelock import FileLock, Timeout
from protego import Protego
from requests.utils import requote_uri
from tqdm import tqdm
from urllib3.util import parse_url
from w3lib.encoding import html_to_unicode

# --------------------------------------------------------------------------------------------------
START_URL = "data/sample_site"  # a shop's address (https://...; read its terms first) or a folder
OUTPUT_FILE = "data/perfumes.jsonl"  # one shop's perfumes; read by arrangeData.py and generate.py
PAGES_DIR = "data/pages"  # pages as fetched; delete it to start over
SELECTORS = {}  # where a field stands, in CSS, if it is read wrongly: {"name": "h1.item"}; README
DELAY_SECONDS = 1.5  # least wait between requests; robots.txt may ask for more; none for a folder
MAX_PAGES = 5_000  # pages read in one run, listings included; raise it for a larger shop
USER_AGENT = "PerfumeChatbot/1.0 (+https://example.com/contact)"  # put your own contact here
AI_AGENTS = ("GPTBot", "ClaudeBot", "CCBot")  # who is refused by robots.txt, so are we; (): nobody
REFRESH_DAYS = None  # ask again for stored pages older than so many days; None: never
READ_SECONDS = 30  # for connecting, and for each silence while reading
PAGE_SECONDS = 90  # for one whole page, however slowly it drips
MAX_BYTES = 8_000_000  # largest page, unpacked; larger ones are left out
ATTEMPTS = 4  # tries for 408, 429, 5xx and network faults; anything else is tried once
RETRY_AFTER_CAP = 120  # longest Retry-After (seconds) waited for; beyond it the run stops
MAX_BARREN = 100  # pages in a row of one kind of address, nothing new on them: the kind is left
# --------------------------------------------------------------------------------------------------

# Words and texts ----------------------------------------------------------------------------------
TIERS = ("top_notes", "middle_notes", "last_notes")
LISTS = (*TIERS, "notes", "families", "seasons", "scenes", "images", "impressions")
FIELDS = ("url", "brand", "brand_ja", "name", "name_ja", "gender", *LISTS, "concentration")
FIELDS += ("perfumer", "year", "concept")
MARK = "\x1f"  # stands in a line where one inline element ends and another begins
FORBIDDEN = re.compile(  # control, bidi, surrogates, private use
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)
SOUNDS = (  # what is written for one sound; the vowels say little
    ("k", "ch(?=[lr])"), ("s", "ch|sh|ts|ti(?=[aeou])|[cg](?=[eiy])|[jzx]"), ("k", "[cqg]"),
    ("", "ph|[fhywaeiou]"), ("r", "l"), ("b", "[vp]"), ("t", "d"), ("n", "m"), (r"\1", r"(.)\1+"),
)  # fmt: skip


@functools.cache
def read_rows(name: str) -> list[list[str]]:
    """The rows of a word list in data/, in UTF-8 or cp932; SystemExit where it cannot be read."""
    path = Path(__file__).parent / "data" / name
    try:
        content = path.read_bytes()
        with contextlib.suppress(UnicodeDecodeError):
            return [*csv.reader(content.decode("utf-8-sig").splitlines())]
        return [*csv.reader(content.decode("cp932").splitlines())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SystemExit(
            f"{path} を読めません（{error}）。UTF-8 の CSV に戻し、もう一度実行してください。"
        ) from None


@functools.cache
def page_words(use: str) -> dict[str, list[str]]:
    """The words of data/page_words.csv for one use, by name."""
    found = defaultdict(list)
    for row in read_rows("page_words.csv"):
        if row[:1] == [use]:
            found[row[1]] += [word.strip() for word in row[2:] if word.strip()]
    if not found:
        raise SystemExit(f"data/page_words.csv に {use} の行がありません。元に戻してください。")
    return found


@functools.cache
def word_set(use: str) -> frozenset[str]:
    """The words of one use, folded."""
    return frozenset(map(folded, itertools.chain(*page_words(use).values())))


@functools.cache
def houses() -> dict[str, list[str]]:
    """Known perfume houses: each spelling of data/brands.csv, folded, with all of its line."""
    return {folded(name): row for row in read_rows("brands.csv") for name in row if name}


def bounded(word: str) -> str:
    """Pattern of a word that is no part of a longer one of its script."""
    scripts = ("A-Za-zÀ-ÿ", "ァ-ヶー")
    before, after = (
        next((script for script in scripts if re.match(f"[{script}]", end)), "")
        for end in (word[0], word[-1])
    )
    inside = re.escape(word).replace(r"\ ", r"[\s-]?")
    return (before and f"(?<![{before}])") + inside + (after and f"(?![{after}])")


@functools.cache
def any_of(use: str, name: str = "") -> re.Pattern:
    """Pattern of the words of one use, or of one name of it, longer ones first."""
    words = page_words(use)[name] if name else itertools.chain(*page_words(use).values())
    longest_first = sorted(set(words), key=len, reverse=True)
    return re.compile("|".join(map(bounded, longest_first)) or "(?!)", re.IGNORECASE)


def named(use: str, text: str) -> str | None:
    """The value of a use (メンズ, オードトワレ) whose words a text has; both genders are ユニセックス."""
    found = [name for name in page_words(use) if any_of(use, name).search(text)]
    return "ユニセックス" if use == "gender" and len(found) > 1 else next(iter(found), None)


def decode(body: bytes) -> str:
    """The page's text: as UTF-8, or as it declares, or in the encoding that fits best."""
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode("utf-8-sig")
    text = html_to_unicode(None, body)[1]
    if "\ufffd" not in text:
        return text
    best = charset_normalizer.from_bytes(body, cp_isolation=["cp932", "euc_jp", "cp1252"]).best()
    return str(best or text)


@functools.lru_cache(20_000)
def tidy(text: str) -> str:
    """Text on one line, entities undone until nothing changes; MARKs, which part words, are kept."""
    while "&" in text and (undone := entities.unescape(text)) != text:
        text = undone
    text = re.sub("[｡-ﾟ]+", lambda kana: unicodedata.normalize("NFKC", kana[0]), text)
    text = re.sub(r"<\|[^|]*\|>|###", " ", text)  # no page speaks to the model
    text = re.sub(rf" ?{MARK}[ {MARK}]*", MARK, re.sub(r"[ \t\r\n\f\v\xa0]+", " ", text))
    text = FORBIDDEN.sub(lambda found: MARK if found[0] == MARK else "", text)
    return text.strip(f" \u3000{MARK}")


def plain(text: str) -> str:
    """Text for a record: on one line, composed, without what may not be learned."""
    text = unicodedata.normalize("NFC", text.replace(MARK, " "))
    return " ".join(FORBIDDEN.sub("", text).split())


@functools.lru_cache(100_000)
def folded(text: str) -> str:
    """Text as it is compared: letters and digits alone, without width, case and accents."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", text))
    return re.sub(r"[\W_]", "", text)


def is_japanese(text: str) -> bool:
    """Whether a text has kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


@functools.lru_cache(20_000)
def consonants(text: str) -> str:
    """Rough consonants of a word, alike for both spellings of a name: シャネル and Chanel give snr."""
    latin = re.sub("[^a-z]", "", anyascii(re.sub("[ッっ]", "", text)).lower())
    for sound, written in SOUNDS:
        latin = re.sub(written, sound, latin)
    return latin


def sound_alike(one: str, other: str) -> float:
    """How well two texts fit as the Latin and the Japanese spelling of one name, 0 to 1."""
    sounds = consonants(one), consonants(other)
    kanji = re.search("[一-龠]", one + other)
    if is_japanese(one) == is_japanese(other) or kanji or not all(sounds):
        return 0.0
    short = min(map(len, sounds)) == 1
    return float(sounds[0] == sounds[1]) if short else SequenceMatcher(None, *sounds).ratio()


# The lines of a page ------------------------------------------------------------------------------
MAX_LINES = 3_000  # of one page
MAX_CHARACTERS = 4_000  # of one line; longer ones are no text
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
INLINE = {
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
    "ins",
    "label",
    "mark",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "time",
    "u",
    "wbr",
}
DROPPED = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "nav",
    "footer",
    "aside",
    "iframe",
    "textarea",
    "head",
    "rt",
    "rp",
    "dialog",
    "object",
    "video",
    "map",
}
NO_PAGES = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{", b"[")
META = ("og:title", "og:site_name", "og:type", "product:brand", "og:brand", "description")


class Line(NamedTuple):
    """A text as a reader sees it, and where it stands."""

    slot: str  # "div.info>h1": the element and the one around it, first classes, no numbers
    text: str

    @property
    def own(self) -> str:
        """The element itself: h1, span.price."""
        return self.slot.rpartition(">")[2]


class Place(NamedTuple):
    """Where a piece of text stands: pieces of one number make a line."""

    number: int
    slot: str


class PageText(NamedTuple):
    """What is kept of a page: its lines, not its tree."""

    url: str
    canonical: str  # the address that the page itself names, or its own
    lines: list[Line]
    chosen: dict[str, list[str]]  # what SELECTORS found, by field


def part_of_slot(element: lxml.etree._Element) -> str:
    """An element as a part of a slot: h1, span.price, span[brand]."""
    first = (element.get("class") or element.get("id") or "").split()[:1]
    name = element.tag + "".join(f".{re.sub('[0-9]+', '', word)}" for word in first)
    return name + (f"[{element.get('itemprop')}]" if element.get("itemprop") else "")


def is_dropped(element: lxml.etree._Element) -> bool:
    """Whether an element holds menus, other products or reviews, by its name or its class."""
    if element.tag in DROPPED or not element.attrib or element.tag in ("body", "main"):
        return element.tag in DROPPED
    words = re.split("[^a-z]+", f"{element.get('class', '')} {element.get('id', '')}".lower())
    return not word_set("skip").isdisjoint(words) and element.find(".//h1") is None


def spoken(element: lxml.etree._Element) -> str:
    """What an element says by an attribute alone: an image's alt, a field's content, a label."""
    if element.tag in ("img", "input", "meta"):
        return next(filter(None, map(element.get, ("alt", "content", "value"))), "")
    said = [element.get(name, "") for name in ("data-label", "data-title", "data-th", "aria-label")]
    said += [name for name in element.get("class", "").split() if "note" in name.lower()]
    return next((text for text in said if text and label_fields(text)), "")


def pieces_of(root: lxml.etree._Element) -> Iterator[tuple[Place, str]]:
    """The pieces of text below an element, placed; no recursion: pages nest thousands deep."""
    numbers = itertools.count()
    todo = [(root, Place(next(numbers), "html"))]
    while todo:
        node, place = todo.pop()
        if isinstance(node, str):
            yield place, node
            continue
        part = place.slot.rpartition(">")[2]
        in_heading = part[:2] in HEADINGS
        if node.attrib and not in_heading and (said := spoken(node)):
            yield Place(next(numbers), f"{place.slot}@"), said
        inside = [(node.text or "", place)]
        for child in node:
            marked = child.get("class") or child.get("itemprop")
            own_line = child.tag not in INLINE or (marked and not in_heading)
            if child.tag != "br" and not is_dropped(child):
                slot = f"{part}>{part_of_slot(child)}"
                inside.append((child, Place(next(numbers), slot) if own_line else place))
            if own_line and not (child.tag == "br" and part[:2] in (*HEADINGS, "td")):
                place = Place(next(numbers), place.slot)
            inside.append((MARK + (child.tail or ""), place))
        todo += reversed(inside)


def body_lines(root: lxml.etree._Element) -> Iterator[Line]:
    """The lines of a page's body, in their order."""
    for place, pieces in itertools.groupby(pieces_of(root), key=lambda piece: piece[0]):
        text = tidy(MARK.join(text for _, text in pieces))
        if re.search(r"\w", text) and len(text) < MAX_CHARACTERS:
            yield Line(sys.intern(place.slot), sys.intern(text))


def as_text(value: object) -> str:
    """The text of a JSON-LD value: itself, its name or value, its elements."""
    if isinstance(value, dict):
        return as_text(value.get("name") or value.get("value"))
    return "、".join(map(as_text, value)) if isinstance(value, list) else str(value or "")


def json_lines(root: lxml.etree._Element) -> Iterator[Line]:
    """What JSON-LD says: its types; of its one product name, brand, properties and description."""
    todo, products = [], []
    for script in root.iterfind(".//script[@type='application/ld+json']"):
        text = re.sub(r",\s*([}\]])|<!--|-->", r"\1", script.text or "")
        with contextlib.suppress(ValueError, RecursionError):
            todo.append(json.loads(text, strict=False))
    while todo:
        value = todo.pop()
        todo += value if isinstance(value, list) else []
        if isinstance(value, dict):
            todo += [value[key] for key in ("@graph", "mainEntity") if key in value]
            yield Line("ld type", as_text(value.get("@type")))
            products += [value] if as_text(value.get("@type")).startswith("Product") else []
    for product in products if len(products) == 1 else []:
        yield from (Line(f"ld {key}", as_text(product.get(key))) for key in ("name", "brand"))
        for entry in [product.get("additionalProperty") or []]:
            pairs = [pair for pair in [entry, *entry] if isinstance(pair, dict)]
            for pair in pairs:
                value = as_text(pair.get("value"))
                yield Line("ld property", f"{as_text(pair.get('name'))}：{value}")
        markup = entities.unescape(as_text(product.get("description")))
        yield from (Line("ld description", text) for text in re.split(r"\n|<[^>]*>", markup))


def read_page(url: str, body: bytes) -> PageText:
    """A page's lines, what its head declares first; none for what is no page."""
    text = re.sub(r"^\s*<\?xml[^>]*>", "", decode(body[:MAX_BYTES]).replace("\0", ""))
    parser = lxml.etree.HTMLParser(encoding="utf-8", remove_pis=True, huge_tree=True)
    root = None
    with contextlib.suppress(lxml.etree.LxmlError):
        root = lxml.etree.fromstring(text.encode("utf-8", "replace"), parser)
    if root is None or root.tag != "html" or body.lstrip().startswith(NO_PAGES):
        return PageText(url, url, [], {})
    lxml.etree.strip_tags(root, lxml.etree.Comment)
    head = [Line("title", root.findtext(".//title") or ""), *json_lines(root)]
    for meta in root.iter("meta"):
        if (name := meta.get("property") or meta.get("name")) in META:
            head.append(Line(name, meta.get("content", "")))
    for menu in root.iter("nav", "footer"):
        head.append(Line("nav", " ".join(menu.itertext())))
    lines = [Line(slot, tidied) for slot, text in head if (tidied := tidy(text))]
    lines += itertools.islice(body_lines(root), MAX_LINES)
    link = root.find(".//link[@rel='canonical']")
    canonical = url if link is None else urljoin(url, link.get("href", ""))
    return PageText(url, canonical, lines, selected(text) if SELECTORS else {})


def selected(text: str) -> dict[str, list[str]]:
    """The texts that SELECTORS find on a page, by field."""
    soup = BeautifulSoup(text, "lxml")
    found = {field: soup.select(css) for field, css in SELECTORS.items()}
    return {field: [tidy(tag.get_text(MARK)) for tag in tags] for field, tags in found.items()}


# Labels and their values --------------------------------------------------------------------------
CARDS = 3  # so many prices or labels of one kind are a list of products
UNDER = 40  # lines below a label that may be its values
LOOSE = 24  # characters of a label that only its standing on every page shows
NOTE = {True: 26, False: 48}  # characters of the longest note, in Japanese or not
WORDS_OF_PROSE = 6  # so many words of Latin letters are a sentence
MOST = 0.6  # share of a line's items that must read as notes
SENTENCE = 20  # characters of the shortest description
SHORT = 60  # characters of a line that holds one fact
OFFER = 32  # characters of a price; longer lines speak of delivery
YEAR = re.compile(r"(?<!\d)(?:1[6-9]|20)\d\d(?!\d)")
SEPARATORS = (  # of written lists, the strongest first
    rf"[、,，;；/／|｜{MARK}]|\s[•·+＋]\s*",
    "\u3000+",
    r"\s*[・･·•]\s*",
    r"(?<=[ァ-ー一-龠]) +(?=[ァ-ー一-龠])",
    r"\s[–-]\s",
)
JOINTS = (  # before a list's last item
    r"\s*(?:そして|および|または|[&＆])\s*|(?:^|\s+)(?:[Aa]nd|AND|e|et|y|und)\s+|\s+と\s+"
    r"|(?<=[ァ-ヶー一-龠\U000f0000-\U000fffff])[やと](?=[ァ-ヶー一-龠])"
)


class Label(NamedTuple):
    """A label on a page: its line, the fields that it tells, its value where that is on the line."""

    at: int
    fields: tuple[str, ...]
    value: str = ""
    is_sure: bool = True  # not one named in a sentence


class Facts(NamedTuple):
    """What the labels of a page tell."""

    values: dict[str, object]
    of_several: bool  # perfumes


@functools.cache
def labels() -> dict[str, tuple[str, ...]]:
    """{label, folded: the fields that it tells}; size, price and the like tell none of ours."""
    listed = page_words("label").items()
    return {folded(word): tuple(fields.split()) for fields, words in listed for word in words}


@functools.lru_cache(100_000)
def label_fields(text: str) -> tuple[str, ...]:
    """The fields that a text tells as a label and nothing else; empty where it is none."""
    if len(text) > 2 * LOOSE:
        return ()
    text = re.sub(r"[(（][^()（）]*[)）]", "", text) or text
    if whole := labels().get(re.sub(r"\d$", "", folded(text))):
        return whole
    halves = [labels().get(folded(half), ()) for half in re.split("[&＆〜～~/／・]", text)]
    return halves[0] + halves[1] if len(halves) == 2 and all(halves) else ()


@functools.cache
def label_inside() -> re.Pattern:
    """Pattern of a label with its mark, or of a tier in a sentence or before a list, in a line."""
    words = any_of("label").pattern
    tiers = "|".join(any_of("label", tier).pattern for tier in TIERS)
    return re.compile(
        rf"""(?:^|(?<=[\s、。,;；/／|｜{MARK}【〈《＜［\[■●◆▼◇▲★☆・(（—–-])(?<![A-Za-z,]\ ))
             (?P<label>{words})
             (?:\s?[(（][^()（）]*[)）])?                     # トップノート（つけて10分）：
             [\s{MARK}]*(?:[:：】〉》＞］\]…]|・・|(?<=ノート)[/／|｜])[\s{MARK}:：・…]*(?![はのがをに])
          |  ^(?P<bold>{words}){MARK}(?!\W)                    # Top as an element of its own
          |  (?P<tier>{tiers})
             (?:\s(?:are|includes?|são|sont)\s|には?、?|は、?)  # Top notes are A, B and C
          |  ^[■●◆▼◇・]?\s?(?P<first>{tiers})[\s/／|｜-]+         # HEAD Saffron, Pepper
        """,
        re.IGNORECASE | re.VERBOSE,
    )


@functools.lru_cache(50_000)
def labels_in(text: str) -> list[Label]:
    """The labels within a line, with their values."""
    found = list(label_inside().finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)] * bool(found)
    return [
        Label(
            0,
            label_fields(match[match.lastgroup]),
            text[match.end() : end],
            match.lastgroup in ("label", "bold"),
        )
        for match, end in zip(found, ends, strict=True)
    ]


def labels_of(page: PageText, furniture: set[Line]) -> list[Label]:
    """The labels of a page; what stands on every page and names one tier is one too."""
    found = []
    for at, line in enumerate(page.lines):
        tiers = ()
        if len(line.text) <= LOOSE and line in furniture:
            tiers = tuple(tier for tier in TIERS if any_of("label", tier).search(line.text))
        if fields := label_fields(line.text):
            found.append(Label(at, fields))
        elif inside := labels_in(line.text):
            found += [label._replace(at=at) for label in inside]
        elif len(tiers) == 1:
            found.append(Label(at, tiers))
    return found


def lines_below(page: PageText, label: Label, end: int, cells: int) -> list[Line]:
    """The lines below a label up to the next one, as far as they stand in one slot; so many cells."""
    start = label.at + 1
    lines = [line for line in page.lines[start : min(end, start + UNDER)] if "@" not in line.slot]
    below = [line for line in lines if line.slot == lines[0].slot]
    if below and below[0].own[:2] in HEADINGS and below[0].slot != page.lines[label.at].slot:
        return []
    return below[:cells] if below and below[0].own.startswith("td") else below  # others' columns


def split_items(text: str) -> list[str]:
    """Items of a list, by its strongest separator outside parentheses; it ends at 。 and a dash."""
    held = re.findall(r"[(（\[][^()（）\[\]]*[)）\]]", text)
    for number, parenthesis in enumerate(held):  # each stands as one private letter meanwhile
        text = text.replace(parenthesis, chr(0xF0000 + number), 1)
    text = re.split(r"[—―─]+|。|\.\s|\.$", text.strip(" 　・／/、,–-—"))[0]
    text = re.split(r"\s[–-]\s", text)[0] if re.search("[、,]", text) else text
    lists = (re.split(separator, text) for separator in SEPARATORS)
    items = next((items for items in lists if len(items) > 1), [text])
    parts = [part for item in items for part in re.split(JOINTS, item)]
    parts = [
        re.sub("[\U000f0000-\U000fffff]", lambda c: held[ord(c[0]) - 0xF0000], p) for p in parts
    ]
    return [item for item in map(tidy_item, parts) if item]


def tidy_item(text: str) -> str:
    """An item of a list without what clings to it (など, decoration); empty for 不明, なし, N/A."""
    text = plain(text).strip(" ・･*＊-–—―:：.。,、'\"“”「」『』■●◆→•")
    text = re.sub(r"(?:\s*(?:などの?|ほか|その他|(?<=[ァ-ヶー\s])[等他]|etc\.?))+$", "", text)
    return "" if folded(text) in word_set("unknown") else text


@functools.lru_cache(50_000)
def is_note(item: str) -> bool:
    """Whether an item reads as a material: short, with letters, no label, no price, no sentence."""
    core = re.sub(r"[(（].*", "", item)
    if len(core) > NOTE[is_japanese(core)] or len(core.split()) >= WORDS_OF_PROSE:
        return False
    if label_fields(item) or is_price(core) or re.search(r"[@#<>{}!?！？。=]|\d{3}|\dml", core):
        return False
    if folded(core) in houses() or any_of("perfume").search(core):
        return False
    letters = re.search(r"[^\W\d_]{2}|[ぁ-んァ-ヶ一-龠]", core)
    return bool(letters) and not any_of("prose").search(core)


def read_notes(values: list[str]) -> list[str]:
    """Notes of the lines beside a label, up to the first line that is no list of notes."""
    notes = []
    for items in map(split_items, values):
        good = [item for item in items if is_note(item)]
        if len(good) < MOST * len(items):
            break
        notes += good
    return list(dict.fromkeys(notes))


def read_words(values: list[str]) -> list[str]:
    """Short words of a list of families, scenes, images or impressions."""
    items = [item for value in values[:3] for item in split_items(value)]
    gap = r"[\s・･]+" if is_japanese("".join(items)) else "$"
    words = [tidy_item(part) for item in items for part in re.split(gap, item)]
    return [word for word in dict.fromkeys(words) if is_note(word)]


def read_field(field: str, values: list[str]) -> object:
    """A field's value, or something empty, from the texts beside its label."""
    text = plain(" ".join(values[:3]))
    if field.endswith("notes"):
        return read_notes(values)
    if field in ("gender", "concentration"):
        return named(field, text)
    if field == "seasons":
        seasons = [name for name in page_words("season") if any_of("season", name).search(text)]
        return list("春夏秋冬") if "every" in seasons else seasons
    if field == "year":
        return int(year[0]) if (year := YEAR.search(text)) else None
    if field == "concept":
        return text if len(text) >= SENTENCE else None
    if field in LISTS:
        other = {"images": "impressions", "impressions": "images"}.get(field)
        words = [word for word in read_words(values) if not named("season", word)]
        return [word for word in words if not other or named("mood", word) != other]
    first = tidy_item(values[0].split(MARK)[0]) if values else ""
    return first if len(first) <= NAME_LENGTH and not re.search("[。@]", first) else None


@functools.lru_cache(20_000)
def tag_facts(text: str) -> list[tuple[str, object]]:
    """Facts of tags that tell themselves, 【ユニセックス／フローラル】, and of '… a scent for men'."""
    row = re.search(r"[【\[]([^【】\[\]]*[／/・、|｜][^【】\[\]]*)[】\]]", text)
    tags = re.split(r"[／/・、|｜]", row[1]) if row else [text]
    gender, strength, perfume = (any_of(u).pattern for u in ("gender", "concentration", "perfume"))
    if not row and re.search(r"[^\W\d_]", re.sub(rf"{gender}|{strength}|ml", "", text, flags=re.I)):
        meant = (
            re.search(rf"(?:{perfume})\sfor\s({gender})", text, re.I) if " for " in text else None
        )
        tags = [meant[1]] if meant else []
    told = [(use, named(use, tag)) for tag in tags for use in ("gender", "concentration")]
    told = [(use, value) for use, value in told if value]
    families = [tag for tag in tags if not named("gender", tag) and not named("concentration", tag)]
    return [*told, ("families", read_words(families))] if told and row else told


def facts_of(page: PageText, furniture: set[Line]) -> Facts:
    """Every field that a page tells, by its first label with a value."""
    labels, run = labels_of(page, furniture), []
    sure, unsure, told = [], [], Counter()
    for label, following in itertools.zip_longest(labels, labels[1:]):
        line, end = page.lines[label.at], following.at if following else len(page.lines)
        run = [*run, label] if line.own.startswith("th") else []
        if following and following.at == label.at + 1 and not label.value:
            continue  # heads of columns
        below = lines_below(page, label, end, len(run) or 1)
        texts = [one.text for one in below]
        if label.value:
            more = texts if below and below[0].slot == line.slot else []
            texts = [label.value, *itertools.takewhile(is_note, more)]
        columns = len(run) > 1 and len(texts) == len(run)
        pairs = (
            [*zip(run, ([text] for text in texts), strict=False)] if columns else [(label, texts)]
        )
        run = []
        single = [one for one in below if len(split_items(one.text)) == 1]
        in_menu = bool(single) and furniture.issuperset(single)
        for one, values in pairs:
            for field in [field for field in one.fields if field != "other"]:
                if in_menu and not label.value and field in ("brand", "name", "notes", *TIERS):
                    continue
                value = read_field(field, values if one.is_sure else values[:1])
                told[field, line.slot] += bool(value)
                if value and (one.is_sure or len(value) == len(split_items(one.value))):
                    (sure if one.is_sure else unsure).append((field, value))
    for line in page.lines:
        unsure += tag_facts(line.text) if line not in furniture else []
    several = any(field in TIERS and times >= CARDS for (field, _), times in told.items())
    return Facts(dict(reversed(sure + unsure)), several)


# Templates and names ------------------------------------------------------------------------------
ALIKE = 0.5  # share of slots in common that makes two pages one template's
SIBLING = 0.8  # share of its products' own slots that makes another page of a template a product's
NEARLY_ALL = 0.85  # share of a template's products that must tell that they are perfumes
FURNITURE = 0.5  # share of the pages of a slot on which furniture says the same
FEW = 3  # pages below which nothing can be learned from repetition
NAME_LENGTH = 90  # characters; longer texts are sentences
REPEATED = 0.2  # share of a template's pages beyond which a text is nobody's name
LEAST = {False: 0.45, True: 0.3}  # score below which a slot holds no names, of few pages, of more
TRUST = {"label": 1.2, "h1": 1.0, "h2": 0.95, "h3": 0.93, "h4": 0.92, "h5": 0.9, "h6": 0.9}
TRUST |= {"ld name": 0.95, "og:title": 0.75, "title": 0.7}  # other slots 0.5, by class 0.9
PIECES = rf"\s*[|｜／{MARK}]\s*|\s+[–—―»›:：/-]\s+"  # between the pieces of a title


class ShopText(NamedTuple):
    """What all pages of a shop say."""

    name: str
    furniture: set[Line]  # lines that stand on most pages of their slot
    speaks: bool  # says on every page that it sells perfumes
    sells_perfumes: bool  # and nothing else


class Product(NamedTuple):
    """A page of one product."""

    page: PageText
    values: dict[str, object]  # by field
    text: str = ""  # its name as the page writes it
    brand: str = ""


def furniture_of(pages: list[PageText]) -> set[Line]:
    """The lines that say the same on most pages of their slot; where few pages have it, of the shop."""
    slots, lines, texts = Counter(), Counter(), Counter()
    for page in pages:
        slots.update({line.slot for line in page.lines})
        lines.update(set(page.lines))
        texts.update({line.text for line in page.lines})
    return {
        line
        for line, count in lines.items()
        if FEW <= count > FURNITURE * slots[line.slot]
        or slots[line.slot] < FEW <= texts[line.text] > FURNITURE * len(pages)
    }


def shop_of(pages: list[PageText]) -> tuple[ShopText, list[PageText]]:
    """A shop, and its pages without the shop's name in their titles."""
    titles = [
        re.split(PIECES, line.text) for p in pages for line in p.lines if line.slot == "title"
    ]
    pieces = Counter(piece for title in titles for piece in set(title))
    common = [p for p, count in pieces.most_common() if FEW <= count > FURNITURE * len(pages)]
    declared = [line.text for page in pages for line in page.lines if line.slot == "og:site_name"]
    whole = [*declared, *common, ""][0]
    name = any_of("shop").sub("", whole).strip()
    name = whole if folded(name) in word_set("perfume") else name

    def cut(line: Line) -> Line:
        kept = [piece for piece in re.split(PIECES, line.text) if piece not in common]
        return line._replace(text=" – ".join(kept)) if "title" in line.slot else line

    pages = [page._replace(lines=[*map(cut, page.lines)]) for page in pages]
    furniture = furniture_of(pages)
    said = "\n".join([name, *common, *(line.text for line in furniture)])
    speaks = bool(any_of("perfume").search(said))
    menus = {line.text for line in furniture if line.slot == "nav"}
    own = "\n".join(text for text in said.split("\n") if text not in menus)
    only = bool(any_of("perfume").search(own)) and not any_of("goods").search(own)
    return ShopText(name, furniture, speaks, only or bool(any_of("perfume").search(name))), pages


def templates_of(pages: list[PageText]) -> list[list[PageText]]:
    """The pages by template: those with mostly the same slots."""
    found: list[tuple[set[str], list[PageText]]] = []
    for page in pages:
        slots = {line.slot for line in page.lines}
        shares = [len(slots & other) / len(slots | other) for other, _ in found]
        best = max(range(len(found)), key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= ALIKE:
            found[best][1].append(page)
        else:
            found.append((slots, [page]))
    return [members for _, members in found]


@functools.lru_cache(50_000)
def is_price(text: str) -> bool:
    """Whether a short text has an amount of money."""
    symbol = any(unicodedata.category(char) == "Sc" for char in text)
    return bool(re.search(r"\d", text)) and (symbol or bool(any_of("money").search(text)))


def sells_one(page: PageText, furniture: set[Line]) -> bool:
    """Whether the first price or the first button to buy of a page is not one of many."""
    short = [line for line in page.lines if len(line.text) < SHORT]
    prices = [
        line
        for line in short
        if is_price(line.text) and line not in furniture and len(line.text) < OFFER
    ]
    buttons = [line for line in short if any_of("buy").search(line.text)]
    counts = Counter(line.slot for line in prices + buttons)
    return any(counts[offers[0].slot] < CARDS for offers in (prices, buttons) if offers)


def product_pages(
    groups: list[list[PageText]], facts: dict[str, Facts], shop: ShopText
) -> set[str]:
    """Addresses of the pages of one product: by tiers, by what they declare, by price or button.

    A price alone is enough where several pages of a template have one. Where products have prices,
    a page of tiers that declares nothing may be a guide.
    """
    tiered, declared, offered, many = set(), set(), set(), set()
    for group in groups:
        for page in [page for page in group if not facts[page.url].of_several]:
            values = facts[page.url].values
            types = {line.text for line in page.lines if line.slot in ("ld type", "og:type")}
            if any(any_of("article").search(kind) for kind in types - {"article"}):
                continue
            marked = {"name", "brand"} <= {item for line in page.lines for item in itemprops(line)}
            if marked or types & {"Product", "ProductGroup", "product", "og:product"}:
                declared.add(page.url)
            if sum(tier in values for tier in TIERS) > 1:
                tiered.add(page.url)
                declared |= {page.url} if values.keys() & {"brand", "name"} else set()
            if sells_one(page, shop.furniture):
                offered.add(page.url)
        here = offered.intersection(page.url for page in group)
        many |= here if len(here) >= FEW else set()
        guides = tiered.intersection(page.url for page in group) - offered - declared
        tiered -= guides if len(guides) < FEW else set()
    if len(many) > len(tiered - offered):
        tiered &= offered
    shown = tiered | declared | many
    everywhere = Counter(slot for group in groups for page in group for slot in slots_of(page))
    for group in groups:
        shown |= siblings(group, shown, everywhere)
    return shown


def slots_of(page: PageText) -> set[str]:
    """The slots of a page."""
    return {line.slot for line in page.lines}


def siblings(group: list[PageText], shown: set[str], everywhere: Counter) -> set[str]:
    """Addresses of a template's pages that have what its products have and other pages have not."""
    evident = [page for page in group if page.url in shown]
    if len(evident) < FEW:
        return set()
    counts = Counter(slot for page in evident for slot in slots_of(page))
    here = Counter(slot for page in group for slot in slots_of(page))
    usual = [slot for slot, count in counts.items() if count > MOST * len(evident)]
    own = {slot for slot in usual if here[slot] > NEARLY_ALL * everywhere[slot]}
    priced = [page for page in group if any(is_price(line.text) for line in page.lines)]
    alike = [page for page in priced if len(own & slots_of(page)) > SIBLING * len(own)]
    return {page.url for page in alike}


def itemprops(line: Line) -> list[str]:
    """What microdata calls a line, by the elements of its slot."""
    return re.findall(r"\[(\w+)\]", line.slot)


@functools.lru_cache(50_000)
def could_be_name(text: str) -> bool:
    """Whether a text may be a name: short, with letters, no label, price, address, torn bracket."""
    if not 0 < len(text) <= NAME_LENGTH or is_price(text) or label_fields(text):
        return False
    if not re.search(r"\w", text) or re.search(r"[@。<>]|://|###", text):
        return False
    if folded(text) in word_set("page") or any_of("missing").search(text):
        return False
    return all(
        text.count(one) == text.count(two) for one, two in ("()", "（）", "【】", "「」", "[]")
    )


def names_by_slot(product: Product, furniture: set[Line]) -> dict[str, str]:
    """The first text of each slot that could be the product's name; none of slots with many."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in product.page.lines:
        if line not in furniture and could_be_name(line.text):
            found[line.slot].append(line.text)
            if line.own[:2] in HEADINGS:
                found[line.own[:2]].append(line.text)
    if label := product.values.get("name"):
        found["label"] = [str(label)]
    found["first"] = next((texts[:1] for slot, texts in found.items() if ">" in slot), [])
    one = [slot for slot, texts in found.items() if 0 < len(texts) < CARDS or slot in HEADINGS]
    return {slot: found[slot][0] for slot in one}


def name_slot(names: dict[str, dict[str, str]], said: dict[str, str]) -> str | None:
    """The slot of the names: on nearly every page, different on nearly every one, said elsewhere too."""
    best, best_score = None, LEAST[len(names) >= FEW]
    for slot in dict.fromkeys(slot for by_slot in names.values() for slot in by_slot):
        own = slot.rpartition(">")[2]
        by_class = 0.5 if word_set("title").isdisjoint(re.split("[^a-z]+", own.lower())) else 0.9
        trust = TRUST.get(slot) or TRUST.get(own[:2]) or by_class
        texts = {url: folded(by_slot[slot]) for url, by_slot in names.items() if slot in by_slot}
        counts = Counter(texts.values())
        often = max(FEW, REPEATED * len(names))
        unique = [url for url, text in texts.items() if text and counts[text] <= often]
        coverage, distinct = len(unique) / len(names), len(counts) / len(texts)
        if trust * coverage <= best_score:
            continue
        agreeing = sum(said[url].count(texts[url]) > 1 for url in unique) / len(unique)
        brands = sum(text in houses() for text in counts) / len(counts)
        score = trust * coverage * distinct * (3 + agreeing) / 4 * (1 - brands / 2)
        if score > best_score:
            best, best_score = slot, score
    return best


def with_names(products: list[Product], furniture: set[Line]) -> list[Product]:
    """The products of one template with their names as written; those without one are left out."""
    names = {product.page.url: names_by_slot(product, furniture) for product in products}
    said = {
        page.url: folded(unquote(page.url)) + "\n".join(folded(line.text) for line in page.lines)
        for page, *_ in products
    }
    chosen: dict[str, str] = {}
    while names and (slot := name_slot(names, said)):
        texts = {url: by_slot[slot] for url, by_slot in names.items() if slot in by_slot}
        counts, often = Counter(map(folded, texts.values())), max(FEW, REPEATED * len(products))
        chosen |= {url: text for url, text in texts.items() if counts[folded(text)] <= often}
        names = {url: by_slot for url, by_slot in names.items() if url not in texts}
    if "name" in SELECTORS:
        chosen = {page.url: page.chosen["name"][0] for page, *_ in products if page.chosen["name"]}
    return [p._replace(text=chosen[p.page.url]) for p in products if p.page.url in chosen]


# Brands and spellings -----------------------------------------------------------------------------
SOUNDS_ALIKE = 0.6  # likeness by sound at which kana and Latin letters spell one name
SHARED = 0.6  # share of names that must show a brand in some way for that way to be the template's
ONE_HOUSE = 0.3  # share of perfumes with a brand below which the shop is the brand
MAKER = r"\s[Bb]y\s((?:[A-Z][\w'’&-]*\.?\s?)+)"  # after a product's name


class Spelling(NamedTuple):
    """A name in Latin letters and in Japanese; either may be empty."""

    latin: str
    japanese: str

    @property
    def known(self) -> str:
        """The Latin spelling, or the only one."""
        return self.latin or self.japanese


def spelled(text: str) -> Spelling:
    """Both spellings of 'Chloé（クロエ）', 'クロエ / Chloé', 'CHLOE クロエ', or the one there is."""
    text = plain(text)
    for cut in re.finditer(r"\s*[(（／/|｜]\s*|\s+", text):
        halves = text[: cut.start()], text[cut.end() :]
        one, other = (half.strip(" /／|｜()（）") for half in halves)
        apart = one and other and is_japanese(one) != is_japanese(other)
        if apart and re.search("[A-Za-z]{2}", one if is_japanese(one) else other):
            continue
        if apart and (cut[0].strip() or sound_alike(one, other) >= SOUNDS_ALIKE):
            return Spelling(other, one) if is_japanese(one) else Spelling(one, other)
    return Spelling("", text) if is_japanese(text) else Spelling(text, "")


def learned(name: Spelling, texts: Iterable[str], least: float = SOUNDS_ALIKE) -> Spelling:
    """A name with the spelling that it lacks, by the text that sounds most like it."""
    others = [text for text in texts if text and is_japanese(text) != is_japanese(name.known)]
    best = max(others, key=lambda text: sound_alike(name.known, text), default="")
    if not best or all(name) or sound_alike(name.known, best) < least:
        return name
    return Spelling(name.latin or best, name.japanese or best)


def whole_brand(brand: Spelling, said: list[str]) -> Spelling:
    """A brand with the spelling that it lacks, by the page or else by data/brands.csv."""
    house = houses().get(folded(brand.known), [])
    pieces = [*itertools.chain(*map(pieces_of_name, said))]
    written = [piece for piece in pieces if folded(piece) in map(folded, house)]
    return learned(learned(learned(brand, written, 0), pieces), house, 0)


def word_ends(text: str) -> list[int]:
    """Where words of a text end, the last first."""
    ends = re.finditer(r"(?<=\w)(?=[^\w'’&.]|$)|(?<=\.)(?=\s|$)", text[:NAME_LENGTH])
    return [end.start() for end in ends][::-1]


def house_at_start(text: str) -> str:
    """The known house that a text begins with, in its longest spelling, or empty."""
    return next((text[:end] for end in word_ends(text) if folded(text[:end]) in houses()), "")


def bare_of_talk(text: str) -> str:
    """A name without what a shop says of it in brackets: 【量り売り】, [送料無料]."""
    return re.sub(r"【[^】]*】|[\[［][^\]］]*[\]］]", " ", text).strip()


def is_house(text: str) -> bool:
    """Whether a text is a known house and nothing else, in one spelling or two."""
    halves = [half for half in spelled(text) if half]
    return folded(text) in houses() or all(folded(half) in houses() for half in halves)


def pieces_of_name(text: str) -> list[str]:
    """The pieces of a name between marks, brackets and quotes."""
    pieces = re.split(rf"{PIECES}|\s*[「」『』（）()]\s*", text)
    return [piece for piece in map(plain, pieces) if piece]


def brand_text(text: str) -> str:
    """A brand without the word that labels it."""
    inside = labels_in(text)
    text = inside[0].value if inside and inside[0].fields == ("brand",) else text
    text = re.sub(r"^\s*(?:by|brand)\b\s*[:：]?\s*", "", text, flags=re.I)
    return plain(text.split(MARK)[0]).strip(" :：・")


def declared_brand(product: Product, furniture: set[Line]) -> str:
    """The brand that a page declares: by its data, a label, a slot named for it; or empty."""
    lines, words = product.page.lines, tuple(word_set("brand"))
    told = [line.text for line in lines if line.slot in ("ld brand", "product:brand", "og:brand")]
    told += [str(product.values["brand"])] if "brand" in product.values else []
    counts = Counter(line.slot for line in lines)
    for line in [line for line in lines if counts[line.slot] < CARDS]:
        parts = re.split("[^a-z]+", line.own.lower())
        if any(part.startswith(words) for part in parts) and line not in furniture:
            told += [line.text] if could_be_name(line.text) and not YEAR.search(line.text) else []
    return brand_text(told[0]) if told else ""


def brands_beside(products: list[Product], furniture: set[Line], only_sure: bool) -> dict[str, str]:
    """{address: brand} by the slot beside the names that is a house, says 'by', or is said elsewhere."""
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    score = Counter()
    for product in products:
        lines = product.page.lines
        named_at = (i for i, line in enumerate(lines) if line.text == product.text)
        at = next((i for i in named_at if ">" in lines[i].slot), 0)
        for line in lines[max(0, at - 2) : at + 3] if at else []:
            known = is_house(brand_text(line.text)) or line.text.lower().startswith("by")
            told = any(named(use, line.text) for use in ("concentration", "gender"))
            if line.text == product.text or told or not could_be_name(line.text):
                continue
            if ">" not in line.slot:
                continue  # a title
            if known or line not in furniture:
                said = sum(line.text in other.text for other in lines) > 1
                if not only_sure and line != lines[at - 1]:
                    continue  # by its repeating alone only what stands above
                texts[line.slot][product.page.url] = brand_text(line.text)
                score[line.slot] += known + said / 2
    wide = [slot for slot in texts if len(texts[slot]) > FURNITURE * len(products)]
    for slot in sorted(wide, key=lambda slot: -score[slot]):
        brands = texts[slot]
        distinct = len(set(brands.values()))
        sure = 2 * score[slot] >= len(brands) + (distinct == len(brands))
        if sure or (not only_sure and len(brands) >= FEW and distinct < SHARED * len(brands)):
            return brands
    return {}


def piece_brands(products: list[Product]) -> dict[str, str]:
    """{name: its piece that is a brand: a known house, one that other names have, or that place}."""
    parts = {p.text: own for p in products if len(own := pieces_of_name(p.text)) > 1}
    counts = Counter(folded(part) for own in parts.values() for part in set(own))
    found = {}
    for text, own in parts.items():
        often = [p for p in own if counts[folded(p)] > 1 and less_tail(p) and not is_gender(p)]
        often.sort(key=lambda part: -counts[folded(part)])
        brands = [part for part in own if is_house(part)] or often
        found |= {text: brands[0]} if brands else {}
    first = sum(text.startswith(part) for text, part in found.items())
    if len(parts) < FEW or first > SHARED * len(parts):  # few pages: as most shops write it
        found = {text: own[0] for text, own in parts.items()} | found
    return found if len(found) > SHARED * len(parts) else {}


def is_gender(text: str) -> bool:
    """Whether a text says for whom something is and nothing else."""
    return not re.search(r"\w", any_of("gender").sub("", text))


def shared_openings(texts: list[str]) -> dict[str, str]:
    """{name: the words with which it and others begin}, where most names begin like others."""
    by_word = defaultdict(list)
    for text in texts:
        by_word[folded(text.split()[0])].append(text.split())
    found = {}
    for same in [same for same in by_word.values() if len(same) > 1]:
        columns = zip(*(map(folded, words) for words in same), strict=False)
        shared = len([*itertools.takewhile(lambda column: len(set(column)) == 1, columns)])
        longer = [words for words in same if len(words) > shared]
        found |= {" ".join(words): " ".join(words[:shared]) for words in longer}
    several = len(set(map(folded, found.values()))) > 1
    return found if several and len(found) >= max(FEW, SHARED * len(texts)) else {}


def told_by_text(product: Product) -> str:
    """The house that a title or a description of the product names, at its start or after 'by'."""
    name = folded(product.text)
    lines = product.page.lines
    about = [line.text for line in lines if line.slot in (*META, "title") or len(line.text) > SHORT]
    about = [plain(text) for text in about]
    makers = [(text, match[1].strip()) for text in about if (match := re.search(MAKER, text))]
    makers = [one for text, one in makers if name in folded(text) or folded(one) in name]
    about = [text for text in about if name in folded(text)]
    trails = [line.text for line in lines if MARK in line.text and len(line.text) < NAME_LENGTH]
    trail = [piece for text in trails for piece in pieces_of_name(text) if is_house(piece)]
    told = [*map(house_at_start, makers), *makers, *map(house_at_start, about), *trail]
    return next((text for text in told if text and folded(text) != name), "")


def with_brands(groups: list[list[Product]], shop: ShopText) -> list[list[Product]]:
    """The products with their brands, each by the most trusted of what tells it."""
    products = [*itertools.chain(*groups)]
    pieces = piece_brands(products)
    starts = {p.page.url: house_at_start(bare_of_talk(p.text)) for p in products}
    openings = shared_openings([p.text for p in products if not starts[p.page.url]])
    declared = {product.page.url: declared_brand(product, shop.furniture) for product in products}
    if len(set(declared.values())) == 1 < len(set(starts.values()) - {""}):
        declared = {}  # the shop calls itself the brand of all
    brands = {}
    for group in groups:
        beside = brands_beside(group, shop.furniture, True)
        for product in group:
            url, text = product.page.url, product.text
            told = (
                declared.get(url)
                or beside.get(url)
                or pieces.get(text)
                or starts[url]
                or told_by_text(product)
                or openings.get(text, "")
            )
            chosen = product.page.chosen.get("brand", [])
            brands[url] = "".join(chosen[:1]) if "brand" in SELECTORS else told
    if sum(map(bool, brands.values())) < ONE_HOUSE * len(products):
        for group in groups:
            beside = brands_beside(group, shop.furniture, False)
            brands |= {url: brand for url, brand in beside.items() if not brands[url]}
    if sum(map(bool, brands.values())) < ONE_HOUSE * len(products):
        house = house_at_start(shop.name) or shop.name
        brands = {url: brand or house for url, brand in brands.items()}
    return [[p._replace(brand=brands[p.page.url]) for p in group] for group in groups]


@functools.cache
def tail() -> re.Pattern:
    """Pattern of a size or a concentration at the end of a name, and what may follow it."""
    size = rf"\d+(?:[.,]\d+)?\s?(?:{any_of('size').pattern})|[x×]\s?\d+"
    after = (
        rf"(?:[\s/・]*(?:{any_of('after size').pattern}|(?:for\s)?(?:{any_of('gender').pattern})))*"
    )
    ending = rf"(?<!\w)(?:{size}|{any_of('tail').pattern}){after}"
    return re.compile(rf"[\s,(（/／|｜・\[–-]*{ending}[\s)）\]]*$", re.IGNORECASE)


def bare_name(text: str, brand: Spelling) -> str:
    """A name less the brand before or, after a mark, behind it, less size and concentration."""
    brands = {folded(name) for name in brand if name}
    pieces = [piece for piece in map(plain, re.split(PIECES, text)) if piece]
    kept = [piece for piece in pieces if folded(piece) not in brands]
    name = " – ".join(kept or pieces[1:])
    left = brands if len(kept) == len(pieces) else set()
    while end := next((end for end in word_ends(name) if folded(name[:end]) in left), 0):
        left = left - {folded(name[:end])}  # once in each script
        rest = re.sub(r"^\s*の(?=\s)|^[\s・:：)）,]+", "", name[end:])
        if not re.search(r"\w", less_tail(rest)):
            break
        name = rest
    for one in filter(None, brand):
        closing = rf"(?:\s*[–—|,-]\s*|\s+by\s+|\s*[(（\[]){re.escape(one)}[)）\]]?$"
        name = re.sub(closing, "", name, flags=re.I) or name
    return less_tail(name).strip(" -–—|/・:~,、*®™©")


def item_name(text: str, brand: Spelling) -> Spelling:
    """A product's name as written, in one spelling or two; shop talk in 【】 parts what is around it."""
    parts = re.split(rf"【[^】]*】|[\[［][^\]］]*[\]］]|[「」『』“”\"|｜{MARK}]", text)
    parts = [part for part in parts if part.strip()]
    others = [part for part in parts if folded(part) not in map(folded, brand)] or parts[-1:]
    brand = (
        brand if len(others) == len(parts) else Spelling("", "")
    )  # told apart: Gucci「Gucci Bloom」
    names = [name for part in others if (name := bare_name(part, brand))]
    return learned(spelled(names[0]), names[1:]) if names else spelled(re.sub("[【】]", " ", text))


def less_tail(text: str) -> str:
    """A name without sizes, concentrations and what follows them at its end."""
    text = f" {text}"
    while (shorter := tail().sub("", text)) != text:
        text = shorter
    return text.strip()


def without_shared_ends(products: list[Product]) -> list[Product]:
    """The products, their names without the words with which most begin or end, brands included."""
    enough = max(FEW, SHARED * len(products))
    meant_for = rf"(?:\s+(?:for\s)?(?:{any_of('gender').pattern}))*"
    texts = [less_tail(product.text) or product.text for product in products]
    cut = [
        re.sub(rf"(?:\s+by)?\s+{re.escape(p.brand)}{meant_for}$", "", text, flags=re.I)
        for p, text in zip(products, texts, strict=True)
    ]
    shorter = sum(one != other for one, other in zip(texts, cut, strict=True))
    texts = cut if shorter > enough else texts
    for at in (0, -1):
        while texts:
            words = Counter(folded(text.split()[at]) for text in texts if " " in text)
            word, count = words.most_common(1)[0] if words else ("", 0)
            if count <= enough or (at == 0 and word not in word_set("perfume")):
                break
            texts = [
                less_word(text, at) if folded(text.split()[at]) == word else text for text in texts
            ]
    return [p._replace(text=text) for p, text in zip(products, texts, strict=True)]


def less_word(text: str, at: int) -> str:
    """A text without its first (0) or its last word (-1), where it has others."""
    words = text.split()
    rest = words[1:] if at == 0 else words[:-1]
    return (less_tail(" ".join(rest)) or text) if rest else text


def spelling_slots(products: list[Product], names: dict[str, Spelling]) -> list[str]:
    """The slots that spell the names in the other script, by sound, the best first."""
    fits: dict[str, list[float]] = defaultdict(list)
    for page, *_ in products:
        known = names[page.url].known
        for line in page.lines:
            if len(line.text) <= NAME_LENGTH and is_japanese(line.text) != is_japanese(known):
                pieces = pieces_of_name(line.text)
                fits[line.slot].append(max((sound_alike(known, p) for p in pieces), default=0))
    means = {slot: sum(found) / len(found) for slot, found in fits.items()}
    wide = [slot for slot in means if len(fits[slot]) > FURNITURE * len(products)]
    good = [slot for slot in wide if means[slot] >= SOUNDS_ALIKE]
    return sorted(good, key=means.get, reverse=True)


# The perfumes of a shop ---------------------------------------------------------------------------


class ShopRead(NamedTuple):
    """What was read of a shop."""

    perfumes: list[dict]
    silent: list[str]  # addresses of pages that looked like products and gave nothing
    unmatched: list[str]  # SELECTORS that found nothing on any page


def is_other(product: Product) -> bool:
    """Whether a product is a set, a cream, a candle, by its name and its address."""
    slug = re.sub(r"\.\w+$", "", unquote(product.page.url).rstrip("/").rpartition("/")[2])
    said = f"{product.text}\n{slug.replace('-', ' ')}"
    inside = any_of("goods").pattern.replace("(?<![ァ-ヶー])", "")  # アロマキャンドル
    goods = re.search(rf"(?:{inside})(?!の)", said, re.I)  # 石けんの朝 is a name
    goods = goods or folded(less_tail(product.text)) in word_set("after size")
    return bool(goods or re.search(r"\d\s?[x×]\s?\d+\s?ml", said, re.I))


def own_lines(page: PageText) -> list[Line]:
    """The lines of a page before its cards of other products: where prices of one kind begin."""
    prices = [(at, line.slot) for at, line in enumerate(page.lines) if is_price(line.text)]
    counts = Counter(slot for _, slot in prices)
    first = next((at for at, slot in prices if counts[slot] >= CARDS), len(page.lines) + CARDS)
    return page.lines[: max(0, first - CARDS)]


def tells_perfume(product: Product, furniture: set[Line]) -> bool:
    """Whether a product's page tells that it is a perfume: by notes, words or a perfume house."""
    own = [line.text for line in own_lines(product.page) if line not in furniture]
    notes = any(product.values.get(field) for field in (*TIERS, "notes"))
    house = any(folded(text) in houses() for text in own)
    return notes or house or bool(any_of("perfume").search(" ".join(own)))


def perfumes_among(groups: list[list[Product]], shop: ShopText) -> list[list[Product]]:
    """The perfumes: those that tell it; all of a template where nearly all do, or only the shop."""
    groups = [[product for product in group if not is_other(product)] for group in groups]
    told = [[p for p in group if tells_perfume(p, shop.furniture)] for group in groups]
    if shop.sells_perfumes or (shop.speaks and not any(told)):
        return groups
    pairs = zip(groups, told, strict=True)
    return [group if len(own) > NEARLY_ALL * len(group) else own for group, own in pairs]


def as_perfume(product: Product, brand: Spelling, name: Spelling, furniture: set[Line]) -> dict:
    """The record of a perfume."""
    page, values, text, _ = product
    counts = Counter(line.slot for line in page.lines)
    own = [line.text for line in page.lines if counts[line.slot] < CARDS and len(line.text) < SHORT]
    strengths = {strength for line in own if (strength := named("concentration", line))}
    strength = strengths.pop() if len(strengths) == 1 else None
    if SELECTORS:
        kept = {field: value for field, value in values.items() if field not in SELECTORS}
        values = kept | {field: read_field(field, found) for field, found in page.chosen.items()}
    found = {field: values.get(field) or ([] if field in LISTS else None) for field in FIELDS}
    found |= {"url": page.url, "name": name.known, "name_ja": name.japanese or None}
    found |= {"brand": brand.known or None, "brand_ja": brand.japanese or None}
    found["concentration"] = found["concentration"] or named("concentration", text) or strength
    if any(found[field] for field in TIERS):
        found["notes"] = []
    prose = (line.text for line in page.lines if len(line.text) > SHORT and line not in furniture)
    found["concept"] = found["concept"] or next((plain(t) for t in prose if not labels_in(t)), None)
    return found


def read_template(products: list[Product], furniture: set[Line]) -> list[dict]:
    """The records of perfumes of one template."""
    products = products if "name" in SELECTORS else without_shared_ends(products)
    brands = {product.page.url: spelled(product.brand) for product in products}
    names = {p.page.url: item_name(p.text, whole_brand(brands[p.page.url], [])) for p in products}
    slots = spelling_slots(products, names)
    found = []
    for product in products:
        url, lines = product.page.url, product.page.lines
        said = [line.text for slot in slots for line in lines if line.slot == slot]
        brand = whole_brand(brands[url], said)
        parts = [p for text in said for p in re.findall(r"[（(](.+?)[)）]", text) or [text]]
        spellings = [spelling for part in parts for spelling in item_name(part, brand)]
        known = names[url].known
        others = [s for s in spellings if s and is_japanese(s) != is_japanese(known)]
        fit = [other for other in others if sound_alike(known, other) >= SOUNDS_ALIKE]
        name = learned(names[url], [*fit, *others][:1], 0)
        found.append(as_perfume(product, brand, name, furniture))
    return found


def read_shop(pages: Iterable[tuple[str, bytes]], progress: bool = False) -> ShopRead:
    """All perfumes of a shop, read from its pages together; each page is parsed once."""
    bar = tqdm(pages, desc="読み取り", unit="ページ", disable=None if progress else True)
    shared: dict[Line, Line] = {}  # a line that many pages have is kept once
    read: dict[str, PageText] = {}
    for url, body in bar:
        page = read_page(url, body)
        if page.lines:
            lines = [shared.setdefault(line, line) for line in page.lines]
            read[url] = page._replace(lines=lines)
    own = [page for _, page in sorted(read.items())]
    own = [page for page in own if page.canonical == page.url or page.canonical not in read]
    own = [*{tuple(page.lines): page for page in reversed(own)}.values()][::-1]  # no page twice
    shop, own = shop_of(own)
    facts = {page.url: facts_of(page, shop.furniture) for page in own}
    groups = templates_of(own)
    shown = product_pages(groups, facts, shop)
    named = []
    for group in groups:
        products = [Product(page, facts[page.url].values) for page in group if page.url in shown]
        named.append(with_names(products, shop.furniture))
    perfumes = with_brands(perfumes_among(named, shop), shop)
    records = [record for group in perfumes for record in read_template(group, shop.furniture)]
    told = {record["url"] for record in records}
    told |= {product.page.url for group in named for product in group if is_other(product)}
    unmatched = [field for field in SELECTORS if not any(page.chosen[field] for page in own)]
    return ShopRead(records, sorted(shown - told), unmatched)


def extract_perfumes(pages: Iterable[tuple[str, bytes]]) -> list[dict]:
    """The perfumes of a shop, from all its pages (address, bytes); no network."""
    return read_shop(pages).perfumes


# Addresses ----------------------------------------------------------------------------------------

AGAIN = "もう一度 python getData.py を実行してください。"
MAX_DEPTH = 10  # folders of an address; traps build deeper ones
PAGE_ENDING = re.compile(r"\.(html?|php)$", re.IGNORECASE)
INDEX = re.compile(r"(^|/)index\.(html?|php)(\.html)?(?=$|\?)", re.IGNORECASE)


@functools.lru_cache(2**16)
def canonical(url: str, base: str = "") -> str:
    """The address in one spelling, without fragment and idle parameters; empty for what is none."""
    try:
        parts = parse_url(urljoin(base, url.strip()))
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.host:
        return ""
    host = parts.host if parts.port in (None, 80, 443) else parts.netloc
    path = re.sub(r"(?i);jsessionid=[^/]*|(?<=/)/+", "", requote_uri(parts.path or "/"))
    words, kept = page_words("url"), []
    for pair in sorted(filter(None, requote_uri(parts.query or "").split("&"))):
        name = pair.partition("=")[0].lower()
        if name not in words["parameter"] and not name.startswith(tuple(words["opening"])):
            kept.append(pair)
    return urlunsplit((parts.scheme, host, path, "&".join(kept), ""))


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
    path, words = urlsplit(url).path.lower(), page_words("url")
    names = [PAGE_ENDING.sub("", name) for name in path.split("/")]
    aside = any(name in words["path"] or name.startswith(".") for name in names)
    return not aside and path.rpartition(".")[2] not in words["ending"]


# Pages --------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A page as fetched."""

    url: str
    status: int
    fetched_at: str  # ISO 8601, UTC
    location: str  # where a redirect leads
    wait: float  # seconds that the shop asks to wait for
    title: str
    own: str  # the address that the page gives as its own
    rules: list[str]  # for robots: nofollow, noai ...
    body: bytes


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its name and moves it into place: a kill leaves the old or the new."""
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(content)
    os.replace(beside, path)


def stored_file(url: str) -> Path:
    """File that keeps a page: one line of JSON, then its body."""
    return Path(PAGES_DIR) / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.page"


def stored_page(file: Path, whole: bool = True) -> Page | None:
    """The page that a file keeps, with its body or without; None where there is none."""
    with contextlib.suppress(OSError, ValueError, TypeError), file.open("rb") as opened:
        head = json.loads(opened.readline())
        return Page(*head, opened.read() if whole else b"")
    return None


@functools.lru_cache(1)
def tree_of(html: bytes) -> lxml.html.HtmlElement:
    """A page's tree for its links, plain and fast; an empty one for what is no page."""
    is_utf8 = html.decode(errors="ignore").encode() == html  # else as the page declares
    parser = lxml.html.HTMLParser(encoding="utf-8" if is_utf8 else None, huge_tree=True)
    with contextlib.suppress(lxml.etree.LxmlError, ValueError, AssertionError):
        return lxml.html.document_fromstring(html, parser=parser)
    return lxml.html.Element("html")


def page_of(url: str, status: int, headers: Mapping[str, str], html: bytes) -> Page:
    """The page that an answer holds."""
    root, wait = tree_of(html), 0.0
    title = (root.findtext(".//title") or "").strip()
    own = canonical(root.xpath("string(//link[@rel='canonical']/@href)"), url)
    if urlsplit(own).netloc != urlsplit(url).netloc or urlsplit(own).path == "/":
        own = url
    robots = root.xpath("//meta[translate(@name, 'ROBTS', 'robts') = 'robots']/@content")
    robots = ",".join([headers.get("X-Robots-Tag", ""), *robots])
    rules = re.split(r"\s*,\s*", robots.lower().strip())
    location = headers.get("Location", "").encode("latin-1").decode("utf-8", "replace")
    with contextlib.suppress(urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        wait = min(urllib3.Retry().parse_retry_after(headers.get("Retry-After", "")), 366 * DAY)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Page(url, status, now, location, wait, title, own, rules, html)


def links_of(root: lxml.html.HtmlElement, url: str) -> list[str]:
    """Addresses that a page leads to."""
    base, found = canonical(root.xpath("string(//base/@href)"), url) or url, []
    for tag in root.iter("a", "area", "frame", "iframe", "link"):
        rel = tag.get("rel", "").lower().split()
        if "nofollow" not in rel and (tag.tag != "link" or "next" in rel):
            found.append(tag.get("href") or tag.get("src") or "")
    for refresh in root.xpath("//meta[@http-equiv]/@content"):
        found += re.findall(r"(?i);\s*url\s*=\s*[\"']?([^\"']+)", refresh)
    front = urljoin(base, "/")  # menus' links are the same on every page
    return [canonical(link, front if link[:1] == "/" else base) for link in dict.fromkeys(found)]


# The shop -----------------------------------------------------------------------------------------

REDIRECTS = (301, 302, 303, 307, 308)
LASTING = (200, 301, 308, 404, 410)  # answers that are kept; others are asked for again
HEALING, REFUSING = (408, 429), (401, 403)  # 5xx may heal too
MAX_REDIRECTS = 5
MAX_FAILURES = 10  # pages failing in a row after which the shop is asked for nothing more
BACKOFF_SECONDS = 2  # wait before the second try; doubles each time
ROBOTS_BYTES, ROBOTS_DAYS = 512_000, 1  # read of robots.txt, and kept (RFC 9309, 2.4 and 2.5)
FOLDER_DELAY = 0.05  # most seconds between pages of a folder: robots.txt means to spare a server
DAY = 86_400  # seconds
JITTER = 1.2  # most times the delay that is waited
PIECE = 65_536  # bytes
GZIP = 31  # zlib's number for it; nothing else is asked for
ELSEWHERE, REFUSED = "別のホスト", "robots.txt が断っている"
FETCHED, KEPT, UNREAD = "取得", "ディスクから", "MAX_PAGES のため未読"
NETWORK = (OSError, urllib3.exceptions.HTTPError, zlib.error)
FAULTS = {  # kinds of fault, as counted at the end
    "時間切れ": (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
    "圧縮が壊れている": zlib.error,
    "途中で切れた": urllib3.exceptions.ProtocolError,
    "接続できない": NETWORK,
}


class PageFailed(Exception):
    """A page that could not be had; the text is the reason, as counted at the end."""


def unpacked(body: bytes, encoding: str) -> bytes:
    """A body as it was before the server packed it; what ends in the midst is no body."""
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise PageFailed(f"頼んでいない圧縮（{re.sub('[^A-Za-z0-9, -]', '', encoding)[:20]}）")
    unpacker = zlib.decompressobj(GZIP)
    body = unpacker.decompress(body, MAX_BYTES + 1)
    if not unpacker.eof and len(body) <= MAX_BYTES:
        raise zlib.error("a body that ends in the midst")
    return body


class Shop:
    """A polite visitor of one host: robots.txt, pace, retries, redirects, pages kept on disk."""

    def __init__(self, start: str, served: str = "", files: Iterable[str] = ()) -> None:
        self.start, self.host = start, urlsplit(start).netloc
        self.served, self.files = served, {*map(url_key, files)}  # a folder's local address
        self.days = 0 if served else REFRESH_DAYS  # a folder may have changed
        self.delay = 0 if served else DELAY_SECONDS
        self.robots: dict[str, Protego] = {}
        self.counts = Counter()  # of pages, by what came of them
        self.ended = 0.0  # when the last request ended
        self.wait = 0.0  # seconds that the next one waits at least
        self.failures = 0  # pages failing in a row
        self.stopped = ""  # why nothing more is asked for; pages on disk are still read
        self.moved = ""  # another host that the shop sends to
        self.session = requests.Session()
        self.session.trust_env = not served  # no proxy between this machine and itself

    def own(self, url: str) -> str:
        """The address; one of another host that the folder was saved from, as the folder's own."""
        path = urlunsplit(("", "", *urlsplit(url)[2:]))
        known = self.files and url_key(folder_key(path)) in self.files
        return f"http://{self.host}{path}" if url and known else url

    def refusal(self, url: str) -> str:
        """Why an address may not be asked for; empty where it may."""
        if urlsplit(url).netloc != self.host:
            return ELSEWHERE
        agents = (USER_AGENT, *AI_AGENTS)
        return "" if all(self.rules(url).can_fetch(url, agent) for agent in agents) else REFUSED

    def rules(self, url: str) -> Protego:
        """The address's robots.txt (RFC 9309): 4xx allows all, 5xx or silence stops the run."""
        origin = urljoin(url, "/")
        if origin in self.robots:
            return self.robots[origin]
        self.robots[origin] = Protego.parse("")  # for robots.txt itself
        try:
            page = self.follow(f"{origin}robots.txt")
        except PageFailed as failure:
            page = stored_page(stored_file(f"{origin}robots.txt"))
            if not page or page.status in REDIRECTS:
                said = f"{origin}robots.txt が読めません（{failure}）。{self.moved}"
                remedy = f"START_URL を確かめるか、時間をおいて、{AGAIN}"
                raise SystemExit(self.stopped or said + remedy) from None
        text = page.body[:ROBOTS_BYTES] if page.status == 200 else b""
        self.robots[origin] = rules = Protego.parse(text.decode("utf-8-sig", "replace"))
        delay = rules.crawl_delay(USER_AGENT) or 0
        if self.served:
            delay = min(delay, FOLDER_DELAY)
        self.delay = max(self.delay, delay)
        if delay > RETRY_AFTER_CAP:
            said = f"{origin}robots.txt が {delay:,.0f} 秒に 1 ページだけと求めています。"
            raise SystemExit(f"{said}集めるなら RETRY_AFTER_CAP をその秒数以上にして、{AGAIN}")
        return rules

    def read(self, url: str, what: str = "失敗") -> Page | None:
        """The page at an address; None, and the reason is counted, where it cannot be had."""
        try:
            page = self.follow(url)
            if page.status == 200:
                return page
            raise PageFailed(f"HTTP {page.status}")
        except PageFailed as failure:
            reason = str(failure)
        self.counts[REFUSED if reason == REFUSED else f"{what}: {reason}"] += 1
        return None

    def follow(self, url: str) -> Page:
        """The page that an address leads to; each redirect is checked like any address."""
        passed = []
        while url not in passed and len(passed) <= MAX_REDIRECTS:
            if reason := self.refusal(url):
                self.moved = f"{url} は{ELSEWHERE}です。" if reason == ELSEWHERE else self.moved
                raise PageFailed(reason)
            page = self.page(url)
            if page.status not in REDIRECTS:
                return page
            passed.append(url)
            url = self.own(canonical(page.location, url))
        raise PageFailed("転送が終わらない")

    def page(self, url: str) -> Page:
        """The page as stored; from the shop where there is none or it is too old."""
        file, always = stored_file(url), url.endswith("/robots.txt")
        days = ROBOTS_DAYS if always else self.days
        oldest = 0 if days is None else time.time() - days * DAY
        page = stored_page(file)
        if page and datetime.fromisoformat(page.fetched_at).timestamp() > oldest:
            self.counts[KEPT] += 1
            return page
        page = self.request(url)
        self.counts[FETCHED] += 1
        if always or page.status in LASTING:
            head = json.dumps(page[:-1], ensure_ascii=False).encode(errors="replace")
            replace_file(file, head + b"\n" + page.body)
        return page

    def request(self, url: str) -> Page:
        """One page from the shop: at a polite pace, again after what can heal, never faster."""
        if self.failures >= MAX_FAILURES and not self.stopped:
            self.stopped = f"{self.host} のページが続けて取れません。時間をおいて、{AGAIN}"
        if self.stopped:
            raise PageFailed("停止のあと取得せず")
        for attempt in range(ATTEMPTS):
            pause = max(self.wait, self.delay * random.uniform(1, JITTER))
            time.sleep(max(0.0, self.ended + pause - time.monotonic()))
            self.wait = 0.0
            try:
                page = self.exchange(url)
                if page.status < 500 and page.status not in HEALING:
                    self.failures = self.failures + 1 if page.status in REFUSING else 0
                    return page
                reason, self.wait = f"HTTP {page.status}", page.wait
            except NETWORK as error:
                reason = next(said for said, kind in FAULTS.items() if isinstance(error, kind))
            finally:
                self.ended = time.monotonic()
            if self.wait > RETRY_AFTER_CAP:
                when = datetime.fromtimestamp(time.time() + self.wait)
                said = f"{self.host} が待つよう求めています（{reason}）。"
                self.stopped = f"{said}{when:%Y年%m月%d日 %H:%M} 以降に{AGAIN}"
                break
            self.wait = max(self.wait, BACKOFF_SECONDS * 2**attempt)
        self.failures += 1
        raise PageFailed(reason)

    def exchange(self, url: str) -> Page:
        """One request and its answer, within PAGE_SECONDS and MAX_BYTES; </html> ends a body."""
        address = self.served + url.split(self.host, 1)[1] if self.served else url
        names = {"User-Agent": USER_AGENT, "Accept-Language": "ja", "Accept-Encoding": "gzip"}
        asked = requests.Request("GET", address, headers=names).prepare()
        way = self.session.merge_environment_settings(address, {}, True, None, None)  # proxies
        body, deadline = bytearray(), time.monotonic() + PAGE_SECONDS
        with self.session.get_adapter(address).send(asked, timeout=READ_SECONDS, **way) as answer:
            status, headers, raw = answer.status_code, answer.headers, answer.raw
            try:
                while status == 200 and len(body) <= MAX_BYTES and (part := raw.read1(PIECE)):
                    body += part
                    if time.monotonic() > deadline:
                        raise TimeoutError
            except NETWORK:
                if not body.rstrip().lower().endswith(b"</html>"):
                    raise
        html = unpacked(bytes(body), headers.get("Content-Encoding", "")) if body else b""
        if len(html) > MAX_BYTES:
            raise PageFailed("大きすぎる")
        return page_of(url, status, headers, html)


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
        page = shop.read(url, "読めないサイトマップ") if url not in seen else None
        seen.add(url)
        for kind, address in sitemap_entries(page.body) if page else ():
            found = {"sitemap": todo, "url": links}.get(kind, [])
            found.append(canonical(address, shop.start))
    return links


class Frontier:
    """The addresses to read, each once: a sitemap's first, kinds in turn, no kind in vain."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.waiting = [(0, 0, 0, shop.start)]  # a heap: rank, turn, order of coming, address
        self.known = {url_key(shop.start)}
        self.read: set[str] = set()
        self.seen: set[int] = set()  # lines and bodies of pages
        self.turns = Counter()  # by rank and kind: addresses that have come
        self.barren = Counter()  # by kind: pages in a row that say nothing new

    def add(self, urls: list[str], rank: int) -> None:
        """Queues what is new and of this host."""
        for url in map(self.shop.own, urls):
            parts, key, kind = urlsplit(url), url_key(url), (rank, kind_of(url))
            near = parts.netloc == self.shop.host and parts.path.count("/") <= MAX_DEPTH
            if near and key not in self.known and is_page(url):
                self.known.add(key)
                heapq.heappush(self.waiting, (rank, self.turns[kind], len(self.known), url))
                self.turns[kind] += 1

    def __iter__(self) -> Iterator[str]:
        """The addresses in turn; those of a kind that says nothing new any more are counted."""
        while self.waiting:
            *_, url = heapq.heappop(self.waiting)
            if self.barren[kind_of(url)] >= MAX_BARREN:
                self.shop.counts["新しいことがないため未読"] += 1
            elif url_key(url) not in self.read:
                yield url

    def judge(self, page: Page) -> None:
        """Queues a page's links, and notes whether the page says anything new."""
        root, url, body = tree_of(page.body), page.url, hash(page.body)
        if body not in self.seen and not {"nofollow", "none"} & {*page.rules}:
            self.add(links_of(root, url), rank=1)
        shown = "//text()[not(parent::style or parent::script[not(contains(@type, 'ld+json'))])]"
        texts = (re.sub(r"[\W\d_]+", "", text) for text in root.xpath(shown, smart_strings=False))
        lines = {hash(text) for text in texts if text}
        self.barren[kind_of(url)] = self.barren[kind_of(url)] + 1 if lines <= self.seen else 0
        self.seen |= lines | {body}  # one page under endless addresses is a trap
        self.read.add(url_key(url))


def crawl(shop: Shop) -> None:
    """Reads the shop's pages onto the disk, in an order that only the pages decide."""
    frontier = Frontier(shop)
    frontier.add(sitemap_links(shop), rank=0)
    frontier.add([page.url for page in stored_pages(shop)], rank=2)  # each may be gone by now
    with tqdm(desc="ページ", unit="枚", disable=None) as bar:
        for url in frontier:
            if shop.counts[FETCHED] + shop.counts[KEPT] >= MAX_PAGES:
                shop.counts[UNREAD] = len(frontier.waiting) + 1
                return
            if page := shop.read(url):
                frontier.judge(page)
                bar.set_postfix_str(f"待ち {len(frontier.waiting):,}", refresh=False)
                bar.update()


def stored_pages(shop: Shop) -> list[Page]:
    """All stored pages of the shop that may be read, without bodies, whichever run stored them."""
    pages = filter(None, (stored_page(file, False) for file in Path(PAGES_DIR).glob("*.page")))
    found = [page for page in pages if page.status == 200 and is_page(page.url)]
    return sorted(page for page in found if not shop.refusal(page.url))


def addressed(pages: list[Page]) -> dict[str, Page]:
    """Pages by the address that each gives as its own, where that is no mistake of a template."""
    titles = defaultdict(set)
    for page in pages:
        titles[page.own].add(page.title)
    believed = {own for own, found in titles.items() if len(found) == 1}
    return {page.own if page.own in believed else page.url: page for page in pages}


def bodies_of(pages: Mapping[str, Page]) -> Iterator[tuple[str, bytes]]:
    """(address, body) of each page: one at a time is in memory."""
    for address, page in pages.items():
        if found := stored_page(stored_file(page.url)):
            yield address, found.body


# A folder as a shop -------------------------------------------------------------------------------


def folder_key(path: str) -> str:
    """A path in one spelling, of a file or of what a request asks for; either may hold a `?`."""
    return canonical("http://folder/" + quote(unquote(path).lstrip("/"), safe="/?&=;"))


def folder_files(folder: Path) -> dict[str, Path]:
    """The folder's files by what a static host finds them under; `?` and @ as wget writes names."""
    found: dict[str, Path] = {}
    for bare in (False, True):  # each file by its own name before any by a shorter one
        for path in filter(Path.is_file, sorted(folder.rglob("*"))):
            name = path.relative_to(folder).as_posix()
            name = PAGE_ENDING.sub("", INDEX.sub(r"\1", name)) if bare else name
            for spelling in (name, re.sub(r"@(?=[^/]*=)", "?", name)):
                found.setdefault(folder_key(spelling), path)
    return found


@contextlib.contextmanager
def served(folder: Path, files: Mapping[str, Path]) -> Iterator[str]:
    """Address of a folder that is served on 127.0.0.1 for as long as the block runs."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            key = folder_key(path)
            file = files.get(key) or files.get(key.removesuffix("/"))
            return str(file) if file else super().translate_path(path)

        def log_message(self, *_: object) -> None:
            """Says nothing: the run counts its pages itself."""

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# The perfumes -------------------------------------------------------------------------------------

SHOWN = 3  # perfumes and addresses that are shown
DOUBTED = ("name", "top_notes", "notes", "concept")  # differ from perfume to perfume
DOUBTFUL, DOUBTFUL_COUNT = 0.2, 4  # share of the perfumes that say the same, and their number


def visit(shop: Shop) -> None:
    """Crawls the shop, then reads all its stored pages into OUTPUT_FILE, whole or not at all."""
    try:
        crawl(shop)
    except SystemExit as stop:
        shop.stopped = str(stop)
    except KeyboardInterrupt:
        shop.stopped = f"中断しました。続きは、{AGAIN}"
        print("中断しました。ここまでのページから香水を読み取ります（やめるには Ctrl-C）。")
    stored = stored_pages(shop)
    pages = addressed([page for page in stored if "noai" not in page.rules])
    bar = tqdm(bodies_of(pages), desc="読み取り", total=len(pages), unit="枚", disable=None)
    read = read_shop(bar)
    unlike = {str(perfume | {"url": ""}): perfume for perfume in read.perfumes}.values()
    perfumes = [perfume | {"fetched_at": pages[perfume["url"]].fetched_at} for perfume in unlike]
    if perfumes:  # a wrong START_URL leaves the file as it was
        lines = [json.dumps(perfume, ensure_ascii=False) + "\n" for perfume in perfumes]
        replace_file(Path(OUTPUT_FILE), "".join(lines).encode())
    shop.counts["AI の利用を断っている"] = sum("noai" in page.rules for page in stored)
    shop.counts["香水のページ"] = len({perfume["url"] for perfume in perfumes})
    named = {perfume["url"] for perfume in read.perfumes}
    shop.counts["香水のないページ"] = len(pages) - len(named)
    report(shop, read._replace(perfumes=perfumes))


def report(shop: Shop, read: ShopRead) -> None:
    """Prints what came of the run; ends the program when it stopped early or found nothing."""
    if counts := [f"{reason} {count:,}" for reason, count in shop.counts.items() if count]:
        print("、".join(counts))
    if read.silent:
        shown = "、".join(read.silent[:SHOWN])
        print(f"商品のようで何も読めなかったページ {len(read.silent):,}: {shown}")
    for field in read.unmatched:
        print(f'SELECTORS の "{field}": "{SELECTORS.get(field)}" はどのページにも見つかりません。')
    if shop.counts[UNREAD]:
        print(f"MAX_PAGES（{MAX_PAGES:,}）まで読みました。残りは、大きくして、{AGAIN}")
    if read.perfumes:
        describe(read.perfumes)
        print(f"（最初からやり直すには {PAGES_DIR} を削除してください）")
        written = f"{len(read.perfumes):,} 件の香水を {OUTPUT_FILE} に書きました。"
        print(f"{written}次: python arrangeData.py")
    if shop.stopped or not read.perfumes:
        said = f"{START_URL} から香水が見つかりませんでした。{shop.moved}START_URL を確かめて、"
        raise SystemExit(shop.stopped or said + AGAIN)


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
        remedy = f'読み違いなら SELECTORS = {{"項目": "h1"}} のように場所を書き（README）、{AGAIN}'
        print(f"注意: {'、'.join(doubts)}です。{remedy}")
    for perfume in perfumes[:: max(1, len(perfumes) // SHOWN)][:SHOWN]:
        names = [perfume[field] for field in ("brand", "brand_ja", "name", "name_ja")]
        notes = itertools.chain(*(perfume[tier] for tier in (*TIERS, "notes")))
        notes = "、".join(dict.fromkeys(notes)) or "香料の記載なし"
        print(f"例: {' / '.join(filter(None, names))} — {notes}")


# The run ------------------------------------------------------------------------------------------

NUMBER, AGENT = r"\d{1,9}(\.\d+)?", r"'[!-&(-\[\]-~][ -&(-\[\]-~]*'"
WRITTEN = (  # how the values of constants are written in Python, what that is, the constants
    (r"[1-9]\d{0,8}", "1 以上の整数", ("MAX_PAGES", "MAX_BYTES", "MAX_BARREN", "ATTEMPTS")),
    (NUMBER, "0 以上の数", ("DELAY_SECONDS", "RETRY_AFTER_CAP")),
    (rf"{NUMBER}|None", "0 以上の数か None", ("REFRESH_DAYS",)),
    (rf"(?!0(\.0)?$){NUMBER}", "0 より大きい数", ("READ_SECONDS", "PAGE_SECONDS")),
    (r"(\w+Path\()?['\"].*\S.*['\"]\)?", "空でない文字列", ("OUTPUT_FILE", "PAGES_DIR")),
    (AGENT, "英字の名前", ("USER_AGENT",)),
    (rf"[(\[]({AGENT}(, )?)*,?[)\]]", '("GPTBot",) のような組', ("AI_AGENTS",)),
)


def check_settings() -> None:
    """Ends the program at a constant that cannot be meant."""
    for written, meant, names in WRITTEN:
        for name in names:
            if not re.fullmatch(written, repr(globals()[name])):
                said = f"{name} = {globals()[name]!r} は使えません。"
                raise SystemExit(f"{said}{meant}に直して、{AGAIN}")
    try:
        if unknown := SELECTORS.keys() - {*FIELDS[1:]}:
            raise ValueError(f"{'、'.join(unknown)} という項目はありません")
        for css in SELECTORS.values():
            soupsieve.compile(css)
    except (soupsieve.SelectorSyntaxError, ValueError, TypeError, AttributeError) as error:
        said = f"SELECTORS = {SELECTORS!r} は使えません（{str(error).splitlines()[0]}）。"
        raise SystemExit(f'{said}{{"name": "h1.item"}} のように直して、{AGAIN}') from None


def run() -> None:
    """Reads the shop at START_URL into OUTPUT_FILE."""
    for place in (Path(OUTPUT_FILE).parent, Path(PAGES_DIR)):
        place.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()  # fails now what would fail after the first page
    if Path(OUTPUT_FILE).exists():
        Path(OUTPUT_FILE).open("rb+").close()
    start, folder = canonical(str(START_URL)), Path(str(START_URL))
    with FileLock(Path(PAGES_DIR) / ".lock", blocking=False):  # ends with the process
        if start:
            visit(Shop(start))
        elif folder.is_dir() and str(START_URL).strip():
            name = re.sub("[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "folder"
            files = folder_files(folder)
            with served(folder, files) as address:
                visit(Shop(f"http://{name}.localhost/", address, files))
        else:
            why = "はファイルです" if folder.is_file() else "がありません"
            remedy = f"START_URL に店のアドレス（https://…）かフォルダーを書いて、{AGAIN}"
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
        raise SystemExit(f"中断しました。{OUTPUT_FILE} は前のままです。{AGAIN}") from None
    except Timeout:
        said = f"もう 1 つの getData.py が {PAGES_DIR} に書き込んでいます。終わってから、{AGAIN}"
        raise SystemExit(said) from None
    except BrokenPipeError:  # who read the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        place = error.filename or f"{OUTPUT_FILE} か {PAGES_DIR}"
        said = f"{place} が読み書きできません（{error.strerror}）。"
        raise SystemExit(f"{said}空き容量と書き込みの許可を確かめて、{AGAIN}") from None


if __name__ == "__main__":
    main()
