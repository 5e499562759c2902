"""How records are held against a shop's truth."""

import csv
import functools
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from .kit import Shop

NOTE_FIELDS = ("top_notes", "middle_notes", "last_notes", "notes")
NAME_FIELDS = (("brand", "brand_ja"), ("name", "name_ja"))
OTHER_FIELDS = ("gender", "concentration", "families", "seasons", "scenes")


class Score(NamedTuple):
    """What came of a shop's pages, and each mistake in words."""

    perfumes: int
    right: int
    wrong_names: int
    missed: int
    false: int
    wrong_fields: int
    notes_right: int
    notes_found: int
    notes_told: int
    mistakes: list[str]


def fold(text: object) -> str:
    """Text for comparing: one width, one case, no spaces, dots, quotes, dashes or accents."""
    text = unicodedata.normalize("NFKC", str(text or "")).casefold()
    text = re.sub("[\u0300-\u0308\u0327]", "", unicodedata.normalize("NFD", text))
    return re.sub(r"[\s・･'’`\-‐–—=＝.]", "", unicodedata.normalize("NFC", text))


@functools.cache
def houses() -> dict[str, set[str]]:
    """Every spelling of data/brands.csv, folded, with all of its line."""
    path = Path(__file__).parents[2] / "data" / "brands.csv"
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [set(map(fold, row)) - {""} for row in csv.reader(file)]
    return {name: row for row in rows for name in row}


def name_mistakes(told: dict, record: dict) -> list[str]:
    """What is wrong with brand and name: no right spelling, a wrong one beside it, or one that is missing."""
    wrong = []
    for latin, kana in NAME_FIELDS:
        right = {fold(spelling) for spelling in told[latin] if spelling}
        if latin == "brand":  # a known house may have the spelling that the page lacks
            right = right.union(*(houses().get(spelling, set()) for spelling in right))
        found = {fold(record.get(field)) for field in (latin, kana)} - {""}
        japanese = {fold(spelling) for spelling in told.get(kana, ())}
        if not found or found - right or (japanese and fold(record.get(kana)) not in japanese):
            wrong.append(f"{latin} {record.get(latin)!r}, {record.get(kana)!r}, not {told[latin]}")
    return wrong


def notes_of(facts: dict) -> set[tuple[str, str]]:
    """Every note with its tier."""
    return {(field, fold(note)) for field in NOTE_FIELDS for note in facts.get(field) or ()}


def field_mistakes(told: dict, record: dict) -> list[str]:
    """What is wrong with the other fields that the page tells."""
    wrong = []
    for field in (*NOTE_FIELDS, *OTHER_FIELDS):
        if field not in told:
            continue
        value, found = told[field], record.get(field)
        if isinstance(value, list):
            value, found = list(map(fold, value)), list(map(fold, found or []))
            if field not in NOTE_FIELDS:
                value, found = sorted(value), sorted(found)
        if fold(value) != fold(found):
            wrong.append(f"{field} {record.get(field)!r}, not {told[field]!r}")
    return wrong


def score(shop: Shop, records: list[dict]) -> Score:
    """A shop's records against its truth. Right means brand and name; false is a record of a page that has none, or a second one."""
    count: Counter[str] = Counter()
    mistakes = []
    by_page: dict[str, list[dict]] = {}
    for record in records:
        by_page.setdefault(record["url"], []).append(record)
    for url, told in shop.truth.items():
        here = by_page.pop(url, [])
        if told and not here and not told.get("or_none"):
            count["missed"] += 1
            mistakes.append(f"missed: {url} {told['brand']} {told['name']}")
        if told:
            count["perfumes"] += not told.get("or_none") or bool(here)
        if told and here:
            names = name_mistakes(told, here[0])
            others = field_mistakes(told, here[0])
            count["right" if not names else "wrong"] += 1
            count["fields"] += len(others)
            mistakes += [f"wrong: {url} {text}" for text in names + others]
            count["hit"] += len(notes_of(told) & notes_of(here[0]))
            count["found"] += len(notes_of(here[0]))
        count["told"] += len(notes_of(told or {})) if told and not told.get("or_none") else 0
        extra = here[1:] if told else here
        count["false"] += len(extra)
        mistakes += [f"false: {url} {r.get('brand')!r} {r.get('name')!r}" for r in extra]
    strangers = [record for records_there in by_page.values() for record in records_there]
    mistakes += [f"no such page: {record['url']}" for record in strangers]
    return Score(
        count["perfumes"],
        count["right"],
        count["wrong"],
        count["missed"],
        count["false"] + len(strangers),
        count["fields"],
        count["hit"],
        count["found"],
        count["told"],
        mistakes,
    )
