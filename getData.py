"""Reads a perfume shop's pages into data/perfumes.jsonl, one perfume a line.

    python getData.py

Reads   START_URL: the shop's address, or a folder of saved pages, which is then served on 127.0.0.1 for the length of
        the run; data/page_words.csv: the words by which pages label their facts.
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
DROPPED = set("script style noscript template svg nav header footer aside iframe select button textarea head object".split())
CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]")
PROSE = re.compile(r"です|ます|でし[たょ]|まし[たょ]|ません|する|した(?!き)|され|れる|られ|ような|という|てい[るく]|ながら|まと[うっ]|包[みまむん]|"
                   r"漂|広が|感じ|与え|誘[いうわ]|立ち|溢れ|あふれ|満ち|際立|引き立|重な|楽し|ください|こちら|に入れ|[でにを](?:は|も)|"
                   r"\b(?:is|are|with|you|your|this|that|its?|opens?|reveals?|blends?)\b|[!?！？。]", re.I)
HEADLINE = re.compile(r"(?:さ|み|感|(?<!お)香り?|匂い|印象|魅力|世界|余韻|調和|輝き|タイプ|系|イメージ|瞬間|物語)$")  # after kana: no material
ADJECTIVE = re.compile(r"[ぁ-ん](?:な|い|る|た)(?=[ァ-ヶ一-龠A-Za-z])|[ァ-ヶー一-龠]な(?=[ァ-ヶ一-龠])")
NOTHING = re.compile(r"(?:不明|未公開|非公開|なし|無し|ない|特になし|記載なし|未定|unknown|n/?a|none|null|[-–—―ー?？.…*\s]+)?", re.I)
SIZE = re.compile(r"(?:[/(x×・]\s*)?\d+(?:\.\d+)?\s*(?:ml|cc|fl\.?\s?oz\.?|oz\.?|ミリ(?:リットル)?|g|本(?:セット|入り?)?|個(?:セット)?)"
                  r"(?![a-z])\)?", re.I)
YEAR = re.compile(r"(?<!\d)(?:1[789]|20)\d\d(?!\d)")
WIDE = {0xFEE0 + code: code for code in range(0x21, 0x7E) if code != ord("&")} | {0x3000: 0x20}  # full-width letters
DASH = rf"\s*[–—―|｜／{MARK}]\s*|\s+[-/:：~〜～]\s+|：\s*"  # between brand and item in a title


class Line(NamedTuple):
    """One line of a page as a reader sees it."""

    text: str
    level: int  # 1 to 6 for a heading, else 0
    tag: str  # of the block element that it stands in
    path: tuple[int, ...]  # numbers of the block elements around it, outermost first
    trust: int  # rank of the source, lower is better


@functools.cache
def words(use: str) -> dict[str, re.Pattern]:
    """Patterns of data/page_words.csv for one use, by name."""
    with open(Path(__file__).parent / "data" / "page_words.csv", encoding="utf-8", newline="") as file:
        return {row["name"]: re.compile(row["words"], re.I) for row in csv.DictReader(file) if row["use"] == use}


def which(use: str, text: str) -> str | None:
    """The first name whose words stand in the text."""
    return next((name for name, pattern in words(use).items() if pattern.search(text)), None)


# Text -----------------------------------------------------------------------------------------------------------------


def decode(html: bytes, content_type: str) -> str:
    """The page's text: byte order mark, UTF-8 where it fits, then whichever named or Japanese encoding fits best."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if html.startswith(mark):
            return html.decode(name, "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return html.decode("iso2022_jp" if b"\x1b$" in html[:20_000] else "utf-8")
    named = re.findall(r"charset\s*=\s*[\"']?\s*([\w-]+)", f"{content_type} {html[:4_000].decode('latin-1')}".lower())
    known = {"utf-8": "utf-8", "utf8": "utf-8", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp"}
    names = [known.get(name) or ("cp932" if re.search("s.*jis|31j|932", name) else "") for name in named]
    texts = [html.decode(name, "replace") for name in dict.fromkeys([*filter(None, names), "cp932", "euc_jp", "utf-8"])]
    return min(texts, key=lambda text: 5 * text.count("\ufffd") + len(re.findall("[｡-ﾟ\ue000-\uf8ff]", text)))


def tidy(text: str) -> str:
    """Text on one line; full-width spaces and MARKs, which separate, are kept, control characters are not."""
    text = re.sub(rf"\s*{MARK}[\s{MARK}]*", MARK, re.sub(r"[ \t\r\n\f\v\xa0]+", " ", text))
    return CONTROL.sub(lambda match: MARK if match[0] == MARK else "", text).strip(f" \u3000{MARK}")


def plain(text: str) -> str:
    """Text for a record: on one line, without MARKs and control characters."""
    return " ".join(CONTROL.sub("", unicodedata.normalize("NFC", text.replace(MARK, " "))).split())


def is_japanese(text: str) -> bool:
    """Whether a text has kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


@functools.lru_cache(8192)
def label_fields(text: str) -> tuple[str, ...] | None:
    """Fields that a label stands for: () for one of no use here, None for what is no label; 'ミドル＆ラスト' is two."""
    if len(text) > 48:
        return None
    label = re.sub(r"\([^()]*(?:\d|分|時間|min|hour|直後)[^()]*\)", "", unicodedata.normalize("NFKC", text).lower())
    label = re.sub(r"[^\w]|[ー_](?![ァ-ヶ])", "", label) if "ー" not in label else re.sub(r"[^\w]|_", "", label)
    if not label:
        return None
    tiers = words("tier")
    if re.fullmatch(rf"(?:{'|'.join(tier.pattern for tier in tiers.values())}|ノート|notes?|の?香り|the|and|から|と)+", label):
        if fields := tuple(field for field, tier in tiers.items() if tier.search(label)):
            return fields
    return next((tuple(fields.split()) for fields, found in words("label").items() if found.fullmatch(label)), None)


def split_label(text: str) -> tuple[tuple[str, ...], str, bool] | None:
    """Fields, value, and whether they stand clearly apart, of a line that opens with a label: 'トップノート：A、B'."""
    found = None
    for gap in re.finditer(rf"[\s:：{MARK}】〉》>＞）)\]/／|｜…–—―→⇒・=＝~〜」』-]+|$", text[:60]):
        label = text[:gap.start()]
        if (fields := label_fields(label)) is not None:
            apart = gap[0] != " " or bool(re.search(r"ノート|notes?", label, re.I))
            found = fields, text[gap.end():].strip(f" \u3000{MARK}"), apart
    return found


LABEL_INSIDE = re.compile(
    rf"(?:^|[\s、。,;；/／|｜→{MARK}】]|(?=[【〈《<＜■●◆▼]))([（(【〈《<＜\[■●◆▼◇▽]\s*)?((?:(?:top|head|middle|heart|mid|base|last)\s)?"
    rf"[^\s、。,;；:：/／|｜（）(){MARK}【】〈〉《》<>＜＞\[\]■●◆◇▼▽]{{1,16}})\s?(?:[:：]|(?<=ノート)[\s{MARK}]|[】〉》>＞\]）){MARK}])", re.I)


def split_inline(text: str) -> list[str]:
    """A line cut before each label that stands inside it: 'トップ:A、B、ミドル:C' is two."""
    cuts, at = [0], 0
    while match := LABEL_INSIDE.search(text, at):
        if label_fields(match[2]) is not None:
            cuts.append(match.start(1) if match[1] else match.start(2))
        at = max(match.end() - 1, match.start() + 1)
    parts = [text[start:end].strip(f" \u3000{MARK}、,/／") for start, end in zip(cuts, [*cuts[1:], None], strict=True)]
    return [part for part in parts if part]


# Notes and other lists ------------------------------------------------------------------------------------------------


def split_outside(text: str, separator: str) -> list[str]:
    """Text split at a separator (a pattern) wherever no parenthesis is open."""
    parts, depth, last = [], 0, 0
    balanced = len(re.findall(r"[(（\[]", text)) == len(re.findall(r"[)）\]]", text))
    for match in re.finditer(rf"([(（\[])|([)）\]])|{separator}", text, re.I):
        if match[1] or match[2]:
            depth += balanced * (1 if match[1] else -1)
        elif depth <= 0:
            parts.append(text[last:match.start()])
            last = match.end()
    return [*parts, text[last:]]


def split_items(text: str) -> list[str]:
    """Items of a written list, parted by the strongest separator that it has; the list ends at 。 and at a dash."""
    items = [text := re.split(r"[—―]+|。|\s[–-]\s", text.strip(" 　・/／、,–-—"))[0]]
    for separator in (rf"[、,，;；/／|｜\n{MARK}]", "\u3000+", r"\s*[・･]\s*", r"(?<=[ァ-ヶー一-龠]) +(?=[ァ-ヶー一-龠])"):
        items = split_outside(text, separator)
        if len(items) > 1 and items[0] != items[1] and not (len(items) == 2 and "?<=" in separator):
            break
    else:
        items = [text]
    joints = (r"\s*(?:そして|および|または)\s*|(?<=[ァ-ヶー一-龠)）])[やと](?=[ァ-ヶー一-龠])|\s+and\s+|^and\s+|\s*[&＆]\s*|"
              r"(?<=[ァ-ヶー一-龠])\s*[+＋]\s*")
    return [part for item in items for part in split_outside(item, joints)]


def tidy_item(text: str) -> str:
    """An item of a list without what clings to it: など, の香り, decoration."""
    text = plain(text).strip(" ・･*＊-–—:：.。,、'\"“”「」『』■●◆→")
    text = re.sub(r"^(?:そして|また|さらに|and |with )", "", text)
    text = re.sub(r"(?:\s*(?:などの?|ほか|その他|(?<=[ァ-ヶー\s])[等他]|etc\.?))+(?:の香り)?$", "", text)
    return re.sub(r"の(?:香り|アコード)$", "", text).strip()


def is_note(item: str, alone: bool) -> bool:
    """Whether an item of a list of notes reads as a material; one that stands alone is judged more strictly."""
    core = re.sub(r"[(（].*", "", item)
    if NOTHING.fullmatch(item) or label_fields(item) is not None or len(item) > 60 or not re.search(r"[^\W\d_]", core):
        return False
    if len(core) > 32 or len(core.split()) > 5 or re.search(r"\d{3}|[¥￥$@%]|https?:|\d\s?ml\b", core, re.I):
        return False
    if PROSE.search(core) or HEADLINE.search(core) and re.search("[ぁ-ん]", core):
        return False
    return not (alone and (ADJECTIVE.search(core) or len(core) > 24))


def read_notes(values: list[str]) -> list[str]:
    """Notes of the lines under a label, up to the first line that is no list of notes."""
    notes = []
    for value in values:
        items = [item for item in map(tidy_item, split_items(value)) if item and not NOTHING.fullmatch(item)]
        good = [item for item in items if is_note(item, len(items) == 1)]
        if not good or len(good) < 0.67 * len(items):
            break
        notes += good
    return list(dict.fromkeys(notes))


def read_words(values: list[str]) -> list[str]:
    """Short words of a list of families, scenes, images or impressions."""
    found = [tidy_item(word) for value in values[:3] for item in split_items(value) for word in re.split(r"[\s・･]+", item)]
    return [word for word in dict.fromkeys(found) if len(word) < 15 and not PROSE.search(word)
            and not NOTHING.fullmatch(word) and label_fields(word) is None]


def gender_of(text: str) -> str | None:
    """Gender that a label's value or a tag names; both sexes are ユニセックス."""
    named = [name for name, pattern in words("gender").items() if pattern.search(unicodedata.normalize("NFKC", text))]
    return "ユニセックス" if len(named) > 1 else named[0] if named else None


def seasons_of(text: str) -> list[str]:
    """Seasons named in a label's value; 全ての季節 are four."""
    named = [season for season, pattern in words("season").items() if pattern.search(text)]
    return ["春", "夏", "秋", "冬"] if "" in named else named


def read_field(fields: tuple[str, ...], values: list[str]) -> list[tuple[str, object]]:
    """Fields and their values, some perhaps empty, from the lines under a label."""
    text = plain(" ".join(values[:3]))
    first = plain(values[0]) if values else ""
    if "seasons" in fields:
        scenes = [word for word in read_words(values) if not seasons_of(word) and "季節" not in word]
        return [("seasons", seasons_of(text) if len(text) < 60 else [])] + [("scenes", scenes)] * ("scenes" in fields)
    if len(fields) == 2 and "images" in fields:
        return [(which("mood", word) or "", [word]) for word in read_words(values)]
    readers = {"gender": lambda: gender_of(text), "concentration": lambda: which("concentration", text),
               "year": lambda: int(found[0]) if (found := YEAR.search(text)) else None,
               "concept": lambda: text if len(text) >= 20 else None}
    read = {field: readers[field]() if field in readers else read_notes(values) if field.endswith("notes") else
            read_words(values) if field in LISTS else
            first if len(first) < 80 and "。" not in first and not NOTHING.fullmatch(first) else None for field in fields}
    return list(read.items())


# Names ----------------------------------------------------------------------------------------------------------------


@functools.lru_cache(4096)
def folded(text: str) -> str:
    """Text as names are compared: without accents, case, spaces and punctuation."""
    text = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text.lower().replace("&", "and")))
    return re.sub(r"[^a-z0-9ァ-ヶーぁ-ん一-龠]", "", unicodedata.normalize("NFC", text))


