"""Reads a perfume shop's pages into data/perfumes.jsonl, one perfume a line.

    python getData.py

Reads   START_URL: the shop's address, or a folder of pages, which is served on 127.0.0.1 for the length of the run;
        data/page_words.csv: the words (patterns) by which pages label their facts.
Writes  OUTPUT_FILE (the perfumes) and PAGES_DIR (every page as fetched: a second run asks the shop for nothing twice).
Prints  a progress bar, then counts: pages by source, failures by reason, perfumes, how often each field is filled.

A folder's records carry the address http://<folder>.localhost/..., never the port it is served on.
"""

import contextlib
import csv
import email.utils
import functools
import hashlib
import html as entities
import http.server
import ipaddress
import json
import os
import random
import re
import socket
import sys
import threading
import time
import unicodedata
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

import lxml.etree
import lxml.html
import requests
import urllib3
from protego import Protego
from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
START_URL = "data/sample_site"  # a shop's address (https://...) or a folder of pages; read the shop's terms first
OUTPUT_FILE = "data/perfumes.jsonl"  # one perfume a line; read by arrangeData.py and generate.py
PAGES_DIR = "data/pages"  # pages as fetched; delete it to start over
DELAY_SECONDS = 1.5  # least seconds between requests; robots.txt may ask for more; not applied to a folder
MAX_PAGES = 5_000  # pages read in one run, listings included; raise it for a larger shop
USER_AGENT = "PerfumeChatbot/1.0 (+https://example.com/contact)"  # what the shop sees; put your own contact here
AI_AGENTS = ("GPTBot", "ClaudeBot", "CCBot")  # what robots.txt refuses to these is refused to us; () heeds our name only
REFRESH_DAYS = None  # ask again, conditionally, for stored pages older than so many days; None: never
TIMEOUT = (10, 30)  # seconds for connecting, and for each silence while reading
PAGE_SECONDS = 90  # seconds for one whole page, however slowly it drips
MAX_BYTES = 8_000_000  # largest page, unpacked; larger ones are left out
ATTEMPTS = 4  # tries for 408, 429, 5xx and network faults; anything else is tried once
BACKOFF_SECONDS = 2  # wait before the second try; doubles each time
RETRY_AFTER_CAP = 120  # longest Retry-After (seconds) to wait for; beyond it the run stops and says when to come back
MAX_FAILURES = 10  # so many pages failing in a row: the shop is down, the run stops
MAX_BARREN = 5  # pages of one series (calendar, endless list) that show nothing new before the series is left
# ----------------------------------------------------------------------------------------------------------------------

TIERS = ("top_notes", "middle_notes", "last_notes")
LISTS = (*TIERS, "notes", "families", "seasons", "scenes", "images", "impressions")
FIELDS = ("url", "brand", "brand_ja", "name", "name_ja", "gender", *TIERS, "notes", "families", "concentration",
          "seasons", "scenes", "images", "impressions", "perfumer", "year", "concept")
MARK = "\x1f"  # stands in a line where one inline element ends and another begins
BLOCKS = set("address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure "
             "footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody td "
             "tfoot th thead tr ul".split())
INLINE = {"span", "a", "strong", "b", "label", "img"}  # inline elements that set their text apart
DROPPED = set("script style noscript template svg nav header footer aside iframe select button textarea head".split())
NOT_HTML = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")  # how other files begin
CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]")
WIDE = {0xFEE0 + code: code for code in range(0x21, 0x7E) if code != ord("&")} | {0x3000: 0x20}  # full-width letters
YEAR = r"(?<!\d)(?:1[789]|20)\d\d(?!\d)"
GAP = rf"[\s:：{MARK}】〉》>＞）)\]/／|｜…–—―→⇒・=＝~〜」』-]+|$"  # may end a label
DASH = rf"\s*[–—―|｜／{MARK}]\s*|\s+[-/:：~〜～]\s+|：\s*"  # between brand and item in a title
LABEL_INSIDE = re.compile(
    rf"(?:^|[\s、。,;；/／|｜→{MARK}】]|(?=[【〈《<＜■●◆▼]))([（(【〈《<＜\[■●◆▼◇▽]\s*)?((?:(?:top|head|middle|heart|mid|base|last)\s)?"
    rf"[^\s、。,;；:：/／|｜（）(){MARK}【】〈〉《》<>＜＞\[\]■●◆◇▼▽]{{1,16}})\s?(?:[:：]|(?<=ノート)[\s{MARK}]|[】〉》>＞\]）){MARK}])", re.I)
Fact = tuple[int, int, str, object]  # rank of its source (lower is better), place on the page, field, value


class Line(NamedTuple):
    """One line of a page as a reader sees it."""

    text: str
    level: int = 0  # 1 to 6 for a heading
    tag: str = ""  # of the block element that it stands in
    path: tuple[int, ...] = ()  # numbers of the block elements around it, outermost first
    rank: int = 4  # of the source, lower is better


@functools.cache
def words(use: str) -> dict[str, re.Pattern]:
    """Patterns of data/page_words.csv for one use, by name."""
    with open(Path(__file__).parent / "data" / "page_words.csv", encoding="utf-8", newline="") as file:
        return {row["name"]: re.compile(row["words"], re.I) for row in csv.DictReader(file) if row["use"] == use}


def says(use: str, text: str, *names: str) -> str | None:
    """The first name of a use (of all, or of those given) whose words stand in the text."""
    return next((name for name, found in words(use).items() if (not names or name in names) and found.search(text)), None)


# Text -----------------------------------------------------------------------------------------------------------------


