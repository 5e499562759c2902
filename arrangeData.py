"""Turns the perfumes that getData.py found into questions and answers to learn from.

    python arrangeData.py

Reads:  data/perfumes.jsonl; data/spellings.csv (other names of materials, for questions only)
Writes: data/perfume_qa.json: a JSON array of {"instruction", "response", "type", "key", "source"}, one record a line,
        in the order of the perfumes and, within one, of the types: a person finds the questions about a page together,
        a changed page leaves most lines of the others as they were; loadModel.py shuffles. Same input, same bytes.
Prints: what was left out and why; the types with counts and an example

`type` and `key` say what was asked, the key in values as perfumes.jsonl spells them, joined by ×:

    brand gender season scene image impression note family concentration  "春", "Creed": `brand`, or else `brand_ja`
    season_gender scene_gender brand_gender note_season family_scene      "春×メンズ", in the order of the type's name
    note_tier   "ローズ×トップノート"
    several     "3×season×春": so many are named
    brands      "すべて", or "gender×メンズ": brands that have such a perfume are named
    name_…      "Chanel/Chance": brand, slash, `name`; `name_ja`, or the concentration behind `name`, where only that is
                the perfume's own; in name_brand one for each brand that has a perfume of that name
"""

import csv
import json
import os
import random
import re
import sys
from collections import defaultdict
from itertools import chain
from pathlib import Path

from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py
OUTPUT_FILE = "data/perfume_qa.json"  # read by loadModel.py and generate.py
SPELLINGS_FILE = str(
    Path(__file__).parent / "data" / "spellings.csv"
)  # a line: all spellings of one material
SEED = 0  # a whole number; another one draws other questions from the same perfumes
NOTES_SHOWN = 3  # notes of a tier that a recommendation names; a longer tier ends in など
MAX_CHARACTERS = (
    240  # of a response: at a character or two a token it fits generate.py's MAX_NEW_TOKENS (256)
)
RECORDS_PER_PERFUME = {  # on average; a type of 0 is left out; 1,591 perfumes give about 27,000 records
    "brand": 1.0, "gender": 0.8, "season": 0.9, "scene": 0.9, "image": 0.8, "impression": 0.8, "note": 1.1,
    "note_tier": 0.9, "family": 0.9, "concentration": 0.8,
    "season_gender": 0.5, "scene_gender": 0.5, "brand_gender": 0.5, "note_season": 0.5, "family_scene": 0.5,
    "several": 0.4, "brands": 0.25,
    "name_notes": 1.2, "name_features": 1.1, "name_brand": 1.1, "name_gender": 1.0, "name_occasions": 1.1,
}  # fmt: skip
# ----------------------------------------------------------------------------------------------------------------------

TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
SEASONS = ("春", "夏", "秋", "冬")
AGAIN = "もう一度 python arrangeData.py を実行してください。"
PEOPLE = {"メンズ": "男性向け", "レディース": "女性向け", "ユニセックス": "男女兼用"}
WORDS = {  # what customers say for a value; answers use the value itself
    "メンズ": ("男性向けの", "メンズの", "男性用の", "メンズ向けの", "男の人向けの"),
    "レディース": ("女性向けの", "レディースの", "女性用の", "レディース向けの", "女の人向けの"),
    "ユニセックス": ("男女兼用の", "ユニセックスの", "性別を問わず使える", "男女どちらでも使える", "ジェンダーレスな"),
    "オフィス": ("オフィス", "仕事", "職場"), "デイリー": ("デイリーシーン", "普段使い", "毎日の生活"),
    "リラックス": ("リラックスタイム", "くつろぎの時間", "リラックスしたい時"), "切り替え": ("気分の切り替え",),
    "オードパルファム": ("オードパルファム", "オードパルファン", "EDP"),
    "オードトワレ": ("オードトワレ", "オーデトワレ", "EDT"), "オーデコロン": ("オーデコロン", "コロン", "EDC"),
    "トップノート": ("トップノート", "トップ"), "ミドルノート": ("ミドルノート", "ミドル", "ハートノート"),
    "ラストノート": ("ラストノート", "ラスト", "ベースノート"),
}  # fmt: skip
WISHES = {  # type: what a customer says before 香水
    "brand": ("{}の",), "gender": ("{}",),
    "season": ("{}に相応しい", "{}にぴったりの", "{}に合う", "{}につけたい", "{}らしい", "{}に使いたい"),
    "scene": ("{}に合う", "{}にぴったりの", "{}に向いた"), "image": ("{}イメージの", "{}雰囲気の"),
    "impression": ("{}印象の", "{}感じの"), "note": ("{}の香りがする", "{}を使った", "{}が香る", "{}の入った"),
    "note_tier": ("{}を使った", "{}が香る", "{}の入った"), "family": ("{}の", "{}の香りがする"),
    "concentration": ("{}の", "濃度が{}の"),
}  # fmt: skip
FACETS = ("brand", "gender", "season", "family")  # what several perfumes are asked for by
REFERENCE = ("brand", "gender", "season")  # whose first wording is the reference data set's
OPENINGS = {  # type: how the answer says what was asked
    "brand": "{}の香りでは", "gender": "{}では", "season": "{}でしたら", "scene": "{}には", "image": "{}イメージでは",
    "impression": "{}印象では", "note": "{}を使った香水では", "note_tier": "{}を使った香水では", "family": "{}では",
    "concentration": "{}では", "season_gender": "{}の{}では", "scene_gender": "{}に合う{}では",
    "brand_gender": "{}の{}では", "note_season": "{1}に似合う{0}の香りでは", "family_scene": "{1}に合う{0}では",
}  # fmt: skip
CLOSINGS = {  # what has to be known: the sentence after the notes
    ("impression", "scene"): "{impression}で、{scene}に合います。",
    ("season", "gender"): "{season}似合う{gender}の香りです。",
    ("image", "season"): "{image}で、{season}似合います。",
    ("image", "gender"): "{image}の、{gender}の香りです。",
    ("impression",): "{impression}の香りです。",
}
NA_ADJECTIVES = "きれい|上品|清楚|可憐|優雅|高貴|高級|妖艶|繊細|清潔|素朴|自然|新鮮|元気|軽快|爽快|濃厚|豪華|華麗|優美"
NOUNS = {"impression": "印象", "image": "イメージ"}  # what a quality is said of
ASKING = {  # type of question: its phrasings, separated by spaces; {} is a number or a perfume's name
    "wish": """香水を教えてください。 香水はありますか？ 香水を探しています。 香水のおすすめは何ですか？
        香水を一つ紹介してください。 香水が欲しいです。 香水って何かある？ 香水、何がいい？ 香水が知りたい。
        香水でおすすめを教えて。""",
    "several": """香水を{}つ教えてください。 香水を{}本紹介してください。 香水のおすすめを{}つ知りたいです。
        香水を{}つ挙げて。 香水、{}つ教えて。 香水を{}本選んでください。 香水でおすすめを{}つお願いします。""",
    "brands": """香水のブランドを教えてください。 香水はどのブランドにありますか？ 香水だとどんなブランドがある？
        香水を扱っているブランドは？ 香水のブランドには何がありますか？ 香水を出しているブランドが知りたいです。""",
    "all brands": """取り扱いブランドを教えてください。 どんなブランドがありますか？ お店にあるブランドは？
        どのブランドの香水を扱っていますか？ ブランドの一覧が知りたいです。 どんなブランドがあるの？""",
    "name_notes": """{}の香りの構成を教えてください。 {}にはどんな香料が使われていますか？ {}のノートは何ですか？
        {}は何の香りがしますか？ {}の香料が知りたい。 {}って何の香り？""",
    "name_features": """{}の特徴を教えてください。 {}はどんな香水ですか？ {}ってどんな感じ？ {}の印象を教えてください。
        {}について教えて。 {}の雰囲気が知りたいです。""",
    "name_brand": """{}はどこのブランドですか？ {}のブランドを教えてください。 {}はどのブランドの香水ですか？
        {}ってどこのブランド？ {}のブランド名が知りたいです。 {}を出しているブランドは？""",
    "name_gender": """{}は男性向けですか、女性向けですか？ {}は誰向けの香水ですか？ {}はメンズ？レディース？
        {}の対象の性別を教えてください。 {}は男性でも使えますか？ {}は女性が使ってもいい香水？""",
    "name_occasions": """{}はいつ使うのがいいですか？ {}に合う季節とシーンを教えてください。 {}っていつ使えばいい？
        {}はどんな場面に合いますか？ {}はどの季節向けの香水ですか？ {}はどんな時に使えばいい？""",
}
ASKING = {kind: phrasings.split() for kind, phrasings in ASKING.items()}