@functools.lru_cache(4096)
def consonants(text: str) -> str:
    """Rough consonants of a Latin or a kana word, alike for both spellings of one name: シャネル and Chanel give snr."""
    named = ((unicodedata.name(letter, ""), letter) for letter in unicodedata.normalize("NFKC", text))
    sounds = {"TI": "chi", "TU": "tsu", "SI": "shi", "HU": "fu"}
    latin = "".join(sounds.get(name.split()[-1], name.split()[-1]) if "KANA LETTER" in name and letter not in "ッっ" else letter
                    for name, letter in named).lower()
    latin = re.sub("[^a-z]", "", unicodedata.normalize("NFKD", latin))
    for sound, written in (("k", "ch(?=[lr])"), ("s", r"ch|sh|ti(?=[aeou])|[cg](?=[eiy])|[jzx]"), ("k", "[cqg]"), ("", "ph|[fhywaeiou]"),
                           ("r", "l"), ("b", "[vp]"), ("t", "d"), ("n", "m")):
        latin = re.sub(written, sound, latin)
    return re.sub(r"(.)\1+", r"\1", latin)


def alike(one: str, other: str) -> float:
    """How well a kana and a Latin spelling fit, 0 to 1, by their consonants."""
    pair = consonants(one), consonants(other)
    return SequenceMatcher(None, *pair).ratio() if min(map(len, pair)) > 1 else float(pair[0] == pair[1] != "")


