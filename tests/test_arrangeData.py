"""arrangeData.py: every answer is read back and compared with the pages that it names."""

import collections
import csv
import io
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
SAID_OF = {value: said for said, value in PEOPLE.items()}
FIELDS = {
    "season": "seasons",
    "scene": "scenes",
    "image": "images",
    "impression": "impressions",
    "family": "families",
}
TYPES = ("season", "scene", "image", "impression", "gender", "brand", "note", "family")
REFERENCE_QUESTIONS = {  # word for word, with the opening of the answer
    "メゾンマルジェラの香水を教えてください。": "Maison Margielaの香りでは、ジャズ クラブがおすすめです。",
    "男性向けの香水を教えてください。": "メンズ向けでは、Maison Margielaの「ジャズ クラブ」がおすすめです。",
    "春に相応しい香水を教えてください。": "春でしたら、Maison Margielaの「ジャズ クラブ」がおすすめです。",
}
WORDS = {  # a value: itself and the words of its line
    row[0]: row
    for row in csv.reader((ROOT / "data" / "spellings.csv").read_text("utf-8-sig").splitlines())
}
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
    forms = {
        "特徴は、(.+)です。": features_true,
        "対象は、(.+)です。": gender_true,
        "おすすめの(.+)です。": lambda said, p: occasions_true(said, p, whole=False),
    }
    return text == "" or any(
        check(match[1], page)
        for form, check in forms.items()
        if (match := re.fullmatch(form, text))
    )


def gender_true(text, page):
    """Whether it is the page's gender."""
    return bool(page["gender"]) and text == f"{page['gender']}（{SAID_OF[page['gender']]}）"


def named(text, page):
    """Whether the text is a name of the page's perfume, its concentration behind it or not."""
    text = text.removesuffix(f"（{page['concentration']}）")
    return text in (page["name"], page["name_ja"])


TAILS = {
    "brand": "の香りでは", "season": "でしたら", "scene": "には", "image": "イメージでは", "impression": "印象では",
    "note": "を使った香水では", "note_tier": "を使った香水では", "note_season": "の香りでは", "brand_season": "に似合う香りでは",
    "brand_scene": "に合う香りでは", "brand_note": "を使った香りでは", "without_note": "の香水では",
    "without_brand": "の香水では",
}  # fmt: skip


def lacks(page, kind, excluded):
    """Whether the page has nothing of an excluded material or brand."""
    if kind == "without_brand":
        return excluded != (page["brand"] or page["brand_ja"])
    return not any(excluded in note for field in TIERS.values() for note in page[field])


def opening_true(kind, opening, key, page):
    """Whether the answer first says what was asked, and the page has it."""
    if kind.startswith("without_"):
        value, excluded = key.rsplit("×", 1)
        asked = any(has(page, facet, value) for facet in ("gender", "season", "family"))
        mark = "以外の" if kind == "without_brand" else "を使わない"
        borne_out = asked and lacks(page, kind, excluded) and opening.startswith(excluded + mark)
    else:
        values = key.split("×") if kind != "note_tier" else [key]
        kinds = kind.split("_") if kind != "note_tier" else [kind]
        borne_out = all(has(page, k, value) for k, value in zip(kinds, values, strict=True))
    said = all(value in opening for value in key.split("×"))
    return borne_out and said and opening.endswith(TAILS.get(kind, "では"))


def recommendation_true(kind, response, key, pages, shop):
    """Whether a recommendation says what was asked, names the perfume and tells the truth about it."""
    match = re.fullmatch(r"(.+?)、(.+?)がおすすめです。((?:【.+】[^。]+(?=。))?)。?(.*)", response)
    opening, name, tiers, closing = match.groups()
    quoted = re.fullmatch("(.+)の「(.+)」", name)
    brand_named = quoted[1] if quoted else key.split("×")[0]
    page = pages[0]
    return all((
        len(pages) == 1, opening_true(kind, opening, key, page), has(page, "brand", brand_named),
        named(quoted[2] if quoted else name, page), tiers_true(tiers, page), closing_true(closing, page),
    ))  # fmt: skip