# -- reading -----------------------------------------------------------------------------------------------------------
TEXTS = ("url", "brand", "brand_ja", "name", "name_ja", "gender", "concentration")
LISTS = (*TIERS.values(), "notes", "families", "seasons", "scenes", "images", "impressions")
FIELDS = (
    dict.fromkeys((*TEXTS, "perfumer", "concept"), str) | dict.fromkeys(LISTS, list) | {"year": int}
)  # or null
HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)
LABEL = re.compile(
    r"(?i)(トップ|ミドル|ラスト|ベース|ハート|ヘッド|ボトム)(ノート)?|(香りの)?ノート|香調|調香師|不明|なし|など|\W*|"
    r"(top|mid|middle|last|base|heart|head)? ?(notes?)?|.*[:：【】].*"
)


def unique(values):
    """The values without repetitions, in their order."""
    return list(dict.fromkeys(values))


def read_perfume(line):
    """(the perfume of a line of perfumes.jsonl, why it is left out or None)."""
    try:
        perfume = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, "UTF-8 ではない"
    except (ValueError, RecursionError):
        return None, "JSON として読めない"
    if not isinstance(perfume, dict):
        return None, "JSON のオブジェクトではない"
    wrong = [
        field for field, kind in FIELDS.items() if not isinstance(perfume.get(field), kind | None)
    ]
    wrong = wrong or [
        field
        for field in LISTS
        if not all(isinstance(word, str) for word in perfume.get(field) or [])
    ]
    if wrong:
        return None, f"{wrong[0]} の型が違う"
    texts = {field: (perfume.get(field) or "").strip() for field in TEXTS}
    lists = {field: unique(word.strip() for word in perfume.get(field) or []) for field in LISTS}
    perfume = texts | lists | {"brand": texts["brand"] or texts["brand_ja"]}
    titles = [texts[field] for field in TEXTS if field != "url"]
    words = list(chain(*lists.values()))
    faults = {
        "url、name、brand のどれかがない": not (
            perfume["url"] and perfume["name"] and perfume["brand"]
        ),
        "制御文字がある": HIDDEN.search("".join([perfume["url"], *titles, *words])),
        "長すぎる項目がある": max(map(len, titles)) > 80 or len(perfume["url"]) > 2_000,
        "ノートなどが長すぎるか多すぎる": max(map(len, words), default=0) > 40 or len(words) > 120,
        "見出しが値に混じっている": any(map(LABEL.fullmatch, words))
        or re.search("[【】]", "".join(titles)),
        "gender が決まった値ではない": texts["gender"] not in ("", *PEOPLE),
        "seasons が決まった値ではない": not set(lists["seasons"]) <= set(SEASONS),
    }
    return perfume, next((reason for reason, found in faults.items() if found), None)


def read_perfumes(path):
    """The sound perfumes of a perfumes.jsonl, and {reason: line numbers} of the others; blank lines are neither."""
    perfumes, rejected = {}, defaultdict(list)
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            perfume, reason = read_perfume(line) if line.strip() else (None, None)
            if perfume and not reason:
                identity = tuple(
                    perfume[field] for field in ("url", "brand", "name", "concentration")
                )
                reason = "前の行と同じ香水" if identity in perfumes else None
                perfumes.setdefault(identity, perfume)
            if reason:
                rejected[reason].append(number)
    return list(perfumes.values()), rejected


def read_spellings(path):
    """{a spelling of a material: all its spellings}."""
    with open(path, encoding="utf-8-sig", newline="") as lines:
        rows = [[word.strip() for word in row if word.strip()] for row in csv.reader(lines)]
    return {word: row for row in rows for word in row}