def script(text: str) -> str:
    """"latin" or "kana" for a text in one of them, "" for a mixture."""
    return {(True, False): "kana", (False, True): "latin"}.get((is_japanese(text), bool(re.search("[A-Za-zÀ-ÿ]", text))), "")


def opening(text: str, name: str) -> int:
    """Length of the opening of a text that spells a name: in the same letters, or by sound in the other script; or 0."""
    ends = [match.start() for match in re.finditer(rf"$|[\s・･/／(（「『」』>＞】|｜–—―:：~〜{MARK}-]", text[:90]) if match.start()]
    if exact := [end for end in ends if folded(text[:end]) == folded(name)]:
        return exact[0]
    fits = [(alike(text[:end], name), -end) for end in ends if script(text[:end]) and {script(text[:end]), script(name)} == {"latin", "kana"}]
    best = max(fits, default=(0, 0))[0]
    return next((-end for fit, end in sorted(fits, key=lambda fit: -fit[1]) if fit > best - 0.1), 0) if best >= 0.66 else 0


def spellings(text: str) -> tuple[str | None, str | None]:
    """The Latin and the Japanese spelling that a name is written in: 'Chloé（クロエ）', 'クロエ / Chloé', 'CHLOE クロエ'."""
    text = plain(text).strip(" -–—|／/・:：~〜～「」『』\"“”")
    found = re.fullmatch(r"(.+?)\s*[(（\[「]([^()（）\[\]]+)[)）\]」]", text) or re.fullmatch(r"(.+?)\s*[/／|｜~〜～]\s*(.+)", text)
    parts = [part.strip() for part in found.groups()] if found else []
    if not parts:
        for gap in re.finditer(r"\s+", text):
            halves = text[:gap.start()], text[gap.end():]
            if {*map(script, halves)} == {"latin", "kana"}:
                parts = list(halves) if alike(*halves) >= 0.5 else parts
    fits = len(parts) == 2 and is_japanese(parts[0]) != is_japanese(parts[1])
    if fits and (alike(*parts) >= 0.4 or text.endswith((")", "）", "]", "」"))):
        return tuple(sorted(parts, key=is_japanese))
    return (None, text or None) if is_japanese(text) else (text or None, None)


def clean_name(text: str) -> str:
    """A name without size, concentration, year, shop words and decoration; empty when nothing else is left."""
    text = re.sub(rf"[|{MARK}]\s*{YEAR.pattern}$", "", text).replace(MARK, " ").translate(WIDE)
    concentration = "|".join(pattern.pattern for pattern in words("concentration").values())
    brackets, shop_words = r"【[^】]*】|\[[^\]]*\]|[™®©★☆◆●■①-⑳]", words("skip")["side"].pattern
    year = rf"\(\s*{YEAR.pattern}年?[^)]*\)|{YEAR.pattern}年(?:発売)?"
    for pattern in (brackets, SIZE.pattern, concentration, shop_words, year, r"\(\s*[/・,\s]*\)"):
        text = re.sub(pattern, " ", text, flags=re.I)
    return " ".join(text.split()).strip(" -–—|/・･:~〜,、*.「」『』\"")


def item_of(title: str, brand: list[str | None]) -> tuple[list[str | None], list[str | None]]:
    """Names of a title without the brand, and the brand with the spelling that the title adds; Latin first in both."""
    title = re.sub(r"[「『]([^」』]+)[」』].*", r" \1", re.sub(r"[＜<〈《]([^＞>〉》]+)[＞>〉》]", r"\1 ", title))
    brand = list(brand)
    if (bracket := re.match(r"[【\[]([^】\]]+)[】\]]", title)) and folded(bracket[1]) in map(folded, filter(None, brand)):
        title = f"{bracket[1]} {title[bracket.end():]}"
    title = title.replace(MARK, " | ")
    title = title if any(opening(title, known) for known in brand if known) else clean_name(title) or title
    pair = spellings(title)
    names = list(pair) if all(pair) and not {*map(folded, pair)} & {folded(known) for known in brand if known} and plain(title) not in (" ".join(pair), " ".join(pair[::-1])) else [title, None]
    for place, name in enumerate(names):
        rest, taken, dashed = name or "", set(), None
        for known in sorted(filter(None, [*brand, *brand]), key=lambda known: folded(known) != folded(rest[:opening(rest, known)])):
            end = opening(rest, known)
            if end and is_japanese(rest[:end]) not in taken and clean_name(rest[end:]) and not (taken and dashed):
                taken.add(other := is_japanese(rest[:end]))
                brand[other] = brand[other] or plain(rest[:end])
                dashed = re.match(DASH, rest[end:])
                rest = rest[end:].lstrip(" \u3000・:：/／】–—|｜-")
        name = rest
        pieces = re.split(rf"(?:{DASH}|\s+by\s+)", rest)
        if len(pieces) > 1 and folded(pieces[-1]) in [folded(known) for known in brand if known]:
            name = rest[:-len(pieces[-1])]
        names[place] = (clean_name(name or "") or plain(name or "")).replace(" | ", " ") or None
    if not names[1]:
        for known in filter(None, brand):
            halves = re.split(rf"\s{re.escape(known)}\s", names[0] or "", maxsplit=1, flags=re.I)
            names = [*map(clean_name, halves)] if len(halves) == 2 and {*map(script, halves)} == {"latin", "kana"} else names
        names = list(spellings(names[0] or "")) if not names[1] else names
    return [None, names[0]] if names[0] and is_japanese(names[0]) and not names[1] else sorted(names, key=lambda name: bool(name) and is_japanese(name)) if all(names) else names, brand


# Pages ----------------------------------------------------------------------------------------------------------------


