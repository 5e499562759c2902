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
from collections.abc import Iterable, Iterator
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
from lxml.html import defs
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
LATIN, KANA = "A-Za-zªºÀ-ɏ", "ァ-ヶー"
# where a word of these letters, or of others, begins and ends
BEGIN = f"(?:(?<![{LATIN}])(?=[{LATIN}])|(?<![{KANA}])(?=[{KANA}])|(?![{LATIN}{KANA}]))"
END = f"(?:(?<=[{LATIN}])(?![{LATIN}])|(?<=[{KANA}])(?![{KANA}])|(?<![{LATIN}{KANA}]))"
PART = 4  # characters of the shortest Japanese word that is looked for inside others: キャンドル
TIERS = ("top_notes", "middle_notes", "last_notes")
LISTS = (*TIERS, "notes", "families", "seasons", "scenes", "images", "impressions")
FIELDS = ("url", "brand", "brand_ja", "name", "name_ja", "gender", *LISTS, "concentration")
FIELDS += ("perfumer", "year", "concept")
MARK = "\ue000"  # stands in a line where one inline element ends and another begins
SPECIAL = re.compile(r"###|<\|[^|]*\|>")  # what may not be learned as part of a text
FORBIDDEN = re.compile(  # control, bidi, surrogates, private use
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)
SOUNDS = str.maketrans("lvpdckqgzjxtn", "rbbtssssssstm", "aeiouhywf")  # Chanel, シャネル: smr


def decode(body: bytes) -> str:
    """The text of a page or file: as UTF-8, as it declares, or in the encoding that fits best."""
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode("utf-8-sig")
    best = charset_normalizer.from_bytes(body, cp_isolation=["cp932", "euc_jp", "cp1252"]).best()
    return html_to_unicode(None, body, auto_detect_fun=lambda _: best and best.encoding)[1]


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
            found[row[1]] += filter(None, map(str.strip, row[2:]))
    if not found:
        raise SystemExit(f"data/page_words.csv に {use} の行がありません。元に戻してください。")
    return found


@functools.cache
def meanings(use: str) -> dict[str, str]:
    """The words of one use, folded, each with its name."""
    return {folded(word): name for name, words in page_words(use).items() for word in words}


@functools.cache
def any_of(use: str) -> re.Pattern:
    """Pattern of the words of one use, longer ones first; only long ones are found in others."""
    words = sorted(itertools.chain(*page_words(use).values()), key=len, reverse=True)
    long = [word for word in words if len(word) >= PART and is_japanese(word)]
    told = [word for word in words if re.search(r"\w", word)]
    parts, whole = ("|".join(map(re.escape, some)) or "(?!)" for some in (long, told))
    pattern = rf"(?-i:{BEGIN})(?:{whole})(?-i:{END})|{parts}".replace(r"\ ", r"[\s-]?")
    return re.compile(pattern.replace("'", "['’]"), re.IGNORECASE)


@functools.lru_cache(200_000)
def says(use: str, text: str) -> bool:
    """Whether a text has a word of a use."""
    return bool(any_of(use).search(text))


@functools.lru_cache(50_000)
def named(use: str, text: str) -> list[str]:
    """The values of a use (メンズ, オードトワレ, 春) whose words a text has."""
    words = [folded(match[0]) for match in any_of(use).finditer(text)]
    return list(dict.fromkeys(meanings(use)[word] for word in words))


@functools.cache
def houses() -> dict[str, list[str]]:
    """Known perfume houses: each spelling of data/brands.csv, folded, with all of its line."""
    return {folded(name): row for row in read_rows("brands.csv") for name in row if name}


@functools.lru_cache(50_000)
def tidy(text: str) -> str:
    """Text on one line, with MARKs, its entities undone until nothing changes."""
    while "&" in text and (undone := entities.unescape(text)) != text:
        text = undone
    text = re.sub("[｡-ﾟ]+", lambda kana: unicodedata.normalize("NFKC", kana[0]), text)
    text = SPECIAL.sub(" ", text)
    words = (FORBIDDEN.sub("", re.sub(r"\s+", " ", piece)) for piece in text.split(MARK))
    pieces = (" ".join(piece.split()) for piece in words)
    return unicodedata.normalize("NFC", MARK.join(filter(None, pieces)))


def plain(text: str) -> str:
    """Text for a record: without MARKs."""
    return " ".join(text.replace(MARK, " ").split())


@functools.lru_cache(100_000)
def folded(text: str) -> str:
    """Text as it is compared: letters and digits alone, without width, case and accents."""
    text = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", text)))


def is_japanese(text: str) -> bool:
    """Whether a text has kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


def is_foreign(text: str) -> bool:
    """Whether a text has letters that are not Latin."""
    return bool(re.search(rf"[^\W\d_{LATIN}]", text))


@functools.lru_cache(100_000)
def likeness(one: str, other: str) -> float:
    """How well two texts fit as a name's spelling in Latin letters and in others, 0 to 1."""
    if is_foreign(one) == is_foreign(other):
        return -1.0
    if re.search("[一-龠]", one + other):
        return 0.0  # nobody can tell how it sounds
    latin = (anyascii(text).lower().translate(SOUNDS) for text in (one, other))
    sounds = (re.sub(r"[^a-z0-9]|(.)(?=\1)", "", text) for text in latin)
    return SequenceMatcher(None, *sounds).ratio()


# The lines of a page ------------------------------------------------------------------------------
MAX_LINES, MAX_CHARACTERS = 3_000, 4_000  # of one page, and of one line: longer ones are no text
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
INLINE = {"a", "bdi", "font", "label", "mark", "q", "span", "sub", "sup", "time", "wbr"}
INLINE |= defs.phrase_tags | defs.font_style_tags
DROPPED = {"aside", "dialog", "footer", "iframe", "nav", "noscript", "rt", "script", "style", "svg"}
DROPPED |= {"object", "rp", "template", "textarea"}
HOME = re.compile(r"(?:\.{0,2}/)+(?:index\.(?:html?|php))?|index\.(?:html?|php)")
KEPT_BREAKS = re.compile(r"^pre |\bpre-(line|wrap)")  # elements whose breaks a reader sees
HEAD = ("title", "meta")  # slots of what the page does not show, by how they begin
LABELLING = ("alt", "content", "data-label", "data-title", "data-th", "aria-label")