# -- words -------------------------------------------------------------------------------------------------------------
def attributive(value):
    """A quality as it stands before a noun: エレガントな, 温かみのある, 大人の, 甘い."""
    if re.fullmatch(f"[ァ-ヶー・ ]+|.*[か的]|{NA_ADJECTIVES}", value):
        return value + "な"
    if value.endswith(("い", "な", "の", "る", "た")):
        return value
    if value.endswith(("感", "み", "さ", "落ち着き")):
        return value + "のある"
    return value + (
        "した" if value.endswith(("っきり", "っぱり", "っとり", "んわり", "ったり")) else "の"
    )


def joined(values):
    """Qualities in a row before a noun: エレガントでベーシックな."""
    *others, last = map(attributive, values)
    return "".join(re.sub("な$", "で", word) for word in others) + last


def phrase(kind, value):
    """A value as answers say it: メンズ向け, デートシーン, エレガントな, フローラル系, トップノートにローズ."""
    if kind == "gender":
        return value if value == "ユニセックス" else value + "向け"
    if kind == "scene":
        return value + "シーン" if re.fullmatch("[ァ-ヶー]+(?<!シーン)", value) else value
    if kind == "family":
        return value if value.endswith(("系", "調")) else value + "系"
    if kind == "note_tier":
        note, tier = value.rsplit("×", 1)
        return f"{tier}に{note}"
    return attributive(value) if kind in NOUNS else value


def facts(perfume):
    """{simple type: the perfume's values}."""
    return {
        "brand": [perfume["brand"]],
        **{kind: [perfume[kind]] if perfume[kind] else [] for kind in ("gender", "concentration")},
        **{kind: perfume[kind + "s"] for kind in ("season", "scene", "image", "impression")},
        "family": perfume["families"],
        "note": unique(note for field in (*TIERS.values(), "notes") for note in perfume[field]),
        "note_tier": [f"{note}×{tier}" for tier, field in TIERS.items() for note in perfume[field]],
    }


def tiers(perfume, limit, room, asked=""):
    """【トップノート】A, B【ミドルノート】… or 【ノート】A, B: `limit` of each, with the asked one, fewer to fit."""
    text = ""
    for label, field in (*TIERS.items(), ("ノート", "notes")):
        notes = perfume[field]
        kept = sorted(notes, key=lambda note: note != asked)[:limit]
        if notes:
            text += f"【{label}】{', '.join(note for note in notes if note in kept)}" + "など" * (
                len(notes) > limit
            )
    return text if len(text) <= room or limit == 1 else tiers(perfume, limit - 1, room, asked)


def closing(known, draw):
    """One short sentence from {simple type: values}; empty where too little is known."""
    said = {kind: joined(known[kind][:2]) + noun for kind, noun in NOUNS.items() if known.get(kind)}
    if seasons := known.get("season"):
        said["season"] = (
            "一年を通して" if len(seasons) == len(SEASONS) else "・".join(seasons) + "に"
        )
    if scenes := known.get("scene"):
        said["scene"] = phrase("scene", scenes[0])
    if genders := known.get("gender"):
        said["gender"] = PEOPLE[genders[0]]
    possible = [sentence for kinds, sentence in CLOSINGS.items() if said.keys() >= set(kinds)]
    return draw.choice(possible).format(**said) if possible else ""


# -- questions and answers ---------------------------------------------------------------------------------------------
def strength(perfume):
    """（オードトワレ）; empty where it is not known."""
    return f"（{perfume['concentration']}）" if perfume["concentration"] else ""


