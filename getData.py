"""Reads a perfume shop's pages into data/perfumes.jsonl, one perfume a line.

    python getData.py

Reads   START_URL: the shop's address, or a folder of pages, which is served on 127.0.0.1 (its
        records carry http://<folder>.localhost/...);
        data/page_words.csv: words of pages; data/brands.csv: known houses.
Writes  PAGES_DIR: every page as fetched, so that a second run asks the shop for nothing twice;
        OUTPUT_FILE: the perfumes, read from all stored pages together at the end of each run.
Prints  progress bars, then counts: pages by source, failures by reason, how often each field is
        filled and with how many different values, and three of the perfumes as read.
"""

import contextlib
import csv
import functools
import gzip
import hashlib
import html as entities
import http.server
import io
import itertools
import json
import os
import random
import re
import sys
import threading
import time
import unicodedata
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
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
REFRESH_DAYS = 10_000  # ask again for stored pages older than so many days; 0: for all
READ_SECONDS = 30  # for connecting, and for each silence while reading; 0: no limit
PAGE_SECONDS = 90  # for one whole page, however slowly it drips
MAX_BYTES = 8_000_000  # largest page, unpacked; larger ones are left out
ATTEMPTS = 4  # tries for 408, 429, 5xx and network faults; anything else is tried once
RETRY_AFTER_CAP = 120  # longest wait (seconds) that a shop may ask for; beyond it the run stops
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
MANY, SOME = 100_000, 20_000  # texts of which what was learned is remembered
SCRIPTS = ("A-Za-zÀ-ÿ", "ァ-ヶー")
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
        kind, name, *words = [*row, "", ""]
        if kind == use:
            found[name] += filter(None, map(str.strip, words))
    if not found:
        raise SystemExit(f"data/page_words.csv に {use} の行がありません。元に戻してください。")
    return found


@functools.cache
def meanings(use: str) -> dict[str, str]:
    """The words of one use, folded, each with its name."""
    return {folded(word): name for name, words in page_words(use).items() for word in words}


@functools.cache
def houses() -> dict[str, list[str]]:
    """Known perfume houses: each spelling of data/brands.csv, folded, with all of its line."""
    return {folded(name): row for row in read_rows("brands.csv") for name in row if name}


def script_of(character: str) -> str:
    """The letters among which a character's word must stand alone: Latin, katakana or none."""
    return next((script for script in SCRIPTS if re.match(f"[{script}]", character)), "")


def one_of(words: Iterable[str]) -> str:
    """Pattern of words that are no part of a longer one of their script, longer ones first."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)  # few alternatives are tried
    for word in sorted(set(words), key=len, reverse=True):
        groups[script_of(word[0]), script_of(word[-1])].append(re.escape(word))
    patterns = []
    for (before, after), escaped in groups.items():
        inside = "|".join(escaped).replace(r"\ ", r"[\s-]?")
        begin, end = before and f"(?<![{before}])", after and f"(?![{after}])"
        patterns.append(f"(?-i:{begin})(?:{inside})(?-i:{end})")
    return "|".join(patterns) or "(?!)"


@functools.cache
def any_of(use: str, name: str = "") -> re.Pattern:
    """Pattern of the words of one use, or of one name of it."""
    words = page_words(use)[name] if name else itertools.chain(*page_words(use).values())
    return re.compile(one_of(words), re.IGNORECASE)


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


@functools.lru_cache(SOME)
def tidy(text: str) -> str:
    """Text on one line, entities undone until nothing changes; MARKs part words."""
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


@functools.lru_cache(MANY)
def folded(text: str) -> str:
    """Text as it is compared: letters and digits alone, without width, case and accents."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", text))
    return re.sub(r"[\W_]", "", text)


def is_japanese(text: str) -> bool:
    """Whether a text has kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


@functools.lru_cache(SOME)
def consonants(text: str) -> str:
    """Rough consonants of a word, alike for both spellings of a name: シャネル and Chanel give snr."""
    latin = re.sub("[^a-z]", "", anyascii(re.sub("[ッっ]", "", text)).lower())
    for sound, written in SOUNDS:
        latin = re.sub(written, sound, latin)
    return latin


def sound_alike(one: str, other: str) -> float:
    """How well two texts fit as the Latin and the Japanese spelling of one name, 0 to 1."""
    sounds = consonants(one), consonants(other)
    has_kanji = bool(re.search("[一-龠]", one + other))  # whose sound nobody can tell
    if is_japanese(one) == is_japanese(other) or has_kanji or not all(sounds):
        return 0.0
    if min(map(len, sounds)) == 1:
        return float(len(set(sounds)) == 1)
    return SequenceMatcher(None, *sounds).ratio()


# The lines of a page ------------------------------------------------------------------------------
MAX_LINES = 3_000  # of one page
MAX_CHARACTERS = 4_000  # of one line; longer ones are no text
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
INLINE = {  # elements that begin no line
    "a", "abbr", "b", "bdi", "big", "cite", "code", "data", "del", "em", "font", "i", "ins",
    "label", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "wbr",
}  # fmt: skip
INLINE_OR_BR = {*INLINE, "br"}
DROPPED = {
    "aside", "dialog", "footer", "head", "iframe", "map", "nav", "noscript", "object", "rp", "rt",
    "script", "style", "svg", "template", "textarea", "video",
}  # fmt: skip
NO_PAGES = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{", b"[")
META = ("og:title", "og:site_name", "og:type", "product:brand", "og:brand", "description")


class Line(NamedTuple):
    """A text as a reader sees it, and where it stands."""

    slot: str  # "h1<div.info": the element and the one around it, first classes, no numbers
    text: str
    is_furniture: bool = False  # says the same on most pages


class PageText(NamedTuple):
    """What is kept of a page: its lines, not its tree."""

    url: str
    canonical: str  # the address that the page itself names, or its own
    lines: list[Line]
    chosen: dict[str, list[str]]  # what SELECTORS found, by field
    values: dict[str, object]  # what it tells of its product, by field
    of_several: bool = False  # products
    name: str = ""  # of its product, as the page writes it
    brand: str = ""


def own_part(slot: str) -> str:
    """The part of a slot that is its element: h1, span.price."""
    return slot.partition("<")[0]


def tag_of(slot: str) -> str:
    """The element of a slot: h1, span."""
    return re.match(r"\w*", slot)[0]


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
    return not meanings("skip").keys().isdisjoint(words) and element.find(".//h1") is None


def spoken(element: lxml.etree._Element) -> str:
    """What an element says by an attribute alone: an image's alt, a field's content, a label."""
    if element.tag in ("img", "input", "meta"):
        return next(filter(None, map(element.get, ("alt", "content", "value"))), "")
    said = [element.get(name, "") for name in ("data-label", "data-title", "data-th", "aria-label")]
    said += [name for name in element.get("class", "").split() if "note" in name.lower()]
    return next((text for text in said if text and label_fields(text)), "")


def body_lines(body: lxml.etree._Element) -> Iterator[Line]:
    """The lines of a page's body, in their order; no recursion: pages nest thousands deep."""
    slots, pieces = ["html"], []
    walk = lxml.etree.iterwalk(body, events=("start", "end"))
    for event, element in walk:
        inner = slots.pop() if event == "end" else slots[-1]
        outer = own_part(slots[-1])
        in_heading = outer.startswith(HEADINGS)
        is_marked = not in_heading and (element.get("class") or element.get("itemprop"))
        joins = INLINE_OR_BR if in_heading or outer.startswith("td") else INLINE
        starts = is_marked or element.tag not in joins
        if starts and pieces:
            yield Line(inner, MARK.join(pieces))
            pieces = []
        if event == "end":
            pieces += filter(None, [element.tail])
            continue
        slots.append(f"{part_of_slot(element)}<{outer}" if starts else slots[-1])
        if is_dropped(element):
            walk.skip_subtree()
            continue
        if element.attrib and not slots[-1].startswith(HEADINGS) and (said := spoken(element)):
            yield from (Line(slots[-1], MARK.join(pieces)), Line(f"{slots[-1]}@", said))
            pieces = []
        pieces += filter(None, [element.text])


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
        listed = product.get("additionalProperty") or []
        for pair in listed if isinstance(listed, list) else [listed]:
            if isinstance(pair, dict):
                told = as_text(pair.get("name")), as_text(pair.get("value"))
                yield Line("ld property", "：".join(told))
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
        return PageText(url, url, [], {}, {})
    lxml.etree.strip_tags(root, lxml.etree.Comment)
    head = [Line("title", root.findtext(".//title") or ""), *json_lines(root)]
    for meta in root.iter("meta"):
        if (name := meta.get("property") or meta.get("name")) in META:
            head.append(Line(name, meta.get("content", "")))
    for menu in root.iter("nav", "footer"):
        head.append(Line("nav", " ".join(menu.itertext())))
    lines = [Line(slot, tidied) for slot, said, _ in head if (tidied := tidy(said))]
    for slot, said, _ in itertools.chain(*map(body_lines, root.iterfind("body"))):
        tidied = tidy(said)
        if len(tidied) < MAX_CHARACTERS and re.search(r"\w", tidied):
            lines.append(Line(sys.intern(slot), sys.intern(tidied)))
        if len(lines) >= MAX_LINES:
            break
    link = root.find(".//link[@rel='canonical']")
    canonical = url if link is None else urljoin(url, link.get("href", ""))
    soup = BeautifulSoup(text if SELECTORS else "", "lxml")
    found = {field: soup.select(css) for field, css in SELECTORS.items()}
    chosen = {field: [tidy(tag.get_text(MARK)) for tag in tags] for field, tags in found.items()}
    return PageText(url, canonical, lines, chosen, {})


