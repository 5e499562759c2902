"""What several scripts do alike, each with code of its own: one table of inputs holds the twins together."""

import inspect
import json

import pytest

import arrangeData
import generate
import getData
import loadModel

SCRIPTS = [getData, arrangeData, loadModel, generate]
FIELDS = ("instruction", "response", "type", "key")


def record(name, **more):
    """A whole record about one perfume."""
    return {
        "instruction": f"{name}はどんな香りですか？",
        "response": f"{name}は、ローズの香りです。",
        "type": "notes",
        "key": name,
        "source": [f"https://example.com/{name}/"],
    } | more


def text(*records, ascii=False):
    """A JSON array, one record a line."""
    lines = [json.dumps(one, ensure_ascii=ascii) for one in records]
    return "[\n" + ",\n".join(lines) + "\n]"


A, B, C = record("甲"), record("乙"), record("丙")
WHOLE = text(A, B, C)
LINES = "\n".join(json.dumps(one, ensure_ascii=False) for one in (A, B, C))
FILES = {  # what a perfume_qa.json says: the perfumes whose records can be used
    "whole": (WHOLE, "甲乙丙"),
    "on one line": (json.dumps([A, B, C]), "甲乙丙"),
    "indented": (json.dumps([A, B, C], indent=1), "甲乙丙"),
    "byte order mark": ("\ufeff" + WHOLE, "甲乙丙"),
    "CRLF": (WHOLE.replace("\n", "\r\n"), "甲乙丙"),
    "JSON Lines": (LINES, "甲乙丙"),
    "JSON Lines, CRLF and empty lines": (LINES.replace("\n", "\r\n\r\n"), "甲乙丙"),
    "one record": (json.dumps(B), "乙"),
    "cut in the last record": (WHOLE[: WHOLE.rindex("ローズ")], "甲乙"),
    "cut before the bracket": (WHOLE[:-2], "甲乙丙"),
    "JSON Lines, cut": (LINES[: LINES.rindex("ローズ")], "甲乙"),
    "a comma is missing": (WHOLE.replace("},\n", "}\n", 1), "甲乙丙"),
    "a comma too many": (WHOLE.replace("\n]", ",\n]"), "甲乙丙"),
    "a quote is missing": (WHOLE.replace('"乙は、', "乙は、"), "甲丙"),
    "JSON Lines, a quote is missing": (LINES.replace('"乙は、', "乙は、"), "甲丙"),
    "a field is missing": (text(A, {"instruction": "何？"}, C), "甲丙"),
    "a field is empty": (text(A, record("乙", response=" 　"), C), "甲丙"),
    "a field is no text": (text(A, record("乙", response=["ローズ"]), C), "甲丙"),
    "a field is null": (text(A, record("乙", instruction=None), C), "甲丙"),
    "no object": ('[{"a": 1}, 5, null, "x", ' + json.dumps(A) + "]", "甲"),
    "the same twice": (text(A, B, A), "甲乙"),
    "spaces around": (text(A, record("乙", response=" 乙は、ローズの香りです。\n")), "甲乙"),
    "line separators in a text": (LINES.replace("乙は、", "乙は、\u2028\u2029\x85"), "甲乙丙"),
    "escaped line separators": (text(A, record("乙", response="乙\u2028は"), ascii=True), "甲乙"),
    "a control character": (text(A, record("乙", response="乙\x07"), C), "甲丙"),
    "a bidirectional mark": (text(A, record("乙", response="乙\u202e"), C), "甲丙"),
    "a private character": (text(A, record("乙", response="\ue000乙"), C), "甲丙"),
    "a lone surrogate": (text(A, record("乙", response="\ud800乙"), C, ascii=True), "甲丙"),
    "a lone surrogate in the key": (text(A, record("乙", key="\udc00"), C, ascii=True), "甲丙"),
    "a special token": (text(A, record("乙", response="乙<|endoftext|>"), C), "甲丙"),
    "broken bytes": (WHOLE.encode().replace("乙は、".encode(), b"\x82\xa0\x82"), "甲丙"),
    "nothing closes": ('{"instruction":' * 100_000, ""),
    "empty": ("", ""),
    "no JSON": ("<!DOCTYPE html>", ""),
}


@pytest.mark.parametrize("content", FILES)
def test_both_readers_recover_the_same_records(tmp_path, content):
    path, (said, wanted) = tmp_path / "perfume_qa.json", FILES[content]
    path.write_bytes(said if isinstance(said, bytes) else said.encode())
    readers = (
        lambda: loadModel.read_examples(path)[0],
        lambda: generate.read_records(path, "arrangeData.py", FIELDS),
    )
    found = []
    for read in readers:
        try:
            found.append({(one["instruction"], one["response"], one["key"]) for one in read()})
        except SystemExit as stop:
            assert "\n" not in stop.code and "arrangeData.py" in stop.code
            found.append(set())
    assert {key for _, _, key in found[0]} == set(wanted)
    assert found[0] == found[1]


def test_one_table_of_forbidden_characters_in_all_scripts():
    assert len({script.FORBIDDEN.pattern for script in SCRIPTS}) == 1


@pytest.mark.parametrize("name", ["LINE_END", "OBJECT"])
def test_one_pattern_in_both_readers(name):
    assert getattr(loadModel, name).pattern == getattr(generate, name).pattern


def test_one_parser_in_both_readers():
    sources = [inspect.getsource(script.parse_records) for script in (loadModel, generate)]
    assert sources[0] == sources[1]