def decode(html: bytes) -> str:
    """The page's text: by its byte order mark, as UTF-8, or in the encoding that leaves least nonsense, whatever is named."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if html.startswith(mark):
            return html.decode(name, "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return html.decode("iso2022_jp" if b"\x1b$" in html[:20_000] else "utf-8")
    texts = [html.decode(name, "replace") for name in ("cp932", "euc_jp", "utf-8")]
    return min(texts, key=lambda text: 5 * text.count("\ufffd") + len(re.findall("[｡-ﾟ\ue000-\uf8ff]", text)))


def tidy(text: str) -> str:
    """Text on one line; full-width spaces and MARKs, which separate, are kept, control characters are not."""
    text = re.sub(rf"\s*{MARK}[\s{MARK}]*", MARK, re.sub(r"[ \t\r\n\f\v\xa0]+", " ", text))
    return CONTROL.sub(lambda found: MARK if found[0] == MARK else "", text).strip(f" \u3000{MARK}")


def plain(text: str) -> str:
    """Text for a record: on one line, without MARKs and control characters."""
    return " ".join(CONTROL.sub("", unicodedata.normalize("NFC", text.replace(MARK, " "))).split())


@functools.lru_cache(8192)
def label_fields(text: str) -> tuple[str, ...] | None:
    """Fields that a label stands for: () for one of no use here, None for what is no label; 'ミドル＆ラスト' is two."""
    label = unicodedata.normalize("NFKC", text).lower() if len(text) < 48 else ""
    label = re.sub(r"\([^()]*(?:\d|分|時間|min|hour|直後)[^()]*\)|[^\w]|_", "", label)
    tiers = {field: tier.pattern for field, tier in words("tier").items()}
    if re.fullmatch(rf"(?:{'|'.join(tiers.values())}|ノート|notes?|の?香り|the|and|から|と)+", label):
        if fields := tuple(field for field, tier in tiers.items() if re.search(tier, label)):
            return fields
    return next((tuple(fields.split()) for fields, found in words("label").items() if label and found.fullmatch(label)), None)


@functools.lru_cache(8192)
def split_label(text: str) -> tuple[tuple[str, ...], str, bool] | None:
    """Fields, value, and whether they stand clearly apart, of a line that opens with a label: 'トップノート：A、B'."""
    found = None
    for gap in re.finditer(GAP, text[:60]):
        label = text[:gap.start()]
        if (fields := label_fields(label)) is not None:
            apart = gap[0] != " " or bool(re.search(r"ノート|notes?", label, re.I))
            found = fields, text[gap.end():].strip(f" \u3000{MARK}"), apart
    return found


@functools.lru_cache(8192)
def split_inline(text: str) -> list[str]:
    """A line cut before each label that stands inside it: 'トップ:A、B、ミドル:C' is two."""
    cuts, at = [0], 0
    while found := LABEL_INSIDE.search(text, at):
        if label_fields(found[2]) is not None:
            cuts.append(found.start(1) if found[1] else found.start(2))
        at = max(found.end() - 1, found.start() + 1)
    parts = [text[start:end].strip(f" \u3000{MARK}、,/／") for start, end in zip(cuts, [*cuts[1:], None], strict=True)]
    return [part for part in parts if part]


# Notes and other lists ------------------------------------------------------------------------------------------------


def split_items(text: str) -> list[str]:
    """Items of a written list by the strongest separator that it has outside parentheses; it ends at 。 and at a dash."""
    held = []
    text = re.sub(r"[(（\[][^()（）\[\]]*[)）\]]", lambda found: held.append(found[0]) or chr(0xF0000 + len(held) - 1), text)
    text = re.split(r"[—―]+|。|\s[–-]\s", text.strip(" 　・/／、,–-—"))[0]
    items = [text]
    for separator in (rf"[、,，;；/／|｜\n{MARK}]", "\u3000+", r"\s*[・･]\s*", r"(?<=[ァ-ヶー一-龠]) +(?=[ァ-ヶー一-龠])"):
        parts = re.split(separator, text)
        if len(parts) > 2 or len(parts) == 2 and parts[0] != parts[1] and "?<=" not in separator:
            items = parts
            break
    joints = (r"\s*(?:そして|および|または)\s*|(?<=[ァ-ヶー一-龠\U000F0000-\U000FFFFF])[やと](?=[ァ-ヶー一-龠])|\s+and\s+|^and\s+|"
              r"\s*[&＆]\s*|(?<=[ァ-ヶー一-龠])\s*[+＋]\s*")
    return [re.sub("[\U000F0000-\U000FFFFF]", lambda found: held[ord(found[0]) - 0xF0000], part)
            for item in items for part in re.split(joints, item, flags=re.I)]


def tidy_item(text: str) -> str:
    """An item of a list without what clings to it: など, の香り, decoration."""
    text = re.sub(r"^(?:そして|また|さらに|and |with )", "", plain(text).strip(" ・･*＊-–—:：.。,、'\"“”「」『』■●◆→"))
    text = re.sub(r"(?:\s*(?:などの?|ほか|その他|(?<=[ァ-ヶー\s])[等他]|etc\.?))+(?:の香り)?$", "", text)
    return re.sub(r"の(?:香り|アコード)$", "", text).strip()


def is_note(item: str, alone: bool) -> bool:
    """Whether an item of a list of notes reads as a material; one that stands alone is judged more strictly."""
    core = re.sub(r"[(（].*", "", item)
    if label_fields(item) is not None or not re.search(r"[^\W\d_]", core) or len(item) > 60 or len(core.split()) > 5:
        return False
    if len(core) > (24 if alone else 32) or re.search(r"\d{3}|[¥￥$@%]|https?:|\d\s?ml\b", core, re.I) or says("text", core, "prose"):
        return False
    return not (re.search("[ぁ-ん]", core) and says("text", core, "headline") or alone and says("text", core, "adjective"))


def read_notes(values: list[str]) -> list[str]:
    """Notes of the lines under a label, up to the first line that is no list of notes."""
    notes = []
    for value in [] if len(values) == 1 and is_nothing(values[0]) else values:
        items = [item for item in map(tidy_item, split_items(value)) if not is_nothing(item)]
        good = [item for item in items if is_note(item, len(items) == 1)]
        if not good or len(good) < 0.67 * len(items):
            break
        notes += good
    return list(dict.fromkeys(notes))


def is_nothing(text: str) -> bool:
    """Whether a value says that there is none: 不明, なし, -, N/A."""
    return bool(words("text")["nothing"].fullmatch(text))


def read_words(values: list[str]) -> list[str]:
    """Short words of a list of families, scenes, images or impressions."""
    items = [tidy_item(word) for value in values[:3] for item in split_items(value) for word in re.split(r"[\s・･]+", item)]
    return [item for item in dict.fromkeys(items) if len(item) < 15 and not is_nothing(item)
            and not says("text", item, "prose") and label_fields(item) is None]


def gender_of(text: str) -> str | None:
    """Gender that a text names; both sexes are ユニセックス."""
    named = [name for name, found in words("gender").items() if found.search(unicodedata.normalize("NFKC", text))]
    return "ユニセックス" if len(named) > 1 else named[0] if named else None


def seasons_of(text: str) -> list[str]:
    """Seasons that a text names; 全ての季節 are four."""
    named = [season for season, found in words("season").items() if found.search(text)]
    return ["春", "夏", "秋", "冬"] if "" in named else named


def read_field(field: str, values: list[str]) -> object:
    """A field's value, or something empty, from the lines under its label."""
    text, found = plain(" ".join(values[:3])), None
    if field.endswith("notes"):
        return read_notes(values)
    if field == "seasons":
        return seasons_of(text) if len(text) < 60 else []
    if field == "scenes":
        return [word for word in read_words(values) if not seasons_of(word) and "季節" not in word]
    if field in ("images", "impressions"):
        return [word for word in read_words(values) if says("mood", word) in (field, None)]
    if field == "families":
        return read_words(values)
    if field in ("gender", "concentration"):
        return gender_of(text) if field == "gender" else says("concentration", text)
    if field == "year":
        return int(found[0]) if (found := re.search(YEAR, text)) else None
    if field == "concept":
        return text if len(text) >= 20 else None
    text = plain(values[0]) if values else ""
    return None if is_nothing(text) or len(text) > 80 or "。" in text else text


# Names ----------------------------------------------------------------------------------------------------------------


@functools.lru_cache(4096)
def folded(text: str) -> str:
    """Text as names are compared: without accents, case, spaces and punctuation."""
    text = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text.lower().replace("&", "and")))
    return re.sub(r"[^a-z0-9ァ-ヶーぁ-ん一-龠]", "", unicodedata.normalize("NFC", text))