class Line(NamedTuple):
    """A text as a reader sees it, and where it stands."""

    slot: str  # "h1<div.info": the element and the one around it, first classes, no numbers
    text: str
    is_furniture: bool = False  # says the same on most pages
    is_fixed: bool = False  # and so does all that stands in its slot


class PageText(NamedTuple):
    """What is kept of a page: its lines, not its tree; and what is then learned of it."""

    url: str
    lines: list[Line]
    chosen: dict[str, list[str]]  # what SELECTORS found, by field
    facts: dict[str, object]  # by field
    name: str = ""  # of its product, as the page writes it
    brand: str = ""


def part_of_slot(element: lxml.etree._Element) -> str:
    """An element as a part of a slot: h1, span.price, span[brand], a.home, a.brand."""
    if not element.attrib:
        return element.tag
    words = (element.get("class") or element.get("id") or "").split(maxsplit=1)
    told = element.get("itemprop") or element.get("property") or element.get("name")
    address = element.get("href") if element.tag == "a" else ""
    marks = (f".{words[0]}" if words else "") + (f"[{told}]" if told else "")
    if address:
        marks += ".home" if HOME.fullmatch(address) else ".brand" * says("brand", address)
    return element.tag + re.sub("[0-9]+", "", marks)


def is_dropped(element: lxml.etree._Element) -> bool:
    """Whether an element holds menus, other products or reviews, and not the page's heading."""
    words = f"{element.get('class')} {element.get('id')}"
    is_menu = element.tag in DROPPED and not says("trail", words)
    return (is_menu or says("skip", words)) and element.find(".//h1") is None


def join_inline(root: lxml.etree._Element) -> None:
    """Makes elements that begin no line a part of the text around them, MARKs at their edges."""
    inline = [element for element in root.iter(*INLINE) if part_of_slot(element) == element.tag]
    headings = (heading.iterdescendants() for heading in root.iter(*HEADINGS))
    for element in {*inline, *itertools.chain(*headings), *root.xpath("//br[ancestor::td]")}:
        element.tag = "joined"
        element.text = MARK + tidy(element.text or "")
        element.tail = MARK + tidy(element.tail or "")
    lxml.etree.strip_tags(root, "joined")


def tree_lines(root: lxml.etree._Element) -> Iterator[Line]:
    """The lines of a page, in their order; no recursion: pages nest thousands deep."""
    join_inline(root)
    slots = ["html"]
    walk = lxml.etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            slots.pop()
            if element.tail:
                yield Line(slots[-1], element.tail)
            continue
        slots.append(f"{part_of_slot(element)}<{slots[-1].partition('<')[0]}")
        if is_dropped(element):
            for inner in element.iter():
                part = part_of_slot(inner)
                if ".home" in part or says("site", part):
                    yield Line(part, "".join(inner.itertext()))  # what the shop calls itself
            walk.skip_subtree()
            continue
        if element.attrib:
            said = [element.get(name) or "" for name in LABELLING]
            yield Line(f"{slots[-1]}@", next(filter(label_fields, said), "") or said[0] or said[1])
        if element.text:
            style = f"{element.tag} {element.get('class')} {element.get('style')}"
            broken = element.text.splitlines() if KEPT_BREAKS.search(style) else [element.text]
            yield from (Line(slots[-1], text) for text in broken)


def json_lines(value: object, slot: str = "ld") -> Iterator[Line]:
    """What JSON-LD says, each text in the slot of its type and key: 'ld Product name'."""
    if isinstance(value, dict):
        kinds = value.get("@type")
        kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
        yield Line("ld type", f"<{kind}>")
        for key, inner in value.items():
            yield from json_lines(inner, f"ld {kind} {key}")
    elif isinstance(value, list):
        for inner in value:
            yield from json_lines(inner, slot)
    elif isinstance(value, str) and "@" not in slot:
        yield from (Line(slot, text) for text in value.splitlines())


def read_page(url: str, body: bytes) -> PageText:
    """A page's lines, what its JSON-LD declares first; none for what is no page."""
    text = decode(body[:MAX_BYTES]).replace("\0", "")
    options = {"remove_comments": True, "remove_pis": True, "huge_tree": True}
    parser = lxml.etree.HTMLParser(encoding="utf-8", **options)
    root = None
    with contextlib.suppress(lxml.etree.LxmlError):
        root = lxml.etree.fromstring(text.encode("utf-8", "replace"), parser)
    if root is None or body.startswith(b"%PDF"):
        return PageText(url, [], {}, {})
    lines: list[Line] = []
    for script in root.iterfind(".//script[@type='application/ld+json']"):
        json_text = re.sub(r",\s*([}\]])|<!--|-->", r"\1", script.text or "")
        with contextlib.suppress(ValueError, RecursionError):
            lines += json_lines(json.loads(json_text, strict=False))
    found = itertools.chain(lines, tree_lines(root))
    short = (line for line in found if len(line.text) < MAX_CHARACTERS)
    tidied = (Line(sys.intern(line.slot), sys.intern(tidy(line.text))) for line in short)
    told = (line for line in tidied if re.search(r"\w", line.text))
    kept = [*itertools.islice(told, MAX_LINES)]
    soup = BeautifulSoup(text if SELECTORS else "", "lxml")
    chosen = {field: soup.select(css) for field, css in SELECTORS.items()}
    texts = {field: [tidy(tag.get_text(MARK)) for tag in tags] for field, tags in chosen.items()}
    return PageText(url, kept, texts, {})