# Labels and their values --------------------------------------------------------------------------
CARDS = 3  # so many prices or labels of one kind are a list of products
UNDER = 40  # lines below a label that may be its values
LABEL_LENGTH = 48  # characters of the longest label
FIRST = 3  # lines beside a label that tell something else than notes
NOTE = {True: 26, False: 48}  # characters of the longest note, in Japanese or not
WORDS_OF_PROSE = 6  # so many words of Latin letters are a sentence
MOST = 0.6  # share of a line's items that must read as notes
SENTENCE = 20  # characters of the shortest description
SHORT = 60  # characters of a line that holds one fact
FOREIGN = {"images": "impressions", "impressions": "images"}  # whose words are no words of a field
OF_ONE = {"brand", "name", "notes", *TIERS}  # fields that no menu tells
YEAR = re.compile(r"(?<!\d)(?:1[6-9]|20)\d\d(?!\d)")
SEPARATORS = (  # of written lists, the strongest first
    rf"[、,，;；/／|｜{MARK}]|\s[•·+＋]\s*",
    "\u3000+",
    r"\s*[・･·•]\s*",
    r"(?<=[ァ-ー一-龠]) +(?=[ァ-ー一-龠])",
    r"\s[–-]\s",
)
JOINTS = r"""(?x: \s*(?:そして|および|または|[&＆])\s*  # before a list's last item
    | (?:^|\s+)(?:[Aa]nd|AND|e|et|y|und)\s+ | \s+と\s+
    | (?<=[)）ァ-ヶー一-龠])[やと](?=[ァ-ヶー一-龠]) )"""
OUTSIDE = r"(?![^(（\[]*[)）\]])"  # of parentheses
CLINGING = re.compile(r"(?:\s*(?:などの?|ほか|その他|(?<=[ァ-ヶー\s])[等他]|etc\.?))+$")
DECORATION = " ・･*＊-–—―:：.。,、'\"“”「」『』■●◆→•"


class Label(NamedTuple):
    """A label on a page: its line, the fields that it tells, and the texts beside or below it."""

    at: int
    fields: tuple[str, ...]
    value: str = ""  # on its line
    is_sure: bool = True  # not one named in a sentence
    texts: tuple[str, ...] = ()
    in_menu: bool = False


@functools.lru_cache(MANY)
def label_fields(text: str) -> tuple[str, ...]:
    """The fields that a text tells as a label and nothing else: size, price and the like other."""
    if len(text) > LABEL_LENGTH:
        return ()
    text = re.sub(r"[(（][^()（）]*[)）]", "", text) or text
    known = meanings("label")
    if whole := known.get(re.sub(r"\d$", "", folded(text))):
        return tuple(whole.split())
    halves = [known.get(folded(half), "") for half in re.split("[&＆〜～~/／・]", text)]
    return tuple(" ".join(halves).split()) if all(halves) else ()


@functools.cache
def label_inside() -> re.Pattern:
    """Pattern of a label with its mark, or of a tier in a sentence or before a list, in a line."""
    words = any_of("label").pattern
    tiers = one_of(word for tier in TIERS for word in page_words("label")[tier])
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


@functools.lru_cache(SOME)
def labels_in(text: str) -> list[Label]:
    """The labels of a line, with their values: the line itself, or those within it."""
    if fields := label_fields(text):
        return [Label(0, fields)]
    found: list[Label] = []
    end = len(text)
    for match in [*label_inside().finditer(text)][::-1]:
        is_sure = match.lastgroup in ("label", "bold")
        fields = label_fields(match[match.lastgroup])
        found.insert(0, Label(0, fields, text[match.end() : end], is_sure))
        end = match.start()
    return found


def lines_below(page: PageText, at: int, end: int, cells: int) -> list[Line]:
    """The lines below a label, as far as they stand in one slot; so many cells: others' columns."""
    start = at + 1
    lines = [line for line in page.lines[start : min(end, start + UNDER)] if "@" not in line.slot]
    below = [line for line in lines if line.slot == lines[0].slot]
    tag = tag_of(below[0].slot) if below else ""
    if tag in HEADINGS and below[0].slot != page.lines[at].slot:
        return []
    return below[:cells] if tag == "td" else below


def labelled(page: PageText) -> Iterator[Label]:
    """The labels of a page with the texts beside or below them."""
    lines = [(at, line) for at, line in enumerate(page.lines) if line.slot not in KINDS_OF_PAGE]
    found = [label._replace(at=at) for at, line in lines for label in labels_in(line.text)]
    heads: list[Label] = []
    for label, following in itertools.zip_longest(found, found[1:]):
        slot, end = page.lines[label.at].slot, following.at if following else len(page.lines)
        heads = [*heads, label] if tag_of(slot) == "th" else []
        if following and following.at == label.at + 1 and not label.value:
            continue  # heads of columns
        below = lines_below(page, label.at, end, len(heads) or 1)
        texts = [line.text for line in below]
        single = [line for line in below if len(split_items(line.text)) == 1]
        in_menu = bool(single) and all(line.is_furniture for line in single) and not label.value
        if label.value:  # ユズ<br>ライム
            more = texts if below and below[0].slot == slot else []
            texts = [label.value, *itertools.takewhile(is_note, more)]
        if len(heads) > 1 and len(texts) == len(heads):
            columns = zip(heads, texts, strict=True)
            yield from (head._replace(texts=(text,), in_menu=in_menu) for head, text in columns)
        else:
            yield label._replace(texts=tuple(texts), in_menu=in_menu)
        heads = []


@functools.lru_cache(SOME)
def split_items(text: str) -> list[str]:
    """Items of a list, by its strongest separator outside parentheses; it ends at 。 and a dash."""
    text = re.split(rf"(?:[—―─]+|。|\.\s|\.$){OUTSIDE}", text.strip(" 　・／/、,–-—"))[0]
    lists = (re.split(f"(?:{separator}){OUTSIDE}", text) for separator in SEPARATORS)
    items = next((items for items in lists if len(items) > 1), [text])
    parts = [part for item in items for part in re.split(JOINTS + OUTSIDE, item)]
    return [item for item in map(tidy_item, parts) if item]


def tidy_item(text: str) -> str:
    """An item of a list without what clings to it (など, decoration); empty for 不明, なし, N/A."""
    text = CLINGING.sub("", plain(text).strip(DECORATION))
    return "" if folded(text) in meanings("unknown") else text


@functools.lru_cache(SOME)
def is_note(item: str) -> bool:
    """Whether an item reads as a material: short, with letters, no label, no price, no sentence."""
    core = re.sub(r"[(（].*", "", item)
    if len(core) > NOTE[is_japanese(core)] or len(core.split()) >= WORDS_OF_PROSE:
        return False
    if label_fields(item) or is_price(core) or re.search(r"[@#<>{}!?！？。=]|\d{3}|\dml", core):
        return False
    if folded(core) in houses() or any_of("perfume").search(core) or any_of("prose").search(core):
        return False
    return bool(re.search(r"[^\W\d_]{2}|[ぁ-んァ-ヶ一-龠]", core))


def read_list(values: Iterable[str], by_space: bool) -> list[str]:
    """Notes or other short words of the lines beside a label, up to the first that is no list."""
    found = []
    for items in map(split_items, values):
        good = [item for item in items if is_note(item)]
        if len(good) < MOST * len(items):
            break
        found += good
    if by_space and is_japanese("".join(found)):
        found = [tidy_item(word) for item in found for word in re.split(r"[\s・･]+", item)]
    return list(dict.fromkeys(filter(None, found)))


def read_field(field: str, values: Sequence[str]) -> object:
    """A field's value, or something empty, from the texts beside its label."""
    text = plain(" ".join(values[:FIRST]))
    if field.endswith("notes"):
        return read_list(values, by_space=False)
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
        other = FOREIGN.get(field)
        words = [
            word for word in read_list(values[:FIRST], by_space=True) if not named("season", word)
        ]
        return [word for word in words if not other or named("mood", word) != other]
    first = tidy_item(values[0].split(MARK)[0]) if values else ""
    return first if len(first) <= NAME_LENGTH and not re.search("[。@]", first) else None