class Shop:
    """All perfumes, what is asked of them together, and the one source of chance."""

    def __init__(self, perfumes, spellings):
        self.draw = random.Random()  # seeded for each perfume
        self.pools = defaultdict(list)  # (type, value): its perfumes; ("", "") has all
        self.brands = defaultdict(set)  # (type, value): the brands that have one
        self.namesakes = defaultdict(
            lambda: defaultdict(list)
        )  # a name: {brand: its perfumes of that name}
        self.met = (
            set()
        )  # (type, key) and, of the kinds that the reference asks, the questions asked so far
        notes = set()
        for perfume in perfumes:
            known = facts(perfume)
            notes.update(known["note"])
            for wish in [("", ""), *((kind, value) for kind in FACETS for value in known[kind])]:
                self.pools[wish].append(perfume)
                self.brands[wish].add(perfume["brand"])
            for name in {perfume["name"], perfume["name_ja"] or perfume["name"]}:
                self.namesakes[name][perfume["brand"]].append(perfume)
        # A spelling that some page itself uses asks for that page's spelling and no other.
        self.spellings = {
            note: [s for s in row if s == note or s not in notes] for note, row in spellings.items()
        }

    def words(self, kind, value, perfume):
        """The value as customers say it."""
        if kind == "brand":
            kana = perfume["brand_ja"]
            return unique(filter(None, (re.sub("[ ・]", "", kana), kana, value)))
        if kind == "note":  # the page's own spelling twice: it is the likeliest
            return [value, *self.spellings.get(value, [])]
        if kind == "note_tier":
            note, tier = value.rsplit("×", 1)
            return [
                f"{word}に{spelling}"
                for word in WORDS[tier]
                for spelling in self.words("note", note, perfume)
            ]
        if kind in ("image", "impression", "family"):
            return [phrase(kind, value)]
        return WORDS.get(value, [value])

    def wording(self, kind, value, perfume):
        """What a customer says before 香水."""
        return self.draw.choice(WISHES[kind]).format(
            self.draw.choice(self.words(kind, value, perfume))
        )

    def names(self, perfume):
        """The names that no other of its brand has, or else all with the concentration; the Japanese one last."""
        names = unique(filter(None, (perfume["name"], perfume["name_ja"])))
        own = [name for name in names if len(self.namesakes[name][perfume["brand"]]) == 1]
        return own or [name + strength(perfume) for name in names]


# Each maker returns (question, answer, key, the perfumes told of), or None where the perfume lacks what would be asked.
def wish(shop, kind, perfume, known):
    """A question with one or two values, answered by one perfume."""
    kinds = [kind] if kind in WISHES else kind.split("_")
    if not all(known[k] for k in kinds):
        return None
    unmet = [value for value in known.get(kind, []) if (kind, value) not in shop.met]
    values = [shop.draw.choice(unmet or known[k]) for k in kinds]
    question = (
        WISHES[kinds[0]][0].format(shop.words(kinds[0], values[0], perfume)[0]) + ASKING["wish"][0]
    )
    if kind not in REFERENCE or question in shop.met:
        said = [shop.wording(k, value, perfume) for k, value in zip(kinds, values, strict=True)]
        if kinds[-1] in ("season", "scene"):  # 春に合うローズの香りがする香水
            said.reverse()
        question = "".join(said) + shop.draw.choice(ASKING["wish"])
    name = shop.names(perfume)[-1]
    name = name if kinds[0] == "brand" else f"{perfume['brand']}の「{name}」"
    answer = OPENINGS[kind].format(*map(phrase, kinds, values)) + f"、{name}がおすすめです。"
    asked = values[0].rsplit("×", 1)[0] if kinds[0].startswith("note") else ""
    if shown := tiers(perfume, NOTES_SHOWN, MAX_CHARACTERS - len(answer) - 40, asked):
        answer += shown + "。"
    untold = {k: known[k] for k in known if k not in kinds}
    return question, answer + closing(untold, shop.draw), "×".join(values), [perfume]


def several(shop, kind, perfume, known):
    """A question that two or three perfumes answer."""
    facet = shop.draw.choice([k for k in FACETS if known[k]])
    value, number = shop.draw.choice(known[facet]), shop.draw.choice((2, 3, 3))
    pool, titles = shop.pools[facet, value], {}
    for candidate in [perfume, *shop.draw.sample(pool, min(len(pool), number + 1))]:
        brand = "" if facet == "brand" else candidate["brand"] + "の"
        titles.setdefault(f"{brand}「{shop.names(candidate)[-1]}」", candidate)
    if len(titles) < number:
        return None
    question = shop.wording(facet, value, perfume) + shop.draw.choice(ASKING["several"]).format(
        number
    )
    answer = f"{phrase(facet, value)}の香水を{number}つ選ぶなら、{'、'.join([*titles][:number])}がおすすめです。"
    return question, answer, f"{number}×{facet}×{value}", [*titles.values()][:number]