# Labels and their values --------------------------------------------------------------------------
CARDS = 3  # so many prices or labels of one kind are a list of products
NOTE_LENGTH = {True: 26, False: 48}  # characters of the longest note, in Japanese or not
WORDS_OF_PROSE = 6  # so many words of Latin letters are a sentence
MOST = 0.6  # share of a line's items that must read as notes
SHORT = 60  # characters of a line that holds one fact
FOREIGN = {"scenes": "seasons", "images": "impressions", "impressions": "images"}
YEAR = re.compile(r"(?<!\d)(?:1[6-9]|20)\d\d(?!\d)")
TRAIL = re.compile("[>＞»›]")  # ホーム › ブランド › 香水
ARE = "(?:are|includes?|son|são|sont|sind|sono)"  # Top notes are ...
PARTS = re.compile(  # between the parts of a line with labels
    rf"""( (?:\s*[:：→】〉》］\]…。、,;；/／|｜【〈《［\[■●◆▼◇▲★☆・{MARK}]\s*)+ (?:{ARE}\s)?
         | (?<=[ぁ-んァ-ヶー一-龠)）\]】。.\d])\s+
         | (?<=ノート)(?:には|は)、?
         | \s(?:{ARE}|[–-])\s )""",
    re.VERBOSE,
)
LABEL = rf"([^\s、,;:：/／|｜=＝–—{MARK}()（）\[\]-]{{1,20}}(?:\s(?i:notes?))?)"  # a short word
APART = (  # how lines set a tier's label and its list apart
    re.compile(r"(?<!\w)[＜≪〔「『（(]([^＞≫〕」』）)]{1,20})[＞≫〕」』）)]()"),  # （トップ）柚子
    re.compile(rf"{LABEL}\s?[（(\[]([^()（）\[\]]+)[)）\]](?!\s?[:：])"),  # Top (Mint, Fig)
    re.compile(  # HEAD Saffron, Pink Pepper; TOP｜柚子、山椒
        rf"""(?:^|(?<=[■●◆▼◇▲★☆{MARK}])) {LABEL}
             (?:\s*[/／|｜=＝–—-]\s*|\s+)  # a mark or a gap,
             (?=\w[^{MARK}:：]*[、,，/／・&])()  # and a list,
             (?![^{MARK}]*(?:[:：]|\s[–—-]\s))  # without labels""",
        re.VERBOSE,
    ),
)
BEHIND_LABEL = re.compile(rf"[:：→】〉》］\]…{MARK}]|・・|ノート[/／|｜はに\s]|\s\S+\s$")
OUTSIDE = r"(?![^(（]*[)）])"  # of parentheses
SEPARATORS = (  # of written lists, the strongest first
    rf"[、,，،;；/／|｜{MARK}]|\s[•·+＋×]\s*",
    r"\s*[・･·•\u3000]\s*|\s[–-]\s",
    r"(?<=[ぁ-ー一-龠]) +(?=[ぁ-ー一-龠])",
)
JOINTS = r"""\s*(?:そして|および|または|[&＆])\s*  # before a list's last item
    | (?:^|\s+)(?:[Aa]nd|AND|e|et|y|und|と)\s+
    | (?<=[)）ァ-ヶー一-龠])[やと](?=[ァ-ヶー一-龠])"""
CLINGING = r"(?:\s*(?:など|ほか|その他|(?<=[ァ-ヶー\s])[等他]|etc\.?))+$"
DECORATION = " ・･*＊-–—―:：.。,、'\"“”「」『』■●◆→•"


@functools.lru_cache(100_000)
def label_fields(text: str) -> list[str]:
    """The fields that a text tells as a label and nothing else; size, price and the like: other."""
    bracketed = re.search(r"(?<=.)[(（]([^()（）]*)[)）]$", text)
    readings = [text.replace(bracketed[0], ""), bracketed[1]] if bracketed else [text]
    words = (re.sub(r"^\d|\d$", "", folded(reading)) for reading in readings)
    return next((found for word in words if (found := meanings("label").get(word))), "").split()


def set_apart(apart: re.Match) -> str:
    """A tier's label in 【】 and its list, where they are such; else as it stands."""
    label, notes = apart.groups()
    is_tier = {*label_fields(label)} & {*TIERS} and not label_fields(notes)
    return f"【{label}】{notes}" if is_tier else apart[0]


@functools.lru_cache(50_000)
def labels_in(text: str) -> list[tuple[list[str], str]]:
    """The labels of a line: the fields that each tells, and the text up to the next one."""
    if fields := label_fields(text):
        return [(fields, "")]
    found: list[tuple[list[str], str]] = []
    for pattern in APART:
        text = pattern.sub(set_apart, text)
    parts = [*PARTS.split("" if TRAIL.search(text) else text), ""]
    for part, mark in zip(parts[::2], parts[1::2], strict=True):
        is_marked = BEHIND_LABEL.search(part[-len("ノート") :] + mark)
        if fields := label_fields(part) if is_marked else []:
            found.append((fields, ""))
        elif found:
            fields, value = found.pop()
            found.append((fields, value + part + mark))
    return found


def own_lines(page: PageText) -> list[Line]:
    """A page's lines, without its head and the furniture above its own first one: a menu."""
    shown = [line for line in page.lines if not line.slot.startswith(HEAD)]
    own = [line for line in shown if not line.is_furniture]
    data = [line for line in own if "<" not in line.slot]
    first = next((line for line in own if "<" in line.slot), None)
    return data + shown[shown.index(first) if first else 0 :]


def labels_of(page: PageText) -> list[tuple[list[str], list[str]]]:
    """The fields that a page's labels tell, with the texts beside them, or below in one slot."""
    found: list[tuple[list[str], list[str]]] = []
    waiting: list[list[str]] = []  # values that lines below fill: of one label, or of columns
    last: list[str] = []  # fields of the label before
    label_slot = value_slot = ""
    for slot, text, is_furniture, is_fixed in own_lines(page):
        labels = labels_in(text)
        if "@" in slot:  # a picture called イメージ tells no image
            labels = [(fields, value) for fields, value in labels if {*fields} & {*TIERS}]
        for fields, value in labels:
            values = [value] if value else []
            are_tiers = last and {*fields, *last} <= {*TIERS}
            is_column = are_tiers and slot[:2] == label_slot[:2] and not any(waiting)
            waiting = [*waiting, values] if is_column else [values]
            found.append((fields, values))
            last, label_slot, value_slot = fields, slot, "none" if value else ""
        if labels:
            continue
        if slot == label_slot and value_slot and (is_furniture or slot != value_slot):
            value_slot = "none"  # another label, in words that are not known, or prose
        elif is_fixed and {*last} <= {*TIERS}:
            continue  # 0–20 min, below Top on every page
        elif waiting and "@" not in slot and slot == (value_slot or slot):
            min(waiting, key=len).append(text)
            value_slot = slot
    return found