@functools.lru_cache(SOME)
def tag_facts(text: str) -> list[tuple[str, object]]:
    """Facts of tags that tell themselves, 【ユニセックス／フローラル】, and of '… a scent for men'."""
    row = re.search(r"[【\[]([^【】\[\]]*[／/・、|｜][^【】\[\]]*)[】\]]", text)
    tags = re.split(r"[／/・、|｜]", row[1]) if row else [text]
    rest = any_of("concentration").sub("", any_of("gender").sub("", text))
    if not row and re.search(r"[^\W\d_]", re.sub("ml", "", rest, flags=re.I)):
        perfume, gender = any_of("perfume").pattern, any_of("gender").pattern
        meant = " for " in text and re.search(rf"(?:{perfume})\sfor\s({gender})", text, re.I)
        tags = [meant[1]] if meant else []
    told = [(use, named(use, tag)) for tag in tags for use in ("gender", "concentration")]
    told = [(use, value) for use, value in told if value]
    families = [tag for tag in tags if not named("gender", tag) and not named("concentration", tag)]
    return [*told, ("families", read_list(families, by_space=True))] if told and row else told


def with_facts(page: PageText) -> PageText:
    """A page with every field that it tells, by its first label with a value or by tags."""
    sure, unsure, told = [], [], Counter()
    for label in labelled(page):
        for field in label.fields:
            if label.in_menu and field in OF_ONE:
                continue
            value = read_field(field, label.texts if label.is_sure else label.texts[:1])
            told[field, page.lines[label.at].slot] += bool(value)
            if value and label.is_sure:
                sure.append((field, value))
            elif value and len(value) == len(split_items(label.value)):
                unsure.append((field, value))
    for line in page.lines:
        unsure += () if line.is_furniture else tag_facts(line.text)
    several = any(field in TIERS and times >= CARDS for (field, _), times in told.items())
    return page._replace(values=dict(reversed(sure + unsure)), of_several=several)


# Templates and names ------------------------------------------------------------------------------
ALIKE = 0.5  # share of slots in common that makes two pages one template's
SIBLING = 0.8  # share of its products' own slots that makes another page of a template a product's
NEARLY_ALL = 0.85  # share of a template's products that must tell that they are perfumes
FURNITURE = 0.5  # share of the pages of a slot on which furniture says the same
FEW = 3  # pages below which nothing can be learned from repetition
NAME_LENGTH = 90  # characters; longer texts are sentences
REPEATED = 0.2  # share of a template's pages beyond which a text is nobody's name
LEAST = {False: 0.6, True: 0.4}  # score below which a slot holds no names, of few pages, of more
TRUST = {"label of name": 1.2, "h1": 1.0, "h2": 0.95, "h3": 0.93, "h4": 0.92, "h5": 0.9, "h6": 0.9}
TRUST |= {"ld name": 0.95, "og:title": 0.75, "title": 0.7}
TRUST_BY_CLASS = {True: 0.9, False: 0.5}  # of another slot, named as a title or not
HOUSES = 0.5  # share of a slot's score that is lost where all its texts are houses
KINDS_OF_PAGE = ("ld type", "og:type")  # slots that say what a page is
PRODUCTS = {"Product", "ProductGroup", "product", "og:product"}
PIECES = rf"\s*[|｜／{MARK}]\s*|\s+[–—―»›:：/-]\s+"  # between the pieces of a title
BRACKETS = ("()", "（）", "【】", "「」", "[]")


class ShopText(NamedTuple):
    """What all pages of a shop say."""

    name: str
    sells_perfumes: bool  # says on every page that it sells perfumes, and nothing else


def texts_at(page: PageText, *slots: str) -> list[str]:
    """The texts of a page in some slots."""
    return [line.text for line in page.lines if line.slot in slots]


def less_common(line: Line, common: list[str]) -> Line:
    """A line; a title without the pieces that most pages have in theirs."""
    if "title" not in line.slot:
        return line
    kept = [piece for piece in re.split(PIECES, line.text) if piece not in common]
    return line._replace(text=" – ".join(kept))


def with_furniture(pages: list[PageText]) -> list[PageText]:
    """The pages, each line marked that most pages of its slot, or of the shop, have."""
    slots, lines, texts = Counter(), Counter(), Counter()
    for page in pages:
        slots.update(slots_of(page))
        lines.update(set(page.lines))
        texts.update({line.text for line in page.lines})
    marked = {}
    for line, count in lines.items():
        is_rare = slots[line.slot] < FEW <= texts[line.text] > FURNITURE * len(pages)
        if is_rare or FEW <= count > FURNITURE * slots[line.slot]:
            marked[line] = line._replace(is_furniture=True)
    return [page._replace(lines=[marked.get(line, line) for line in page.lines]) for page in pages]


def shop_of(pages: list[PageText]) -> tuple[ShopText, list[PageText]]:
    """A shop, and its pages without the shop's name in their titles, their furniture marked."""
    titles = [set(re.split(PIECES, text)) for page in pages for text in texts_at(page, "title")]
    pieces = Counter(itertools.chain(*titles)).most_common()
    common = [piece for piece, count in pieces if FEW <= count > FURNITURE * len(pages)]
    declared = [text for page in pages for text in texts_at(page, "og:site_name")]
    whole = [*declared, *common, ""][0]
    name = any_of("shop").sub("", whole).strip()
    name = whole if folded(name) in meanings("perfume") else name
    cut = ([less_common(line, common) for line in page.lines] for page in pages)
    pages = [page._replace(lines=lines) for page, lines in zip(pages, cut, strict=True)]
    pages = with_furniture(pages)
    furniture = {line for page in pages for line in page.lines if line.is_furniture}
    said = [name, *common, *(line.text for line in furniture if line.slot != "nav")]
    told = any_of("perfume").search("\n".join(said))
    return ShopText(name, bool(told and not any_of("goods").search("\n".join(said)))), pages


def slots_of(page: PageText) -> set[str]:
    """The slots of a page."""
    return {line.slot for line in page.lines}


def templates_of(pages: list[PageText]) -> list[list[PageText]]:
    """The pages by template: those with mostly the same slots."""
    kinds: list[set[str]] = []
    groups: list[list[PageText]] = []
    for page in pages:
        slots = slots_of(page)
        shares = [len(slots & other) / len(slots | other) for other in kinds]
        if shares and max(shares) >= ALIKE:
            groups[shares.index(max(shares))].append(page)
        else:
            kinds.append(slots)
            groups.append([page])
    return groups


@functools.lru_cache(SOME)
def is_price(text: str) -> bool:
    """Whether a short text has an amount of money."""
    if not re.search(r"\d", text):
        return False
    symbol = any(unicodedata.category(char) == "Sc" for char in text)
    return symbol or bool(any_of("money").search(text))


def sells_one(page: PageText) -> bool:
    """Whether the first price or the first button to buy of a page is not one of many."""
    short = [line for line in page.lines if len(line.text) < SHORT]
    prices = [line.slot for line in short if is_price(line.text) and not line.is_furniture]
    buttons = [line.slot for line in short if any_of("buy").search(line.text)]
    counts = Counter(prices + buttons)
    return any(counts[offers[0]] < CARDS for offers in (prices, buttons) if offers)


def types_of(page: PageText) -> set[str]:
    """What the data of a page say that it is."""
    return set(texts_at(page, "ld type", "og:type"))


def declares_product(page: PageText) -> bool:
    """Whether a page says in its data that it is a product's."""
    properties = set(re.findall(r"\[(\w+)\]", " ".join(slots_of(page))))
    return properties >= {"name", "brand"} or bool(types_of(page) & PRODUCTS)


def product_pages(groups: list[list[PageText]]) -> set[str]:
    """Addresses of the pages of one product: by tiers, by what they declare, by price or button.

    A price alone is enough where several pages of a template have one; a page of tiers that has
    none and declares nothing may be a guide.
    """
    shown = set()
    for group in groups:
        own = [page for page in group if not page.of_several]
        own = [page for page in own if types_of(page).isdisjoint(page_words("article")["article"])]
        selling = {page.url for page in own if sells_one(page)}
        declaring = {page.url for page in own if declares_product(page)}
        telling = {page.url for page in own if sum(tier in page.values for tier in TIERS) > 1}
        titled = {page.url for page in own if page.values.keys() & {"brand", "name"}}
        guides = telling - selling - declaring - titled
        shown |= declaring | (telling - guides if len(guides) < FEW else telling)
        shown |= selling if len(selling) >= FEW else set()
    everywhere = Counter(slot for group in groups for page in group for slot in slots_of(page))
    return shown.union(*(siblings(group, shown, everywhere) for group in groups))