def parse(html: bytes, content_type: str) -> lxml.html.HtmlElement | None:
    """Root element of a page, None for what is no page; elements nested too deep for the parser are laid flat."""
    if html.startswith((b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")) or not html.strip():
        return None
    text = re.sub("[｡-ﾟ]+", lambda match: unicodedata.normalize("NFKC", match[0]), decode(html, content_type))
    text = CONTROL.sub("", text.replace("\f", " ")).encode("utf-8", "replace")
    for _ in range(2):
        parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
        with contextlib.suppress(lxml.etree.LxmlError):
            root = lxml.html.document_fromstring(text, parser=parser)
            if not any("depth" in entry.message for entry in parser.error_log):
                return root
        text = re.sub(rb"</?(?!h\d|title|meta|link|script|style|a[\s>])\w[^<>]*>", b"<br>", text)
    return None


def json_products(root: lxml.html.HtmlElement) -> tuple[list[dict], set[str]]:
    """The page's own Products from its JSON-LD, and every schema.org type that it names; invalid blocks are passed over."""
    products, types, todo = [], set(), []
    for script in root.iter("script"):
        source = re.sub(r"<!--|-->|(?://|/\*)?\s*(?:<!\[CDATA\[|\]\]>)\s*(?:\*/)?", "", script.text or "")
        if "ld+json" in (script.get("type") or ""):
            for text in (re.sub(r",\s*(?=[}\]])", "", source), source):
                with contextlib.suppress(ValueError, RecursionError):
                    todo.append(json.loads(text, strict=False))
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += reversed(node)
        elif isinstance(node, dict):
            kinds = {as_text(kind).rsplit("/")[-1] for kind in as_list(node.get("@type"))}
            types |= kinds
            if kinds & {"Product", "ProductGroup"} and as_text(node.get("name")):
                products += [node] if as_text(node["name"]) not in {as_text(other["name"]) for other in products} else []
            else:
                todo += [node[key] for key in ("mainEntityOfPage", "mainEntity", "@graph") if key in node]
    return products, types


def as_list(value: object) -> list:
    """The value as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def as_text(value: object) -> str:
    """Text of a JSON-LD value: of a string, a number, an object's name, a list's first."""
    for _ in range(4):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get("name", value.get("value", value.get("@value"))) if isinstance(value, dict) else value
    return entities.unescape(re.sub(r"<[^>]*>", "\n", str(value))) if isinstance(value, str | int | float) else ""


def json_lines(product: dict) -> list[Line]:
    """What a JSON-LD Product says, as lines of a page."""
    pairs = [(as_text({**entry, "value": None}), as_text(entry.get("value"))) for entry in
             as_list(product.get("additionalProperty")) if isinstance(entry, dict)]
    audience = product.get("audience")
    pairs.append(("gender", as_text(audience.get("suggestedGender")) if isinstance(audience, dict) else ""))
    lines = [Line(f"{tidy(label)}：{tidy(text)}", 0, "json", (), 0) for label, text in pairs if text]
    return lines + [Line(part, 0, "json", (), 4) for line in as_text(product.get("description")).split("\n")
                    for part in split_inline(tidy(line))]


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
        tag, started = element.tag, event == "start"
        if tag in BLOCKS:
            line = tidy("".join(text))
            text.clear()
            block, path, trust = blocks[-1]
            level = int(block.tag[1]) if block.tag in ("h1", "h2", "h3", "h4", "h5", "h6") else 0
            if line and level:
                hidden = hidden if hidden and level > hidden else 0
            if line and len(line) < 30 and block not in kept and words("skip")["heading"].search(line) and not split_label(line):
                hidden = hidden or level or 7
            if line and not hidden:
                lines += [Line(part, level, block.tag, path, trust) for part in split_inline(line)]
        if started:
            names = f"{element.get('class') or ''} {element.get('id') or ''}"
            table = column_labels(element) if tag == "table" else []
            lines += [Line(line, 0, "td", (), 3) for line in table]
            if element not in kept and (tag in DROPPED or tag not in ("html", "body", "main") and side.search(names)) or table:
                walk.skip_subtree()
            else:
                labels = (element.get(name) for name in ("data-label", "data-title", "data-th", "aria-label", "alt", "title"))
                text += [f"{label}：" for label in labels if label and label_fields(label)][:1]
                text += [MARK] * (tag in INLINE) + [element.text or ""]
            if tag in BLOCKS:
                count += tag != "br"
                trust = 2 if "short-description" in names else 3 if tag in ("th", "dt", "td", "li") else blocks[-1][2]
                blocks.append((element, (*blocks[-1][1], count), trust) if tag != "br" else blocks[-1])
        else:
            if tag in BLOCKS:
                blocks.pop()
            text += [MARK] * (tag in INLINE) + [element.tail or ""]
    return lines


def sentence_facts(text: str) -> list[tuple[str, object]]:
    """Tiers, year, gender and perfumer that a sentence names: 'Top notes are A, B and C', 'トップノートはA、B、ミドルノートはC'."""
    found = []
    for field, tier in words("tier").items():
        other = "|".join(pattern.pattern for pattern in words("tier").values())
        match = re.search(rf"\b(?:{tier.pattern})(?:\snotes?)?\s(?:are|is|includes?|of|features?|consists? of)\s([^;.。]+?)"
                          rf"(?=[;.。]|,?\s(?:and\s)?(?:with\s)?(?:an?\s|the\s)?(?:{other})(?:\snotes?)?\s|$)"
                          rf"|(?:{tier.pattern})(?:ノート)?(?:には|は|に)、?([^。]+?)(?=、?(?:{other})|です|。|が|を|で構成|の香り|$)", text, re.I)
        items = [item for item in map(tidy_item, split_items(match[1] or match[2])) if item] if match else []
        if items and all(is_note(item, True) for item in items):
            found.append((field, items))
    for field, pattern in (("year", r"(?:launched|released|introduced)\sin\s(\d{4})"), ("gender", r"(?:fragrance|perfume|scent)\b.{0,40}\bfor\s((?:wo)?men(?:\sand\s(?:wo)?men)?)\b"),
                           ("perfumer", r"(?:nose|perfumer)s?\s(?:behind this fragrance\s)?(?:is|are|was)\s([^.]+)")):
        if match := re.search(pattern, plain(text), re.I):
            found += read_field((field,), [match[1]])
    return found


def beside(label: Line, first: Line, following: Line) -> bool:
    """Whether a line stands beside the first under a label: in the same element, or in an alike one of the same group."""
    near = first.path[:-1] == following.path[:-1] or first.path[:len(label.path)] == following.path[:len(label.path)]
    return first.path == following.path or near and first.tag == following.tag and len(first.path) == len(following.path)


def facts_of(lines: list[Line]) -> list[tuple[int, int, str, object]]:
    """Trust, place, field and value of every fact that labelled lines, tags in brackets and sentences give."""
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
            found += [(line.trust, at, field, value) for field, value in read_field(fields, values) if value and
                      (apart or field in TIERS and len(value) > 1)]
        elif tags := re.search(r"[【\[]([^【】\[\]]*[／/・、][^【】\[\]]*)[】\]]", line.text):
            parts = re.split(r"[／/・、]", tags[1])
            kinds = ["gender" if gender_of(part) else "concentration" if which("concentration", part) else "families" for part in parts]
            if set(kinds) - {"families"}:
                found += [(2, at, *read_field((kind,), [part])[0]) for kind, part in zip(kinds, parts, strict=True)]
        elif words("gate")["gender"].fullmatch(line.text):
            found.append((4, at, "gender", gender_of(line.text)))
        else:
            found += [(5, at, field, value) for field, value in sentence_facts(line.text)]
    return found


def merged(found: list[tuple[int, int, str, object]]) -> dict:
    """One value a field: the most trusted; lists of the same trust and place are joined."""
    facts, source = {}, {}
    for trust, at, field, value in sorted(found, key=lambda fact: fact[:2]):
        if source.setdefault(field, (trust, at)) == (trust, at) and isinstance(value, list):
            facts[field] = list(dict.fromkeys([*facts.get(field, []), *value]))
        else:
            facts.setdefault(field, value)
    return facts | ({"notes": []} if any(facts.get(tier) for tier in TIERS) else {})


def text_of(elements: list[lxml.html.HtmlElement]) -> list[str]:
    """Short texts of elements, or what their content attribute says."""
    texts = [tidy(element.get("content") or MARK.join(element.itertext())) for element in elements]
    return [text for text in texts if 0 < len(text) < 160]


def title_element(root: lxml.html.HtmlElement, titles: list[str]) -> lxml.html.HtmlElement | None:
    """The heading that names the page's product: the first whose words stand in the page's titles, else the first."""
    headings = [tag for tag in root.iter("h1") if tidy(tag.text_content())] or root.xpath(
        "//*[@itemprop='name' or contains(@class, 'product') and (contains(@class, 'title') or contains(@class, 'name'))]")
    whole = folded(" ".join(titles))
    return next((tag for tag in headings if folded(tag.text_content()) in whole), headings[0] if headings else None)


def is_brand(text: str) -> bool:
    """Whether a text may be a brand's name: no word of shops, listings or errors."""
    return bool(clean_name(text)) and not any(words("gate")[name].search(text) for name in ("no_page", "article", "shop"))


def brand_candidates(root: lxml.html.HtmlElement, products: list[dict], meta: dict, facts: dict, titles: list[str]) -> list[str]:
    """What may be the brand, most trusted first: data, labels, links, then crumbs that a title opens or ends with."""
    in_page = ("//*[not(ancestor::nav or ancestor::header or ancestor::footer or ancestor::aside) and (contains(@href, '/brand') or "
               "contains(@href, '/vendors/') or contains(@href, '/designer') or contains(@class, 'vendor') or "
               "contains(concat(' ', translate(@class, '-_BRAND', '  brand'), ' '), ' brand '))]")
    crumbs = text_of(root.xpath("//*[contains(@class, 'crumb') or contains(@class, 'topicpath') or contains(@id, 'crumb')]//*[not(*)]"))
    crumbs = [crumb for crumb in crumbs if any(opening(title, crumb) or title.endswith(crumb) for title in titles)
              and crumb not in titles]
    data = [as_text(product.get(key)) for product in products[:1] for key in ("brand", "manufacturer")]
    found = [*data, *text_of(root.xpath("//*[@itemprop='brand']")[:1]), meta.get("product:brand", ""), facts.get("brand", ""),
             *text_of(root.xpath(in_page)[:3]), *crumbs]
    found = [re.sub(r"^(?:ブランド|brand\b|by\b)\s*[:：]?\s*", "", plain(text), flags=re.I) for text in found]
    return [text for text in found if text and len(text) < 60 and not NOTHING.fullmatch(text) and is_brand(text)]


def said_twice(title: str) -> str:
    """The brand that a title opens with in two scripts, as 'CHANEL（シャネル）' of 'CHANEL シャネル チャンス', or empty."""
    for gap in re.finditer(rf"[\s{MARK}／/]+", "" if all(spellings(title)) else title):
        brand, rest = title[:gap.start()], title[gap.end():]
        if (end := opening(rest, brand)) and is_japanese(brand) != is_japanese(rest[:end]) and clean_name(rest[end:]):
            return f"{brand}（{rest[:end]}）"
    return ""


def brand_and_names(titles: list[str], own: int, brands: list[str], byline: list[str], shop: str) -> dict:
    """Brand and name in both spellings, from the first that gives them; the others fill in the second spelling."""
    guesses = []
    for title in titles[:own]:
        pieces = [piece for piece in re.split(DASH, title) if clean_name(piece) and folded(piece) != folded(shop)]
        by = re.fullmatch(r".+\sby\s([A-Z].+)", plain(title)) or re.match(r"([^\s「]+(?:\s[^\s「]+){0,3})\s?「[^」]+」", title)
        pair = len(pieces) == 2 and is_japanese(pieces[0]) != is_japanese(pieces[1]) and alike(*pieces) >= 0.5
        guesses[:0] = [by[1]] if by else []
        guesses += [] if by else [said_twice(clean_name(title))] + ([pieces[0]] if len(pieces) > 1 and not pair else [])
    brands = [brand for brand in brands if folded(brand) != folded(shop)] or list(filter(None, guesses)) or [re.sub(r'^by\s', '', line) for line in byline if is_brand(line)][:1] or brands or [piece for piece in [*re.split(DASH, titles[own])[1:-1], shop] if clean_name(piece) and is_brand(piece)][:1]
    if not brands:
        return {}
    brand, brand_ja = spellings(re.sub(r"^【|】$", "", brands[0]))
    for other in map(spellings, [*brands[1:], *guesses]):
        if brand and other[1] and (not brand_ja) and (folded(other[0] or "") == folded(brand) or alike(brand, other[1]) >= 0.66):
            brand_ja = other[1]
        elif brand_ja and other[0] and not brand and (other[1] == brand_ja or alike(other[0], brand_ja) >= 0.66):
            brand = other[0]
    name, name_ja = None, None
    for title in titles:
        (latin, kana), (brand, brand_ja) = item_of(title, [brand, brand_ja])
        if not name and not name_ja:
            name, name_ja = latin, kana
        elif name and kana and not name_ja and (folded(latin or "") == folded(name) or alike(name, kana) >= 0.6):
            name_ja = kana
        elif name_ja and latin and not name and (kana == name_ja or alike(latin, name_ja) >= 0.6):
            name = latin
    return {"brand": brand, "brand_ja": brand_ja, "name": name or name_ja, "name_ja": name_ja if name else None}


def starts_of(lines: list[Line], found: list[tuple[int, int, str, object]]) -> list[int]:
    """Places where the perfumes of a page begin: one for each list of top notes that is no other's repetition."""
    tops = []
    for trust, at, field, value in found:
        if field == "top_notes" and 0 < trust < 5 and not any(
                set(value) <= set(other) or set(other) <= set(value) or is_japanese(value[0]) != is_japanese(other[0]) for _, other in tops):
            tops.append((at, value))
    return [max((place for place, line in enumerate(lines[:at]) if line.level and not label_fields(line.text)), default=0) for at, _ in tops]


def is_perfume_page(root: lxml.html.HtmlElement, products: list[dict], types: set[str], meta: dict, titles: list[str], facts: dict) -> bool:
    """Whether a page is one product's and that product a perfume: by its notes, its words and its shop's furniture."""
    heading, gates = " ".join(titles), words("gate")
    concentrated = facts.get("concentration") or which("concentration", heading)
    if gates["goods"].search(heading) or gates["no_page"].search(heading) or gates["article"].search(heading):
        return False
    if gates["extras"].search(heading) and not concentrated:
        return False
    tiers = [facts[tier] for tier in TIERS if facts.get(tier)]
    if len(tiers) > 1 and sum(map(len, tiers)) > 2:
        return True
    if types & {"Article", "BlogPosting", "NewsArticle", "CollectionPage", "SearchResultsPage"} or "article" in meta.get("og:type", ""):
        return False
    furniture = root.xpath("boolean(//*[contains(@itemtype, 'Product') or contains(@class, 'add-to-cart') or contains(@class, 'price')]"
                           "|//form[contains(@action, 'cart') or contains(@class, 'cart')])")
    product = bool(products) or "product" in meta.get("og:type", "")
    labels = sum(bool(facts.get(field)) for field in ("brand", "name", "gender", "families", "perfumer", "year", "seasons"))
    kind = " ".join([heading, *(as_text(product.get("category")) for product in products)])
    return bool(tiers or len(facts.get("notes", [])) > 2 or concentrated) and (product or furniture or labels > 1) or product and bool(gates["perfume"].search(kind))


def extract_perfumes(html: bytes, url: str, content_type: str = "") -> list[dict]:
    """Perfumes of one page as records of perfumes.jsonl without fetched_at; none for a page that is about no perfume."""
    root = parse(html, content_type)
    if root is None:
        return []
    meta = {tag.get("property") or tag.get("name") or "": tidy(tag.get("content") or "") for tag in root.iter("meta")}
    meta["title"] = tidy(root.findtext(".//title") or "")
    products, types = json_products(root)
    element = title_element(root, [meta["title"], meta.get("og:title", ""), *(as_text(product["name"]) for product in products)])
    heading = tidy(MARK.join(element.itertext())) if element is not None else ""
    lines = page_lines(root, element)
    first = next((place for place, line in enumerate(lines) if split_label(line.text)), 0)
    heading = heading or next((line.text for line in reversed(lines[:first]) if len(line.text) < 90 and not PROSE.search(line.text)), "")
    fitting = [product for product in products if folded(as_text(product["name"])) in folded(heading) or folded(heading) in folded(as_text(product["name"]))]
    products = fitting[:1] or products
    if len(products) > 1:
        return []
    top = next((place for place, line in enumerate(lines) if line.text == heading), 0)
    lines, near = [line for line in lines[max(0, top - 1):top] if split_label(line.text)] + lines[top:], [line.text for line in lines[max(0, top - 1):top + 3] if len(line.text) < 60 and line.text != heading and not split_label(line.text)]
    found = facts_of([*lines, *(line for product in products for line in json_lines(product))])
    starts = starts_of(lines, found)
    facts = merged(found)
    shop = meta.get("og:site_name") or meta.get("application-name") or ""
    last = re.split(r"\s+[|｜–—-]\s+|[|｜／]", meta["title"])
    shop = shop or (last[-1] if len(last) > 1 and folded(last[-1]) not in folded(heading) else "")
    page_title = re.sub(rf"(?:{DASH}|\s-\s)*{re.escape(shop)}\s*$", "", meta["title"]) if shop else meta["title"]
    own_titles = [*(as_text(product["name"]) for product in products), *text_of(root.xpath("//*[contains(@itemtype, 'Product')]//*[@itemprop='name']")[:1]),
                  heading, facts.get("name") or "", meta.get("og:title", "")]
    own_titles = list(dict.fromkeys(filter(None, own_titles))) or [page_title]
    said = [match for line in lines for match in re.findall(r"([A-Z][^.,]{1,40}?)\sby\s([A-Z][\w&'’ -]{1,30}?)(?=\sis\b|\sfor\b|[,.]|$)", plain(line.text))
            if folded(match[1]) in folded(heading)]
    own_titles = [match[0] for match in said if folded(match[0]) in folded(heading)][:1] + own_titles
    if len(starts) > 1 or not is_perfume_page(root, products, types, meta, own_titles, facts):
        return []
    byline = [text for text in near if not re.search(r"[¥￥\d。、]|円", text) and not PROSE.search(text) and clean_name(text)]
    names = brand_and_names([*own_titles, page_title, *near], len(own_titles), [*brand_candidates(root, products, meta, facts, [*own_titles, page_title]), *(match[1] for match in said)], byline, shop)
    if not names or not names["name"] or len(names["name"]) > 80:
        return []
    address = next((canonical(tag.get("href") or "", url) for tag in root.iter("link") if (tag.get("rel") or "").lower() == "canonical"), "")
    same = urlsplit(address).netloc == urlsplit(url).netloc and urlsplit(address).path.strip("/")
    facts |= names | {"url": address if same else canonical(url) or url}
    concept = next((line.text for line in lines if len(line.text) > 40 and PROSE.search(line.text) and not split_label(line.text)), "")
    facts["concept"] = facts.get("concept") or re.sub(r"\s*【[^】]*】$", "", plain(concept)) or None
    facts["gender"] = facts.get("gender") or gender_of(" ".join(own_titles))
    facts["concentration"] = facts.get("concentration") or which("concentration", " ".join(own_titles))
    return [{field: facts.get(field) or ([] if field in LISTS else None) for field in FIELDS}]


# The shop ---------------------------------------------------------------------------------------------------------------

IDLE_PARAMETER = re.compile(r"utm_\w+|gclid|fbclid|yclid|msclkid|\w*sess(?:ion)?_?id|sid|phpsessid|ref|referrer|orderby|order|sort\w*|filter\w*|"
                            r"min_price|max_price|currency|add[-_]to[-_]\w+|variant|replytocom|share|print|view|display|limit|per_?page|_\w+", re.I)
IDLE_PATH = re.compile(r"/(?:cart|checkout|my-?(?:account|page)|login|signin|register|signup|wish-?list|compare|wp-(?:admin|json|login\.php|content|"
                       r"includes)|feed|search|contact|inquiry|cgi-bin|cdn-cgi|xmlrpc\.php)(?:/|$)|"
                       r"\.(?:jpe?g|png|gif|webp|svg|ico|css|js|json|xml|gz|pdf|zip|mp4|mp3|woff2?|docx?|xlsx?)$", re.I)


class Page(NamedTuple):
    """A page as fetched: its address, status and headers, and its body."""

    head: dict
    body: bytes


class PageFailed(Exception):
    """A page that could not be had; the text is the reason, as counted at the end."""


class RunStopped(Exception):
    """The run cannot go on; the text tells the user why and what to do."""


def canonical(url: str, base: str = "") -> str:
    """The address in one spelling: no fragment, port 80, dot segments, tracking or session parameters."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        host = (parts.hostname or "").encode("idna").decode().lower()
        port = parts.port
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    if port and port != {"http": 80, "https": 443}[parts.scheme]:
        host += f":{port}"
    path = re.sub(r";jsessionid=[^/]*", "", parts.path, flags=re.I)
    path = quote(unquote(urlsplit(urljoin("http://host/", re.sub("/{2,}", "/", path))).path, errors="surrogateescape"),
                 safe="/:@!$&'()*+,;=~-._", errors="surrogateescape") if "%" in path or not path.isascii() else path or "/"
    query = sorted((key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not IDLE_PARAMETER.fullmatch(key))
    return urlunsplit((parts.scheme, host, re.sub("/{2,}", "/", path), urlencode(query), ""))


def url_key(url: str) -> str:
    """What two spellings of one page's address share: no scheme, no closing slash."""
    parts = urlsplit(url)
    return urlunsplit(("", parts.netloc, parts.path.removesuffix("/"), parts.query, ""))


def stored_file(url: str) -> Path:
    """File that keeps a page: one line of JSON (address, headers, time), then the body."""
    return Path(PAGES_DIR) / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.page"


def load_page(url: str) -> Page | None:
    """The page as stored, or None."""
    try:
        head, body = stored_file(url).read_bytes().split(b"\n", 1)
        return Page(json.loads(head), body)
    except (OSError, ValueError):
        return None


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its name and moves it into place, so that a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(content)
    os.replace(beside, path)


def is_private(host: str) -> bool:
    """Whether a host's name leads to an address that is not of the public internet."""
    try:
        addresses = {entry[4][0].split("%")[0] for entry in socket.getaddrinfo(host.strip("[]"), None)}
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(address).is_global for address in addresses)


def retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header asks for, as a number or as a date; 0 without one."""
    with contextlib.suppress(ValueError, TypeError):
        if value and value.strip().isdigit():
            return float(value)
        if value:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0


class Shop:
    """A polite visitor of one host: robots.txt, pace, retries, redirects and the pages kept on disk."""

    def __init__(self, start: str, served: str | None = None) -> None:
        self.start, self.served = start, served  # served: the local server's address when the shop is a folder
        self.host = urlsplit(start).netloc
        self.public = not served and not is_private(urlsplit(start).hostname)
        self.delay = 0.0 if served else DELAY_SECONDS
        self.last_request = -1e9
        self.counts = Counter()
        self.failures = 0
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Accept-Language": "ja,en;q=0.5"})
        self.robots = {}

    def refusal(self, url: str) -> str | None:
        """Why an address may not be asked for, or None."""
        parts = urlsplit(url)
        if parts.netloc != self.host:
            return "非公開アドレスへの転送" if self.public and is_private(parts.hostname or "") else "別のホストへの転送"
        if self.public and is_private(parts.hostname):
            return "非公開アドレス"
        rules = self.rules(f"{parts.scheme}://{parts.netloc}")
        return None if all(rules.can_fetch(url, agent) for agent in (USER_AGENT, *AI_AGENTS)) else "robots.txt が断っている"

    def rules(self, origin: str) -> Protego:
        """The origin's robots.txt (RFC 9309), kept for a day: 4xx allows everything, 5xx or silence stops the run."""
        if origin not in self.robots:
            try:
                page = self.follow(f"{origin}/robots.txt", days=1, checked=False)
            except PageFailed as failure:
                raise RunStopped(f"{origin}/robots.txt が読めません（{failure}）。時間をおいてもう一度 python getData.py を実行してください。") from None
            self.robots[origin] = rules = Protego.parse(page.body[:512_000].decode("utf-8-sig", "replace") if page.head["status"] == 200 else "")
            rate = rules.request_rate(USER_AGENT)
            self.delay = max(self.delay, rules.crawl_delay(USER_AGENT) or 0, rate.seconds / rate.requests if rate and rate.requests else 0)
        return self.robots[origin]

    def follow(self, url: str, days: float | None = None, checked: bool = True) -> Page:
        """The page that an address leads to, from disk or from the shop; each redirect is checked like any address."""
        for _ in range(6):
            page = self.page(url, days)
            if page.head["status"] not in (301, 302, 303, 307, 308) or not (target := canonical(page.head["location"], url)):
                return page
            if reason := self.refusal(target) if checked else None if urlsplit(target).netloc == self.host else "別のホストへの転送":
                raise PageFailed(reason)
            url = target
        raise PageFailed("転送が終わらない")

    def page(self, url: str, days: float | None) -> Page:
        """The page as stored, or asked for when there is none or it is older than so many days."""
        stored = load_page(url)
        if stored and (days is None or time.time() - stored.head["checked_at"] < days * 86_400):
            self.counts["ディスクから"] += 1
            return stored
        asked = {"If-None-Match": stored.head["etag"], "If-Modified-Since": stored.head["last_modified"]} if stored else {}
        try:
            page = self.request(url, {key: value for key, value in asked.items() if value})
        except PageFailed:
            if stored:
                self.counts["更新できず前のページを使用"] += 1
                return stored
            raise
        if page.head["status"] == 304 and stored:
            page = Page({**stored.head, "checked_at": time.time()}, stored.body)
        if page.head["status"] in (200, 301, 302, 303, 307, 308, 404, 410):
            replace_file(stored_file(url), json.dumps(page.head, ensure_ascii=False).encode() + b"\n" + page.body)
        self.counts["取得"] += 1
        return page

    def request(self, url: str, headers: dict[str, str]) -> Page:
        """One page from the shop: at a polite pace, again after what can heal, never faster for it."""
        reason, wait = "", 0.0
        for attempt in range(ATTEMPTS):
            pause = max(wait, attempt and BACKOFF_SECONDS * 2 ** (attempt - 1))
            time.sleep(max(0.0, pause, self.last_request + self.delay - time.monotonic()) + random.uniform(0, 0.2) * self.delay)
            wait = 0.0
            try:
                page = self.exchange(url, headers)
            except (requests.exceptions.InvalidURL, requests.exceptions.SSLError, requests.exceptions.InvalidHeader) as error:
                raise PageFailed(type(error).__name__) from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, zlib.error) as error:
                reason = next((text for kinds, text in FAULTS if isinstance(error, kinds)), type(error).__name__)
                continue
            finally:
                self.last_request = time.monotonic()
            if page.head["status"] not in (408, 429) and page.head["status"] < 500:
                self.failures = 0
                return page
            reason = f"HTTP {page.head['status']}"
            wait = retry_after(page.head["retry_after"])
            if wait > RETRY_AFTER_CAP:
                raise RunStopped(f"{self.host} が {wait:,.0f} 秒待つよう求めています（{reason}）。{datetime.fromtimestamp(time.time() + wait):%m月%d日 %H:%M} 以降にもう一度 python getData.py を実行してください。")
        self.failures += 1
        if self.failures >= MAX_FAILURES:
            raise RunStopped(f"{self.host} が {self.failures} ページ続けて応えません（{reason}）。時間をおいてもう一度 python getData.py を実行してください。")
        raise PageFailed(reason)

    def exchange(self, url: str, headers: dict[str, str]) -> Page:
        """One request and its answer, within PAGE_SECONDS and MAX_BYTES."""
        address = self.served + url.split(self.host, 1)[1] if self.served else url
        deadline = time.monotonic() + PAGE_SECONDS
        with self.session.get(address, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
            head = {"url": url, "status": answer.status_code, "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"), "checked_at": time.time(),
                    **{name: answer.headers.get(name.replace("_", "-")) for name in ("content_type", "location", "etag", "last_modified", "retry_after")}}
            packed = (answer.headers.get("Content-Encoding") or "identity").lower()
            if packed not in ("identity", "gzip", "x-gzip", "deflate"):
                raise PageFailed(f"圧縮形式 {packed}")
            return Page(head, self.body(answer.raw, packed != "identity", deadline) if answer.status_code == 200 else b"")

    @staticmethod
    def body(raw: urllib3.HTTPResponse, packed: bool, deadline: float) -> bytes:
        """A body as it drips in, unpacked; one cut short counts as whole only when it ends with </html>."""
        unpack, body, whole = zlib.decompressobj(47), bytearray(), True
        try:
            while chunk := raw.read1(65_536, decode_content=False):
                body += unpack.decompress(chunk, MAX_BYTES + 1) if packed else chunk
                if len(body) > MAX_BYTES:
                    raise PageFailed("大きすぎる")
                if time.monotonic() > deadline:
                    raise PageFailed("時間切れ")
        except urllib3.exceptions.ProtocolError:
            whole = False
        if not (whole and (not packed or unpack.eof)) and not body.rstrip().lower().endswith(b"</html>"):
            raise urllib3.exceptions.ProtocolError("cut short")
        return bytes(body)