def split_items(text: str) -> list[str]:
    """Items of a list, by its strongest separator outside parentheses; it ends at 。 and a dash."""
    text = text.strip(" 　・／/、,–-—【〈《［[■●◆▼◇▲★☆")
    text = re.split(r"[—―─]+|。|\.\s|\.$", text)[0]
    lists = (re.split(f"(?:{separator}){OUTSIDE}", text) for separator in SEPARATORS)
    items = next((items for items in lists if len(items) > 1), [text])
    parts = [part for item in items for part in re.split(f"(?x:{JOINTS}){OUTSIDE}", item)]
    clean = (re.sub(CLINGING, "", plain(part).strip(DECORATION)) for part in parts)
    return [item for item in clean if item and folded(item) not in meanings("unknown")]


@functools.lru_cache(50_000)
def is_note(item: str) -> bool:
    """Whether an item reads as a material: short, with letters, no label, no price, no sentence."""
    core = re.sub(r"[(（].*", "", item)
    is_long = len(core) > NOTE_LENGTH[is_japanese(core)] or len(core.split()) >= WORDS_OF_PROSE
    if is_long or label_fields(item) or says("prose", core) or says("concentration", core):
        return False
    odd = re.search(r"[@#<>{}!?！？。=$€£¥:：]|\d", core)
    return not odd and bool(re.search(r"[^\W\d_]", core))


def read_field(field: str, values: list[str]) -> object:
    """A field's value, or something empty, from the texts beside its label."""
    text = plain(" ".join(values))
    if field in ("gender", "concentration"):
        told = named(field, text)
        is_for_all = field == "gender" and len(told) > 1
        return "ユニセックス" if is_for_all else next(iter(told), None)
    if field == "seasons":
        told = named(field, text)
        return [season for season in "春夏秋冬" if season in told or "every" in told]
    if field == "year":
        return int(year[0]) if (year := YEAR.search(text)) else None
    if field == "concept":
        return text
    if field in LISTS:
        words: dict[str, None] = {}
        for items in map(split_items, values):
            good = [item for item in items if is_note(item)]
            if len(good) < MOST * len(items):
                break
            words |= dict.fromkeys(good)
        other = FOREIGN.get(field)
        return [word for word in words if not other or not named(other, word)]
    first = plain(values[0].split(MARK)[0]) if values else ""
    return first if could_be_name(first) and folded(first) not in meanings("unknown") else None


@functools.lru_cache(50_000)
def tag_facts(text: str) -> dict[str, object]:
    """Facts of tags, 【ユニセックス／フローラル】, for men, and of 'a fragrance for men'."""
    row = re.search(r"[【\[]([^【】\[\]]*[／/・、|｜][^【】\[\]]*)[】\]]", text)
    tags = row[1] if row else text if len(text) < SHORT else ""
    rest = any_of("concentration").sub("", any_of("gender").sub("", tags))
    families = split_items(rest) if row and rest != tags else []
    is_prose = re.search(r"[^\W\d_]", rest) and not families
    gendered = " ".join(any_of("meant").findall(text)) if is_prose or not tags else tags
    facts = {"gender": read_field("gender", [gendered]), "families": families}
    return {field: value for field, value in facts.items() if value}


def facts_of(page: PageText) -> dict[str, object]:
    """Every field that a page tells: by SELECTORS, by its first label with a value, or by tags."""
    facts, times = {}, Counter()
    for fields, values in labels_of(page):
        told = {field: read_field(field, values) for field in fields}
        facts = {field: value for field, value in told.items() if value} | facts
        times.update(field for field in TIERS if told.get(field))
    if any(count >= CARDS for count in times.values()):
        return {}  # of several products
    for line in page.lines:
        facts = tag_facts(line.text) | facts
    short = (line.text for line in page.lines if len(line.text) < SHORT)
    strengths = {strength for text in short for strength in named("concentration", text)[:1]}
    if len(strengths) == 1:
        facts = {"concentration": strengths.pop()} | facts
    return facts | {field: read_field(field, texts) for field, texts in page.chosen.items()}


# Products -----------------------------------------------------------------------------------------
HALF = 0.5  # share of slots that makes two pages one template's; beyond it are most pages
FEW = 3  # pages below which nothing can be learned from repetition
DECLARING = ("<product>", "<productgroup>")


def with_furniture(pages: list[PageText]) -> list[PageText]:
    """The pages, each line marked that says the same on most pages of its slot."""
    slots = Counter(slot for page in pages for slot in {line.slot for line in page.lines})
    lines = Counter(line for page in pages for line in set(page.lines))
    common = [line for line, n in lines.items() if FEW <= n > HALF * slots[line.slot]]
    varied = {line.slot for line in lines.keys() - {*common}}
    marked = {line: Line(*line[:2], True, line.slot not in varied) for line in common}
    return [page._replace(lines=[marked.get(line, line) for line in page.lines]) for page in pages]


def shop_names(pages: list[PageText]) -> list[str]:
    """What a shop calls itself on most pages: in titles, h1, logos, links to its first page.

    The name that most of its texts speak of is the first: a title may be left over from a theme.
    """
    said, told = Counter(), set()
    for line in itertools.chain(*(page.lines for page in pages)):
        place = line.slot.partition("<")[0]
        if place == "title":
            said.update(re.split(EDGES, line.text))
        elif place.startswith("h1") or ".home" in place or says("site", line.slot):
            said[line.text] += 1
        if line.is_furniture or place.startswith(HEAD):
            told.add(folded(line.text))
    others = {"", *meanings("perfume"), *meanings("page")}
    common = [text for text, n in said.most_common() if FEW <= n > HALF * len(pages)]
    names = [any_of("shop").sub("", plain(text)).strip() for text in common]
    own = (name for name in names if folded(name) not in others and not label_fields(name))
    spoken = {name: sum(folded(name) in text for text in told) for name in own}
    return sorted(spoken, key=spoken.get, reverse=True)


def templates_of(pages: list[PageText]) -> list[list[PageText]]:
    """The pages by template: those with mostly the same slots."""
    found: list[tuple[set[str], list[PageText]]] = []
    for page in pages:
        slots = {line.slot for line in page.lines if not line.is_furniture}
        shares = [len(slots & other) / max(1, len(slots | other)) for other, _ in found]
        if shares and max(shares) >= HALF:
            found[shares.index(max(shares))][1].append(page)
        else:
            found.append((slots, [page]))
    return [members for _, members in found]


@functools.lru_cache(50_000)
def is_price(text: str) -> bool:
    """Whether a text has an amount of money."""
    has_sign = any(unicodedata.category(char) == "Sc" for char in text)
    return bool(re.search(r"\d", text) and (has_sign or says("money", text)))