def siblings(group: list[PageText], shown: set[str], everywhere: Counter) -> set[str]:
    """Addresses of a template's pages that have what its products have and other pages have not."""
    evident = [page for page in group if page.url in shown]
    if len(evident) < FEW:
        return set()
    counts = Counter(slot for page in evident for slot in slots_of(page))
    here = Counter(slot for page in group for slot in slots_of(page))
    usual = [slot for slot, count in counts.items() if count > MOST * len(evident)]
    own = {slot for slot in usual if here[slot] > NEARLY_ALL * everywhere[slot]}
    alike = [page for page in group if len(own & slots_of(page)) > SIBLING * len(own)]
    return {page.url for page in alike if any(is_price(line.text) for line in page.lines)}


@functools.lru_cache(SOME)
def could_be_name(text: str) -> bool:
    """Whether a text may be a name: short, with letters, no label, price, address, torn bracket."""
    if not 0 < len(text) <= NAME_LENGTH or is_price(text) or label_fields(text):
        return False
    if not re.search(r"\w", text) or re.search(r"[@。<>]|://|###", text):
        return False
    if folded(text) in meanings("page") or any_of("missing").search(text):
        return False
    return all(text.count(left) == text.count(right) for left, right in BRACKETS)


def names_by_slot(page: PageText) -> dict[str, str]:
    """The first text of each slot that could be the product's name; none of slots with many."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in page.lines:
        may_hold = "<" in line.slot or line.slot in TRUST
        if may_hold and not line.is_furniture and could_be_name(line.text):
            found[line.slot].append(line.text)
            if (tag := tag_of(line.slot)) in HEADINGS:
                found[tag].append(line.text)
    if label := page.values.get("name"):
        found["label of name"] = [str(label)]
    found["first"] = next((texts[:1] for slot, texts in found.items() if "<" in slot), [])
    one = [slot for slot, texts in found.items() if 0 < len(texts) < CARDS or slot in HEADINGS]
    return {slot: found[slot][0] for slot in one}


def trust_in(slot: str) -> float:
    """How much a slot is trusted to hold names, by what and where it is."""
    is_title = not meanings("title").keys().isdisjoint(re.split("[^a-z]+", own_part(slot).lower()))
    return TRUST.get(slot) or TRUST.get(tag_of(slot)) or TRUST_BY_CLASS[is_title]


def name_slot(names: dict[str, dict[str, str]]) -> str | None:
    """The slot of the names: on nearly every page, different on most, no houses."""
    scores, often = {}, max(FEW, REPEATED * len(names))
    for slot in dict.fromkeys(itertools.chain(*names.values())):
        texts = [folded(by_slot[slot]) for by_slot in names.values() if slot in by_slot]
        counts = Counter(texts)
        unique = sum(counts[text] <= often for text in texts if text)
        known = sum(text in houses() for text in counts) / len(counts)
        distinct = len(counts) / len(texts) * (1 - HOUSES * known)
        scores[slot] = trust_in(slot) * unique / len(names) * distinct
    best = max(scores, key=scores.get, default="")
    return best if scores.get(best, 0) > LEAST[len(names) >= FEW] else None


def with_names(pages: list[PageText]) -> list[PageText]:
    """The pages of one template with their names as written; those without one are left out."""
    names = {page.url: names_by_slot(page) for page in pages}
    chosen: dict[str, str] = {}
    while names and (slot := name_slot(names)):
        texts = {url: by_slot[slot] for url, by_slot in names.items() if slot in by_slot}
        counts, often = Counter(map(folded, texts.values())), max(FEW, REPEATED * len(pages))
        chosen |= {url: text for url, text in texts.items() if counts[folded(text)] <= often}
        names = {url: by_slot for url, by_slot in names.items() if url not in texts}
    if "name" in SELECTORS:
        chosen = {page.url: page.chosen["name"][0] for page in pages if page.chosen["name"]}
    return [page._replace(name=chosen[page.url]) for page in pages if page.url in chosen]


# Brands and spellings -----------------------------------------------------------------------------
SOUNDS_ALIKE = 0.6  # likeness by sound at which kana and Latin letters spell one name
SHARED = 0.6  # share of names that must show a brand in some way for that way to be the template's
ONE_HOUSE = 0.3  # share of perfumes with a brand below which the shop is the brand
ABOVE, BELOW = 2, 3  # lines around a name among which a brand may stand
HALF = 0.5  # how far a text is believed to be a brand that is no known house, but said elsewhere
MAKER = re.compile(r"\s[Bb]y\s((?:[A-Z][\w'’&-]*\.?\s?)+)")  # after a product's name
TALK = r"【[^】]*】|[\[［][^\]］]*[\]］]"  # of a shop about a product: 【量り売り】, [送料無料]


class Spelling(NamedTuple):
    """A name in Latin letters and in Japanese; either may be empty."""

    latin: str
    japanese: str

    @property
    def known(self) -> str:
        """The Latin spelling, or the only one."""
        return self.latin or self.japanese


@functools.lru_cache(SOME)
def spelled(text: str) -> Spelling:
    """Both spellings of 'Chloé（クロエ）', 'クロエ / Chloé', 'CHLOE クロエ', or the one there is."""
    text = plain(text)
    for cut in re.finditer(r"\s*[(（／/|｜]\s*|\s+", text):
        halves = text[: cut.start()], text[cut.end() :]
        latin, japanese = sorted((half.strip(" /／|｜()（）") for half in halves), key=is_japanese)
        apart = latin and is_japanese(japanese) and not is_japanese(latin)
        if not apart or re.search("[A-Za-z]{2}", japanese):
            continue
        if cut[0].strip() or sound_alike(latin, japanese) >= SOUNDS_ALIKE:
            return Spelling(latin, japanese)
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


@functools.lru_cache(SOME)
def house_at_start(text: str) -> str:
    """The known house that a text begins with, in its longest spelling, or empty."""
    return next((text[:end] for end in word_ends(text) if folded(text[:end]) in houses()), "")


def is_house(text: str) -> bool:
    """Whether a text is a known house and nothing else."""
    return folded(text) in houses()


@functools.lru_cache(SOME)
def pieces_of_name(text: str) -> list[str]:
    """The pieces of a name between marks, brackets and quotes."""
    pieces = re.split(rf"{PIECES}|\s*[「」『』（）()]\s*", text)
    return [piece for piece in map(plain, pieces) if piece]


def brand_text(text: str) -> str:
    """A brand without the word that labels it."""
    text = re.sub(r"^\s*(?:by|brand)\b\s*[:：]?\s*", "", text, flags=re.I)
    return plain(text.split(MARK)[0]).strip(" :：・")


def declared_brand(page: PageText) -> str:
    """The brand that a page declares: by its data, a label, a slot named for it; or empty."""
    told = texts_at(page, "ld brand", "product:brand", "og:brand")
    told += [str(page.values["brand"])] if "brand" in page.values else []
    counts = Counter(line.slot for line in page.lines)
    for line in page.lines:
        if line.is_furniture or counts[line.slot] >= CARDS or not is_for_brands(line.slot):
            continue
        told += [line.text] if could_be_name(line.text) else []
    return brand_text(told[0]) if told else ""


@functools.lru_cache(SOME)
def is_for_brands(slot: str) -> bool:
    """Whether a slot is named for a brand: div.brand-name."""
    parts = re.split("[^a-z]+", own_part(slot).lower())
    return any(part.startswith(tuple(meanings("brand"))) for part in parts)


def brands_beside(pages: list[PageText], known_only: bool) -> dict[str, str]:
    """{address: brand} by the slot beside the names that is a house or says 'by', or repeats."""
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    score = Counter()
    for page in pages:
        lines = page.lines
        named_at = (number for number, line in enumerate(lines) if line.text == page.name)
        at = next((number for number in named_at if "<" in lines[number].slot), 0)
        for line in lines[max(0, at - ABOVE) : at + BELOW] if at else []:
            known = is_house(brand_text(line.text)) or line.text.lower().startswith("by")
            is_near = known_only or line == lines[at - 1]
            fits = "<" in line.slot and line.text != page.name and could_be_name(line.text)
            if fits and is_near and (known or not line.is_furniture):
                said = sum(line.text in other.text for other in lines) > 1
                texts[line.slot][page.url] = brand_text(line.text)
                score[line.slot] += known + HALF * said
    for slot in sorted(texts, key=lambda slot: -score[slot]):
        brands = texts[slot]
        distinct = len(set(brands.values()))
        is_sure = score[slot] >= HALF * (len(brands) + (distinct == len(brands)))
        repeats = not known_only and len(brands) >= FEW and distinct < SHARED * len(brands)
        if (is_sure or repeats) and len(brands) > FURNITURE * len(pages):
            return brands
    return {}


def piece_brands(pages: list[PageText]) -> dict[str, str]:
    """{name: its piece that is a brand: a known house, one of other names, or the first}."""
    parts = {page.name: own for page in pages if len(own := pieces_of_name(page.name)) > 1}
    counts = Counter(folded(part) for own in parts.values() for part in set(own))
    found = {}
    for text, own in parts.items():
        often = sorted(own, key=lambda part: -counts[folded(part)])
        often = [part for part in often if counts[folded(part)] > 1 and less_tail(part)]
        often = [part for part in often if re.search(r"\w", any_of("gender").sub("", part))]
        brands = [*filter(is_house, own), *often]
        found |= {text: brands[0]} if brands else {}
    first = sum(text.startswith(part) for text, part in found.items())
    if len(parts) < FEW or first > SHARED * len(parts):  # few pages: as most shops write it
        found = {text: own[0] for text, own in parts.items()} | found
    return found if len(found) > SHARED * len(parts) else {}


def shared_openings(texts: list[str]) -> dict[str, str]:
    """{name: the words with which it and others begin}, where most names begin like others."""
    begun = Counter(folded(text[:end]) for text in texts for end in word_ends(text)[1:])
    found = {}
    for text in texts:
        starts = (text[:end] for end in word_ends(text)[1:])
        best = max(starts, key=lambda start: begun[folded(start)], default="")
        found |= {text: best} if begun[folded(best)] > 1 else {}
    several = len(set(map(folded, found.values()))) > 1
    return found if several and len(found) >= max(FEW, SHARED * len(texts)) else {}


def told_by_text(page: PageText) -> str:
    """The house that a title or a description of the page names, at its start or after 'by'."""
    name = folded(page.name)
    prose = [line.text for line in page.lines if len(line.text) > SHORT]
    about = [plain(text) for text in texts_at(page, *META, "title") + prose]
    makers = [(text, match[1].strip()) for text in about if (match := MAKER.search(text))]
    makers = [one for text, one in makers if name in folded(text) or folded(one) in name]
    about = [text for text in about if name in folded(text)]
    trails = [line.text for line in page.lines if MARK in line.text[:NAME_LENGTH]]
    trail = [piece for text in trails for piece in pieces_of_name(text) if is_house(piece)]
    told = [*map(house_at_start, makers), *makers, *map(house_at_start, about), *trail]
    return next((text for text in told if text and folded(text) != name), "")


def with_brands(groups: list[list[PageText]], shop: ShopText) -> list[list[PageText]]:
    """The pages with their brands, each by the most trusted of what tells it."""
    pages = [*itertools.chain(*groups)]
    pieces = piece_brands(pages)
    starts = {page.url: house_at_start(re.sub(TALK, " ", page.name).strip()) for page in pages}
    openings = shared_openings([page.name for page in pages if not starts[page.url]])
    declared = {page.url: declared_brand(page) for page in pages}
    if len(set(declared.values())) == 1 < len(set(starts.values()) - {""}):
        declared = {}  # the shop calls itself the brand of all
    beside = {url: brand for group in groups for url, brand in brands_beside(group, True).items()}
    brands: dict[str, str] = {}
    for page in pages:
        url, name = page.url, page.name
        told = declared.get(url) or beside.get(url) or pieces.get(name) or starts[url]
        if told := told or told_by_text(page) or openings.get(name):
            brands[url] = told
    if len(brands) < ONE_HOUSE * len(pages):
        for group in groups:
            brands = brands_beside(group, False) | brands
    if len(brands) < ONE_HOUSE * len(pages):
        house = house_at_start(shop.name) or shop.name
        brands = {page.url: house for page in pages} | brands
    return [[page._replace(brand=brands.get(page.url, "")) for page in group] for group in groups]


@functools.cache
def tail() -> re.Pattern:
    """Pattern of a size or a concentration at the end of a name, and what may follow it."""
    size, strength, after, gender = map(any_of, ("size", "tail", "after size", "gender"))
    return re.compile(
        rf"""[\s,(（/／|｜・\[–-]*
             (?<!\w)(?:\d+(?:[.,]\d+)?\s?(?:{size.pattern}) | [x×]\s?\d+ | {strength.pattern})
             (?:[\s/・]*(?:{after.pattern} | (?:for\s)?(?:{gender.pattern})))*
             [\s)）\]]*$""",
        re.IGNORECASE | re.VERBOSE,
    )


@functools.lru_cache(SOME)
def less_tail(text: str) -> str:
    """A name without sizes, concentrations and what follows them at its end."""
    text = f" {text}"
    while (shorter := tail().sub("", text)) != text:
        text = shorter
    return text.strip()


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
    """A product's name as written, in one spelling or two; shop talk parts what is around it."""
    parts = [part for part in re.split(rf"{TALK}|[「」『』“”\"|｜{MARK}]", text) if part.strip()]
    others = [part for part in parts if folded(part) not in map(folded, brand)] or parts[-1:]
    if len(others) < len(parts):
        brand = Spelling("", "")  # told apart: Gucci「Gucci Bloom」
    names = [name for part in others if (name := bare_name(part, brand))]
    if not names:
        return spelled(re.sub("[【】]", " ", text))
    return learned(spelled(names[0]), names[1:])


