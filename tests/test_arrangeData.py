"""arrangeData.py: every answer is read back and compared with the pages that it names."""

import collections
import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from catalogue import make_catalogue

import arrangeData

ROOT = Path(arrangeData.__file__).parent
TIERS = {
    "トップノート": "top_notes",
    "ミドルノート": "middle_notes",
    "ラストノート": "last_notes",
    "ノート": "notes",
}
PEOPLE = {"男性向け": "メンズ", "女性向け": "レディース", "男女兼用": "ユニセックス"}
FIELDS = {
    "season": "seasons",
    "scene": "scenes",
    "image": "images",
    "impression": "impressions",
    "family": "families",
}
REFERENCE_QUESTIONS = {  # word for word, with the opening of the answer
    "メゾンマルジェラの香水を教えてください。": "Maison Margielaの香りでは、ジャズ クラブがおすすめです。",
    "男性向けの香水を教えてください。": "メンズ向けでは、Maison Margielaの「ジャズ クラブ」がおすすめです。",
    "春に相応しい香水を教えてください。": "春でしたら、Maison Margielaの「ジャズ クラブ」がおすすめです。",
}
SAID = {  # a value: words one of which a question about it must hold
    "メンズ": "男性 男の人 メンズ", "レディース": "女性 女の人 レディース", "ユニセックス": "男女 ユニセックス 性別を問わ ジェンダーレス",
    "オフィス": "オフィス 仕事 職場", "デイリー": "デイリー 普段 毎日", "リラックス": "リラックス くつろぎ",
    "オードパルファム": "オードパルファム オードパルファン EDP", "オードトワレ": "オードトワレ オーデトワレ EDT",
    "オーデコロン": "オーデコロン コロン EDC", "トップノート": "トップ", "ミドルノート": "ミドル ハート", "ラストノート": "ラスト ベース",
}  # fmt: skip
CATALOGUE = make_catalogue(1591, seed=1)