def offers(page: PageText, lists: set[str]) -> int:
    """How many a page has of a price and a button to buy, neither one of many, as listings have."""
    own = own_lines(page)
    prices = [line.slot for line in own if is_price(line.text) and not line.is_furniture]
    said = [line for line in own if not re.search("[?？。]", line.text)]  # a button asks nothing
    buttons = [line.slot for line in said if says("buy", line.text)]
    found = (slots for slots in (prices, buttons) if slots and slots[0] not in lists)
    return sum(slots.count(slots[0]) < CARDS for slots in found)


def declares_product(page: PageText) -> bool:
    """Whether a page says that it is a product: by labels, by microdata, or in its JSON-LD."""
    told = {"brand", "name"} & page.facts.keys()
    if len(told) > 1 or (told and any(tier in page.facts for tier in TIERS)):
        return True
    slots = " ".join(line.slot for line in page.lines)
    if {"brand", "name"} <= {*re.findall(r"\[(\w+)\]", slots)}:
        return True
    kinds = [line.text.lower() for line in page.lines if line.slot == "ld type"]
    return 0 < sum(map(DECLARING.count, kinds)) < CARDS


def product_pages(groups: list[list[PageText]]) -> set[str]:
    """Addresses of the pages of one product: they declare it, or show two signs of it.

    The signs are tiers of notes, a price, and a button to buy, neither one of many; one of them
    is enough where several pages of a template show it.
    """
    lists, found = set(), set()
    for page in itertools.chain(*groups):
        prices = Counter(line.slot for line in page.lines if is_price(line.text))
        lists |= {slot for slot, count in prices.items() if count >= CARDS and "." in slot}
    for group in groups:
        told = {page.url: offers(page, lists) for page in group}
        selling = {url for url, count in told.items() if count}
        tiered = {page.url for page in group if sum(tier in page.facts for tier in TIERS) > 1}
        found |= {page.url for page in group if declares_product(page)}
        found |= {url for url, count in told.items() if count + (url in tiered) > 1}
        for sign in (selling, tiered - selling):
            found |= sign if len(sign) >= FEW else set()
    return found


def is_other(page: PageText) -> bool:
    """Whether a product is a set, a cream, a candle, by its name and its address."""
    place = re.sub(r"[/_-]", " ", unquote(urlsplit(page.url).path))
    said = any_of("concentration").sub("", f"{page.name}\n{place}")
    goods = rf"(?:{any_of('goods').pattern})(?!の|付|対応|無料)"  # 石けんの朝 is a name
    return bool(re.search(rf"{goods}|\d\s?[x×]\s?\d+\s?ml", said, re.IGNORECASE))


def tells_perfume(page: PageText) -> bool:
    """Whether a product tells that it is one: by notes, or by a word, but for its title's."""
    if any(field in page.facts for field in (*TIERS, "notes", "families")):
        return True
    own = (line.text for line in own_lines(page))  # in a title the word may be the shop's name
    return any(says("perfume", text) for text in (page.url, page.name, *own))


# Names --------------------------------------------------------------------------------------------
NAME_LENGTH = 90  # characters; longer texts are sentences
REPEATED = 0.2  # share of a template's pages beyond which a text is nobody's name
LEAST = 0.4  # score of a slot of names below which it is none
SPARE = 0.55  # least score of a slot of headings
TRUST = {"label": 1.2, "h1": 1.0, **dict.fromkeys(HEADINGS[1:], 0.93)}
TRUST |= {"ld Product name": 0.95, "me": 0.65, "ti": 0.6}  # meta, title
TRUST_BY_CLASS = {True: 0.9, False: 0.5}  # of another slot, named as a title or not
TITLES = ("title", "meta", "ld Product name")  # slots of a page's title, by how they begin
PIECES = rf"\s*[|｜／{MARK}]\s*|\s+[·•–—―»›:：/-]\s+"  # between the pieces of a title
EDGES = rf"{PIECES}|:\s+"  # between the shop's name and the rest
TALK = r"【[^】]*】|◆[^◆]*◆|★[^★]*★|[\[［][^\]］]*[\]］]|＜[^＞]*＞"  # 【量り売り】, [送料無料]
BRACKETS = ("()", "（）", "【】", "「」", "[]")


@functools.lru_cache(50_000)
def could_be_name(text: str) -> bool:
    """Whether a text may be a name: short, with letters, no label, price, address, torn bracket."""
    is_torn = any(text.count(left) != text.count(right) for left, right in BRACKETS)
    if is_torn or label_fields(text):
        return False
    core = re.sub(TALK, "", text)
    if len(core) > NAME_LENGTH or is_price(core) or not re.search(r"\w", core):
        return False
    is_prose = re.search(r"[。@<>]|://|###", text)  # or an address
    words = map(folded, re.split(PIECES, text))
    return not is_prose and meanings("page").keys().isdisjoint(words)


def names_by_slot(page: PageText) -> dict[str, str]:
    """The first text of each slot that could be the product's name."""
    found: dict[str, str] = {}
    for line in page.lines:
        if could_be_name(line.text) and not line.is_furniture:
            found.setdefault(line.slot, line.text)
    if label := page.facts.get("name"):
        found["label"] = label
    return found


def less_shop(titles: dict[str, str]) -> dict[str, str]:
    """{address: its title} without the pieces at the ends that most have: Luna – Shop."""
    words = re.compile(r"\w").search
    pieces = {url: [*filter(words, re.split(EDGES, title))] for url, title in titles.items()}
    counts = Counter(itertools.chain(*map(set, pieces.values())))
    found = dict(titles)
    for url, title in titles.items():
        own = [piece for piece in pieces[url] if not FEW <= counts[piece] > HALF * len(titles)]
        if own:
            found[url] = title[title.find(own[0]) : title.rfind(own[-1]) + len(own[-1])]
    return found


def agreed(name: str, titles: Iterable[str]) -> str:
    """The part of a heading that its page's titles or data say alone: a name without its slogan."""
    parts = {folded(part): part for part in name.split(MARK)}
    pieces = ({folded(piece) for piece in re.split(PIECES, text)} for text in titles)
    told = parts.keys() & set().union(*pieces)
    return parts[told.pop()] if len(told) == 1 else name