def less_maker(text: str, brand: str) -> str:
    """A text without its brand, and whom it is for, at its end: Sauvage by Dior for men."""
    meant_for = rf"(?:\s+(?:for\s)?(?:{any_of('gender').pattern}))+$"
    rest = re.sub(meant_for, "", text, flags=re.I)
    if not brand or not rest.lower().endswith(f" {brand.lower()}"):
        return text
    return re.sub(r"\s+by$", "", rest[: -len(brand)].rstrip(), flags=re.I)


def less_word(text: str, at: int) -> str:
    """A text without its first (0) or its last word (-1), where it has others."""
    words = text.split()
    del words[at]
    return less_tail(" ".join(words)) or text


def without_shared_ends(pages: list[PageText]) -> list[PageText]:
    """The pages, their names without the words with which most begin or end, brands included."""
    enough = max(FEW, SHARED * len(pages))
    texts = [less_tail(page.name) or page.name for page in pages]
    cut = [less_maker(text, page.brand) for page, text in zip(pages, texts, strict=True)]
    changed = sum(one != other for one, other in zip(texts, cut, strict=True))
    texts = cut if changed > enough else texts
    for at in (0, -1):
        while texts:
            words = Counter(folded(text.split()[at]) for text in texts if " " in text)
            word, count = words.most_common(1)[0] if words else ("", 0)
            if count <= enough or (at == 0 and word not in meanings("perfume")):
                break
            shorter = [
                less_word(text, at) if folded(text.split()[at]) == word else text for text in texts
            ]
            if shorter == texts:
                break  # nothing else would be left
            texts = shorter
    return [page._replace(name=text) for page, text in zip(pages, texts, strict=True)]


def spelling_slots(pages: list[PageText], names: dict[str, Spelling]) -> list[str]:
    """The slots that spell the names in the other script, by sound, the best first."""
    fits: dict[str, list[float]] = defaultdict(list)
    for page in pages:
        known = names[page.url].known
        for line in page.lines:
            if len(line.text) <= NAME_LENGTH and is_japanese(line.text) != is_japanese(known):
                pieces = pieces_of_name(line.text)
                fits[line.slot].append(max((sound_alike(known, p) for p in pieces), default=0))
    means = {slot: sum(found) / len(found) for slot, found in fits.items()}
    wide = [slot for slot in means if len(fits[slot]) > FURNITURE * len(pages)]
    good = [slot for slot in wide if means[slot] >= SOUNDS_ALIKE]
    return sorted(good, key=means.get, reverse=True)


# The perfumes of a shop ---------------------------------------------------------------------------
class ShopRead(NamedTuple):
    """What was read of a shop."""

    perfumes: list[dict]
    silent: list[str]  # addresses of pages that looked like products and gave nothing
    unmatched: list[str]  # SELECTORS that found nothing on any page


def is_other(page: PageText) -> bool:
    """Whether a product is a set, a cream, a candle, by its name and its address."""
    slug = re.sub(r"\.\w+$", "", unquote(page.url).rstrip("/").rpartition("/")[-1])
    said = f"{page.name}\n{slug.replace('-', ' ')}"
    inside = any_of("goods").pattern.replace("(?<![ァ-ヶー])", "")  # アロマキャンドル
    goods = re.search(rf"(?:{inside})(?!の)", said, re.I)  # 石けんの朝 is a name
    return bool(goods or re.search(r"\d\s?[x×]\s?\d+\s?ml", said, re.I))


