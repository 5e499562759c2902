"""The sample shop can answer tests/questions.jsonl, and the judge tells right from wrong."""

import csv

import judge
import pytest
from conftest import ROOT

LISTS = {
    *("families", "top_notes", "middle_notes", "last_notes", "notes"),
    *("seasons", "scenes", "images", "impressions"),
}
QUESTIONS = judge.read_questions(judge.QUESTIONS_FILE)


def sample_perfumes() -> list[judge.Perfume]:
    """The perfumes of the sample shop, in the form of data/perfumes.jsonl."""
    with open(ROOT / "data/sample_site/perfumes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row |= {key: row[key].split("、") if row[key] else [] for key in LISTS}
        row |= {"url": str(number), "year": int(row["year"]) if row["year"] else None}
    return rows


CATALOGUE = judge.Catalogue(sample_perfumes())


def fitting(check: judge.Check) -> list[judge.Perfume]:
    """The sample perfumes that bear out a check."""
    return [perfume for perfume in CATALOGUE.perfumes if judge.bears_out(perfume, check)]


def test_the_questions_are_many_and_halved():
    assert len(QUESTIONS) == len({question.question for question in QUESTIONS}) >= 170
    halves = [question.half for question in QUESTIONS]
    assert abs(halves.count("a") - halves.count("b")) <= len({q.kind for q in QUESTIONS})
    assert 0.7 < sum(question.answerable for question in QUESTIONS) / len(QUESTIONS) < 0.8


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.question)
def test_the_sample_shop_bears_out_what_a_question_asks(question):
    check = question.check
    assert question.answerable == (check["kind"] != "refuse")
    if check["kind"] in ("rec", "brands"):
        found = fitting(check)
        assert 0 < len(found) < len(CATALOGUE.perfumes) or check == {"kind": "brands"}
    for name in [check.get("name"), check.get("other"), *check.get("names", ())]:
        assert name is None or CATALOGUE.by_name(name)
    if check["kind"] == "about":
        perfume = CATALOGUE.by_name(check["name"])
        assert all(word in judge.notes(perfume) for word in check.get("has", ()))
        assert perfume[check.get("field", "name")]
    if absent := check.get("absent"):
        known = [*CATALOGUE.words, *CATALOGUE.materials]
        assert not any(judge.flat(absent) in word for word in known)


BLOOM = "「グッチ ブルーム」の香り：【トップノート】ジャスミン【ミドルノート】チュベローズ。"
VERDICTS = [  # what is checked, an answer, whether it is right
    ({"kind": "rec", "brand": "Gucci"}, "グッチでは、グッチ ブルームがおすすめです。", True),
    ({"kind": "rec", "brand": "Gucci"}, "Diorの「ソヴァージュ」がおすすめです。", False),
    ({"kind": "rec", "brand": "Gucci"}, "グッチはデータにありません。", False),
    ({"kind": "rec", "brand": "Gucci"}, "グッチですね。", False),
    ({"kind": "rec", "brand": "Chloé"}, "クロエの「ノマド」がおすすめです。", True),
    ({"kind": "rec", "not_": {"name": "Chloé"}}, "クロエの「ノマド」がおすすめです。", True),
    ({"kind": "rec", "not_": {"name": "Sauvage"}}, "ソヴァージュ以外では、エロスです。", True),
    ({"kind": "rec", "not_": {"name": "Sauvage"}}, "オー ソヴァージュがおすすめです。", True),
    ({"kind": "rec", "not_": {"name": "Sauvage"}}, "Sauvageがおすすめです。", False),
    ({"kind": "rec", "brand": "Kilian", "n": 3}, "ビヨンド ラブ、エンジェルズ シェアです。", True),
    (
        {"kind": "rec", "seasons": "春", "n": 2},
        "シャネルの「N°5」とDiorの「ソヴァージュ」です。",
        False,
    ),
    ({"kind": "rec", "seasons": "春", "n": 2}, "Diorの「ジャドール」です。", False),
    (
        {"kind": "rec", "gender": ["メンズ"]},
        "エロス。「シャネルの香水は？」ともお聞きください。",
        True,
    ),
    (
        {"kind": "rec", "note": "ブルーベル", "gender": ["メンズ"]},
        "ブルーベルが香るのはエロスです。",
        False,
    ),
    ({"kind": "about", "name": "Gucci Bloom", "types": ["name_notes"]}, BLOOM, True),
    ({"kind": "about", "name": "Gucci Bloom", "field": "last_notes"}, BLOOM, False),
    ({"kind": "about", "name": "Eros", "types": ["name_notes"]}, BLOOM, False),
    ({"kind": "about", "name": "Eros", "field": "year"}, "エロスは2013年の香水です。", True),
    ({"kind": "about", "name": "Eros", "field": "year"}, "エロスは2012年の香水です。", False),
    (
        {"kind": "about", "name": "Eros", "types": ["name_gender"], "yes": False},
        "いいえ、エロスは男性向けです。",
        True,
    ),
    (
        {"kind": "about", "name": "Eros", "types": ["name_gender"], "yes": False},
        "はい、エロスは男性向けです。",
        False,
    ),
    (
        {"kind": "compare", "names": ["Eros", "Poison"]},
        "エロスはメンズ、プワゾンは違います。",
        True,
    ),
    ({"kind": "compare", "names": ["Eros", "Poison"]}, "エロスは男性向けです。", False),
    (
        {"kind": "which", "name": "Eros", "other": "Poison"},
        "プワゾンとエロスでは、エロスのほうが春に合います。",
        True,
    ),
    (
        {"kind": "which", "name": "Eros", "other": "Poison"},
        "エロスとプワゾンでは、プワゾンがおすすめです。",
        False,
    ),
    (
        {"kind": "similar", "name": "Philosykos"},
        "フィロシコスに似た香水は、プレイ グリーンです。",
        True,
    ),
    ({"kind": "similar", "name": "Philosykos"}, "フィロシコスがおすすめです。", False),
    ({"kind": "similar", "name": "Philosykos"}, "エイリアンがおすすめです。", False),
    (
        {"kind": "brands", "families": "グルマン"},
        "グルマン系は、プラダやキリアンにあります。",
        True,
    ),
    ({"kind": "brands", "families": "グルマン"}, "グルマン系は、プラダやグッチにあります。", False),
    (
        {"kind": "refuse"},
        "価格はデータにありません。「シャネルの香水は？」とお尋ねください。",
        True,
    ),
    ({"kind": "refuse"}, "こんにちは。香水のことをお気軽にお尋ねください。", True),
    ({"kind": "refuse"}, "Diorの「ソヴァージュ」がおすすめです。", False),
]


@pytest.mark.parametrize(("check", "answer", "right"), VERDICTS)
def test_the_judge_tells_right_from_wrong(check, answer, right):
    question = judge.Question("", "", check["kind"] != "refuse", "a", check)
    assert (judge.verdict(CATALOGUE, question, answer) == "正解") == right