def run(folder, perfumes, capsys=None):
    """The records that arrangeData.py makes of perfumes (dicts, or lines as bytes), and what it printed."""
    lines = [
        p if isinstance(p, bytes) else json.dumps(p, ensure_ascii=False).encode() for p in perfumes
    ]
    Path(folder, "perfumes.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrangeData, "PERFUMES_FILE", str(Path(folder, "perfumes.jsonl")))
        patch.setattr(arrangeData, "OUTPUT_FILE", str(Path(folder, "perfume_qa.json")))
        arrangeData.main()
    printed = capsys.readouterr().out if capsys else ""
    return json.loads(Path(folder, "perfume_qa.json").read_text(encoding="utf-8")), printed


def perfume(**fields):
    """A perfume in which everything is known, changed as told."""
    return {
        "url": "https://shop.example/1/", "brand": "Maison Margiela", "brand_ja": "メゾン マルジェラ", "name": "Jazz Club",
        "name_ja": "ジャズ クラブ", "gender": "メンズ", "top_notes": ["ネロリ", "レモン"], "middle_notes": ["ラム"],
        "last_notes": ["バニラ"], "notes": [], "families": ["ウッディ"], "concentration": "オードトワレ",
        "seasons": ["春", "冬"], "scenes": ["デート"], "images": ["モード"], "impressions": ["温かみ"], "perfumer": None,
        "year": 2013, "concept": "煙る夜の店。", "fetched_at": "2026-01-01T00:00:00+00:00", **fields,
    }  # fmt: skip


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The data set of a catalogue of the reference's size."""
    return run(tmp_path_factory.mktemp("qa"), CATALOGUE)[0]


# -- an independent reader of answers -------------------------------------------------------------------------------------
def has(page, kind, value):
    """Whether the page says so."""
    if kind == "brand":
        return value == (page["brand"] or page["brand_ja"])
    if kind == "note":
        return any(value in page[field] for field in TIERS.values())
    if kind == "note_tier":
        note, _, tier = value.rpartition("×")
        return note in page[TIERS[tier]]
    return value in page[FIELDS[kind]] if kind in FIELDS else value == page[kind]


def only(text, values):
    """Whether nothing but these values, at least one of them, and the particles between them are in the text."""
    rest = text
    for value in sorted(values, key=len, reverse=True):
        rest = rest.replace(value, "")
    return rest != text and re.fullmatch("(のある|[なでの、・])*", rest) is not None


def seasons_true(text, page):
    """Whether the seasons named are the page's, all of them."""
    return set(page["seasons"]) == (
        set("春夏秋冬") if text == "一年を通して" else set(re.sub("[・に]", "", text))
    )


def tiers_true(text, page):
    """Whether tiers and notes are the page's, in its order, cut short only where など says so."""
    parts = re.findall("【(.+?)】([^【】]+)", text)
    for label, listed in parts:
        notes, shown = page[TIERS[label]], re.sub("など$", "", listed).split(", ")
        if [note for note in notes if note in shown] != shown or (
            len(shown) < len(notes)
        ) != listed.endswith("など"):
            return False
    present = [label for label, field in TIERS.items() if page[field]]
    return [label for label, _ in parts] == present and "".join(
        f"【{a}】{b}" for a, b in parts
    ) == text


def closing_true(text, page):
    """Whether the sentence after the notes is one of the known forms, and true."""
    forms = [
        (r"(.+)印象で、(.+?)に合います。", lambda a, b: only(a, page["impressions"]) and (b in page["scenes"] or b.removesuffix("シーン") in page["scenes"])),
        (r"(.+?)似合う(男性向け|女性向け|男女兼用)の香りです。", lambda a, b: seasons_true(a, page) and page["gender"] == PEOPLE[b]),
        (r"(.+)イメージで、(.+?)似合います。", lambda a, b: only(a, page["images"]) and seasons_true(b, page)),
        (r"(.+)イメージの、(.+)の香りです。", lambda a, b: only(a, page["images"]) and page["gender"] == PEOPLE[b]),
        (r"(.+)印象の香りです。", lambda a: only(a, page["impressions"])),
    ]  # fmt: skip
    return text == "" or any(
        check(*match.groups()) for form, check in forms if (match := re.fullmatch(form, text))
    )


def named(text, page):
    """Whether the text is a name of the page's perfume, its concentration behind it or not."""
    text = text.removesuffix(f"（{page['concentration']}）")
    return text in (page["name"], page["name_ja"])


def opening_true(kind, opening, key, page):
    """Whether the answer first says what was asked, and the page has it."""
    values = key.split("×") if "×" in key and kind != "note_tier" else [key]
    kinds = kind.split("_") if kind != "note_tier" else [kind]
    if not all(has(page, k, value) for k, value in zip(kinds, values, strict=True)):
        return False
    said = [value for value in re.split("×", key) if value in opening]
    tail = {
        "season": "でしたら",
        "scene": "には",
        "image": "イメージでは",
        "impression": "印象では",
        "note": "を使った香水では",
    }
    return "".join(sorted(said)) == "".join(sorted(key.split("×"))) and opening.endswith(
        tail.get(kind, "では")
    )


def recommendation_true(kind, response, key, pages, shop):
    """Whether a recommendation says what was asked, names the perfume and tells the truth about it."""
    match = re.fullmatch(r"(.+?)、(.+?)がおすすめです。((?:【.+】[^。]+(?=。))?)。?(.*)", response)
    opening, name, tiers, closing = match.groups()
    quoted = re.fullmatch("(.+)の「(.+)」", name)
    brand_named = (
        quoted[1]
        if quoted
        else re.match("(.+?)の(?:香り|メンズ|レディース|ユニセックス)", opening)[1]
    )
    page = pages[0]
    return all((
        len(pages) == 1, opening_true(kind, opening, key, page), has(page, "brand", brand_named),
        named(quoted[2] if quoted else name, page), tiers_true(tiers, page), closing_true(closing, page),
    ))  # fmt: skip


def several_true(kind, response, key, pages, shop):
    """Whether as many perfumes as asked are named, each with the wish and with its brand."""
    number, facet, value = key.split("×", 2)
    opening, names = re.fullmatch(r"(.+?)つ選ぶなら、(.+)がおすすめです。", response).groups()
    items = re.findall("(?:^|、)(?:([^「」]+?)の)?「(.+?)」", names)
    return all((
        value in opening, opening.endswith(f"の香水を{number}"), len(items) == len(pages) == int(number),
        all(has(page, facet, value) and named(name, page) for (_, name), page in zip(items, pages, strict=True)),
        all(has(page, "brand", brand or value) for (brand, _), page in zip(items, pages, strict=True)),
    ))  # fmt: skip


def brands_true(kind, response, key, pages, shop):
    """Whether the brands are those of the pages, which have what was asked, and など stands where there are more."""
    opening, listed, more = re.fullmatch("(.+?)ブランドは、(.+?)(など)?です。", response).groups()
    facet, _, value = key.partition("×")
    fits = [page for page in shop if key == "すべて" or has(page, facet, value)]
    all_brands = {page["brand"] or page["brand_ja"] for page in fits}
    named_brands = listed.split("、")
    return all((
        opening == "取り扱い" if key == "すべて" else value in opening, all(page in fits for page in pages),
        named_brands == [page["brand"] or page["brand_ja"] for page in pages], len(set(named_brands)) == len(pages),
        (len(pages) < len(all_brands)) == bool(more),
    ))  # fmt: skip


def features_true(text, page):
    """Whether families, impressions and images are the page's."""
    parts = re.findall("(.+?)(の香り|印象|イメージ)(?:、|$)", text)
    values = {"の香り": "families", "印象": "impressions", "イメージ": "images"}
    return len(parts) > 0 and all(
        only(said.replace("系", ""), page[values[noun]]) for said, noun in parts
    )


def occasions_true(text, page):
    """Whether all seasons and scenes of the page are named, and no others."""
    seasons, scenes = re.fullmatch("(?:季節は([春夏秋冬・]+))?、?(?:シーンは(.+))?", text).groups()
    return (seasons or "").split("・") == (page["seasons"] or [""]) and (scenes or "").split(
        "・"
    ) == (page["scenes"] or [""])


def key_of_name(page, shop):
    """Brand, slash, and the first name that no other perfume of the brand has, or else the name and the concentration."""
    brand = page["brand"] or page["brand_ja"]
    others = [p for p in shop if p is not page and brand in (p["brand"], p["brand_ja"])]
    taken = {name for p in others for name in (p["name"], p["name_ja"])}
    own = [name for name in (page["name"], page["name_ja"]) if name and name not in taken]
    return (
        f"{brand}/{own[0]}"
        if own
        else f"{brand}/{page['name']}"
        + (f"（{page['concentration']}）" if page["concentration"] else "")
    )


def by_name_true(kind, response, key, pages, shop):
    """Whether an answer about a named perfume is true, and names the brand where another brand has that name."""
    forms = {
        "name_notes": ("(.+?)の香りの構成は、(.+)です。", lambda said: tiers_true(said, pages[0])),
        "name_features": ("(.+?)の特徴は、(.+)です。", lambda said: features_true(said, pages[0])),
        "name_gender": ("(.+?)の対象は、(.+）)です。", lambda said: said == f"{pages[0]['gender']}（{dict(zip(PEOPLE.values(), PEOPLE, strict=True))[pages[0]['gender']]}）"),
        "name_occasions": ("(.+?)のおすすめの(.+)です。", lambda said: occasions_true(said, pages[0])),
        "name_brand": ("(.+?)のブランドは、(.+)です。", lambda said: said.split("と") == [
            f"{p['brand']}（{p['brand_ja']}）" if p["brand"] and p["brand_ja"] else p["brand"] or p["brand_ja"] for p in pages]),
    }  # fmt: skip
    form, check = forms[kind]
    spoken, said = re.fullmatch(form, response).groups()
    brands = {p["brand"] or p["brand_ja"] for p in shop if named(spoken, p)}
    bare = any(named(spoken, page) for page in pages)
    with_brand = any(
        named(spoken.removeprefix(f"{page['brand'] or page['brand_ja']}の"), page) for page in pages
    )
    told_apart = brands == {p["brand"] or p["brand_ja"] for p in pages} if bare else with_brand
    return told_apart and check(said) and key == "×".join(key_of_name(p, shop) for p in pages)


def true(record, pages, shop):
    """Whether every fact of the response stands on its pages, and what it says of the whole shop holds there."""
    checks = {"several": several_true, "brands": brands_true}
    check = checks.get(
        record["type"], by_name_true if record["type"].startswith("name_") else recommendation_true
    )
    return check(record["type"], record["response"], record["key"], pages, shop)


def test_every_fact_of_every_answer_is_on_its_pages(records):
    pages = {page["url"]: page for page in CATALOGUE}
    wrong = [r for r in records if not true(r, [pages[url] for url in r["source"]], CATALOGUE)]
    assert not wrong, (len(wrong), wrong[:3])
    assert {r["type"] for r in records} == set(arrangeData.RECORDS_PER_PERFUME)


@pytest.mark.parametrize("old, new", [
    ("春", "夏"), ("メンズ", "レディース"), ("男性向け", "女性向け"), ("レモン", "ライム"), ("デート", "オフィス"), ("モード", "キュート"),
    ("温かみ", "透明感"), ("Maison Margiela", "Chanel"), ("ジャズ クラブ", "ジャズ バー"), ("Jazz Club", "Jazz Bar"), ("ウッディ", "シプレ"),
    ("【ミドルノート】ラム", ""), ("ネロリ, レモン", "ネロリ"), ("バニラ", "バニラなど"), ("オードトワレ", "オーデコロン"),
])  # fmt: skip
def test_the_reader_of_answers_finds_each_kind_of_lie(tmp_path, old, new):
    page = perfume()
    made, _ = run(tmp_path, [page])
    touched = [r for r in made if old in r["response"] and r["type"] != "brands"]
    assert touched
    for record in touched:
        assert true(record, [page], [page]), record
        try:
            assert not true(
                record | {"response": record["response"].replace(old, new)}, [page], [page]
            ), record
        except TypeError:  # not even the form of an answer
            continue


def test_questions_ask_for_what_the_key_says(records):
    with open(ROOT / "data" / "spellings.csv", encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    pages = {page["url"]: page for page in CATALOGUE}
    for record in records:
        question, page = record["instruction"], pages[record["source"][0]]
        if record["type"].startswith("name_"):
            names = [
                name
                for url in record["source"]
                for name in (pages[url]["name"], pages[url]["name_ja"])
                if name
            ]
            assert any(
                question.removeprefix(f"{page['brand'] or page['brand_ja']}の").startswith(name)
                for name in names
            ), record
            continue
        for value in (
            []
            if record["key"] == "すべて"
            else record["key"].split("×")[-1 if record["type"] == "brands" else 0 :]
        ):
            words = [
                value,
                *SAID.get(value, "").split(),
                *next((row for row in rows if value in row), []),
            ]
            if value == (page["brand"] or page["brand_ja"]):
                words += [re.sub(strip, "", page["brand_ja"] or value) for strip in ("", "[ ・]")]
            assert value in ("brand", "gender", "season", "family") or any(
                word in question for word in words
            ), record
        if record["type"] == "note_season":
            assert re.match("[春夏秋冬](に|らしい)", question), record
        if record["type"] == "family_scene":
            assert re.search("(合う|ぴったりの|向いた).+系の", question), record


def test_a_spelling_that_a_page_uses_asks_for_that_page_only(tmp_path, monkeypatch):
    monkeypatch.setattr(arrangeData, "RECORDS_PER_PERFUME", {"note": 30})
    muguet = perfume(
        url="https://shop.example/2/", name="Muguet", name_ja="ミュゲの朝", top_notes=["ミュゲ"]
    )
    pages = [
        perfume(
            url=f"https://shop.example/{n}/", name=f"Lily {n}", name_ja=None, top_notes=["スズラン"]
        )
        for n in range(3, 30)
    ]
    made, _ = run(tmp_path, [muguet, *pages])
    asked = {
        r["key"]
        for r in made
        if r["type"] == "note" and re.match("ミュゲ(の|を|が)", r["instruction"])
    }
    assert asked == {"ミュゲ"}
    made, _ = run(tmp_path, pages)
    assert {r["key"] for r in made if r["type"] == "note" and "ミュゲ" in r["instruction"]} == {
        "スズラン"
    }


def test_spellings_name_each_material_once():
    with open(ROOT / "data" / "spellings.csv", encoding="utf-8", newline="") as lines:
        spellings = [spelling for row in csv.reader(lines) for spelling in row]
    assert len(spellings) == len(set(spellings)) and all(s == s.strip() and s for s in spellings)


# -- wording ------------------------------------------------------------------------------------------------------------
def test_grammar_and_a_sample_of_every_type(records):
    """Read the sample with `pytest -s -k sample`."""
    by_type = collections.defaultdict(list)
    for record in records:
        by_type[record["type"]].append(record)
    for kind, members in by_type.items():
        print(f"\n## {kind}: {len(members):,}")
        for record in members[:: len(members) // 5]:
            print(f"Q：{record['instruction']}\nA：{record['response']}\n   {record['key']}")
    odd = re.compile(
        "のの|なな|なの|をを|がが|。。|、、|、。|にに|系系|シーンシーン|香水の香水|None|向け向け|[^。？]$|^[、。]|おすすめの.*おすすめ"
    )
    assert [
        text for r in records for text in (r["instruction"], r["response"]) if odd.search(text)
    ] == []


@pytest.mark.parametrize("value, before_a_noun", [
    ("エレガント", "エレガントな"), ("温かみ", "温かみのある"), ("透明感", "透明感のある"), ("大人", "大人の"), ("華やか", "華やかな"),
    ("甘い", "甘い"), ("知的", "知的な"), ("上品", "上品な"), ("やわらかさ", "やわらかさのある"), ("凛とした", "凛とした"),
    ("きれい", "きれいな"), ("可愛い", "可愛い"), ("落ち着き", "落ち着きのある"), ("落ち着いた", "落ち着いた"), ("爽快", "爽快な"),
    ("シック・モダン", "シック・モダンな"), ("ラグジュアリー", "ラグジュアリーな"), ("定番", "定番の"), ("爽やか", "爽やかな"), ("上品な", "上品な"),
    ("すっきり", "すっきりした"), ("しっとり", "しっとりした"), ("香り", "香りの"),
])  # fmt: skip
def test_qualities_before_a_noun(value, before_a_noun):
    assert arrangeData.attributive(value) == before_a_noun


@pytest.mark.parametrize("values, before_a_noun", [
    (["モード"], "モードな"), (["フレッシュ", "ナチュラル"], "フレッシュでナチュラルな"), (["スイート", "温かみ"], "スイートで温かみのある"),
    (["温かみ", "ユニーク"], "温かみのあるユニークな"),
])  # fmt: skip
def test_qualities_in_a_row(values, before_a_noun):
    assert arrangeData.joined(values) == before_a_noun


@pytest.mark.parametrize("kind, value, said", [
    ("gender", "メンズ", "メンズ向け"), ("gender", "ユニセックス", "ユニセックス"), ("scene", "デート", "デートシーン"),
    ("scene", "特別な時", "特別な時"), ("scene", "オフィスシーン", "オフィスシーン"), ("family", "フローラル", "フローラル系"),
    ("family", "柑橘系", "柑橘系"), ("note_tier", "ローズ×トップノート", "トップノートにローズ"), ("note", "和梨", "和梨"),
])  # fmt: skip
def test_values_as_answers_say_them(kind, value, said):
    assert arrangeData.phrase(kind, value) == said


def test_at_least_six_phrasings_of_each_type(tmp_path, monkeypatch):
    monkeypatch.setattr(
        arrangeData, "RECORDS_PER_PERFUME", dict.fromkeys(arrangeData.RECORDS_PER_PERFUME, 40)
    )
    pages = [
        perfume(url=f"https://shop.example/{n}/", name=f"Jazz {n}", name_ja=f"ジャズ {n}")
        for n in range(4)
    ]
    phrasings = collections.defaultdict(set)
    for record in run(tmp_path, pages)[0]:
        question = re.sub("(Jazz|ジャズ) [0-9]", "…", record["instruction"])
        phrasings[record["type"]].add(re.sub("メゾン ?マルジェラ|Maison Margiela", "…", question))
    assert {kind: len(said) for kind, said in phrasings.items() if len(said) < 6} == {}
    assert set(phrasings) == set(arrangeData.RECORDS_PER_PERFUME)


def test_brands_are_asked_for_in_kana_with_and_without_spaces_and_in_latin(tmp_path):
    pages = [
        perfume(url=f"https://shop.example/{n}/", name=f"Jazz {n}", name_ja=None) for n in range(30)
    ]
    questions = [r["instruction"] for r in run(tmp_path, pages)[0] if r["type"] == "brand"]
    for spelling in ("メゾンマルジェラ", "メゾン マルジェラ", "Maison Margiela"):
        assert any(question.startswith(spelling + "の") for question in questions)


# -- what is asked --------------------------------------------------------------------------------------------------------
def test_the_reference_questions_stand_whenever_one_perfume_answers_them(tmp_path, monkeypatch):
    for seed in range(20):
        monkeypatch.setattr(arrangeData, "SEED", seed)
        others = [perfume(url=f"https://shop.example/{n}/", brand="Diptyque", brand_ja="ディプティック", name=f"Eau {n}",
                          name_ja=None, gender="レディース", seasons=["秋"]) for n in range(2, 12)]  # fmt: skip
        answers = {
            r["instruction"]: r["response"]
            for r in run(tmp_path, [*others, perfume(seasons=["冬", "春"])])[0]
        }
        for question, opening in REFERENCE_QUESTIONS.items():
            assert answers[question].startswith(opening)
            assert (
                "【トップノート】ネロリ, レモン【ミドルノート】ラム【ラストノート】バニラ"
                in answers[question]
            )
    assert not REFERENCE_QUESTIONS.keys() & {r["instruction"] for r in run(tmp_path, others)[0]}


@pytest.mark.parametrize("kana", ["メゾンマルジェラ", "メゾン マルジェラ", "メゾン・マルジェラ"])
def test_the_reference_question_for_a_brand_however_the_page_spells_it(tmp_path, kana):
    made, _ = run(tmp_path, [perfume(brand_ja=kana)])
    assert made[0]["instruction"] == next(iter(REFERENCE_QUESTIONS))


def test_a_perfume_that_misses_a_fact_gives_no_question_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(
        arrangeData, "RECORDS_PER_PERFUME", dict.fromkeys(arrangeData.RECORDS_PER_PERFUME, 5)
    )
    bare = {"url": "https://shop.example/1/", "brand": "Diptyque", "name": "Do Son"}
    assert {r["type"] for r in run(tmp_path, [bare])[0]} == {"brand", "brands", "name_brand"}
    assert {r["response"] for r in run(tmp_path, [bare])[0] if r["type"] == "brand"} == {
        "Diptyqueの香りでは、Do Sonがおすすめです。"
    }
    flat = perfume(top_notes=[], middle_notes=[], last_notes=[], notes=["フィグ", "ミルク"])
    made, _ = run(tmp_path, [flat])
    assert not [r for r in made if r["type"] == "note_tier"]
    assert all(
        "【ノート】フィグ, ミルク" in r["response"]
        for r in made
        if r["type"] in ("note", "name_notes", "brand")
    )


def test_shop_prose_is_never_copied(records):
    assert not any(
        "わたしたちの言葉" in r["response"] or "わたしたちの言葉" in r["instruction"]
        for r in records
    )


def test_one_title_of_two_brands(tmp_path, monkeypatch):
    monkeypatch.setattr(
        arrangeData, "RECORDS_PER_PERFUME", dict.fromkeys(arrangeData.RECORDS_PER_PERFUME, 4)
    )
    pages = [
        perfume(name="London", name_ja="ロンドン"),
        perfume(
            url="https://shop.example/2/",
            brand="Burberry",
            brand_ja="バーバリー",
            name="London",
            name_ja="ロンドン",
        ),
    ]
    made, _ = run(tmp_path, pages)
    assert {r["key"] for r in made if r["type"] == "name_brand"} == {
        "Maison Margiela/London×Burberry/London"
    }
    assert all(re.match("(Maison Margiela|Burberry)の(London|ロンドン)", r["instruction"])
               for r in made if r["type"].startswith("name_") and r["type"] != "name_brand")  # fmt: skip
    assert all(re.search("Maison Margiela|Burberry", r["response"]) for r in made)


def test_one_title_in_two_concentrations(tmp_path):
    pages = [perfume(), perfume(url="https://shop.example/2/", concentration="オードパルファム")]
    made, _ = run(tmp_path, pages)
    for record in made:
        strength = {page["url"]: f"（{page['concentration']}）" for page in pages}[
            record["source"][0]
        ]
        if record["type"] in ("brand", "season", "name_notes", "name_features"):
            assert strength in record["response"]
        if record["type"].startswith("name_"):
            assert (
                record["key"] == f"Maison Margiela/Jazz Club{strength}"
                and strength in record["instruction"]
            )


def test_one_latin_title_with_two_japanese_ones(tmp_path):
    pages = [
        perfume(name="Chance", name_ja="チャンス"),
        perfume(url="https://shop.example/2/", name="Chance", name_ja="チャンス オー"),
    ]
    made, _ = run(tmp_path, pages)
    assert {r["key"] for r in made if r["type"] == "name_notes"} == {
        "Maison Margiela/チャンス",
        "Maison Margiela/チャンス オー",
    }
    assert all(
        record["key"].split("/")[1] + "の" in record["response"]
        for record in made
        if record["type"] == "name_notes"
    )


def test_the_note_that_was_asked_for_is_shown(records):
    for record in records:
        note, _, other = record["key"].partition("×")
        if record["type"] in ("note", "note_season"):
            assert re.search(f"[】 ]{re.escape(note)}(?=など|[,【。])", record["response"]), record
        elif record["type"] == "note_tier":
            assert re.search(
                f"【{other}】([^【。]*, )?{re.escape(note)}(?=など|[,【。])", record["response"]
            ), record


def test_the_last_sentence_tells_something_else_than_was_asked(records):
    words = {
        "season": "似合",
        "scene": "に合い",
        "image": "イメージ",
        "impression": "印象",
        "gender": "(男性向け|女性向け|男女兼用)の香り",
    }
    for record in records:
        last = re.search("】[^。]*。(.*)$", record["response"])
        for kind in record["type"].split("_") if last else ():
            assert kind not in words or not re.search(words[kind], last[1]), record


def test_all_brands_of_a_small_shop_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(arrangeData, "RECORDS_PER_PERFUME", {"brands": 9})
    pages = [
        perfume(),
        perfume(
            url="https://shop.example/2/", brand="Diptyque", brand_ja=None, gender="レディース"
        ),
    ]
    made, _ = run(tmp_path, pages)
    assert {r["response"] for r in made if r["key"] == "gender×メンズ"} == {
        "メンズ向けの香水のブランドは、Maison Margielaです。"
    }
    assert {r["response"] for r in made if r["key"] == "すべて"} <= {
        "取り扱いブランドは、Maison Margiela、Diptyqueです。", "取り扱いブランドは、Diptyque、Maison Margielaです。",
    }  # fmt: skip


def test_two_types_never_share_an_opening(records):
    openings = collections.defaultdict(set)
    for record in records:
        opening = re.match(
            r".+?(?:では|でしたら|には|選ぶなら|は|おすすめの(?:季節|シーン)は)(?=、|[^、]*です)",
            record["response"],
        )
        openings[opening[0]].add(record["type"])
    assert {opening: kinds for opening, kinds in openings.items() if len(kinds) > 1} == {}


# -- balance, scale, form -------------------------------------------------------------------------------------------------
def test_scale_and_balance(records):
    assert len(records) >= 26_075
    assert len({(r["instruction"], r["response"]) for r in records}) == len(records)
    types = collections.Counter(r["type"] for r in records)
    assert len(types) >= 16 and max(types.values()) <= 0.15 * len(records)
    brand_of = {page["url"]: page["brand"] or page["brand_ja"] for page in CATALOGUE}
    named_by = collections.Counter(brand_of[url] for r in records for url in r["source"])
    perfumes_of = collections.Counter(brand_of.values())
    share = {
        b: named_by[b] / sum(named_by.values()) / (n / len(CATALOGUE))
        for b, n in perfumes_of.items()
        if n >= 10
    }
    assert max(share.values()) <= 1.5 and min(share.values()) >= 0.67
    per_page = collections.Counter(url for r in records for url in r["source"])
    assert len(per_page) == len(CATALOGUE) and max(per_page.values()) < 3 * len(records) / len(
        CATALOGUE
    )


def test_the_same_input_gives_the_same_bytes(tmp_path):
    Path(tmp_path, "data").mkdir()
    lines = [json.dumps(page, ensure_ascii=False) + "\n" for page in make_catalogue(120, seed=2)]
    Path(tmp_path, "data", "perfumes.jsonl").write_text("".join(lines), encoding="utf-8")
    outputs = []
    for hash_seed in ("1", "2"):
        subprocess.run([sys.executable, str(ROOT / "arrangeData.py")], cwd=tmp_path, check=True, capture_output=True,
                       env=os.environ | {"PYTHONHASHSEED": hash_seed})  # fmt: skip
        outputs.append(Path(tmp_path, "data", "perfume_qa.json").read_bytes())
    assert outputs[0] == outputs[1]
    assert sorted(path.name for path in Path(tmp_path, "data").iterdir()) == [
        "perfume_qa.json",
        "perfumes.jsonl",
    ]


def test_a_changed_page_leaves_most_lines_of_the_others(tmp_path):
    pages = make_catalogue(120, seed=2)
    before, _ = run(tmp_path, pages)
    after, _ = run(
        tmp_path, [pages[0] | {"seasons": ["夏"], "scenes": [], "images": []}, *pages[1:]]
    )
    others = [
        [json.dumps(r) for r in made if pages[0]["url"] not in r["source"]]
        for made in (before, after)
    ]
    assert len(set(others[0]) - set(others[1])) < 0.15 * len(before)


def test_load_dataset_reads_it(records, tmp_path):
    import datasets

    Path(tmp_path, "perfume_qa.json").write_text(
        json.dumps(records[:500], ensure_ascii=False), encoding="utf-8"
    )
    run(tmp_path, make_catalogue(60, seed=3))
    made = json.loads(Path(tmp_path, "perfume_qa.json").read_text(encoding="utf-8"))
    loaded = datasets.load_dataset(
        "json",
        data_files=str(tmp_path / "perfume_qa.json"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert loaded.to_list() == made
    assert set(loaded.column_names) == {"instruction", "response", "type", "key", "source"}


def test_the_table_names_every_type_with_count_and_example(tmp_path, capsys):
    made, printed = run(tmp_path, make_catalogue(60, seed=3), capsys)
    for kind, count in collections.Counter(r["type"] for r in made).items():
        example = next(r for r in made if r["type"] == kind)
        assert re.search(
            rf"^{kind} +{count:,} +[0-9.]+%  {re.escape(example['instruction'])} → ",
            printed,
            re.MULTILINE,
        )
    assert f"{len(made):,} 件" in printed and "python loadModel.py" in printed


def test_no_response_is_longer_than_can_be_generated(records, tmp_path):
    from tokenizers import Tokenizer

    import generate

    tokenizer = Tokenizer.from_file(str(ROOT / "data" / "rehearsal_model" / "tokenizer.json"))
    long_names = perfume(
        name="Très " * 15,
        name_ja="とても" * 26,
        top_notes=[f"{n}番目の花から採れたとても長い名前の材料" for n in range(20)],
    )
    texts = [r["response"] for r in records + run(tmp_path, [long_names])[0]]
    assert (
        max(len(encoding.ids) for encoding in tokenizer.encode_batch(texts))
        < generate.MAX_NEW_TOKENS
    )
    assert any("など" in text for text in texts[-30:])


# -- bad input ------------------------------------------------------------------------------------------------------------
BROKEN = [
    (b'{"url": "https://shop.example/9/", "na', "JSON として読めない"), (b"\xff\xfe\x00", "UTF-8 ではない"),
    (json.dumps(perfume(), ensure_ascii=False).encode("cp932"), "UTF-8 ではない"),
    (b"[" * 100_000, "JSON として読めない"), (b'["a"]', "JSON のオブジェクトではない"), (b"null", "JSON のオブジェクトではない"),
    (perfume(name=5), "name の型が違う"), (perfume(top_notes="レモン"), "top_notes の型が違う"),
    (perfume(scenes=["デート", 3]), "scenes の型が違う"), (perfume(concept=["花"]), "concept の型が違う"), (perfume(year="2013"), "year の型が違う"),
    (perfume(name=""), "url、name、brand のどれかがない"), (perfume(name=None), "url、name、brand のどれかがない"),
    (perfume(brand=None, brand_ja=None), "url、name、brand のどれかがない"), (perfume(url=" "), "url、name、brand のどれかがない"),
    (perfume(last_notes=["ラストノート"]), "見出しが値に混じっている"), (perfume(notes=["Top notes"]), "見出しが値に混じっている"),
    (perfume(top_notes=["トップ：レモン"]), "見出しが値に混じっている"), (perfume(name="【新作】ローズ"), "見出しが値に混じっている"),
    (perfume(top_notes=["不明"]), "見出しが値に混じっている"), (perfume(top_notes=[" "]), "見出しが値に混じっている"),
    (perfume(name="Jazz\x1b[31m"), "制御文字がある"), (perfume(top_notes=["レ\u202eモン"]), "制御文字がある"),
    (json.dumps(perfume(name="\ud800")).encode(), "制御文字がある"), (perfume(name_ja="ジャズ\nクラブ"), "制御文字がある"),
    (perfume(name="あ" * 81), "長すぎる項目がある"), (perfume(url="https://shop.example/" + "a" * 2000), "長すぎる項目がある"),
    (perfume(notes=["あ" * 41]), "ノートなどが長すぎるか多すぎる"), (perfume(notes=[f"花{n}" for n in range(200)]), "ノートなどが長すぎるか多すぎる"),
    (perfume(gender="犬"), "gender が決まった値ではない"), (perfume(seasons=["梅雨"]), "seasons が決まった値ではない"),
    (perfume(), "前の行と同じ香水"),
]  # fmt: skip


@pytest.mark.parametrize("line, reason", BROKEN)
def test_a_broken_line_is_left_out_and_named(tmp_path, capsys, line, reason):
    good = [perfume(), perfume(url="https://shop.example/2/", name="Beach Walk", name_ja=None)]
    expected, _ = run(tmp_path, good, capsys)
    made, printed = run(tmp_path, [good[0], b"", line, good[1]], capsys)
    assert f"除外 1 行: {reason}（行 3）" in printed
    assert made == expected


def test_broken_lines_are_counted_by_reason(tmp_path, capsys):
    _, printed = run(tmp_path, [b"{", perfume(), b"[]", b"}", *[b"x"] * 30], capsys)
    assert re.search("除外 32 行: JSON として読めない（行 1、4、5、.+ など）", printed)
    assert "除外 1 行: JSON のオブジェクトではない（行 3）" in printed


@pytest.mark.parametrize("lines, message", [
    (None, "perfumes.jsonl がありません。先に python getData.py を実行してください。"),
    ([b""], "perfumes.jsonl に使える香水がありません。python getData.py を実行し直してください。"),
    ([b"<html>"], "perfumes.jsonl に使える香水がありません。python getData.py を実行し直してください。"),
])  # fmt: skip
def test_no_perfumes(tmp_path, monkeypatch, lines, message):
    Path(tmp_path, "perfume_qa.json").write_text("[]")
    with pytest.raises(SystemExit, match=message):
        if lines is None:
            monkeypatch.setattr(arrangeData, "PERFUMES_FILE", str(tmp_path / "perfumes.jsonl"))
            arrangeData.main()
        run(tmp_path, lines)
    assert Path(tmp_path, "perfume_qa.json").read_text() == "[]"


def test_a_reader_of_the_file_of_before_is_not_disturbed(tmp_path):
    Path(tmp_path, "qa.json").write_text("[]")
    with open(tmp_path / "qa.json") as before:
        arrangeData.write(iter([{"type": "brand"}]), str(tmp_path / "qa.json"))
        assert before.read() == "[]"
    assert json.loads(Path(tmp_path, "qa.json").read_text()) == [{"type": "brand"}]
    assert [path.name for path in tmp_path.iterdir()] == ["qa.json"]


def test_a_run_that_stops_leaves_the_file_of_before(tmp_path):
    def broken():
        yield {"type": "brand"}
        raise KeyboardInterrupt

    Path(tmp_path, "qa.json").write_text("[]")
    with pytest.raises(KeyboardInterrupt):
        arrangeData.write(broken(), str(tmp_path / "qa.json"))
    assert Path(tmp_path, "qa.json").read_text() == "[]"
    assert [path.name for path in tmp_path.iterdir()] == ["qa.json"]


@pytest.mark.parametrize("constants, message", [
    ({"RECORDS_PER_PERFUME": {"brnad": 1.0}}, "RECORDS_PER_PERFUME の 'brnad' という type はありません。"),
    ({"RECORDS_PER_PERFUME": {"brand": -1}}, "RECORDS_PER_PERFUME の brand が -1 です。"),
    ({"RECORDS_PER_PERFUME": {"brand": "1"}}, "RECORDS_PER_PERFUME の brand が '1' です。"),
    ({"RECORDS_PER_PERFUME": {"brand": float("nan")}}, "RECORDS_PER_PERFUME の brand が nan です。"),
    ({"RECORDS_PER_PERFUME": {"brand": 0}}, "質問が 1 件もできませんでした。"), ({"RECORDS_PER_PERFUME": {}}, "質問が 1 件もできませんでした。"),
    ({"NOTES_SHOWN": 0}, "NOTES_SHOWN が 0 です。"), ({"MAX_CHARACTERS": 24.5}, "MAX_CHARACTERS が 24.5 です。"),
    ({"MAX_CHARACTERS": 10}, "質問が 1 件もできませんでした。"),
    ({"SPELLINGS_FILE": "none.csv"}, "none.csv がありません。"), ({"SPELLINGS_FILE": "cp932.csv"}, "cp932.csv を読めません（"),
    ({"PERFUMES_FILE": "folder"}, "folder を読めません（"), ({"OUTPUT_FILE": "folder"}, "folder に書けません（"),
    ({"OUTPUT_FILE": "cp932.csv/qa.json"}, "cp932.csv/qa.json に書けません（"),
])  # fmt: skip
def test_a_mistake_is_one_line_with_what_to_do_and_loses_nothing(
    tmp_path, monkeypatch, constants, message
):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("folder").mkdir()
    Path("data", "perfumes.jsonl").write_text(
        json.dumps(perfume(), ensure_ascii=False), encoding="utf-8"
    )
    Path("data", "perfume_qa.json").write_text("[]")
    Path("cp932.csv").write_bytes("スズラン,ミュゲ\n".encode("cp932"))
    for name, value in constants.items():
        monkeypatch.setattr(arrangeData, name, value)
    with pytest.raises(SystemExit) as stop:
        arrangeData.main()
    assert stop.value.code.startswith(message) and "\n" not in stop.value.code
    assert re.search(r"python (arrange|get)Data\.py を実行してください。$", stop.value.code)
    assert Path("data", "perfume_qa.json").read_text() == "[]"
    assert sorted(map(str, Path().rglob("*"))) == [
        "cp932.csv",
        "data",
        "data/perfume_qa.json",
        "data/perfumes.jsonl",
        "folder",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(tmp_path, monkeypatch):
    Path(tmp_path, "qa.json").write_text("[]")
    Path(tmp_path, "qa.json.tmp").symlink_to("/dev/full")
    with pytest.raises(
        SystemExit,
        match=r"qa\.json に書けません（No space left on device）。空き容量と権限を確かめ、",
    ):
        arrangeData.write(iter([{"type": "brand"}]), str(tmp_path / "qa.json"))
    assert Path(tmp_path, "qa.json").read_text() == "[]"


def test_spellings_saved_by_a_spreadsheet(tmp_path):
    Path(tmp_path, "spellings.csv").write_bytes(
        "スズラン,ミュゲ,\r\n\r\nローズ, バラ,\r\n".encode("utf-8-sig")
    )
    spellings = arrangeData.read_spellings(str(tmp_path / "spellings.csv"))
    assert spellings == {
        "スズラン": ["スズラン", "ミュゲ"],
        "ミュゲ": ["スズラン", "ミュゲ"],
        "ローズ": ["ローズ", "バラ"],
        "バラ": ["ローズ", "バラ"],
    }