def several_true(kind, response, key, pages, shop):
    """Whether as many perfumes as asked are named, each with the wish and with its brand."""
    number, facet, value = key.split("×", 2)
    opening, names = re.fullmatch(r"(.+?)本選ぶなら、(.+)がおすすめです。", response).groups()
    items = re.findall("(?:^|、)([^「」]+?)の「(.+?)」", names)
    return all((
        value in opening, opening.endswith(f"の香水を{number}"), len(items) == len(pages) == int(number),
        all(has(page, facet, value) and named(name, page) for (_, name), page in zip(items, pages, strict=True)),
        all(has(page, "brand", brand) for (brand, _), page in zip(items, pages, strict=True)),
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


def occasions_true(text, page, whole=True):
    """Whether all seasons and scenes of the page are named, and no others; or else one of the two."""
    found = re.fullmatch("(?:季節は([春夏秋冬・]+))?、?(?:シーンは(.+))?", text)
    named = [found[1].split("・") if found[1] else [], found[2].split("・") if found[2] else []]
    facts = [page["seasons"], page["scenes"]]
    if whole:
        return named == facts
    return any(named) and all(not n or n == f for n, f in zip(named, facts, strict=True))


def families_true(text, page):
    """Whether all families of the page are named, and no others."""
    return [family.removesuffix("系") for family in text.split("・")] == page["families"]


READ = {}  # shops gone through once, by their number


def bearers(shop):
    """{a name, its concentration behind it or not: the brands that have a perfume of that name}."""
    if id(shop) not in READ:
        found = collections.defaultdict(set)
        for page in shop:
            for name in filter(None, (page["name"], page["name_ja"])):
                for spoken in (name, f"{name}（{page['concentration']}）"):
                    found[spoken].add(page["brand"] or page["brand_ja"])
        READ[id(shop)] = shop, found  # with the shop, whose number is nobody else's then
    return READ[id(shop)][1]


def key_of_name(page, shop):
    """Brand, slash, and the first name that no other perfume of the brand has, or else the name and the concentration."""
    brand = page["brand"] or page["brand_ja"]
    bearing = [p for p in shop if brand in (p["brand"], p["brand_ja"]) and p is not page]
    taken = {name for p in bearing for name in (p["name"], p["name_ja"])}
    own = [name for name in (page["name"], page["name_ja"]) if name and name not in taken]
    strength = f"（{page['concentration']}）" if page["concentration"] else ""
    return f"{brand}/{own[0]}" if own else f"{brand}/{page['name']}{strength}"


def whole_brand(page):
    """The brand in all its spellings."""
    brand, kana = page["brand"] or page["brand_ja"], page["brand_ja"]
    return f"{brand}（{kana}）" if kana and kana != brand else brand


ABOUT = {  # type: the form of what is said after the name, and whether it is true
    "name_notes": ("の香りの構成は、(.+)です。", lambda said, p: tiers_true(said, p)),
    "name_features": ("の特徴は、(.+)です。", lambda said, p: features_true(said, p)),
    "name_gender": ("の対象は、(.+）)です。", gender_true),
    "name_occasions": ("のおすすめの(.+)です。", occasions_true),
    "name_concentration": ("の濃度は、(.+)です。", lambda said, p: said == p["concentration"]),
    "name_family": ("の香調は、(.+)です。", families_true),
    "name_perfumer": ("の調香師は、(.+)です。", lambda said, p: said == p["perfumer"]),
    "name_year": ("の発売年は、(.+)年です。", lambda said, p: said == str(p["year"])),
    "name_tier": (
        "の((?:トップ|ミドル|ラスト)ノートは、.+)です。",
        lambda said, p: tier_true(said, p),
    ),
}


def tier_true(text, page):
    """Whether the tier is the page's, whole."""
    tier, listed = text.split("は、", 1)
    return listed.split("、") == page[TIERS[tier]]


def by_name_true(kind, response, key, pages, shop):
    """Whether an answer about a named perfume is true, and names the brand where another brand has that name."""
    if kind == "name_brand":
        form, check = (
            "のブランドは、(.+)です。",
            lambda said, _: said.split("と") == [*map(whole_brand, pages)],
        )
    else:
        form, check = ABOUT[kind]
    spoken, said = re.fullmatch("(.+?)" + form, response).groups()
    brands = bearers(shop)[spoken]
    bare = any(named(spoken, page) for page in pages)
    with_brand = any(
        named(spoken.removeprefix(f"{page['brand'] or page['brand_ja']}の"), page) for page in pages
    )
    told_apart = brands == {p["brand"] or p["brand_ja"] for p in pages} if bare else with_brand
    expected = "×".join(key_of_name(p, shop) for p in pages)
    if kind == "name_tier":
        expected += "×" + said.split("は、")[0]
    return told_apart and check(said, pages[0]) and key == expected


def titled(text, page):
    """Whether the text is brand and name of the page's perfume."""
    found = re.fullmatch("(.+)の「(.+)」", text)
    return bool(found) and has(page, "brand", found[1]) and named(found[2], page)


def yes_no_true(kind, response, key, pages, shop):
    """Whether はい or いいえ is right, and the fact after it."""
    (page,) = pages
    name, facet, value = key.rsplit("×", 2)
    types = {
        "gender": "name_gender",
        "season": "name_occasions",
        "scene": "name_occasions",
        "note": "name_notes",
    }
    form, check = ABOUT[types[facet]]
    verdict, title, said = re.fullmatch("(はい|いいえ)、(.+?」)" + form, response).groups()
    right = has(page, facet, value) or (facet == "gender" and page["gender"] == "ユニセックス")
    near = facet == "note" and not right and not lacks(page, "without_note", value)
    return all((
        (verdict == "はい") == right, not near, titled(title, page), check(said, page), name == key_of_name(page, shop),
    ))  # fmt: skip


def common_true(text, one, other):
    """Whether the families and notes are what both have; up to three notes, all families."""
    if not text:
        return not set(one["families"]) & set(other["families"]) and not notes(one) & notes(other)
    families, _, listed = re.fullmatch(
        "どちらも(?:(.+?)の香り)?(で、)?(?:(.+)を使った香水)?です。", text
    ).groups()
    shared = listed.split("、") if listed else []
    families = [family.removesuffix("系") for family in families.split("・")] if families else []
    return all((
        families == [family for family in one["families"] if family in other["families"]],
        len(set(shared)) == min(3, len(notes(one) & notes(other))), set(shared) <= notes(one) & notes(other),
    ))  # fmt: skip


def notes(page):
    """All notes of a page."""
    return {note for field in TIERS.values() for note in page[field]}


def similar_true(kind, response, key, pages, shop):
    """Whether both share a family and two notes, and what is said to be shared is."""
    one, other = pages
    first, second, common = re.fullmatch(
        "(.+?」)に似た香りでは、(.+?」)がおすすめです。(.*)", response
    ).groups()
    alike = set(one["families"]) & set(other["families"]) and len(notes(one) & notes(other)) > 1
    return all((
        titled(first, one), titled(second, other), alike, common_true(common, one, other), one is not other,
        key == key_of_name(one, shop),
    ))  # fmt: skip


def described_true(text, page):
    """Whether families, gender, seasons and scenes are the page's, all that it has."""
    found = re.fullmatch(
        "((?:[^、（]+系・?)*)(?:、?([^、]+）))?(?:、?((?:季節|シーン)は.+))?", text
    )
    families, gender, occasions = found.groups()
    return all((
        families_true(families, page) if families else not page["families"],
        gender_true(gender, page) if gender else not page["gender"],
        occasions_true(occasions, page) if occasions else not page["seasons"] + page["scenes"],
    ))  # fmt: skip


def compare_true(kind, response, key, pages, shop):
    """Whether both are described truly."""
    form = "(.+?」)は(.+?)で、([^、]+?の「.+?」)は(.+?)です。(.*)"
    first, one_is, second, other_is, common = re.fullmatch(form, response).groups()
    one, other = pages
    return all((
        titled(first, one), titled(second, other), described_true(one_is, one), described_true(other_is, other),
        common_true(common, one, other), key == "×".join(key_of_name(p, shop) for p in pages), one is not other,
    ))  # fmt: skip


def true(record, pages, shop):
    """Whether every fact of the response stands on its pages, and what it says of the whole shop holds there."""
    checks = {
        "several": several_true, "brands": brands_true, "yes_no": yes_no_true, "similar": similar_true,
        "compare": compare_true,
    }  # fmt: skip
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
        assert not believed(record, record["response"].replace(old, new), [page], [page]), record


def believed(record, response, pages, shop):
    """Whether the reader of answers takes another response for true."""
    try:
        return true(record | {"response": response}, pages, shop)
    except (TypeError, AttributeError):  # not even the form of an answer
        return False


@pytest.mark.parametrize("kind, old, new", [
    ("yes_no", "はい", "いいえ"), ("yes_no", "いいえ", "はい"), ("compare", "ウッディ系", "シプレ系"), ("compare", "男性向け", "女性向け"),
    ("compare", "どちらも", "どちらもシプレ系・"), ("similar", "ネロリ", "フィグ"), ("similar", "Dior", "Chanel"), ("compare", "Dior", "Chanel"),
    ("without_note", "を使わない", "を使った"), ("without_brand", "以外の", "の"), ("without_note", "Dior", "Chanel"),
    ("name_tier", "ネロリ、", ""), ("name_tier", "トップ", "ミドル"), ("name_year", "2013", "2014"), ("name_perfumer", "アン", "ポール"),
    ("name_family", "ウッディ系", "シプレ系"), ("name_concentration", "オードトワレ", "オーデコロン"), ("several", "2本", "3本"),
    ("several", "Dior", "Chanel"), ("brand_season", "春", "夏"), ("brand_note", "ラム", "フィグ"), ("brand_scene", "デート", "オフィス"),
])  # fmt: skip
def test_the_reader_of_answers_finds_lies_of_the_kinds_that_need_two_perfumes(
    tmp_path, monkeypatch, kind, old, new
):
    monkeypatch.setattr(arrangeData, "RECORDS_PER_PERFUME", {kind: 60})
    shop = [
        perfume(perfumer="アン・ドゥトン"),
        perfume(url="https://shop.example/2/", brand="Dior", brand_ja=None, name="Sauvage", name_ja="ソヴァージュ",
                gender="レディース", last_notes=["アンバー"], perfumer="アン・ドゥトン"),
    ]  # fmt: skip
    pages = {page["url"]: page for page in shop}
    made = [r for r in run(tmp_path, shop)[0] if old in r["response"]]
    assert made
    for record in made:
        told = [pages[url] for url in record["source"]]
        assert believed(record, record["response"], told, shop), record
        assert not believed(record, record["response"].replace(old, new), told, shop), record


def asked_values(record):
    """The values that a record's question must say."""
    if record["type"] in ("several", "brands", "yes_no"):
        return [value for value in record["key"].split("×")[-1:] if value != "すべて"]
    if record["type"].startswith("name_") or record["type"] in ("compare", "similar"):
        return [value for value in record["key"].split("×")[1:] if value in TIERS]
    return record["key"].split("×")


def closed(text):
    """The text without spaces."""
    return re.sub("[ ・]", "", text)


def test_questions_ask_for_what_the_key_says(records):
    pages = {page["url"]: page for page in CATALOGUE}
    kana = {page["brand"] or page["brand_ja"]: page["brand_ja"] or "" for page in CATALOGUE}
    for record in records:
        question, told = record["instruction"], [pages[url] for url in record["source"]]
        if record["type"].startswith("name_") or record["type"] in ("compare", "similar", "yes_no"):
            asked_of = told if record["type"] == "compare" else told[:1]
            for page in asked_of:
                names = [name for name in (page["name"], page["name_ja"]) if name]
                assert any(closed(name) in closed(question) for name in names), record
        for value in asked_values(record):
            words = [value, kana.get(value), *WORDS.get(value, [])]
            assert any(closed(word) in closed(question) for word in words if word), record


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
    assert {r["key"] for r in made if "ミュゲ" in r["instruction"]} == {"ミュゲ"}
    made, _ = run(tmp_path, pages)
    assert {r["key"] for r in made if "ミュゲ" in r["instruction"]} == {"スズラン"}
    made, _ = run(tmp_path, [muguet])  # a line is read from any of its words
    assert {r["key"] for r in made if "鈴蘭" in r["instruction"]} == {"ミュゲ"}


# -- the tables of words ----------------------------------------------------------------------------------------------------
def table(name):
    """The lines of a table of data/."""
    with open(ROOT / "data" / name, encoding="utf-8-sig", newline="") as lines:
        return list(csv.reader(lines))


def test_spellings_are_plain_words_and_a_value_has_one_line():
    rows = table("spellings.csv")
    words = [word for row in rows for word in row]
    assert all(word == word.strip() and word for word in words)
    assert not [word for word in words if re.search(r"[|()\[\]?*\\^$]", word)]
    assert [
        value for value, count in collections.Counter(row[0] for row in rows).items() if count > 1
    ] == []
    assert [row for row in rows if len(set(row)) < len(row)] == []


@pytest.mark.parametrize("sentence", [
    "すばらしい香りですね。", "はじめまして、よろしくお願いします。", "大丈夫ですか？", "これはおいしそうでしょうが、買えますか？",
    "買っておこうと思います。", "つけたらおかしいですか？", "いつもありがとうございます。", "楽しそうなお店ですね。", "ほかにはありますか？",
    "ランキングを教えてください。", "なつかしいですね。", "送料はいくらですか？", "在庫はありますか？", "元気ですか？",
])  # fmt: skip
def test_no_kana_word_stands_in_sentences_about_something_else(sentence):
    words = {word for row in table("spellings.csv") for word in row}
    kana = [word for word in words if re.fullmatch("[ぁ-んー]+", word) and word in sentence]
    assert kana in ([], ["おいしそう"])  # which is meant where it stands


@pytest.mark.parametrize("word, value", [
    ("さっぱり", "フレッシュ"), ("甘め", "スイート"), ("会社", "オフィス"), ("通勤", "オフィス"), ("旦那", "メンズ"), ("彼女", "レディース"),
    ("柑橘", "シトラス"), ("海", "アクアティック"), ("木", "ウッディ"), ("お菓子", "グルマン"), ("せっけん", "ソープ"), ("色っぽい", "セクシー"),
    ("かわいい", "キュート"), ("上品", "エレガント"), ("桜", "チェリーブロッサム"), ("柚子", "ユズ"), ("rose", "ローズ"), ("vanilla", "バニラ"),
    ("summer", "夏"), ("残り香", "ラストノート"), ("EDT", "オードトワレ"), ("癒し", "リラックス"), ("結婚式", "パーティー"),
])  # fmt: skip
def test_what_customers_say_is_found(word, value):
    assert word in WORDS[value]


def test_no_house_shares_a_nickname():
    rows = table("brands.csv")
    names = [name for row in rows for name in {closed(name).casefold() for name in row}]
    assert [name for name, count in collections.Counter(names).items() if count > 1] == []
    houses = {closed(name).casefold(): row[0] for row in rows for name in row}
    for nickname, house in {
        "ドルガバ": "D&G", "CK": "Calvin Klein", "YSL": "Yves Saint Laurent", "ジョーマローン": "Jo Malone London",
        "マルジェラ": "Maison Margiela", "ギャルソン": "Comme des Garçons", "ペンハリガン": "Penhaligon's",
    }.items():  # fmt: skip
        assert houses[nickname.casefold()] == house


def test_wordings_name_what_they_are_about():
    for kind, *wordings in table("phrasings.csv"):
        two = kind in ("several", "name_tier", "compare") or kind.endswith("?")
        for wording in wordings:
            assert ("○○" in wording) == (kind != "all brands"), (kind, wording)
            assert ("△△" in wording) == two, (kind, wording)
        assert len(wordings) >= 5 or kind == "ユニセックス"
        assert len(set(wordings)) >= len(wordings) - 1, kind


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
        "のの|なな|(?<!おん)なの(?!で)|をを|がが|。。|、、|、。|にに|系系|シーンシーン|None|向け向け|用向け|用用|○○|△△|^[、。]|香りの香りの|[くへに]の香水"
    )
    texts = [text for r in records for text in (r["instruction"], r["response"])]
    assert [text for text in texts if odd.search(text)] == []
    assert [r["response"] for r in records if not r["response"].endswith("。")] == []


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
        perfume(url=f"https://shop.example/{n}/", name=f"Jazz {n}", name_ja=f"ジャズ {n}", perfumer="アン・ドゥトン")
        for n in range(4)
    ]  # fmt: skip
    pages += [
        perfume(
            url="https://shop.example/9/", brand="Dior", brand_ja="ディオール", top_notes=["フィグ"]
        )
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
    brand = "Maison Margiela|メゾン ?マルジェラ|Burberry|バーバリー"
    assert all(re.match(f"({brand})の(London|ロンドン)", r["instruction"])
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
            key = record["key"].removesuffix("×" + record["key"].split("×")[-1])
            key = key if record["type"] == "name_tier" else record["key"]
            assert key == f"Maison Margiela/Jazz Club{strength}"
            assert strength in record["instruction"]


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
        "season": "季節は", "scene": "シーンは", "image": "イメージ", "impression": "印象", "gender": "対象は", "family": "の香り[、で]",
    }  # fmt: skip
    for record in records:
        last = re.search("】[^。]*。(.*)$", record["response"])
        for kind in record["type"].split("_") if last and "name" not in record["type"] else ():
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
    assert len(types) >= 35 and max(types.values()) <= 0.12 * len(records)
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
    (perfume(name="<|endoftext|>"), "記号かアドレスが混じっている"), (perfume(name="### 回答:"), "記号かアドレスが混じっている"),
    (perfume(top_notes=["https://a.example"]), "記号かアドレスが混じっている"), (perfume(name="a@b.example"), "記号かアドレスが混じっている"),
    (json.dumps(perfume(perfumer="\ud800")).encode(), "制御文字がある"), (perfume(name="\ue000Jazz"), "制御文字がある"),
    (perfume(last_notes=["バ\u2028ニラ"]), "制御文字がある"), (perfume(year=20130), "year が年ではない"), (perfume(year=True), "year が年ではない"),
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


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1e"])
def test_a_line_ends_at_a_line_feed_and_nothing_else(tmp_path, mark):
    made, _ = run(tmp_path, [perfume(concept=f"煙る{mark}夜の店。") | {"more": mark}])
    assert {r["source"][0] for r in made} == {perfume()["url"]}


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
    ({"RECORDS_PER_PERFUME": {"brnad": 1.0}}, "RECORDS_PER_PERFUME の brnad という type はありません。"),
    ({"RECORDS_PER_PERFUME": {"brand": -1}}, "RECORDS_PER_PERFUME の brand が -1 です。"),
    ({"RECORDS_PER_PERFUME": {"brand": "1"}}, "RECORDS_PER_PERFUME の brand が '1' です。"),
    ({"RECORDS_PER_PERFUME": {"brand": float("nan")}}, "RECORDS_PER_PERFUME の brand が nan です。"),
    ({"RECORDS_PER_PERFUME": {"brand": 0}}, "質問が 1 件もできませんでした。"), ({"RECORDS_PER_PERFUME": {}}, "質問が 1 件もできませんでした。"),
    ({"NOTES_SHOWN": 0}, "NOTES_SHOWN が 0 です。"), ({"MAX_CHARACTERS": 24.5}, "MAX_CHARACTERS が 24.5 です。"),
    ({"MAX_CHARACTERS": 10}, "質問が 1 件もできませんでした。"),
    ({"SPELLINGS_FILE": "none.csv"}, "none.csv がありません。"), ({"SPELLINGS_FILE": "utf16.csv"}, "utf16.csv を読めません（"),
    ({"PHRASINGS_FILE": "none.csv"}, "none.csv がありません。"), ({"PHRASINGS_FILE": "utf16.csv"}, "utf16.csv を読めません（"),
    ({"PHRASINGS_FILE": "cp932.csv"}, "cp932.csv に "),
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
    Path("utf16.csv").write_bytes("スズラン,ミュゲ\n".encode("utf-16"))
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
        "utf16.csv",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(tmp_path):
    Path(tmp_path, "perfume_qa.json").write_text("[]")
    Path(tmp_path, "perfume_qa.json.tmp").symlink_to("/dev/full")
    with pytest.raises(
        SystemExit, match=r"qa\.json に書けません（.*No space left on device）。空き容量"
    ):
        run(tmp_path, [perfume()])
    assert Path(tmp_path, "perfume_qa.json").read_text() == "[]"


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses it by itself")
def test_a_second_run_says_that_one_is_running(tmp_path):
    import fcntl

    with open(tmp_path / "perfume_qa.json.tmp", "w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write("[")
        first.flush()
        with pytest.raises(
            SystemExit, match=r"別の arrangeData\.py が .*perfume_qa\.json を作成中です。"
        ):
            run(tmp_path, [perfume()])
        assert Path(tmp_path, "perfume_qa.json.tmp").read_text() == "["
    made, _ = run(tmp_path, [perfume()])  # what a killed run left is no hindrance
    assert made and not Path(tmp_path, "perfume_qa.json.tmp").exists()


def script(folder, command):
    """A finished shell command in a folder with data/perfumes.jsonl; $RUN is arrangeData.py."""
    Path(folder, "data").mkdir(exist_ok=True)
    line = json.dumps(perfume(), ensure_ascii=False)
    Path(folder, "data", "perfumes.jsonl").write_text(f"{line}\n{{\n", encoding="utf-8")
    environment = os.environ | {
        "RUN": f"{sys.executable} {ROOT / 'arrangeData.py'}",
        "PYTHONPATH": "",
    }
    return subprocess.run(
        ["bash", "-c", "set -o pipefail; " + command],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", errors="replace",
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="needs bash")
@pytest.mark.parametrize("command", [
    "$RUN", "$RUN | head -1", "$RUN | true", "$RUN >&-", "$RUN 2>&-", "$RUN >&- 2>&-", "LC_ALL=C PYTHONUTF8=0 $RUN",
    "PYTHONIOENCODING=ascii $RUN", "PYTHONOPTIMIZE=1 $RUN", "$RUN < /dev/null",
])  # fmt: skip
def test_wherever_the_output_goes_the_data_set_is_written(tmp_path, command):
    done = script(tmp_path, command)
    assert "Traceback" not in done.stderr and "Error" not in done.stderr, done.stderr
    assert done.returncode == 0
    assert len(json.loads(Path(tmp_path, "data", "perfume_qa.json").read_text("utf-8"))) > 10


def test_a_notebook_s_streams(tmp_path, monkeypatch):
    class Stream(io.TextIOBase):
        text = ""

        def write(self, text):
            self.text += text
            return len(text)

    monkeypatch.setattr(sys, "stdout", Stream())
    monkeypatch.setattr(sys, "stderr", Stream())
    run(tmp_path, [perfume()])
    assert "python loadModel.py" in sys.stdout.text


@pytest.mark.skipif(os.name == "nt", reason="needs bash")
def test_ctrl_c_is_one_line(tmp_path):
    Path(tmp_path, "sitecustomize.py").write_text(
        "import json\nasked = json.dumps\ndef stop(*a, **k): raise KeyboardInterrupt\njson.dumps = stop\n"
    )
    done = script(tmp_path, "PYTHONPATH=. $RUN")
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("中断しました。")
    assert "Traceback" not in done.stderr
    assert not Path(tmp_path, "data", "perfume_qa.json.tmp").exists()


@pytest.mark.parametrize("content", [
    "スズラン,ミュゲ,\r\n\r\nローズ, バラ,\r\n".encode("utf-8-sig"), "スズラン,ミュゲ\nローズ,バラ".encode("cp932"),
    '"スズラン","ミュゲ"\r\n"ローズ","バラ"\r\n'.encode(),
])  # fmt: skip
def test_a_table_of_words_saved_by_a_spreadsheet(tmp_path, content):
    Path(tmp_path, "words.csv").write_bytes(content)
    assert arrangeData.read_words(str(tmp_path / "words.csv")) == [
        ["スズラン", "ミュゲ"],
        ["ローズ", "バラ"],
    ]