FAULTS = (  # kinds of fault, as counted at the end
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), "時間切れ"),
    ((zlib.error,), "圧縮が壊れている"),
    ((urllib3.exceptions.ProtocolError,), "途中で切れた"),
    ((requests.ConnectionError, OSError), "接続できない"),
)


# The crawl --------------------------------------------------------------------------------------------------------------


def sitemap_links(shop: Shop) -> list[str]:
    """Addresses that the shop's sitemaps list, indexes and gz included."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(shop.start))
    todo = deque([canonical(url, origin) for url in shop.rules(origin).sitemaps] or [f"{origin}/sitemap.xml"])
    links, seen = [], set()
    while todo and len(seen) < 200:
        url = todo.popleft()
        if url in seen or not url or shop.refusal(url):
            continue
        seen.add(url)
        try:
            page = shop.follow(url, REFRESH_DAYS)
        except PageFailed:
            continue
        body = page.body
        if body[:2] == b"\x1f\x8b":
            with contextlib.suppress(zlib.error):
                body = zlib.decompressobj(47).decompress(body, 10 * MAX_BYTES)
        for kind, address in re.findall(rb"<(?:\w+:)?(sitemap|url)\b[^>]*>(?:(?!</?(?:\w+:)?(?:sitemap|url)\b).)*?<(?:\w+:)?loc>\s*(?:<!\[CDATA\[)?\s*(.*?)\s*(?:\]\]>)?\s*</", body, re.S):
            address = canonical(entities.unescape(address.decode("utf-8", "replace")), origin)
            (todo if kind == b"sitemap" else links).append(address)
    return links


def page_links(root: lxml.html.HtmlElement, base: str) -> list[str]:
    """Addresses that a page links to, next pages first."""
    tag = root.find(".//base[@href]")
    base = urljoin(base, tag.get("href")) if tag is not None else base
    anchors = [link for link in root.iter("a", "link") if link.get("href") and (link.tag == "a" or "next" in (link.get("rel") or ""))]
    return [canonical(link.get("href"), base) for link in anchors if "nofollow" not in (link.get("rel") or "")]


def shape(url: str) -> str:
    """An address with its numbers and ids blotted out: pages that differ in nothing else are one series."""
    parts = urlsplit(url)
    return re.sub(r"[0-9a-f]{8,}|\d+", "0", parts.path) + "?" + "&".join(sorted({key for key, _ in parse_qsl(parts.query)}))


def crawl(shop: Shop):
    """Yields each page of the shop once, as (page, perfumes), in an order that only the pages decide."""
    frontier = deque([(shop.start, 0), *((url, 0) for url in sitemap_links(shop))])
    waiting, done = {url_key(url) for url, _ in frontier}, set()
    read = 0
    while frontier and read < MAX_PAGES:
        url, barren = frontier.popleft()
        if url_key(url) in done or urlsplit(url).netloc != shop.host or not url or IDLE_PATH.search(urlsplit(url).path):
            continue
        done.add(url_key(url))
        if reason := shop.refusal(url):
            shop.counts[reason] += 1
            continue
        read += 1
        try:
            page = shop.follow(url, REFRESH_DAYS)
        except PageFailed as failure:
            shop.counts[f"失敗: {failure}"] += 1
            continue
        final = page.head["url"]
        if url_key(final) != url_key(url) and url_key(final) in done:
            shop.counts["重複"] += 1
            continue
        done.add(url_key(final))
        if page.head["status"] != 200:
            shop.counts[f"失敗: HTTP {page.head['status']}"] += 1
            continue
        perfumes = extract_perfumes(page.body, final, page.head["content_type"] or "")
        root = parse(page.body, page.head["content_type"] or "")
        new = [link for link in page_links(root, final) if link and url_key(link) not in waiting] if root is not None else []
        fruitful = perfumes or any(shape(link) != shape(final) for link in new if urlsplit(link).netloc == shop.host)
        for link in dict.fromkeys(new):
            steps = 0 if fruitful or shape(link) != shape(final) else barren + 1
            if steps > MAX_BARREN or url_key(link) in waiting or len(link) > 500 or link.count("/") > 12:
                continue
            waiting.add(url_key(link))
            frontier.append((link, steps))
        yield page, perfumes


@contextlib.contextmanager
def served(folder: Path):
    """Address of a folder served over HTTP on 127.0.0.1, for as long as the block runs."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing: the terminal is for the progress bar."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def read_lines(path: Path, host: str) -> dict[str, dict]:
    """Perfumes of this host that an earlier run wrote, by their line without the time; a half line is cut off."""
    kept = {}
    for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else []:
        with contextlib.suppress(ValueError, KeyError, AttributeError, TypeError):
            perfume = json.loads(line)
            if urlsplit(perfume["url"]).netloc == host:
                kept[as_line({**perfume, "fetched_at": ""})] = perfume
    return kept