def with_names(pages: list[PageText]) -> list[PageText]:
    """The pages of one template that have names, by the slot that differs on nearly every page."""
    columns: dict[str, dict[str, str]] = defaultdict(dict)  # by slot, by address
    for page in pages:
        for slot, text in names_by_slot(page).items():
            columns[slot][page.url] = text
    often = max(FEW, REPEATED * len(pages))
    scores: dict[str, float] = {}
    for slot, told in columns.items():
        texts = less_shop(told) if slot.startswith(TITLES) else told
        counts = Counter(texts.values())
        columns[slot] = {url: text for url, text in texts.items() if counts[text] <= often}
        by_class = TRUST_BY_CLASS[says("title", slot.partition("<")[0])]
        unlike = {*map(folded, columns[slot].values())} - houses().keys()
        scores[slot] = TRUST.get(slot, TRUST.get(slot[:2], by_class)) * len(unlike) / len(pages)
        if slot[:2] in HEADINGS[:3] and len(told) > 1:  # on some pages the name may stand there
            scores[slot] = max(scores[slot], SPARE)
    good = [slot for slot in scores if scores[slot] >= LEAST]
    ranked = ["label"] if "name" in SELECTORS else sorted(good, key=scores.get, reverse=True)
    found = []
    for page in pages:
        texts = {slot: told[page.url] for slot, told in columns.items() if page.url in told}
        titles = [text for slot, text in texts.items() if slot.startswith(TITLES)]
        if name := next(filter(None, map(texts.get, ranked)), ""):
            found.append(page._replace(name=agreed(name, titles)))
    return found


# Brands -------------------------------------------------------------------------------------------
ALIKE = 0.6  # likeness at which two texts are believed to be one name in two scripts
BELIEVED = 0.55  # mean evidence at which the texts of a slot are believed to be brands
ONE_HOUSE = 0.3  # share of perfumes with a brand below which the shop is the brand
NEAR = 4  # lines between a name and its brand
REPEATS = 0.7  # how far a text is believed to be a brand that is no known house, but repeats
BY = re.compile(r"(.*?)\s*\b[Bb]y:?\s+(\w[^|–—,(（]*)")  # Luna by Maru


def pieces_of(text: str) -> list[str]:
    """The pieces of a text between marks, brackets and quotes."""
    pieces = re.split(rf"{PIECES}|{TALK}|\s[Bb]y\s|\s*[「」『』（）()【】［］\[\]]\s*", text)
    return [piece for piece in map(plain, pieces) if re.search(r"\w", piece)]


def openings(text: str) -> list[str]:
    """How a text begins, word by word, the longest first."""
    ends = re.finditer(r"(?<=\w)(?=[^\w'’&.]|$)|(?<=\.)(?=\s|$)", text[:NAME_LENGTH])
    return [text[: end.start()] for end in ends][::-1]


def maker_in(text: str, name: str) -> str:
    """The house after 'by' in a text that begins as the name does, or empty: Luna by Maru."""
    maker = BY.match(name if text == name else text.removeprefix(name))
    is_its = maker and folded(name).startswith(folded(maker[1]))
    return bare(maker[2].strip(), ("", "")) if is_its else ""


def brand_texts(page: PageText) -> dict[str, str]:
    """What may be the brand of a page, by where it stands: pieces of lines, and known houses.

    The lines are those with its name, near it, and those that are called a brand or a path.
    """
    found = {"label": str(page.facts.get("brand") or page.facts.get("maker") or "")}
    at = [number for number, line in enumerate(page.lines) if line.text == page.name]
    near = {number + step for number in at for step in range(-NEAR, NEAR + 1)}
    for number, line in enumerate(page.lines):
        is_near = number in near and not line.slot.startswith(HEAD)
        is_told = says("brand", line.slot) or says("trail", line.slot) or TRAIL.search(line.text)
        is_menu = line.is_furniture and not line.slot.startswith("ld")
        if is_menu or not (page.name in line.text or is_near or is_told):
            continue
        found["by brand"] = found.get("by brand") or maker_in(line.text, page.name)
        slot = "name" if line.text == page.name else line.slot
        pieces = pieces_of(any_of("shop").sub("", line.text)[:NAME_LENGTH])
        for place, piece in enumerate(filter(could_be_name, pieces)):
            found.setdefault(f"{slot} {place}", piece)
            known = (start for start in openings(piece) if folded(start) in houses())
            if page.name in line.text and (house := next(known, "")):
                found.setdefault("house", house)
    return {source: text for source, text in found.items() if text not in ("", page.name)}


def could_be_brand(text: str) -> bool:
    """Whether a text that nobody declares a brand may be one: no numbers, no word of a perfume."""
    is_said = any(says(use, text) for use in ("perfume", "gender", "concentration"))
    return not (is_said or re.search(r"\d|[.!?！？。]$", text))  # 残り2点, a sentence


def brand_slots(sources: list[dict[str, str]]) -> list[str]:
    """Where a template's brands stand, the best first: declared, known houses, or what repeats."""
    told = Counter(itertools.chain(*(found.items() for found in sources)))
    times = Counter(itertools.chain(*sources))
    evidence = Counter()
    for (source, text), count in told.items():
        is_first = source == "name 0" and len(sources) < FEW  # as most shops write it
        is_part = source in ("name 0", "opening") and count > 1
        repeats = is_first or is_part or 1 < count < times[source]
        is_known = folded(spelled(text)[0]) in houses()
        is_told = is_known or source == "label" or says("brand", source)
        evidence[source] += count * (1 if is_told else REPEATS * (repeats and could_be_brand(text)))
    found = []
    for source, sum_of_evidence in evidence.most_common():
        is_sure = sum_of_evidence == times[source] or times[source] > HALF * len(sources)
        if is_sure and sum_of_evidence >= BELIEVED * times[source]:
            found.append(source)
    return found


def with_brands(pages: list[PageText], shop: list[str]) -> list[PageText]:
    """The pages of one template with their brands, each by the most trusted of what tells it."""
    starts = {page.url: openings(page.name) for page in pages}
    begun = Counter(itertools.chain(*starts.values()))
    sources = {page.url: brand_texts(page) for page in pages}
    for url, found in sources.items():
        if "house" not in found:
            found["opening"] = max(starts[url], key=begun.get, default="")  # none shared: the name
    ranked = ["label"] if "brand" in SELECTORS else brand_slots([*sources.values()])
    branded = []
    for page in pages:
        found = sources[page.url]
        texts = (text for text in map(found.get, ranked) if text and text not in (page.name, *shop))
        branded.append(page._replace(brand=next(texts, found.get("label", ""))))
    return branded


