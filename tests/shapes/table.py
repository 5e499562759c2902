"""Shapes of pages, each with what a careful human reads from it: SHAPES, a list of dicts

    {"id", "url", "html": bytes, "content_type", "expected": [record, ...], "or_none": bool}

A record holds the fields that the page tells; a tuple holds spellings of which any is right. The four lists of notes are
always there: an empty one must stay empty. A page without a perfume expects []. or_none marks a page of several perfumes,
from which all of them or none may be read. mistakes(shape, records) says what is wrong with the records read from a shape.
"""

import re
import unicodedata

from . import several, shops, single, without

SHAPES = single.SHAPES + shops.SHAPES + several.SHAPES + without.SHAPES
NOTE_FIELDS = ("top_notes", "middle_notes", "last_notes", "notes")
NAME_FIELDS = (("brand", "brand_ja"), ("name", "name_ja"))


def fold(text) -> str:
    """Text for comparing: one width, one case, no spaces, dots or accents."""
    text = unicodedata.normalize("NFKC", str(text or "")).casefold()
    text = "".join(
        c for c in unicodedata.normalize("NFD", text) if c not in "\u0300\u0301\u0302\u0308\u0327"
    )
    return re.sub(r"[\s・･'’`\-‐–—=＝]", "", unicodedata.normalize("NFC", text))


def right_names(expected: dict, record: dict) -> bool:
    """True when brand and name have every spelling that is expected, and no other text stands in those fields."""
    for fields in NAME_FIELDS:
        found = {fold(record.get(field)) for field in fields} - {""}
        wanted = [expected[field] for field in fields if field in expected]
        wanted = [
            {fold(text) for text in (spelling if isinstance(spelling, tuple) else (spelling,))}
            for spelling in wanted
        ]
        if not all(spellings & found for spellings in wanted) or found - set().union(*wanted):
            return False
    return True


def note_counts(expected: dict, record: dict) -> tuple[int, int, int]:
    """How many notes are right (in the right tier), found, and expected."""
    found = {(field, fold(note)) for field in NOTE_FIELDS for note in record.get(field) or []}
    wanted = {(field, fold(note)) for field in NOTE_FIELDS for note in expected[field]}
    return len(found & wanted), len(found), len(wanted)


def mistakes(shape: dict, records: list[dict]) -> list[str]:
    """What is wrong with the records read from a shape, in words; an empty list when all is right."""
    expected = shape["expected"]
    if not records and (shape["or_none"] or not expected):
        return []
    if len(records) != len(expected):
        return [
            f"{len(records)} records, not {len(expected)}: {[(r.get('brand'), r.get('name')) for r in records]}"
        ]
    wrong = []
    for want, record in zip(expected, records, strict=True):
        if not right_names(want, record):
            got = {field: record.get(field) for fields in NAME_FIELDS for field in fields}
            wrong.append(
                f"names {got}, not { {f: want[f] for fs in NAME_FIELDS for f in fs if f in want} }"
            )
        for field in want.keys() - {field for fields in NAME_FIELDS for field in fields}:
            value, got = want[field], record.get(field)
            if isinstance(value, list):
                same = [fold(text) for text in got or []] == [fold(text) for text in value]
            else:
                same = fold(got) in {
                    fold(text) for text in (value if isinstance(value, tuple) else (value,))
                }
            if not same:
                wrong.append(f"{field} {got!r}, not {value!r}")
    return wrong