def brands(shop, kind, perfume, known):
    """Which brands the shop has, in all or for a wish."""
    facet = shop.draw.choice(["", *(k for k in ("gender", "family") if known[k])])
    value = shop.draw.choice(known[facet]) if facet else ""
    pool = shop.pools[facet, value]
    chosen = {p["brand"]: p for p in [perfume, *shop.draw.sample(pool, min(len(pool), 6))]}
    listed = "、".join(chosen) + "など" * (len(chosen) < len(shop.brands[facet, value]))
    said = shop.wording(facet, value, perfume) if facet else ""
    question = said + shop.draw.choice(ASKING["brands" if facet else "all brands"])
    opening, key = (
        (f"{phrase(facet, value)}の香水の", f"{facet}×{value}") if facet else ("取り扱い", "すべて")
    )
    return question, f"{opening}ブランドは、{listed}です。", key, list(chosen.values())


def by_name(shop, kind, perfume, known):
    """A question about a perfume by its name, with the brand where several brands have one of that name."""
    spoken, sources = shop.draw.choice(shop.names(perfume)), [perfume]
    name = spoken if spoken in shop.namesakes else spoken.removesuffix(strength(perfume))
    owners = shop.namesakes[name]
    if len(owners) > 1 and kind == "name_brand":
        spoken, sources = name, [same[0] for same in owners.values()]
    elif len(owners) > 1:
        spoken = f"{perfume['brand']}の{spoken}"
    answer = about(kind, sources, known)
    key = "×".join(f"{p['brand']}/{shop.names(p)[0]}" for p in sources)
    return (
        (shop.draw.choice(ASKING[kind]).format(spoken), spoken + answer, key, sources)
        if answer
        else None
    )


def about(kind, perfumes, known):
    """The answer to a question by name, without the name; empty where nothing is known."""
    if kind == "name_notes":
        return (
            f"の香りの構成は、{tiers(perfumes[0], 40, MAX_CHARACTERS - 60)}です。"
            if known["note"]
            else ""
        )
    if kind == "name_brand":
        both = [
            p["brand"] + f"（{p['brand_ja']}）" * (p["brand_ja"] not in ("", p["brand"]))
            for p in perfumes
        ]
        return f"のブランドは、{'と'.join(both)}です。"
    if kind == "name_gender":
        return (
            f"の対象は、{known['gender'][0]}（{PEOPLE[known['gender'][0]]}）です。"
            if known["gender"]
            else ""
        )
    if kind == "name_features":
        families = "・".join(phrase("family", family) for family in known["family"][:3])
        parts = [families + "の香り"] if families else []
        parts += [joined(known[k][:3]) + noun for k, noun in NOUNS.items() if known[k]]
        return f"の特徴は、{'、'.join(parts)}です。" if parts else ""
    parts = [
        f"{word}は{'・'.join(known[k])}"
        for k, word in (("season", "季節"), ("scene", "シーン"))
        if known[k]
    ]
    return f"のおすすめの{'、'.join(parts)}です。" if parts else ""


MAKERS = dict.fromkeys(OPENINGS, wish) | {"several": several, "brands": brands}
MAKERS |= {kind: by_name for kind in ASKING if kind.startswith("name_")}


def arrange(perfumes, spellings):
    """Yields the records, perfume by perfume; the same instruction and response never twice."""
    shop, written = Shop(perfumes, spellings), set()
    for perfume in tqdm(perfumes, desc="質問を作成", unit="本", disable=None):
        shop.draw.seed(
            f"{SEED} {perfume['url']} {perfume['name']}"
        )  # a changed page moves few others
        known = facts(perfume)
        for kind, rate in RECORDS_PER_PERFUME.items():
            times = int(rate + shop.draw.random())
            if rate and kind in REFERENCE:  # asked whenever one perfume answers them
                times = max(times, sum((kind, value) not in shop.met for value in known[kind]))
            for _ in range(times):
                question, answer, key, sources = MAKERS[kind](shop, kind, perfume, known) or (
                    "",
                    "",
                    "",
                    [],
                )
                pair = hash(
                    (question, answer)
                )  # a whole number is small: millions of records are held against it
                if answer and len(answer) <= MAX_CHARACTERS and pair not in written:
                    written.add(pair)
                    shop.met.update({(kind, key), question} if kind in REFERENCE else {(kind, key)})
                    source = unique(p["url"] for p in sources)
                    yield {
                        "instruction": question,
                        "response": answer,
                        "type": kind,
                        "key": key,
                        "source": source,
                    }