def as_line(perfume: dict) -> str:
    """A perfume as a line of perfumes.jsonl."""
    return json.dumps(perfume, ensure_ascii=False) + "\n"


def visit(shop: Shop) -> None:
    """Crawls the shop into OUTPUT_FILE and prints what was found."""
    output = Path(OUTPUT_FILE)
    before = read_lines(output, shop.host)
    replace_file(output, "".join(map(as_line, before.values())).encode())
    perfumes, stopped = {}, None
    try:
        with open(output, "a", encoding="utf-8") as file, tqdm(desc="ページ", unit="枚", disable=None) as bar:
            for page, found in crawl(shop):
                shop.counts["香水のページ" if found else "香水のないページ"] += 1
                for perfume in found:
                    line = as_line({**perfume, "fetched_at": ""})
                    perfume["fetched_at"] = page.head["fetched_at"]
                    if line not in before and line not in perfumes:
                        file.write(as_line(perfume))
                        file.flush()
                    perfumes.setdefault(line, perfume)
                bar.set_postfix_str(f"香水 {len(perfumes):,}")
                bar.update()
    except RunStopped as stop:
        stopped = str(stop)
    except KeyboardInterrupt:
        stopped = "中断しました。同じコマンド python getData.py で続きから始まります。"
    if not stopped:
        replace_file(output, "".join(map(as_line, perfumes.values())).encode())
    report(shop, list(perfumes.values()), list(before.values()), stopped)