def script(text: str) -> str:
    """"kana" for a text in Japanese letters, "latin" for one in Latin letters, "" for both or neither."""
    kana, latin = re.search("[ぁ-んァ-ヶ一-龠]", text), re.search("[A-Za-zÀ-ÿ]", text)
    return "" if bool(kana) == bool(latin) else "kana" if kana else "latin"


def is_japanese(text: str) -> bool:
    """Whether a text has kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


@functools.lru_cache(4096)
def consonants(text: str) -> str:
    """Rough consonants of a Latin or a kana word, alike for both spellings of one name: シャネル and Chanel give snr."""
    sounds, latin = {"TI": "chi", "TU": "tsu", "SI": "shi", "HU": "fu"}, ""
    for letter in unicodedata.normalize("NFKC", text):
        kana = unicodedata.name(letter, "").split("KANA LETTER ")[1:]
        sound = kana[0].split()[-1] if kana else letter
        latin += "" if letter in "ッっ" else sounds.get(sound, sound.replace("G", "q") if kana else letter)
    latin = re.sub("[^a-z]", "", unicodedata.normalize("NFKD", latin.lower()))
    for sound, written in (("k", "ch(?=[lr])"), ("s", r"ch|sh|ti(?=[aeou])|[cg](?=[eiy])|[jzx]"), ("k", "[cqg]"),
                           ("", "ph|[fhywaeiou]"), ("r", "l"), ("b", "[vp]"), ("t", "d"), ("n", "m"), (r"\1", r"(.)\1+")):
        latin = re.sub(written, sound, latin)
    return latin


def alike(one: str, other: str) -> float:
    """How well a kana and a Latin spelling fit, 0 to 1, by their consonants."""
    pair = consonants(one), consonants(other)
    return SequenceMatcher(None, *pair).ratio() if min(map(len, pair)) > 1 else float(pair[0] == pair[1] != "")


def opening(text: str, name: str) -> int:
    """Length of the opening of a text that spells a name: in the same letters, or by sound in the other script; or 0."""
    ends = [gap.start() for gap in re.finditer(rf"$|[\s・･/／(（「『」』>＞】|｜–—―:：~〜{MARK}-]", text[:90]) if gap.start()]
    fits = {end: alike(text[:end], name) for end in ends if {script(text[:end]), script(name)} == {"latin", "kana"}}
    best = max([0.66, *fits.values()])
    exact = [end for end in ends if folded(text[:end]) == folded(name)]
    return next(iter(exact + [end for end in fits if fits[end] > max(best - 0.1, 0.65)]), 0)


def spellings(text: str) -> list[str | None]:
    """The Latin and the Japanese spelling that a name is written in: 'Chloé（クロエ）', 'クロエ / Chloé', 'CHLOE クロエ'."""
    text = plain(text).strip(" -–—|／/・:：~〜～「」『』\"“”")
    parts = []
    if found := re.fullmatch(r"(.+?)\s*[(（\[「]([^()（）\[\]]+)[)）\]」]|(.+?)\s*[/／|｜~〜～]\s*(.+)", text):
        parts = [part.strip() for part in found.groups() if part]
        parts = parts if found[1] or alike(*parts) >= 0.4 else []
    for gap in re.finditer(r"\s+", "" if parts else text):
        halves = [text[:gap.start()], text[gap.end():]]
        parts = halves if {*map(script, halves)} == {"latin", "kana"} and alike(*halves) >= 0.5 else parts
    if len(parts) == 2 and is_japanese(parts[0]) != is_japanese(parts[1]):
        return sorted(parts, key=is_japanese)
    return [None, text or None] if is_japanese(text) else [text or None, None]


def clean_name(text: str) -> str:
    """A name without size, concentration, year, shop words and decoration; empty when nothing else is left."""
    text = re.sub(rf"[|{MARK}]\s*{YEAR}$", "", text).replace(MARK, " ").translate(WIDE)
    concentration = "|".join(found.pattern for found in words("concentration").values())
    for pattern in (r"【[^】]*】|\[[^\]]*\]|[™®©★☆◆●■①-⑳]", words("text")["size"].pattern, concentration, words("skip")["shop"].pattern,
                    rf"\(\s*{YEAR}年?[^)]*\)|{YEAR}年(?:発売)?", r"\(\s*[/・,\s]*\)"):
        text = re.sub(pattern, " ", text, flags=re.I)
    return " ".join(text.split()).strip(" -–—|/・･:~〜,、*.「」『』\"")


def item_of(title: str, brand: list[str | None]) -> tuple[list[str | None], list[str | None]]:
    """Names of a title without the brand, and the brand with the spelling that the title adds; Latin first in both."""
    brand, known = list(brand), [name for name in brand if name]
    title = re.sub(r"[「『]([^」』]+)[」』].*", r" \1", re.sub(words("text")["size"], " ", title.replace(MARK, " | ")))
    bracket = re.match(r"[【\[＜<〈《]([^】\]＞>〉》]+)[】\]＞>〉》]", title)
    if bracket and folded(bracket[1]) in map(folded, known):
        title = f"{bracket[1]} {title[bracket.end():]}"
    title = title if any(opening(title, name) for name in known) else clean_name(title) or title
    pair = spellings(title)
    apart = all(pair) and plain(title) not in (" ".join(pair), " ".join(pair[::-1])) and not {*map(folded, pair)} & {*map(folded, known)}
    names = pair if apart else [title, None]
    for place, rest in enumerate(names):
        taken, dashed, rest = set(), None, rest or ""
        for name in sorted([*known, *known], key=lambda name: folded(name) != folded(rest[:opening(rest, name)])):
            end = opening(rest, name)
            if end and is_japanese(rest[:end]) not in taken and not dashed and clean_name(rest[end:]):
                taken.add(other := is_japanese(rest[:end]))
                brand[other] = brand[other] or plain(rest[:end])
                dashed = re.match(DASH, rest[end:])
                rest = rest[end:].lstrip(" \u3000・:：/／】–—|｜-")
        pieces = re.split(rf"{DASH}|\s+by\s+", rest)
        if len(pieces) > 1 and folded(pieces[-1]) in map(folded, known):
            rest = rest[:-len(pieces[-1])]
        names[place] = (clean_name(rest) or plain(rest)).replace(" | ", " ") or None
    if apart:
        return names, brand
    for name in known:  # チャンス CHANEL CHANCE
        halves = [clean_name(half) for half in re.split(rf"\s{re.escape(name)}\s", names[0] or "", maxsplit=1, flags=re.I)]
        if {*map(script, halves)} == {"latin", "kana"}:
            return sorted(halves, key=is_japanese), brand
    return spellings(names[0] or ""), brand


def brand_guesses(titles: list[str], shop: str) -> list[str]:
    """Brands that titles show by their form: 'Item by Brand', 'Brand「Item」', 'CHANEL シャネル チャンス', 'Brand – Item'."""
    found = [[], [], []]
    for title in titles:
        named = re.fullmatch(r".+\sby\s([A-Z].+)", plain(title)) or re.match(r"([^\s「]+(?:\s[^\s「]+){0,3})\s?「[^」]+」", title)
        found[0] += [named[1]] if named else []
        clean = "" if all(spellings(title)) else clean_name(title)
        for gap in re.finditer(r"[\s／/]+", clean):
            brand, rest = clean[:gap.start()], clean[gap.end():]
            if (end := opening(rest, brand)) and script(rest[:end]) != script(brand) and clean_name(rest[end:]):
                found[1].append(f"{brand}（{rest[:end]}）")
        pieces = [piece for piece in re.split(DASH, title) if clean_name(piece) and folded(piece) != folded(shop)]
        two_scripts = len(pieces) == 2 and is_japanese(pieces[0]) != is_japanese(pieces[1]) and alike(*pieces) >= 0.5
        found[2] += [] if len(pieces) < 2 or two_scripts else pieces[:1]
    return sum(found, [])


def brand_and_names(titles: list[str], brands: list[str]) -> dict:
    """Brand and name in both spellings: each from the first text that has it, its other spelling from any that fits."""
    brand = spellings(re.sub(r"^【|】$", "", brands[0]))
    name = [None, None]
    pairs = [(brand, spellings(other)) for other in brands[1:]]
    for title in titles:
        found, brand = item_of(title, brand)
        name = name if any(name) else found
        pairs.append((name, found))
    for known, found in [(brand, found) for known, found in pairs[:len(brands) - 1]] + [(name, found) for _, found in pairs[len(brands) - 1:]]:
        for place in (0, 1):
            same = known[1 - place] and (folded(found[1 - place] or "") == folded(known[1 - place]) or alike(*sorted([known[1 - place], found[place] or ""])) >= 0.6)
            if found[place] and not known[place] and same:
                known[place] = found[place]
    return {"brand": brand[0], "brand_ja": brand[1], "name": name[0] or name[1], "name_ja": name[1] if name[0] else None}


# Pages ----------------------------------------------------------------------------------------------------------------


def parse(html: bytes) -> lxml.html.HtmlElement | None:
    """Root element of a page, None for what is no page; elements nested too deep for the parser are laid flat."""
    if html.startswith(NOT_HTML) or not html.strip():
        return None
    text = re.sub("[｡-ﾟ]+", lambda found: unicodedata.normalize("NFKC", found[0]), decode(html).replace("\f", " "))
    source = CONTROL.sub("", text).encode("utf-8", "replace")
    for _ in range(2):
        parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
        with contextlib.suppress(lxml.etree.LxmlError):
            root = lxml.html.document_fromstring(source, parser=parser)
            if not any("depth" in entry.message for entry in parser.error_log):
                return root
        source = re.sub(rb"</?(?!h\d|title|meta|link|script|style|a[\s>])\w[^<>]*>", b"<br>", source)
    return None


def json_products(root: lxml.html.HtmlElement) -> tuple[list[dict], set[str]]:
    """The page's own Products from its JSON-LD, and every type that it names; what is no JSON is passed over."""
    products, types, todo = {}, set(), []
    for script in root.iter("script"):
        source = re.sub(r"<!--|-->|(?://|/\*)?\s*(?:<!\[CDATA\[|\]\]>)\s*(?:\*/)?", "", script.text or "")
        with contextlib.suppress(ValueError, RecursionError):
            todo += [json.loads(re.sub(r",\s*(?=[}\]])", "", source), strict=False)] if "ld+json" in script.get("type", "") else []
    while todo:
        node = todo.pop(0)
        if isinstance(node, list):
            todo = node + todo
        elif isinstance(node, dict):
            kinds = node.get("@type") if isinstance(node.get("@type"), list) else [node.get("@type")]
            kinds = {as_text(kind).rsplit("/")[-1] for kind in kinds}
            types |= kinds
            if kinds & {"Product", "ProductGroup"} and as_text(node.get("name")):
                products.setdefault(as_text(node["name"]), node)
            else:
                todo += [node[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in node]
    return list(products.values()), types


def as_text(value: object) -> str:
    """Text of a JSON-LD value: of a string, a number, an object's name, a list's first."""
    for _ in range(4):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get("name", value.get("value", value.get("@value"))) if isinstance(value, dict) else value
    return entities.unescape(re.sub(r"<[^>]*>", "\n", str(value))) if isinstance(value, str | int | float) else ""


def json_lines(product: dict) -> list[Line]:
    """What a JSON-LD Product says, as lines of a page."""
    extra, audience = product.get("additionalProperty"), product.get("audience")
    pairs = [(as_text(entry.get("name")), as_text(entry.get("value"))) for entry in (extra if isinstance(extra, list) else [extra])
             if isinstance(entry, dict)] + [("gender", as_text(audience.get("suggestedGender")) if isinstance(audience, dict) else "")]
    lines = [Line(f"{tidy(label)}：{tidy(text)}", rank=0) for label, text in pairs if text]
    return lines + [Line(part) for line in as_text(product.get("description")).split("\n") for part in split_inline(tidy(line))]


def column_labels(table: lxml.html.HtmlElement) -> list[str]:
    """Lines of a table whose first row holds labels and whose second holds their values."""
    rows = [[tidy(MARK.join(cell.itertext())) for cell in row.iter("th", "td")] for row, _ in zip(table.iter("tr"), "12", strict=False)]
    labelled = [[label_fields(cell) is not None for cell in row] for row in rows]
    fits = len(rows) == 2 and len(rows[0]) == len(rows[1]) > 1 and all(labelled[0]) and not any(labelled[1])
    return [f"{label}：{text}" for label, text in zip(*rows, strict=True)] if fits else []


def page_lines(root: lxml.html.HtmlElement, title: lxml.html.HtmlElement | None) -> list[Line]:
    """Lines of the page's own content: no menus, reviews, footers or cards of other products."""
    kept = {title, *title.iterancestors()} if title is not None else set()
    side = re.compile(rf"(?<![\w-])(?:\w+-)?(?:{words('skip')['class'].pattern})(?:-\w+)?(?![\w-])", re.I)
    lines, text, blocks, count = [], [], [(root, (), 4)], 0
    hidden = 0  # level of the heading under which other products stand
    walk = lxml.etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if tag in BLOCKS:
            line, (block, path, rank) = tidy("".join(text)), blocks[-1]
            text.clear()
            level = int(block.tag[1]) if block.tag in ("h1", "h2", "h3", "h4", "h5", "h6") else 0
            if line and level:
                hidden = hidden if level > hidden else 0
            if len(line) < 30 and block not in kept and says("skip", line, "heading") and not split_label(line):
                hidden = hidden or level or 7
            if line and not hidden:
                lines += [Line(part, level, block.tag, path, rank) for part in split_inline(line)]
        if event == "start":
            names = f"{element.get('class') or ''} {element.get('id') or ''}"
            table = column_labels(element) if tag == "table" else []
            lines += [Line(line, rank=3) for line in table]
            if element not in kept and (tag in DROPPED or tag not in ("html", "body", "main") and side.search(names)) or table:
                walk.skip_subtree()
            else:
                labels = (element.get(name) for name in ("data-label", "data-title", "data-th", "aria-label", "alt", "title"))
                text += [f"{label}：" for label in labels if label and label_fields(label)][:1]
                text += [MARK] * (tag in INLINE) + [element.text or ""]
            if tag in BLOCKS:
                count += 1
                rank = 2 if "short-description" in names else 3 if tag in ("th", "dt", "td", "li") else blocks[-1][2]
                blocks.append((element, (*blocks[-1][1], count), rank) if tag != "br" else blocks[-1])
        else:
            if tag in BLOCKS:
                blocks.pop()
            text += [MARK] * (tag in INLINE) + [element.tail or ""]
    return lines


def sentence_facts(text: str) -> list[tuple[str, object]]:
    """Tiers, year, gender and perfumer that a sentence names: 'Top notes are A, B and C', 'トップノートはA、B、ミドルノートはC'."""
    found, other = [], "|".join(tier.pattern for tier in words("tier").values())
    for field, tier in words("tier").items() if says("tier", text) else ():
        match = re.search(rf"\b(?:{tier.pattern})(?:\snotes?)?\s(?:are|is|includes?|of|features?|consists? of)\s([^;.。]+?)"
                          rf"(?=[;.。]|,?\s(?:and\s)?(?:with\s)?(?:an?\s|the\s)?(?:{other})(?:\snotes?)?\s|$)|(?:{tier.pattern})(?:ノート)?"
                          rf"(?:には|は|に)、?([^。]+?)(?=、?(?:{other})|です|。|が|を|で構成|の香り|$)", text, re.I)
        items = [item for item in map(tidy_item, split_items(match[1] or match[2])) if item] if match else []
        found += [(field, items)] if items and all(is_note(item, True) for item in items) else []
    for field, pattern in (("year", r"(?:launched|released|introduced)\sin\s(\d{4})"), ("perfumer", r"nose behind this fragrance is ([^.]+)"),
                           ("gender", r"(?:fragrance|perfume|scent)\b.{0,40}\bfor\s((?:wo)?men(?:\sand\s(?:wo)?men)?)\b")):
        found += [(field, read_field(field, [match[1]]))] if (match := re.search(pattern, plain(text), re.I)) else []
    return found


def beside(label: Line, first: Line, following: Line) -> bool:
    """Whether a line stands beside the first under a label: in the same element, or in an alike one of the same group."""
    near = first.path[:-1] == following.path[:-1] or first.path[:len(label.path)] == following.path[:len(label.path)]
    return first.path == following.path or near and first.tag == following.tag and len(first.path) == len(following.path)


def facts_of(lines: list[Line]) -> list[Fact]:
    """Every fact that labelled lines, tags in brackets and sentences give."""
    found = []
    for at, line in enumerate(lines):
        if label := split_label(line.text):
            fields, rest, apart = label
            values = [rest] if rest else []
            for following in lines[at + 1:at + 40]:
                if following.level or split_label(following.text) or rest and not values[-1].endswith(("、", ",")):
                    break
                if values and not beside(line, lines[at + 1], following):
                    break
                values.append(following.text)
            read = [(field, read_field(field, values)) for field in fields]
            found += [(line.rank, at, field, value) for field, value in read if apart or field in TIERS and len(value) > 1]
        elif tags := re.search(r"[【\[]([^【】\[\]]*[／/・、][^【】\[\]]*)[】\]]", line.text):
            parts = re.split(r"[／/・、]", tags[1])
            kinds = ["gender" if gender_of(part) else "concentration" if says("concentration", part) else "families" for part in parts]
            found += [(2, at, kind, read_field(kind, [part])) for kind, part in zip(kinds, parts, strict=True) if {*kinds} != {"families"}]
        elif words("gate")["gender"].fullmatch(line.text):
            found.append((4, at, "gender", gender_of(line.text)))
        else:
            found += [(5, at, field, value) for field, value in sentence_facts(line.text)]
    return [fact for fact in found if fact[3]]


def merged(found: list[Fact]) -> dict:
    """One value a field: the most trusted; lists of the same rank and place are joined."""
    facts, sources = {}, {}
    for rank, at, field, value in sorted(found, key=lambda fact: fact[:2]):
        if sources.setdefault(field, (rank, at)) == (rank, at) and isinstance(value, list):
            facts[field] = list(dict.fromkeys([*facts.get(field, []), *value]))
        facts.setdefault(field, value)
    return facts | ({"notes": []} if any(facts.get(tier) for tier in TIERS) else {})


def perfumes_begin(lines: list[Line], found: list[Fact]) -> list[int]:
    """Places of the headings under which perfumes stand: one for each list of top notes that repeats no other."""
    tops = []
    for rank, at, field, value in found:
        if field == "top_notes" and 0 < rank < 5 and not any({*value} <= {*other} or {*other} <= {*value} or is_japanese(value[0]) != is_japanese(other[0])
                                                             for _, other in tops):
            tops.append((at, value))
    return [max((place for place, line in enumerate(lines[:at]) if line.level and label_fields(line.text) is None), default=0) for at, _ in tops]


def texts_at(root: lxml.html.HtmlElement, path: str, most: int) -> list[str]:
    """Short texts of the first elements at an XPath, or what their content attribute says."""
    texts = [tidy(element.get("content") or MARK.join(element.itertext())) for element in root.xpath(path)[:most]]
    return [text for text in texts if 0 < len(text) < 160]


def is_brand(text: str) -> bool:
    """Whether a text may be a brand's name: no word of shops, listings or errors, no price."""
    return 0 < len(clean_name(text)) < 60 and not is_nothing(text) and not says("gate", text, "no_page", "article", "shop", "price")


def brand_candidates(root: lxml.html.HtmlElement, product: dict, meta: dict, labelled: str, titles: list[str]) -> list[str]:
    """What may be the brand, most trusted first: data, labels, links, then crumbs that a title opens or ends with."""
    in_page = ("//*[not(ancestor::nav or ancestor::header or ancestor::footer or ancestor::aside) and (contains(@href, '/brand') or "
               "contains(@href, '/vendors/') or contains(@href, '/designer') or contains(@class, 'vendor') or "
               "contains(concat(' ', translate(@class, '-_BRAND', '  brand'), ' '), ' brand '))]")
    crumbs = texts_at(root, "//*[contains(@class, 'crumb') or contains(@class, 'topicpath') or contains(@id, 'crumb')]//*[not(*)]", 20)
    found = [as_text(product.get("brand")), as_text(product.get("manufacturer")), *texts_at(root, "//*[@itemprop='brand']", 1),
             meta.get("product:brand", ""), labelled, *texts_at(root, in_page, 3),
             *(crumb for crumb in crumbs if crumb not in titles and any(opening(title, crumb) or title.endswith(crumb) for title in titles))]
    return [re.sub(r"^(?:ブランド|brand\b|by\b)\s*[:：]?\s*", "", plain(text), flags=re.I) for text in found if text]


def is_perfume_page(root: lxml.html.HtmlElement, products: list[dict], types: set[str], meta: dict, titles: list[str], facts: dict) -> bool:
    """Whether a page is one product's and that product a perfume: by its notes, its words and its shop's furniture."""
    heading = " ".join(titles)
    kind = facts.get("concentration") or says("concentration", heading)
    if says("gate", heading, "goods", "no_page", "article") or says("gate", heading, "extras") and not kind:
        return False
    tiers = [facts[tier] for tier in TIERS if facts.get(tier)]
    if len(tiers) > 1 and sum(map(len, tiers)) > 2:
        return True
    if types & {"Article", "BlogPosting", "NewsArticle", "CollectionPage", "SearchResultsPage"} or "article" in meta.get("og:type", ""):
        return False
    product = bool(products) or "product" in meta.get("og:type", "")
    furniture = root.xpath("boolean(//*[contains(@itemtype, 'Product') or contains(@class, 'add-to-cart') or contains(@class, 'price')]"
                           "|//form[contains(@action, 'cart') or contains(@class, 'cart')])")
    labels = sum(bool(facts.get(field)) for field in ("brand", "name", "gender", "families", "perfumer", "year", "seasons"))
    kinds = " ".join([heading, *(as_text(product.get("category")) for product in products)])
    return bool((tiers or len(facts.get("notes", [])) > 2 or kind) and (product or furniture or labels > 1) or product and says("gate", kinds, "perfume"))


def extract_perfumes(html: bytes, url: str, content_type: str = "") -> list[dict]:
    """Perfumes of one page as records of perfumes.jsonl without fetched_at; none for a page that is about no perfume."""
    root = parse(html)
    if root is None:
        return []
    meta = {tag.get("property") or tag.get("name") or "": tidy(tag.get("content") or "") for tag in root.iter("meta")}
    page_title, shop = tidy(root.findtext(".//title") or ""), meta.get("og:site_name", "")
    products, types = json_products(root)
    data = [as_text(product["name"]) for product in products]
    headings = [tag for tag in root.iter("h1") if tidy(tag.text_content())] or root.xpath("//*[@itemprop='name']")
    whole = folded(" ".join([page_title, meta.get("og:title", ""), *data]))
    element = next((tag for tag in headings if folded(tag.text_content()) in whole), headings[0] if headings else None)
    lines = page_lines(root, element)
    first = next((place for place, line in enumerate(lines) if split_label(line.text)), 0)
    heading = tidy(MARK.join(element.itertext())) if element is not None else next(
        (line.text for line in reversed(lines[:first]) if len(line.text) < 90 and not says("text", line.text, "prose")), "")
    own = [product for product, name in zip(products, data, strict=True) if folded(name) in folded(heading) or folded(heading) in folded(name)]
    products = own[:1] or products
    if len(products) > 1:
        return []
    top = next((place for place, line in enumerate(lines) if line.text == heading), 0)
    near = [line.text for line in lines[max(0, top - 1):top + 3] if len(line.text) < 60 and line.text != heading and not split_label(line.text)
            and not re.search(r"[¥￥\d。、]|円", line.text) and not says("text", line.text, "prose")]
    lines = [line for line in lines[max(0, top - 1):top] if split_label(line.text)] + lines[top:]
    found = facts_of([*lines, *(line for product in products for line in json_lines(product))])
    facts = merged(found)
    by = [match for text in [page_title, *(plain(line.text) for line in lines)] for match in re.findall(r"([A-Z][^.,]{1,40}?)\sby\s([A-Z][\w&'’ -]{1,30}?)(?=\sis\b|\sfor\b|[,.]|$)", text)
          if folded(match[0]) in folded(heading) and folded(match[1]) in folded(heading)]
    pieces = [piece for piece in re.split(DASH, page_title) if piece]
    shop = shop or (pieces[-1] if len(pieces) > 1 and folded(pieces[-1]) not in folded(heading) else "")
    page_title = re.sub(rf"(?:{DASH}|\s-\s)*{re.escape(shop)}\s*$", "", page_title) if shop else page_title
    titles = [*(match[0] for match in by[:1]), *(as_text(product["name"]) for product in products), *texts_at(root, "//*[contains(@itemtype, 'Product')]//*[@itemprop='name']", 1),
              heading, facts.get("name") or "", meta.get("og:title", "")]
    titles = [title for title in dict.fromkeys(titles) if title] or [page_title]
    if len(perfumes_begin(lines, found)) > 1 or not is_perfume_page(root, products, types, meta, titles, facts):
        return []
    brands = brand_candidates(root, (products or [{}])[0], meta, facts.get("brand") or "", [*titles, page_title]) + [match[1] for match in by]
    ranked = [[brand for brand in brands if folded(brand) != folded(shop)], brand_guesses(titles, shop), [re.sub(r"^by\s", "", line) for line in near], brands, pieces[1:-1], [shop]]
    ranked = [brand for group in ranked for brand in group if brand and is_brand(brand)]
    names = brand_and_names([*titles, page_title, *near], ranked) if ranked else {}
    if not names.get("name") or len(names["name"]) > 80:
        return []
    address = next((canonical(tag.get("href") or "", url) for tag in root.iter("link") if (tag.get("rel") or "").lower() == "canonical"), "")
    own = urlsplit(address).netloc == urlsplit(url).netloc and urlsplit(address).path.strip("/")
    concept = next((line.text for line in lines if len(line.text) > 40 and says("text", line.text, "prose") and not split_label(line.text)), "")
    facts |= names | {"url": address if own else canonical(url) or url, "concept": facts.get("concept") or re.sub(r"\s*【[^】]*】$", "", plain(concept)),
                      "gender": facts.get("gender") or gender_of(" ".join(titles)), "concentration": facts.get("concentration") or says("concentration", " ".join(titles))}
    return [{field: facts.get(field) or ([] if field in LISTS else None) for field in FIELDS}]

# The shop -------------------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A page as fetched: its address, status, time and headers, and its body."""

    head: dict
    body: bytes


class PageFailed(Exception):
    """A page that could not be had; the text is the reason, as counted at the end."""


class RunStopped(Exception):
    """The run cannot go on; the text tells the user why and what to do."""


def canonical(url: str, base: str = "") -> str:
    """The address in one spelling, without fragment, tracking and session parameters; empty for what is no address."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        host, port = parts.hostname.encode("idna").decode(), parts.port
    except (ValueError, AttributeError):
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    host = (f"[{host}]" if ":" in host else host) + (f":{port}" if port not in (None, 80, 443) else "")
    path = re.sub(r";jsessionid=[^/]*|(?<=/)/+", "", quote(unquote(parts.path, errors="surrogateescape"), safe="/:@!$&'()*+,;=~",
                                                         errors="surrogateescape"), flags=re.I)
    path = urlsplit(urljoin("http://host/", path)).path
    query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not words("url")["parameter"].fullmatch(pair[0]))
    return urlunsplit((parts.scheme, host, path, urlencode(query), ""))


def url_key(url: str) -> str:
    """What two spellings of one page's address share: no scheme, no closing slash."""
    parts = urlsplit(url)
    return urlunsplit(("", parts.netloc, parts.path.removesuffix("/"), parts.query, ""))


def series(url: str) -> str:
    """An address with its numbers and ids blotted out: pages that differ in nothing else are one series."""
    parts = urlsplit(url)
    return re.sub(r"[0-9a-f]{8,}|\d+", "0", parts.path) + "?" + "&".join(sorted({key for key, _ in parse_qsl(parts.query)}))


def is_private(host: str) -> bool:
    """Whether a host's name leads to an address that is not of the public internet."""
    with contextlib.suppress(OSError, UnicodeError):
        found = {entry[4][0].split("%")[0] for entry in socket.getaddrinfo(host.strip("[]"), None)}
        return any(not ipaddress.ip_address(address).is_global for address in found)
    return False


def retry_after(value: str) -> float:
    """Seconds that a Retry-After header asks for, as a number or as a date; 0 for none."""
    with contextlib.suppress(ValueError):
        return float(value) if value.isdigit() else max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its name and moves it into place, so that a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(content)
    os.replace(beside, path)


def stored_file(url: str) -> Path:
    """File that keeps a page: one line of JSON (address, status, times, headers), then the body."""
    return Path(PAGES_DIR) / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.page"


def stored_page(url: str) -> Page | None:
    """The page as stored, or None."""
    with contextlib.suppress(OSError, ValueError):
        head, body = stored_file(url).read_bytes().split(b"\n", 1)
        return Page(json.loads(head), body)
    return None


class Shop:
    """A polite visitor of one host: robots.txt, pace, retries, redirects, and the pages kept on disk."""

    def __init__(self, start: str, served: str = "") -> None:
        self.start, self.served = start, served  # served: the local server's address when the shop is a folder
        self.host = urlsplit(start).netloc
        self.public = not served and not is_private(urlsplit(start).hostname)
        self.delay, self.ready, self.failures = 0 if served else DELAY_SECONDS, 0.0, 0
        self.counts, self.robots, self.session = Counter(), {}, requests.Session()
        self.session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", "Accept-Language": "ja,en;q=0.5"})

    def refusal(self, url: str, robots: bool = True) -> str | None:
        """Why an address may not be asked for, or None."""
        parts = urlsplit(url)
        if self.public and is_private(parts.hostname or ""):
            return "非公開アドレス"
        if parts.netloc != self.host:
            return "別のホスト"
        allowed = not robots or all(self.rules(url).can_fetch(url, agent) for agent in (USER_AGENT, *AI_AGENTS))
        return None if allowed else "robots.txt が断っている"

    def rules(self, url: str) -> Protego:
        """The robots.txt for an address (RFC 9309), kept for a day: 4xx allows everything, 5xx or silence stops the run."""
        origin = urljoin(url, "/")
        if origin not in self.robots:
            try:
                page = self.follow(f"{origin}robots.txt", 1, robots=False)
            except PageFailed as failure:
                raise RunStopped(f"{origin}robots.txt が読めません（{failure}）。時間をおいて python getData.py を実行してください。") from None
            text = page.body[:512_000].decode("utf-8-sig", "replace") if page.head["status"] == 200 else ""
            self.robots[origin] = Protego.parse(text)
            self.delay = max(self.delay, self.robots[origin].crawl_delay(USER_AGENT) or 0)
        return self.robots[origin]

    def follow(self, url: str, days: float | None, robots: bool = True) -> Page:
        """The page that an address leads to; each redirect is checked like any address."""
        for _ in range(6):
            page = self.page(url, days)
            if page.head["status"] not in (301, 302, 303, 307, 308):
                return page
            if not (url := canonical(page.head["location"], url)):
                raise PageFailed("転送先が読めない")
            if reason := self.refusal(url, robots):
                raise PageFailed(f"転送先: {reason}")
        raise PageFailed("転送が終わらない")

    def page(self, url: str, days: float | None) -> Page:
        """The page as stored, or from the shop when there is none or it is older than so many days."""
        stored = stored_page(url)
        if stored and (days is None or time.time() - stored.head["checked_at"] < days * 86_400):
            self.counts["ディスクから"] += 1
            return stored
        known = {"If-None-Match": stored.head["etag"], "If-Modified-Since": stored.head["last_modified"]} if stored else {}
        try:
            page = self.request(url, {name: value for name, value in known.items() if value})
        except PageFailed:
            if stored:
                self.counts["更新できず前のページを使用"] += 1
                return stored
            raise
        self.counts["取得"] += 1
        if page.head["status"] == 304 and stored:
            page = Page({**stored.head, "checked_at": time.time()}, stored.body)
        if page.head["status"] in (200, 301, 302, 303, 307, 308, 404, 410):
            replace_file(stored_file(url), json.dumps(page.head, ensure_ascii=False).encode() + b"\n" + page.body)
        return page

    def request(self, url: str, headers: dict[str, str]) -> Page:
        """One page from the shop: at a polite pace, again after what can heal, never faster for it."""
        for attempt in range(ATTEMPTS):
            time.sleep(max(0.0, self.ready - time.monotonic()))
            wait = BACKOFF_SECONDS * 2**attempt
            try:
                page = self.exchange(url, headers)
                if page.head["status"] not in (408, 429) and page.head["status"] < 500:
                    self.failures = 0
                    return page
                reason, asked = f"HTTP {page.head['status']}", retry_after(page.head["retry_after"])
                if asked > RETRY_AFTER_CAP:
                    when = datetime.fromtimestamp(time.time() + asked)
                    raise RunStopped(f"{self.host} が待つよう求めています（{reason}）。{when:%m月%d日 %H:%M} 以降に python getData.py を実行してください。")
                wait = max(wait, asked)
            except (requests.exceptions.InvalidURL, requests.exceptions.SSLError) as error:
                raise PageFailed(type(error).__name__) from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                reason = next((said for kind, said in FAULTS.items() if isinstance(error, kind)), "接続できない")
            finally:
                self.ready = time.monotonic() + self.delay * random.uniform(1, 1.2)
            self.ready = max(self.ready, time.monotonic() + wait * (attempt + 1 < ATTEMPTS))
        self.failures += 1
        if self.failures >= MAX_FAILURES:
            raise RunStopped(f"{self.host} が続けて応えません（{reason}）。時間をおいて python getData.py を実行してください。")
        raise PageFailed(reason)

    def exchange(self, url: str, headers: dict[str, str]) -> Page:
        """One request and its answer, within PAGE_SECONDS and MAX_BYTES; a body cut short is whole if it ends in </html>."""
        address = self.served + url.split(self.host, 1)[1] if self.served else url
        deadline, body = time.monotonic() + PAGE_SECONDS, bytearray()
        with self.session.get(address, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
            names = ("content_type", "location", "etag", "last_modified", "retry_after")
            head = {"url": url, "status": answer.status_code, "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "checked_at": time.time(), **{name: answer.headers.get(name.replace("_", "-"), "") for name in names}}
            try:
                while answer.status_code == 200 and (part := answer.raw.read1(65_536, decode_content=True)):
                    body += part
                    if len(body) > MAX_BYTES or time.monotonic() > deadline:
                        raise PageFailed("大きすぎる" if len(body) > MAX_BYTES else "時間切れ")
            except urllib3.exceptions.ProtocolError:
                if not body.rstrip().lower().endswith(b"</html>"):
                    raise
        return Page(head, bytes(body))


FAULTS = {  # kinds of fault, as counted at the end
    requests.Timeout: "時間切れ", urllib3.exceptions.TimeoutError: "時間切れ",
    urllib3.exceptions.DecodeError: "圧縮が壊れている", urllib3.exceptions.ProtocolError: "途中で切れた",
}


# The crawl ------------------------------------------------------------------------------------------------------------


def sitemap_links(shop: Shop) -> list[str]:
    """Addresses that the shop's sitemaps list, indexes and gz included."""
    todo = deque(shop.rules(shop.start).sitemaps) or deque(["/sitemap.xml"])
    links, seen = [], set()
    entry = rb"<(?:\w+:)?(sitemap|url)\b[^>]*>\s*(?:<(?!/)[^>]*>[^<]*</[^>]*>\s*)*?<(?:\w+:)?loc>\s*(?:<!\[CDATA\[)?\s*([^<\]]+)"
    while todo and len(seen) < 200:
        url = canonical(todo.popleft(), shop.start)
        if url in seen or not url or shop.refusal(url):
            continue
        seen.add(url)
        with contextlib.suppress(PageFailed, zlib.error):
            body = shop.follow(url, REFRESH_DAYS).body
            body = zlib.decompressobj(47).decompress(body, 10 * MAX_BYTES) if body.startswith(b"\x1f\x8b") else body
            for kind, address in re.findall(entry, body):
                (todo if kind == b"sitemap" else links).append(entities.unescape(address.decode("utf-8", "replace")))
    return [canonical(link, shop.start) for link in links]


def page_links(root: lxml.html.HtmlElement, base: str) -> list[str]:
    """Addresses that a page links to."""
    base = urljoin(base, next((tag.get("href") for tag in root.iter("base") if tag.get("href")), ""))
    tags = [tag for tag in root.iter("a", "link") if tag.tag == "a" or "next" in (tag.get("rel") or "")]
    return [canonical(tag.get("href") or "", base) for tag in tags if "nofollow" not in (tag.get("rel") or "")]


def crawl(shop: Shop) -> Iterator[tuple[Page, list[dict]]]:
    """Each page of the shop once, with its perfumes, in an order that only the pages decide."""
    frontier = deque((url, 0) for url in dict.fromkeys([shop.start, *sitemap_links(shop)]))
    known, done, read = {url_key(url) for url, _ in frontier}, set(), 0
    while frontier and read < MAX_PAGES:
        url, barren = frontier.popleft()
        if not url or urlsplit(url).netloc != shop.host or url_key(url) in done or words("url")["path"].search(urlsplit(url).path):
            continue
        done.add(url_key(url))
        if reason := shop.refusal(url):
            shop.counts[reason] += 1
            continue
        read += 1
        try:
            page = shop.follow(url, REFRESH_DAYS)
            if page.head["status"] != 200:
                raise PageFailed(f"HTTP {page.head['status']}")
        except PageFailed as failure:
            shop.counts[f"失敗: {failure}"] += 1
            continue
        final = page.head["url"]
        if final != url and url_key(final) in done - {url_key(url)}:
            continue
        done.add(url_key(final))
        perfumes, root = extract_perfumes(page.body, final, page.head["content_type"]), parse(page.body)
        links = [link for link in page_links(root, final) if link] if root is not None else []
        links = [link for link in dict.fromkeys(links) if url_key(link) not in known and len(link) < 500 and link.count("/") < 13]
        fruitful = perfumes or any(series(link) != series(final) for link in links)
        for link in links:  # a page that shows nothing new leads its own series only a few steps further
            steps = 0 if fruitful or series(link) != series(final) else barren + 1
            if steps <= MAX_BARREN and url_key(link) not in known:
                known.add(url_key(link))
                frontier.append((link, steps))
        yield page, perfumes


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of a folder served over HTTP on 127.0.0.1, for as long as the block runs."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing: the terminal is for the progress bar."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def as_line(perfume: dict) -> str:
    """A perfume as a line of perfumes.jsonl."""
    return json.dumps(perfume, ensure_ascii=False) + "\n"


def earlier_perfumes(host: str) -> list[dict]:
    """Perfumes of this host that OUTPUT_FILE has from an earlier run; a half line is left out."""
    perfumes = []
    for line in Path(OUTPUT_FILE).read_bytes().split(b"\n") if Path(OUTPUT_FILE).exists() else []:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            perfume = json.loads(line)
            perfumes += [perfume] if urlsplit(perfume["url"]).netloc == host else []
    return perfumes


def visit(shop: Shop) -> None:
    """Crawls the shop: appends each new perfume to OUTPUT_FILE, and at the end writes it whole, in the crawl's order."""
    before = earlier_perfumes(shop.host)
    replace_file(Path(OUTPUT_FILE), "".join(map(as_line, before)).encode())
    perfumes, stopped = {}, ""
    try:
        with open(OUTPUT_FILE, "a", encoding="utf-8") as file, tqdm(desc="ページ", unit="枚", disable=None) as bar:
            for page, found in crawl(shop):
                shop.counts["香水のページ" if found else "香水のないページ"] += 1
                for perfume in found:
                    perfume["fetched_at"] = page.head["fetched_at"]
                    if perfumes.setdefault((perfume["url"], perfume["brand"], perfume["name"]), perfume) is perfume and perfume not in before:
                        file.write(as_line(perfume))
                        file.flush()
                bar.set_postfix_str(f"香水 {len(perfumes):,}", refresh=False)
                bar.update()
    except (RunStopped, KeyboardInterrupt) as stop:
        stopped = str(stop) or "中断しました。もう一度 python getData.py を実行すると続きから始まります。"
    if not stopped:
        replace_file(Path(OUTPUT_FILE), "".join(map(as_line, perfumes.values())).encode())
    report(shop.counts, list(perfumes.values()), before, stopped)


def report(counts: Counter, perfumes: list[dict], before: list[dict], stopped: str) -> None:
    """Prints the closing counts; ends the program when the run stopped early or found nothing."""
    print("、".join(f"{reason} {count:,}" for reason, count in sorted(counts.items())))
    if perfumes:
        filled = {field: sum(bool(perfume[field]) for perfume in perfumes) / len(perfumes) for field in FIELDS[1:]}
        print("埋まった項目: " + "、".join(f"{field} {share:.0%}" for field, share in filled.items()))
    if stopped:
        raise SystemExit(stopped)
    there = {perfume["url"] for perfume in perfumes}
    if gone := [perfume["name"] for perfume in before if perfume["url"] not in there]:
        print(f"前回あって今回ない香水 {len(gone):,}: {'、'.join(gone[:10])}")
    if not perfumes:
        raise SystemExit(f"{START_URL} から香水が見つかりませんでした。START_URL を確かめて python getData.py を実行してください。")
    print(f"{len(perfumes):,} 件の香水を {OUTPUT_FILE} に書きました。最初からやり直すには {PAGES_DIR} を削除してください。"
          "次: python arrangeData.py")


def main() -> None:
    """Reads the shop at START_URL into OUTPUT_FILE."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    start, folder = canonical(START_URL), Path(START_URL)
    if start:
        visit(Shop(start))
    elif folder.is_dir():
        name = re.sub("[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
        with served(folder) as address:
            visit(Shop(f"http://{name or 'folder'}.localhost/", address))
    else:
        raise SystemExit(f"{START_URL} がありません。START_URL に店のアドレス（https://…）かフォルダーを書いて"
                         " python getData.py を実行してください。")


if __name__ == "__main__":
    main()