def tells_perfume(page: PageText) -> bool:
    """Whether a product's page tells that it is a perfume: by notes, words or a perfume house.

    What stands from the cards of other products on, where prices of one kind begin, tells nothing.
    """
    if any(page.values.get(field) for field in (*TIERS, "notes")):
        return True
    prices = [(at, line.slot) for at, line in enumerate(page.lines) if is_price(line.text)]
    counts = Counter(slot for _, slot in prices)
    cards = next((at for at, slot in prices if counts[slot] >= CARDS), len(page.lines) + CARDS)
    own = page.lines[: max(0, cards - CARDS)]
    own = [line.text for line in own if not line.is_furniture]
    told = any_of("perfume").search(" ".join(own))
    return bool(told) or any(folded(text) in houses() for text in own)


def perfumes_among(groups: list[list[PageText]], shop: ShopText) -> list[list[PageText]]:
    """The perfumes: those that tell it; all of a template where nearly all do, or only the shop."""
    groups = [[page for page in group if not is_other(page)] for group in groups]
    told = [[page for page in group if tells_perfume(page)] for group in groups]
    if shop.sells_perfumes:
        return groups
    pairs = zip(groups, told, strict=True)
    return [group if len(own) > NEARLY_ALL * len(group) else own for group, own in pairs]


def only_concentration(page: PageText) -> str | None:
    """The one concentration that short lines of a page speak of."""
    counts = Counter(line.slot for line in page.lines)
    short = [line for line in page.lines if len(line.text) < SHORT]
    own = [line.text for line in short if counts[line.slot] < CARDS]
    found = {strength for text in own if (strength := named("concentration", text))}
    return found.pop() if len(found) == 1 else None


def as_perfume(page: PageText, name: Spelling, brand: Spelling) -> dict:
    """The record of a perfume."""
    chosen = {field: read_field(field, texts) for field, texts in page.chosen.items()}
    values = page.values | chosen
    prose = [line for line in page.lines if len(line.text) > SHORT and not line.is_furniture]
    concepts = (plain(line.text) for line in prose if not labels_in(line.text))
    found = {field: values.get(field) or ([] if field in LISTS else None) for field in FIELDS}
    found |= {"url": page.url, "name": name.known, "name_ja": name.japanese or None}
    found |= {"brand": brand.known or None, "brand_ja": brand.japanese or None}
    found["concentration"] = found["concentration"] or named("concentration", page.name)
    found["concentration"] = found["concentration"] or only_concentration(page)
    found["notes"] = [] if any(found[field] for field in TIERS) else found["notes"]
    found["concept"] = found["concept"] or next(concepts, None)
    return found


def read_template(pages: list[PageText]) -> list[dict]:
    """The records of perfumes of one template."""
    if "brand" in SELECTORS:
        pages = [page._replace(brand="".join(page.chosen["brand"][:1])) for page in pages]
    pages = pages if "name" in SELECTORS else without_shared_ends(pages)
    brands = {page.url: spelled(page.brand) for page in pages}
    names = {page.url: item_name(page.name, whole_brand(brands[page.url], [])) for page in pages}
    slots = spelling_slots(pages, names)
    found = []
    for page in pages:
        said = [text for slot in slots for text in texts_at(page, slot)]
        brand = whole_brand(brands[page.url], said)
        parts = [part for text in said for part in re.findall(r"[（(](.+?)[)）]", text) or [text]]
        spellings = [spelling for part in parts for spelling in item_name(part, brand)]
        name = learned(names[page.url], spellings, 0)
        found.append(as_perfume(page, name, brand))
    return found


def read_pages(pages: Iterable[tuple[str, bytes]], progress: bool) -> list[PageText]:
    """The pages of a shop, each parsed once; of those of one address or one content, one."""
    shared: dict[Line, Line] = {}  # a line that many pages have is kept once
    read: dict[str, PageText] = {}
    for url, body in tqdm(pages, "読み取り", unit="ページ", disable=None if progress else True):
        page = read_page(url, body)
        if page.lines:
            lines = [shared.setdefault(line, line) for line in page.lines]
            read[url] = page._replace(lines=lines)
    own = [page for _, page in sorted(read.items(), reverse=True)]
    own = [page for page in own if page.canonical == page.url or page.canonical not in read]
    return [*{hash(tuple(page.lines)): page for page in own}.values()][::-1]


def read_shop(pages: Iterable[tuple[str, bytes]], progress: bool = False) -> ShopRead:
    """All perfumes of a shop, read from its pages together; each page is parsed once."""
    shop, own = shop_of(read_pages(pages, progress))
    groups = templates_of([*map(with_facts, own)])
    shown = product_pages(groups)
    products = [with_names([page for page in group if page.url in shown]) for group in groups]
    perfumes = with_brands(perfumes_among(products, shop), shop)
    records = [record for group in perfumes for record in read_template(group)]
    told = {record["url"] for record in records}
    told |= {page.url for group in products for page in group if is_other(page)}
    unmatched = [field for field in SELECTORS if not any(page.chosen[field] for page in own)]
    return ShopRead(records, sorted(shown - told), unmatched)


def extract_perfumes(pages: Iterable[tuple[str, bytes]]) -> list[dict]:
    """The perfumes of a shop, from all its pages (address, bytes); no network."""
    return read_shop(pages).perfumes


# Addresses and pages ------------------------------------------------------------------------------
AGAIN = "もう一度 python getData.py を実行してください。"
ENDING = re.compile(r"(?<![^/])index\.(html?|php)(?=$|\?)|\.(html?|php)$", re.IGNORECASE)
ROBOTS_META = re.compile(rb"<meta\b[^>]*\bname\s*=\s*[\"']?robots\b[^>]*", re.IGNORECASE)
LINKS = "//a[not(contains(@rel, 'nofollow'))]/@href | //link[@rel = 'next']/@href"
LINKS += " | //area/@href | //frame/@src | //iframe/@src | //loc/text()"  # loc: a sitemap's
LINKS += " | //meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']/@content"
REFRESH = re.compile(r"^[^;]*;\s*url\s*=\s*[\"']?", re.IGNORECASE)
TEXTS = "//text()[not(parent::script or parent::style)]"


def canonical(url: str, base: str = "") -> str:
    """The address in one spelling, without fragment and idle parameters; empty for what is none."""
    try:
        parts = parse_url(urljoin(base, url.strip()))
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:\[\]-]+", parts.host or ""):
        return ""
    host = parts.host if parts.port in (None, 80, 443) else parts.netloc
    path = re.sub(r"(?i);jsessionid=[^/]*|(?<=/)/+", "", requote_uri(parts.path or "/"))
    idle = tuple(page_words("url")["parameter"])
    pairs = sorted(requote_uri(parts.query or "").split("&"))
    query = "&".join(pair for pair in pairs if pair and not pair.lower().startswith(idle))
    return urlunsplit((parts.scheme, host, path, query, ""))


def kind_of(url: str) -> str:
    """What the addresses of a shop's like pages share: two folders, first parameter, no numbers."""
    path, _, query = re.sub(r"\w*\d\w*", "0", url).partition("?")
    folders = re.match(r"\w+://[^/]*(/[^/]+(?=/[^/])){0,2}", path)[0]
    return f"{folders}?{query.partition('=')[0]}"


def is_page(url: str) -> bool:
    """Whether an address may lead to a page worth reading: no picture, feed, cart or log-in."""
    path, words = urlsplit(url).path.lower(), page_words("url")
    aside = {*words["path"], *words["ending"]}
    return "/." not in path and aside.isdisjoint(re.split("[/.]", path))


class Page(NamedTuple):
    """A page as fetched."""

    url: str
    status: int
    fetched_at: str  # ISO 8601, UTC
    location: str  # where a redirect leads
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
        return Page(*json.loads(opened.readline()), opened.read() if whole else b"")
    return None