# Names in one spelling or two ---------------------------------------------------------------------
LATIN_HOUSE, OTHER_HOUSE = "\ue001", "\ue002"  # stand for each letter of the brand in a name
HOUSE = f"[{LATIN_HOUSE}{OTHER_HOUSE}]"
SHARED = 0.6  # share of a template's names beyond which names are written so
READING = re.compile(r"^(.*[一-龠].*?)\s*[(（][ぁ-んー・ ]+[)）]$")  # 霧氷（むひょう）
Spelling = tuple[str, str]  # a name as it is known, Latin where it can be; in Japanese or empty


@functools.lru_cache(50_000)
def spelled(text: str) -> Spelling:
    """Both spellings of 'Chloé（クロエ）', of 'CHLOE クロエ' by their sound, or the one there is."""
    text = READING.sub(r"\1", text)
    best, most = (plain(text), plain(text) if is_japanese(text) else ""), ALIKE
    for cut in re.finditer(rf"\s*[(（／/|｜{MARK}]\s*|\s+[–—-]\s*|\s+", text):
        halves = plain(text[: cut.start()]), plain(text[cut.end() :])
        latin, other = sorted((half.strip(" ()（）–-") for half in halves), key=is_foreign)
        if is_foreign(other) and not is_foreign(latin):
            is_marked = bool(cut[0].strip(" "))
            alike = likeness(latin, other) + is_marked
            best, most = ((latin, other), alike) if alike >= most else (best, most)
    return best


def learned(name: Spelling, texts: Iterable[str]) -> Spelling:
    """A name with the spelling that it lacks, by the text that sounds most like it."""
    known, japanese = name
    best = max(texts, key=lambda text: likeness(known, text), default="")
    if not best or japanese not in ("", known) or likeness(known, best) < 0:
        return name
    return (best, known) if japanese else (known, best)


def whole_brand(known: Spelling, said: list[str]) -> Spelling:
    """A brand with the spelling that it lacks, by the page or else by data/brands.csv."""
    row = houses().get(folded(known[0]), [])
    written = [piece for piece in said if row and houses().get(folded(piece)) is row]
    return learned(learned(known, written or row), filter(could_be_brand, said))


@functools.lru_cache(20_000)
def house_pattern(brand: Spelling) -> re.Pattern:
    """Pattern of a brand's spellings, whatever joins their words: クリスチャン[・ ]ディオール."""
    known = (name for name in houses().get(folded(brand[0]), ()) if len(name) >= PART)
    spellings = sorted({*brand, *known} - {""}, key=len, reverse=True)
    loose = (re.sub(r"\\ |・|\\-", r"[\\s・-]?", re.escape(spelling)) for spelling in spellings)
    words = "|".join(loose).replace("'", "['’]") or "(?!)"
    return re.compile(rf"(?-i:{BEGIN})(?:{words})(?-i:{END})", re.IGNORECASE)


@functools.cache
def ends_of_name(ends_in_brand: bool) -> tuple[re.Pattern, re.Pattern]:
    """Patterns of what stands before a perfume's name and behind it, its brand written as HOUSE.

    A brand behind a name without a mark is none of it where names are so written: Scandal Maru.
    """
    size = rf"(?<!\w)\d+(?:[.,]\d+)?\s?(?:{any_of('size').pattern})"
    strength = rf"(?<!\w)(?:{any_of('tail').pattern})"
    marks = rf"[\s,/／|｜・–—:：~*®™{MARK}-]|{TALK}|{any_of('filler').pattern}"
    kinds = f"{any_of('gender').pattern}|{any_of('perfume').pattern}"
    rest = rf"{kinds}|{YEAR.pattern}(?!\w)|[()（）\]]"
    parted = "".join(rf"(?<!\b{word})" for word in meanings("joint"))  # Bleu de Chanel
    last = rf"{parted}\s{HOUSE}" if ends_in_brand else "(?!)"
    before = rf"""
        (?:{marks})*+
        (?: (?: {LATIN_HOUSE}++ (?:{marks})*+ {OTHER_HOUSE}*+    # the brand, in one script
              | {OTHER_HOUSE}++ (?:{marks})*+ {LATIN_HOUSE}*+ )  # or in two,
            (?:\s*[(（][^()（）]*[)）])? (?:{marks})*+ )?           # or in brackets too"""
    behind = rf"""
        (?<=.)                                    # of a name something stays
        (?: {last}++ (?:{marks}|{rest})*+ )?      # its brand
        (?: (?:{marks}|[(（])*+ (?:{strength}|by[\s{MARK}]+{HOUSE})  # its strength or maker,
              (?:{marks}|{strength}|{HOUSE}|{rest})*+               # and what is no word
          | [,/／|｜–—:：(（{MARK}-] (?:{marks}|{rest}|{HOUSE})*+ )?   # or that behind a mark
        (?:{marks})* (?:(?:{size}).*)? $          # its size, and all after that"""
    flags = re.VERBOSE | re.IGNORECASE
    return re.compile(before, flags), re.compile(behind, flags)


def bare(name: str, brand: Spelling, ends_in_brand: bool = False) -> str:
    """A name as written, less brand and marks before it, less size and strength at its end."""
    name = re.sub("[「『“](.+?)[」』”]", r" \1 ", name)  # 香水「夜明け」30ml
    letters = {False: LATIN_HOUSE, True: OTHER_HOUSE}
    masked = house_pattern(brand).sub(lambda it: letters[is_japanese(it[0])] * len(it[0]), name)
    start = ends_of_name(False)[0].match(masked).end()
    is_opened = re.search(HOUSE, masked[:start])  # Maru – Mr. Maru
    end = ends_of_name(ends_in_brand and not is_opened)[1].search(masked[start:])
    return plain(name[start : start + end.start()]) if end else ""


# The perfumes of a shop ---------------------------------------------------------------------------
class ShopRead(NamedTuple):
    """What was read of a shop."""

    perfumes: list[dict]
    silent: list[str]  # addresses of pages that looked like products and gave nothing
    unmatched: list[str]  # SELECTORS that found nothing on any page
    are_told: bool  # whether more than a few products say that they are perfumes