def report(shop: Shop, perfumes: list[dict], before: list[dict], stopped: str | None) -> None:
    """Prints the closing counts; ends the program when the run stopped early or found nothing."""
    print("".join(f"{reason}: {count:,}\n" for reason, count in sorted(shop.counts.items())), end="")
    if stopped:
        raise SystemExit(stopped)
    addresses = {perfume["url"] for perfume in perfumes}
    gone = [perfume for perfume in before if perfume["url"] not in addresses]
    if gone:
        print(f"前回あって今回ない香水: {len(gone):,}（{'、'.join(perfume['name'] for perfume in gone[:10])}）")
    if not perfumes:
        raise SystemExit(f"{START_URL} から香水が見つかりませんでした。START_URL が香水の商品ページのある店か確かめてください。")
    filled = {field: sum(bool(perfume[field]) for perfume in perfumes) for field in perfumes[0] if field not in ("url", "fetched_at")}
    print("項目の埋まり具合: " + "  ".join(f"{field} {count / len(perfumes):.0%}" for field, count in filled.items()))
    print(f"{len(perfumes):,} 件の香水を {OUTPUT_FILE} に書きました。最初からやり直すには {PAGES_DIR} を削除してください。次: python arrangeData.py")


def main() -> None:
    """Reads the shop at START_URL into OUTPUT_FILE."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    if not re.match(r"https?://", START_URL):
        folder = Path(START_URL)
        if not folder.is_dir():
            raise SystemExit(f"{START_URL} がありません。START_URL に店のアドレス（https://…）かフォルダーを書いて、python getData.py を実行してください。")
        home = f"http://{re.sub('[^a-z0-9]+', '-', folder.resolve().name.lower()).strip('-') or 'folder'}.localhost/"
        with served(folder) as address:
            visit(Shop(home, address))
    elif start := canonical(START_URL):
        visit(Shop(start))
    else:
        raise SystemExit(f"START_URL の {START_URL} はアドレスとして読めません。https:// から始まる店のアドレスを書いてください。")


if __name__ == "__main__":
    main()