def said_by(page: Page) -> tuple[list[str], list[str]]:
    """The addresses that a page leads to, and its texts; whatever its bytes are."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    html = re.sub(rb"<!\[CDATA\[|\]\]>", b"", page.body)  # where a sitemap's addresses may stand
    root = lxml.html.document_fromstring(b"<html>" + html, parser=parser)
    base = canonical(root.xpath("string(//base/@href)"), page.url) or page.url
    links = dict.fromkeys(root.xpath(LINKS))
    return [canonical(REFRESH.sub("", link), base) for link in links], root.xpath(TEXTS)


# The shop and the crawl ---------------------------------------------------------------------------
REDIRECTS = (301, 302, 303, 307, 308)
LASTING = (200, 301, 308, 404, 410)  # answers that are kept; others are asked for again
HEALING = (408, 429, *range(500, 600))  # worth a second try
MAX_REDIRECTS = 5
MAX_FAILURES = 10  # pages failing in a row after which the shop is asked for nothing more
BACKOFF_SECONDS = 2  # wait before the second try; doubles each time
JITTER = 1.2  # most times the delay that is waited
WANTED = {"Accept-Language": "ja", "Accept-Encoding": "gzip"}
FETCHED, KEPT = "取得", "ディスクから"
NETWORK = (OSError, EOFError, zlib.error, urllib3.exceptions.HTTPError)
FAULTS = {  # kinds of fault, as counted at the end
    "時間切れ": (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
    "圧縮が壊れている": (gzip.BadGzipFile, EOFError, zlib.error),
    "途中で切れた": urllib3.exceptions.ProtocolError,
    "接続できない": NETWORK,
}


class PageFailed(Exception):
    """A page that could not be had; the text is the reason, as counted at the end."""


def body_of(answer: requests.Response) -> bytes:
    """An answer's body, within PAGE_SECONDS and MAX_BYTES; </html> ends one too."""
    encoding = answer.headers.get("Content-Encoding", "").lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise PageFailed(f"頼んでいない圧縮（{re.sub('[^a-z0-9, -]', '', encoding)[:20]}）")
    body, deadline = bytearray(), time.monotonic() + PAGE_SECONDS
    try:
        while len(body) <= MAX_BYTES and (part := answer.raw.read1(MAX_BYTES)):
            body += part
            if time.monotonic() > deadline:
                raise TimeoutError
    except NETWORK:
        if not body.rstrip().lower().endswith(b"</html>"):
            raise
    if body.startswith(b"\x1f\x8b"):  # packed; a sitemap may be so without saying it
        body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise PageFailed("大きすぎる")
    return bytes(body)