def as_perfume(page: PageText, brand: Spelling, name: Spelling) -> dict:
    """The record of a perfume."""
    found = {field: page.facts.get(field) or ([] if field in LISTS else None) for field in FIELDS}
    for field, (known, other) in {"brand": brand, "name": name}.items():
        found[field], found[f"{field}_ja"] = known or None, other if is_japanese(other) else None
    found["url"] = page.url
    if "concept" not in SELECTORS:
        shown = (line for line in own_lines(page) if "<" in line.slot and not line.is_furniture)
        texts = (line.text for line in shown if len(line.text) > SHORT)
        prose = (plain(text) for text in texts if not labels_in(text))
        found["concept"] = found["concept"] or next(prose, None)
    return found | ({"notes": []} if any(found[tier] for tier in TIERS) else {})


def spelling_slots(texts: dict[str, dict[str, str]], names: dict[str, str]) -> list[str]:
    """The slots in which a template's names stand in the other script, by how they sound."""
    fits: dict[str, list[float]] = defaultdict(list)
    for url, name in names.items():
        for slot, text in texts[url].items():
            alike = max((likeness(name, piece) for piece in pieces_of(text)), default=-1)
            fits[slot] += [alike] if alike >= 0 else []
    means = {slot: sum(values) / len(names) for slot, values in fits.items()}
    return sorted((slot for slot in means if means[slot] >= ALIKE), key=means.get, reverse=True)


def bare_names(pages: list[PageText], brands: dict[str, Spelling]) -> dict[str, str]:
    """{address: name of a template's perfume as written, without what shops put around it}."""
    names = {page.url: page.name for page in pages}
    sold = {url for url, name in names.items() if any_of("perfume").match(name)}
    if len(sold) >= max(FEW, REPEATED * len(pages)):  # Perfume Luna
        names |= {url: any_of("perfume").sub("", names[url], 1).strip() for url in sold}
    branded = sum(bool(house_pattern(brands[url]).search(name)) for url, name in names.items())
    end_in_brand = branded > SHARED * len(pages)
    return {url: bare(name, brands[url], end_in_brand) or name for url, name in names.items()}


def brand_of(page: PageText) -> Spelling:
    """A page's brand, with the other spelling that its name begins with: SHION, シオン｜白露."""
    brand = spelled(page.brand)
    pieces = pieces_of(page.name)[:-1][:1]
    return learned(brand, (piece for piece in pieces if likeness(brand[0], piece) >= ALIKE))


def read_template(pages: list[PageText], house: Spelling) -> list[dict]:
    """The records of perfumes of one template; where a slot spells them too, in both scripts."""
    brands = {page.url: brand_of(page) if page.brand else house for page in pages}
    bared = bare_names(pages, brands)
    names = {url: spelled(name) for url, name in bared.items()}
    texts = {page.url: names_by_slot(page) for page in pages}
    slots = spelling_slots(texts, {url: known for url, (known, _) in names.items()})
    found = []
    for page in pages:
        said = [piece for slot in slots for piece in pieces_of(texts[page.url].get(slot, ""))]
        brand = whole_brand(brands[page.url], said) if page.brand else house
        others = filter(None, (bare(piece, brand) for piece in said))
        found.append(as_perfume(page, brand, learned(names[page.url], others)))
    return found


def read_pages(pages: Iterable[tuple[str, bytes]]) -> list[PageText]:
    """The pages of a shop, each parsed once, those that say the same once, by their addresses."""
    read: dict[str, PageText] = {}
    shared: dict[Line, Line] = {}  # a line that many pages have is kept once
    for url, body in pages:
        if (page := read_page(url, body)).lines:
            lines = [shared.setdefault(line, line) for line in page.lines]
            read[url] = page._replace(lines=lines)
    own = [page for _, page in sorted(read.items(), reverse=True)]
    return [*{hash(tuple(page.lines)): page for page in own}.values()][::-1]


def perfumes_among(products: list[PageText]) -> list[PageText]:
    """The perfumes among a template's products: all, where half tell that they are; else those.

    Where no more than a few tell it, nothing is known of the others: none.
    """
    telling = [page for page in products if tells_perfume(page)]
    if len(telling) >= HALF * len(products):
        return products
    return telling if len(telling) >= FEW else []


def house_of(shop: list[str], perfumes: list[PageText]) -> Spelling:
    """The house whose shop it is, where few of its perfumes have a brand; or empty."""
    branded = sum(bool(page.brand) for page in perfumes)
    return spelled(shop[0]) if shop and branded < ONE_HOUSE * len(perfumes) else ("", "")


def read_shop(pages: Iterable[tuple[str, bytes]]) -> ShopRead:
    """All perfumes of a shop, read from its pages together."""
    own = with_furniture(read_pages(pages))
    groups = templates_of([page._replace(facts=facts_of(page)) for page in own])
    shown, shop = product_pages(groups), shop_names(own)
    products = ([page for page in group if page.url in shown] for group in groups)
    named = [with_brands(with_names(group), shop) for group in products]
    others = {page.url for group in named for page in group if is_other(page)}
    sold = [[page for page in group if page.url not in others] for group in named]
    found = [*map(perfumes_among, sold)]
    are_told = any(found)
    if not are_told and any(says("perfume", line.text) for page in own for line in page.lines):
        found = sold
    house = house_of(shop, [*itertools.chain(*found)])
    records = [record for group in found for record in read_template(group, house)]
    told = others | {record["url"] for record in records}
    unmatched = [field for field in SELECTORS if not any(page.chosen[field] for page in own)]
    return ShopRead(records, sorted(shown - told), unmatched, are_told)


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
                    is_answer = page.status in (*LASTING, *REDIRECTS)
                    self.failures = 0 if is_answer else self.failures + 1
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
    if read.perfumes and not read.are_told:
        print(
            "香水と書いた商品がほとんどないので、ほかの品の言葉がない商品をすべて香水としました。"
        )
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
        shown = " / ".join(dict.fromkeys(filter(None, names)))
        print(f"例: {shown} — {'、'.join(notes) or '香料の記載なし'}")
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
    tqdm.set_lock(threading.RLock())  # its own imports modules, amid which a Ctrl-C can get lost
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