# -- the run -----------------------------------------------------------------------------------------------------------
def check_constants():
    """Stops where a constant at the top is of a wrong kind."""
    for kind, rate in RECORDS_PER_PERFUME.items():
        if kind not in MAKERS:
            raise SystemExit(
                f"RECORDS_PER_PERFUME の {kind!r} という type はありません。綴りを直し、{AGAIN}"
            )
        if type(rate) not in (int, float) or not 0 <= rate <= 1_000:
            raise SystemExit(
                f"RECORDS_PER_PERFUME の {kind} が {rate!r} です。0 から 1000 の数に直し、{AGAIN}"
            )
    for name, value in {"NOTES_SHOWN": NOTES_SHOWN, "MAX_CHARACTERS": MAX_CHARACTERS}.items():
        if type(value) is not int or value < 1:
            raise SystemExit(f"{name} が {value!r} です。1 以上の整数に直し、{AGAIN}")


def opened(read, path, remedy):
    """What read(path) returns; SystemExit where the file cannot be read."""
    try:
        return read(path)
    except FileNotFoundError:
        raise SystemExit(f"{path} がありません。{remedy}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SystemExit(f"{path} を読めません（{error}）。{remedy}") from None


def write(records, path):
    """Writes the records as they come and moves the file into place; {type: [count, first record]}."""
    table, unfinished = {}, Path(f"{path}.tmp")
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "w", encoding="utf-8", newline="\n") as file:
            for record in records:
                file.write((",\n" if table else "[\n") + json.dumps(record, ensure_ascii=False))
                table.setdefault(record["type"], [0, record])[0] += 1
            file.write("\n]\n")
        if table:
            os.replace(unfinished, path)
    except OSError as error:
        raise SystemExit(
            f"{path} に書けません（{error.strerror}）。空き容量と権限を確かめ、{AGAIN}"
        ) from None
    finally:
        if unfinished.is_file():
            unfinished.unlink()
    return table


def main():
    """Reads the perfumes, writes the data set, prints what is in it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8")
    check_constants()
    perfumes, rejected = opened(
        read_perfumes, PERFUMES_FILE, "先に python getData.py を実行してください。"
    )
    spellings = opened(read_spellings, SPELLINGS_FILE, f"UTF-8 の CSV に戻し、{AGAIN}")
    for reason, numbers in rejected.items():
        lines = "、".join(f"{number:,}" for number in numbers[:20]) + " など" * (len(numbers) > 20)
        print(f"除外 {len(numbers):,} 行: {reason}（行 {lines}）")
    if not perfumes:
        raise SystemExit(
            f"{PERFUMES_FILE} に使える香水がありません。python getData.py を実行し直してください。"
        )
    table = write(arrange(perfumes, spellings), OUTPUT_FILE)
    if not table:
        raise SystemExit(
            f"質問が 1 件もできませんでした。RECORDS_PER_PERFUME か MAX_CHARACTERS を大きくし、{AGAIN}"
        )
    total = sum(count for count, _ in table.values())
    print("type              件数   割合  例")
    for kind in filter(table.get, RECORDS_PER_PERFUME):
        count, example = table[kind]
        answer = example["response"][:40] + "…" * (len(example["response"]) > 40)
        print(f"{kind:<14}{count:>8,}{count / total:>7.1%}  {example['instruction']} → {answer}")
    print(f"香水 {len(perfumes):,} 本から質問と回答 {total:,} 件を {OUTPUT_FILE} に書きました。")
    print("次は python loadModel.py を実行してください。")


if __name__ == "__main__":
    main()