class Shop:
    """A polite visitor of one host: robots.txt, pace, retries, redirects, pages kept on disk."""

    def __init__(self, start: str, served: str = "", files: Iterable[str] = ()) -> None:
        self.start, self.host = start, urlsplit(start).netloc
        self.served, self.files = served, {*files}  # a folder's local address, what is in it
        self.known = {start}  # addresses that have come
        self.rules = Protego.parse("")  # robots.txt, once it is read
        self.delay, self.days = (0, 0) if served else (DELAY_SECONDS, REFRESH_DAYS)
        self.wait = self.ended = 0.0  # seconds before the next request; when the last one ended
        self.failures = 0  # pages failing in a row
        self.counts = Counter()  # of pages, by what came of them
        self.session = requests.Session()
        self.session.trust_env = not served  # no proxy between this machine and itself

    def obey(self) -> None:
        """Reads robots.txt (RFC 9309): 4xx allows all, 5xx or silence ends the run."""
        url = urljoin(self.start, "/robots.txt")
        try:
            page = self.follow(url)
        except PageFailed as failure:
            said = f"{url} が読めません（{failure}）。START_URL を確かめるか、時間をおいて、"
            raise SystemExit(said + AGAIN) from None
        text = page.body if page.status == 200 else b""
        self.rules = Protego.parse(text.decode("utf-8-sig", "replace"))
        if not self.served:  # a folder has no server to spare
            self.delay = max(self.delay, self.rules.crawl_delay(USER_AGENT) or 0)

    def unknown(self, urls: list[str]) -> list[str]:
        """The addresses that are new pages'; a saved folder's live host is the folder itself."""
        found = []
        for url in urls:
            path = parse_url(url).request_uri
            if self.files and folder_key(path) in self.files:
                url = urljoin(self.start, path)
            is_new = urlsplit(url).netloc == self.host and url not in self.known
            if is_new and (is_page(url) or ".xml" in url):
                self.known.add(url)
                found.append(url)
        return found

    def refusal(self, url: str) -> str:
        """Why an address may not be asked for; empty where it may."""
        if (host := urlsplit(url).netloc) != self.host:
            return f"別のホスト（{host}）"
        allowed = all(self.rules.can_fetch(url, name) for name in (USER_AGENT, *AI_AGENTS))
        return "" if allowed else "robots.txt が断っている"

    def read(self, url: str) -> Page | None:
        """The page at an address; None, and the reason is counted, where it cannot be had."""
        try:
            page = self.follow(url)
            if page.status != 200:
                raise PageFailed(f"HTTP {page.status}")
            return page
        except PageFailed as failure:
            what = "読めないサイトマップ" if ".xml" in url else "失敗"
            self.counts[f"{what}: {failure}"] += 1
            return None

    def follow(self, url: str, passed: tuple[str, ...] = ()) -> Page:
        """The page that an address leads to; each redirect is checked like any address."""
        if url in passed or len(passed) > MAX_REDIRECTS:
            raise PageFailed("転送が終わらない")
        if reason := self.refusal(url):
            raise PageFailed(reason)
        page = self.page(url)
        if page.status not in REDIRECTS:
            return page
        return self.follow(canonical(page.location, url), (*passed, url))

    def page(self, url: str) -> Page:
        """The page as stored; from the shop where there is none or it is too old."""
        days = 1 if url.endswith("/robots.txt") else self.days  # RFC 9309, 2.4
        page = stored_page(stored_file(url))
        oldest = datetime.now(UTC) - timedelta(days=days)
        if page and datetime.fromisoformat(page.fetched_at) > oldest:
            self.counts[KEPT] += 1
            return page
        page = self.request(url)
        self.counts[FETCHED] += 1
        if page.status in LASTING:
            replace_file(stored_file(url), json.dumps(page[:-1]).encode() + b"\n" + page.body)
        return page

    def request(self, url: str) -> Page:
        """One page from the shop: at a polite pace, again after what can heal, never faster."""
        if self.failures >= MAX_FAILURES:
            raise SystemExit(f"{self.host} のページが続けて取れません。時間をおいて、{AGAIN}")
        for attempt in range(ATTEMPTS):
            asked = max(self.wait, self.delay)
            if asked > max(RETRY_AFTER_CAP, DELAY_SECONDS):
                raise SystemExit(f"{self.host} が求めるとおり、{asked:,.0f} 秒後以降に{AGAIN}")
            pause = max(self.wait, self.delay * random.uniform(1, JITTER))
            time.sleep(max(0.0, self.ended + pause - time.monotonic()))
            self.wait = min(BACKOFF_SECONDS * 2**attempt, RETRY_AFTER_CAP)
            try:
                page = self.exchange(url)
                if page.status not in HEALING:
                    self.wait = 0.0
                    self.failures = (
                        0 if page.status in (*LASTING, *REDIRECTS) else self.failures + 1
                    )
                    return page
                reason = f"HTTP {page.status}"
            except NETWORK as error:
                reason = next(said for said, kind in FAULTS.items() if isinstance(error, kind))
            finally:
                self.ended = time.monotonic()
        self.failures += 1
        raise PageFailed(reason)

    def exchange(self, url: str) -> Page:
        """One request and its answer, without cookies and redirects."""
        address = self.served + url.split(self.host, 1)[1] if self.served else url
        names = {"User-Agent": USER_AGENT.encode(), **WANTED}
        asked = requests.Request("GET", address, headers=names).prepare()
        way = self.session.merge_environment_settings(address, {}, True, None, None)  # proxies
        adapter = self.session.get_adapter(address)
        with adapter.send(asked, timeout=READ_SECONDS or None, **way) as answer:
            body = body_of(answer) if answer.status_code == 200 else b""
        headers, now = answer.headers, datetime.now(UTC).isoformat(timespec="seconds")
        with contextlib.suppress(urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            self.wait = max(self.wait, urllib3.Retry().get_retry_after(answer.raw) or 0.0)
        location = headers.get("Location", "").encode("latin-1").decode("utf-8", "replace")
        told = b" ".join(ROBOTS_META.findall(body)).decode("latin-1")
        rules = re.findall(r"[\w:-]+", f"{headers.get('X-Robots-Tag', '')} {told}".lower())
        return Page(url, answer.status_code, now, location, rules, body)


def crawl(shop: Shop) -> None:
    """Reads the shop's pages onto the disk, in an order that only the pages decide."""
    shop.obey()
    maps = [canonical(url, shop.start) for url in [*shop.rules.sitemaps] or ["/sitemap.xml"]]
    stored = [page.url for page in stored_pages(shop)]  # each may be gone by now
    waiting = deque([*shop.unknown(maps), shop.start, *shop.unknown(stored)])
    seen: set[int] = set()  # lines and bodies of pages
    barren = Counter()  # by kind of address: pages in a row that say nothing new
    with tqdm(desc="ページ", unit="枚", disable=None) as bar:
        while waiting:
            url = waiting.popleft()
            kind = kind_of(url)
            if barren[kind] >= MAX_BARREN:
                shop.counts["新しいことがないため未読"] += 1
            elif shop.counts[FETCHED] + shop.counts[KEPT] >= MAX_PAGES:
                shop.counts["MAX_PAGES を大きくすれば読めるページ"] += 1
            elif page := shop.read(url):
                links, texts = said_by(page)
                if hash(page.body) not in seen and not {"nofollow", "none"} & {*page.rules}:
                    waiting += shop.unknown(links)
                lines = {hash(re.sub(r"[\W\d_]+", "", text)) for text in texts}
                barren[kind] = barren[kind] + 1 if lines <= seen else 0
                seen |= lines | {hash(page.body)}  # one page under endless addresses is a trap
                bar.set_postfix_str(f"待ち {len(waiting):,}", refresh=False)
                bar.update()


def stored_pages(shop: Shop) -> list[Page]:
    """All stored pages of the shop that may be read, without bodies, whichever run stored them."""
    pages = filter(None, (stored_page(file, False) for file in Path(PAGES_DIR).glob("*.page")))
    found = [page for page in pages if page.status == 200 and is_page(page.url)]
    return sorted(page for page in found if not shop.refusal(page.url))


# A folder as a shop -------------------------------------------------------------------------------
def folder_key(path: str) -> str:
    """A path in one spelling, of a file or of what a request asks for; wget writes @ for a `?`."""
    path = re.sub(r"@(?=[^/]*=)", "?", unquote(path).lstrip("/"))
    return canonical("http://folder/" + quote(path, safe="/?&=;")).rstrip("/")


def folder_files(folder: Path) -> dict[str, Path]:
    """The folder's files by what a static host finds them under: whole names, and shorter ones."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            found[folder_key(name)] = path
            found.setdefault(folder_key(ENDING.sub("", name)), path)
    return found


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Shop]:
    """A folder as a shop, served on 127.0.0.1 for as long as the block runs."""
    files = folder_files(folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            standing = super().translate_path(path)
            file = files.get(folder_key(path), Path(standing))
            is_index = file.parent == Path(standing) and "?" not in path
            return standing if is_index else str(file)

        def log_message(self, *_: object) -> None:
            """Says nothing: the run counts its pages itself."""

    name = "-".join(re.findall("[a-z0-9]+", folder.resolve().name.lower())) or "folder"
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Shop(f"http://{name}.localhost/", f"http://127.0.0.1:{server.server_port}", files)
        server.shutdown()


# The perfumes -------------------------------------------------------------------------------------
SHOWN = 3  # perfumes and addresses that are shown
DOUBTED = ("name", "top_notes", "notes", "concept")  # differ from perfume to perfume
DOUBTFUL, DOUBTFUL_COUNT = 0.2, 4  # share of the perfumes that say the same, and their number


def visit(shop: Shop) -> None:
    """Crawls the shop, then reads all its stored pages into OUTPUT_FILE, whole or not at all."""
    stopped = ""
    try:
        crawl(shop)
    except (SystemExit, KeyboardInterrupt) as stop:
        stopped = str(stop) or f"中断しました。続きは、{AGAIN}"
    stored = stored_pages(shop)
    pages = {page.url: page for page in stored if "noai" not in page.rules}
    bar = tqdm(pages, "読み取り（Ctrl-C でやめる）", unit="枚", disable=None)
    read = read_shop((url, stored_page(stored_file(url)).body) for url in bar)
    named = {perfume["url"] for perfume in read.perfumes}
    unlike = {str(perfume | {"url": ""}): perfume for perfume in read.perfumes}.values()
    perfumes = [perfume | {"fetched_at": pages[perfume["url"]].fetched_at} for perfume in unlike]
    if perfumes:  # a wrong START_URL leaves the file as it was
        lines = [json.dumps(perfume, ensure_ascii=False) + "\n" for perfume in perfumes]
        replace_file(Path(OUTPUT_FILE), "".join(lines).encode())
    shop.counts["AI の利用を断っている"] = len(stored) - len(pages)
    shop.counts["香水のページ"] = len(perfumes)
    shop.counts["香水のないページ"] = len(pages) - len(named)
    report(shop.counts, read._replace(perfumes=perfumes))
    if stopped or not perfumes:
        raise SystemExit(stopped or f"{START_URL} に香水が見つかりません。確かめて、{AGAIN}")


def report(counts: Counter, read: ShopRead) -> None:
    """Prints what came of the run: counts, how fields are filled, what cannot be, some perfumes."""
    if said := [f"{reason} {count:,}" for reason, count in counts.items() if count]:
        print("、".join(said))
    if read.silent:
        shown = "、".join(read.silent[:SHOWN])
        print(f"商品のようで何も読めなかったページ {len(read.silent):,}: {shown}")
    for field in read.unmatched:
        print(f'SELECTORS の "{field}": "{SELECTORS.get(field)}" はどのページにも見つかりません。')
    if not read.perfumes:
        return
    filled, doubts, perfumes = [], [], read.perfumes
    for field in FIELDS[1:]:
        values = Counter(str(perfume[field]) for perfume in perfumes if perfume[field])
        filled.append(f"{field} {values.total() / len(perfumes):.0%}（{len(values):,}）")
        for value, often in values.most_common(1):
            if field in DOUBTED and often >= max(DOUBTFUL_COUNT, DOUBTFUL * len(perfumes)):
                doubts.append(f"{field} が {often:,} 件で同じ「{value[:40]}」")
    print("埋まった項目（違う値の数）: " + "、".join(filled))
    if doubts:
        print(f"注意: {'、'.join(doubts)}です。読み違いなら SELECTORS を書き（README）、{AGAIN}")
    for perfume in perfumes[:: max(1, len(perfumes) // SHOWN)][:SHOWN]:
        names = [perfume[field] for field in ("brand", "brand_ja", "name", "name_ja")]
        notes = dict.fromkeys(note for tier in (*TIERS, "notes") for note in perfume[tier])
        print(f"例: {' / '.join(filter(None, names))} — {'、'.join(notes) or '香料の記載なし'}")
    print(f"（最初からやり直すには {PAGES_DIR} を削除してください）")
    print(f"{len(perfumes):,} 件の香水を {OUTPUT_FILE} に書きました。次: python arrangeData.py")


# The run ------------------------------------------------------------------------------------------
def check_settings() -> None:
    """Ends the program at a constant that cannot be meant."""
    names_of = {  # of constants; those that may be 0 are the second
        int: ("MAX_PAGES", "MAX_BYTES", "MAX_BARREN", "ATTEMPTS", "RETRY_AFTER_CAP"),
        (int, float): ("DELAY_SECONDS", "REFRESH_DAYS", "READ_SECONDS", "PAGE_SECONDS"),
        (str, Path): ("START_URL", "OUTPUT_FILE", "PAGES_DIR", "USER_AGENT"),
        (tuple, list): ("AI_AGENTS",),
    }
    name = "SELECTORS"
    try:
        for field, css in SELECTORS.items():
            soupsieve.compile(css)
            if field not in FIELDS[1:]:
                raise ValueError(f"{field} という項目はありません")
        for kinds, names in names_of.items():
            for name in names:
                value = globals()[name]
                is_right = isinstance(value, kinds) and str(value).isprintable()
                size = value if isinstance(value, int | float) else len(str(value).strip())
                least = 0 if kinds == (int, float) else 1
                if not is_right or not least <= size < float("inf"):
                    raise ValueError("種類か大きさが違います")
    except (soupsieve.SelectorSyntaxError, ValueError, TypeError, AttributeError) as error:
        said = f"{name} = {globals()[name]!r} は使えません（{str(error).splitlines()[0]}）。"
        raise SystemExit(f"{said}getData.py の先頭で直して、{AGAIN}") from None


def main() -> None:
    """Reads the shop at START_URL into OUTPUT_FILE; every mistake is told in one line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8", errors="replace")
    check_settings()
    start, folder = canonical(str(START_URL)), Path(START_URL)
    try:
        if not start and not folder.is_dir():
            said = f"START_URL = {START_URL!r} は店のアドレス（https://…）でもフォルダーでもありません。"
            raise SystemExit(f"{said}直して、{AGAIN}")
        Path(OUTPUT_FILE).parent.mkdir(parents=True, exist_ok=True)
        if Path(OUTPUT_FILE).exists():
            Path(OUTPUT_FILE).open("rb+").close()  # fails now, not at the end
        place = contextlib.nullcontext(Shop(start)) if start else served(folder)
        with FileLock(Path(PAGES_DIR) / ".lock", blocking=False), place as shop:
            visit(shop)
    except KeyboardInterrupt:
        raise SystemExit(f"中断しました。{OUTPUT_FILE} は前のままです。{AGAIN}") from None
    except Timeout:
        raise SystemExit(f"もう 1 つの getData.py が動いています。終わってから、{AGAIN}") from None
    except BrokenPipeError:  # who read the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        place = error.filename or f"{OUTPUT_FILE} か {PAGES_DIR}"
        said = f"{place} が読み書きできません（{error.strerror}）。空き容量と許可を確かめて、"
        raise SystemExit(said + AGAIN) from None


if __name__ == "__main__":
    main()
