"""Turns the perfumes that getData.py found into questions and answers to learn from.

    python arrangeData.py

Reads data/perfumes.jsonl and data/spellings.csv (other names of materials, for questions only). Writes
data/perfume_qa.json: a JSON array of {"instruction", "response", "type", "key", "source"}, one record a line, in the
order of the perfumes and, within one, of the types: a person finds the questions about a page side by side, a changed
page leaves most lines of the others as they were, and loadModel.py shuffles. Prints what was left out and why, and the
types with counts and an example. The same input gives the same bytes.

`type` and `key` say what was asked, in values as perfumes.jsonl spells them, joined by ×:

    brand gender season scene image impression note family concentration
                    one value: "Maison Margiela" (`brand`, or `brand_ja` where there is no Latin spelling), "春" ...
    note_tier       material × tier: "ローズ×トップノート" (or ミドルノート, ラストノート)
    season_gender scene_gender brand_gender note_season family_scene
                    two values in the order of the type's name: "春×メンズ"
    several         number × type × value: "3×season×春" (brand, gender, season, family): so many are named
    brands          "すべて", or type × value: "gender×メンズ" (gender, family): brands with such a perfume are named
    name_notes name_features name_brand name_gender name_occasions
                    a perfume: "Chanel/Chance" (brand as above, a slash, `name`); in name_brand joined by × where
                    several brands have one of that name
"""

import csv
import json
import os
import random
import re
import sys
from collections import defaultdict
from pathlib import Path

from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py
OUTPUT_FILE = "data/perfume_qa.json"  # read by loadModel.py and generate.py
SPELLINGS_FILE = str(Path(__file__).parent / "data" / "spellings.csv")  # a line: all spellings of one material
SEED = 0  # a whole number; another one draws other questions from the same perfumes
NOTES_SHOWN = 3  # notes of a tier that a recommendation names; a longer tier ends in など
MAX_CHARACTERS = 240  # of a response: at a character or two a token it fits generate.py's MAX_NEW_TOKENS (256)
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
REFERENCE = ("brand", "gender", "season")  # whose first wording is the reference data set's
OPENINGS = {  # type: how the answer says what was asked
    "brand": "{}の香りでは", "gender": "{}では", "season": "{}でしたら", "scene": "{}には", "image": "{}イメージでは",
    "impression": "{}印象では", "note": "{}を使った香水では", "note_tier": "{}を使った香水では", "family": "{}では",
    "concentration": "{}では", "season_gender": "{}の{}では", "scene_gender": "{}に合う{}では",
    "brand_gender": "{}の{}では", "note_season": "{1}に似合う{0}の香りでは", "family_scene": "{1}に合う{0}では",
}  # fmt: skip
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
HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]")
LABEL = re.compile(
    r"((トップ|ミドル|ラスト|ベース|ハート|ヘッド|ボトム)(ノート)?|(香りの)?ノート|香調|調香師|不明|なし|など|\W*|"
    r"(top|mid|middle|last|base|heart|head)? ?(notes?)?|.*[:：【】].*)",
    re.IGNORECASE,
)


def unique(values):
    """The values without repetitions, in their order."""
    return list(dict.fromkeys(values))


def fault(perfume):
    """Why a line of perfumes.jsonl is left out, as the user reads it; None for a sound one."""
    if not isinstance(perfume, dict):
        return "JSON のオブジェクトではない"
    wrong = [field for field in (*TEXTS, "perfumer", "concept") if not isinstance(perfume.get(field), str | None)]
    wrong += [field for field in LISTS if not isinstance(perfume.get(field), list | None)]
    wrong += [field for field in LISTS if not wrong and not all(isinstance(v, str) for v in perfume.get(field) or [])]
    if wrong or not isinstance(perfume.get("year"), int | None):
        return f"{(*wrong, 'year')[0]} の型が違う"
    texts = [(perfume.get(field) or "").strip() for field in TEXTS]
    words = [word.strip() for field in LISTS for word in perfume.get(field) or []]
    if not texts[0] or not texts[3] or not (texts[1] or texts[2]):
        return "url、name、brand のどれかがない"
    if HIDDEN.search("".join(texts + words)):
        return "制御文字がある"
    if max(map(len, texts[1:])) > 80 or max(map(len, words), default=0) > 40 or len(words) > 120:
        return "長すぎる項目がある"
    if any(map(LABEL.fullmatch, words)) or re.search("[【】]", "".join(texts[1:])):
        return "見出しが値に混じっている"
    if texts[5] not in ("", *PEOPLE) or not set(perfume.get("seasons") or []) <= set(SEASONS):
        return "gender か seasons が決まった値ではない"
    return None


def read_perfumes(path):
    """The sound perfumes of a perfumes.jsonl, and {reason: line numbers} of the others; blank lines are neither."""
    perfumes, rejected = {}, defaultdict(list)
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                perfume = json.loads(line.decode("utf-8-sig"))
                reason = fault(perfume)
            except (ValueError, RecursionError):
                reason = "JSON として読めない"
            if not reason:
                perfume = {field: (perfume.get(field) or "").strip() for field in TEXTS} | {
                    field: unique(map(str.strip, perfume.get(field) or [])) for field in LISTS
                }
                perfume["brand"] = perfume["brand"] or perfume["brand_ja"]
                identity = tuple(perfume[field] for field in ("url", "brand", "name", "concentration"))
                reason = "前の行と同じ香水" if perfumes.setdefault(identity, perfume) is not perfume else None
            if reason:
                rejected[reason].append(number)
    return list(perfumes.values()), rejected


def read_spellings(path):
    """{a spelling of a material: all its spellings}."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as lines:
            rows = [[spelling.strip() for spelling in row if spelling.strip()] for row in csv.reader(lines)]
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} を読めません（{error}）。UTF-8 の CSV に戻してください。") from error
    return {spelling: row for row in rows for spelling in row}


# -- words -------------------------------------------------------------------------------------------------------------
def attributive(value):
    """A quality as it stands before a noun: エレガントな, 温かみのある, 大人の, 甘い."""
    if value.endswith(("い", "な", "の", "る", "た")):
        return value
    if value.endswith(("感", "み", "さ")):
        return value + "のある"
    adjectives = r"[ァ-ヶー・]+|.*[か的]|上品|清楚|可憐|優雅|高貴|妖艶|繊細|清潔|素朴|軽快|濃厚|華麗|優美"
    return value + ("な" if re.fullmatch(adjectives, value) else "の")


def joined(values):
    """Qualities in a row before a noun: エレガントでベーシックな."""
    words = list(map(attributive, values))
    return "".join(word[:-1] + "で" if word.endswith("な") else word for word in words[:-1]) + words[-1]


def phrase(kind, value):
    """A value as answers say it: メンズ向け, デートシーン, エレガントな, フローラル系, トップノートにローズ."""
    if kind == "gender":
        return value if value == "ユニセックス" else value + "向け"
    if kind == "scene":
        return value + "シーン" if re.fullmatch("[ァ-ヶー]+(?<!シーン)", value) else value
    if kind == "family":
        return value + "系" * (not value.endswith(("系", "調")))
    if kind == "note_tier":
        return "{1}に{0}".format(*value.rsplit("×", 1))
    return attributive(value) if kind in ("image", "impression") else value


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
    parts = []
    for label, field in (*TIERS.items(), ("ノート", "notes")):
        notes = perfume[field]
        kept = sorted(notes, key=lambda note: note != asked)[:limit]
        shown = ", ".join(note for note in notes if note in kept)
        parts.append(f"【{label}】{shown}{'など' * (len(notes) > limit)}" if notes else "")
    text = "".join(parts)
    return text if len(text) <= room or limit == 1 else tiers(perfume, limit - 1, room, asked)


def closing(known, draw):
    """One short sentence from {simple type: values}; empty where too little is known."""
    seasons = "一年を通して" if len(known.get("season", [])) == 4 else "・".join(known.get("season", [])) + "に"
    forms = {
        ("impression", "scene"): lambda a, b: f"{joined(a[:2])}印象で、{phrase('scene', b[0])}に合います。",
        ("season", "gender"): lambda a, b: f"{seasons}似合う{PEOPLE[b[0]]}の香りです。",
        ("image", "season"): lambda a, b: f"{joined(a[:2])}イメージで、{seasons}似合います。",
        ("image", "gender"): lambda a, b: f"{joined(a[:2])}イメージの、{PEOPLE[b[0]]}の香りです。",
        ("impression",): lambda a: f"{joined(a[:2])}印象の香りです。",
    }
    possible = [kinds for kinds in forms if all(known.get(kind) for kind in kinds)]
    return forms[kinds](*map(known.get, kinds)) if possible and (kinds := draw.choice(possible)) else ""


# -- questions and answers ---------------------------------------------------------------------------------------------
class Shop:
    """All perfumes, what is asked of them together, and the one source of chance."""

    def __init__(self, perfumes, spellings):
        self.draw = random.Random()  # seeded for each perfume
        self.pools = defaultdict(list)  # (type, value): its perfumes; ("", "") has all
        self.brands = defaultdict(set)  # (type, value): the brands that have one
        self.namesakes = defaultdict(lambda: defaultdict(list))  # a name: {brand: its perfumes of that name}
        self.met = set()  # (type, key) and, of the kinds that the reference asks, the questions asked so far
        notes = set()
        for perfume in perfumes:
            known = facts(perfume)
            notes.update(known["note"])
            for wish in [("", ""), *((k, v) for k in ("brand", "gender", "season", "family") for v in known[k])]:
                self.pools[wish].append(perfume)
                self.brands[wish].add(perfume["brand"])
            for name in {perfume["name"], perfume["name_ja"] or perfume["name"]}:
                self.namesakes[name][perfume["brand"]].append(perfume)
        # A spelling that some page itself uses asks for that page's spelling and no other.
        self.spellings = {note: [s for s in row if s == note or s not in notes] for note, row in spellings.items()}

    def words(self, kind, value, perfume):
        """The value as customers say it."""
        if kind == "brand":
            kana = perfume["brand_ja"]
            return unique(filter(None, (kana.replace(" ", ""), kana, kana.replace("・", ""), value)))
        if kind == "note":  # the page's own spelling twice: it is the likeliest
            return [value, *self.spellings.get(value, [])]
        if kind == "note_tier":
            note, tier = value.rsplit("×", 1)
            return [f"{word}に{spelling}" for word in WORDS[tier] for spelling in self.words("note", note, perfume)]
        if kind in ("image", "impression", "family"):
            return [phrase(kind, value)]
        return WORDS.get(value, [value])

    def wording(self, kind, value, perfume):
        """What a customer says before 香水."""
        return self.draw.choice(WISHES[kind]).format(self.draw.choice(self.words(kind, value, perfume)))

    def called(self, perfume, name):
        """The name, with the concentration where the brand has several perfumes of that name that differ in it."""
        differ = len({p["concentration"] for p in self.namesakes[name][perfume["brand"]]}) > 1
        return f"{name}（{perfume['concentration']}）" if differ and perfume["concentration"] else name

    def names(self, perfume):
        """The names that only this perfume of its brand has, or else all it has, the Japanese one last."""
        names = unique(filter(None, (perfume["name"], perfume["name_ja"])))
        return [name for name in names if len(self.namesakes[name][perfume["brand"]]) == 1] or names

    def title(self, perfume):
        """The name in an answer that also names the brand."""
        return self.called(perfume, self.names(perfume)[-1])


def wish(shop, kind, perfume, known):
    """A question with one or two values, answered by one perfume."""
    kinds = [kind] if kind in WISHES else kind.split("_")
    if not all(known[k] for k in kinds):
        return None
    fresh = [value for value in known[kind] if (kind, value) not in shop.met] if kind in WISHES else []
    values = [shop.draw.choice(fresh or known[k]) for k in kinds]
    question = WISHES[kinds[0]][0].format(shop.words(kinds[0], values[0], perfume)[0]) + ASKING["wish"][0]
    if kind not in REFERENCE or question in shop.met:
        said = [shop.wording(k, value, perfume) for k, value in zip(kinds, values, strict=True)]
        question = "".join(said[::-1] if kinds[-1] in ("season", "scene") else said) + shop.draw.choice(ASKING["wish"])
    name = shop.title(perfume) if kinds[0] == "brand" else f"{perfume['brand']}の「{shop.title(perfume)}」"
    asked = values[0].rsplit("×", 1)[0] if kinds[0].startswith("note") else ""
    answer = OPENINGS[kind].format(*map(phrase, kinds, values)) + f"、{name}がおすすめです。"
    shown = tiers(perfume, NOTES_SHOWN, MAX_CHARACTERS - len(answer) - 40, asked)
    untold = {k: values for k, values in known.items() if k not in kinds}
    return question, answer + shown + "。" * bool(shown) + closing(untold, shop.draw), "×".join(values), [perfume]


def several(shop, kind, perfume, known):
    """A question that two or three perfumes answer."""
    facet = shop.draw.choice([k for k in ("brand", "gender", "season", "family") if known[k]])
    value, number = shop.draw.choice(known[facet]), shop.draw.choice((2, 3, 3))
    pool, chosen = shop.pools[facet, value], {}
    for candidate in [perfume, *shop.draw.sample(pool, min(len(pool), number + 1))]:
        brand = "" if facet == "brand" else candidate["brand"] + "の"
        if len(chosen) < number:
            chosen.setdefault(f"{brand}「{shop.title(candidate)}」", candidate)
    if len(chosen) < number:
        return None
    question = shop.wording(facet, value, perfume) + shop.draw.choice(ASKING["several"]).format(number)
    answer = f"{phrase(facet, value)}の香水を{number}つ選ぶなら、{'、'.join(chosen)}がおすすめです。"
    return question, answer, f"{number}×{facet}×{value}", list(chosen.values())


def brands(shop, kind, perfume, known):
    """Which brands the shop has, in all or for a wish."""
    facet = shop.draw.choice(["", *(k for k in ("gender", "family") if known[k])])
    value = shop.draw.choice(known[facet]) if facet else ""
    pool = shop.pools[facet, value]
    chosen = {p["brand"]: p for p in [perfume, *shop.draw.sample(pool, min(len(pool), 6))]}
    more = "など" * (len(chosen) < len(shop.brands[facet, value]))
    question = shop.wording(facet, value, perfume) if facet else ""
    question += shop.draw.choice(ASKING["brands" if facet else "all brands"])
    opening = f"{phrase(facet, value)}の香水の" if facet else "取り扱い"
    key = f"{facet}×{value}" if facet else "すべて"
    return question, f"{opening}ブランドは、{'、'.join(chosen)}{more}です。", key, list(chosen.values())


def by_name(shop, kind, perfume, known):
    """A question about a perfume by its name, with the brand where several brands have one of that name."""
    name = shop.draw.choice(shop.names(perfume))
    spoken, owners = shop.called(perfume, name), shop.namesakes[name]
    sources = [perfume]
    if len(owners) > 1 and kind == "name_brand":
        spoken, sources = name, [same[0] for same in owners.values()]
    elif len(owners) > 1:
        spoken = f"{perfume['brand']}の{spoken}"
    answer = about(kind, sources, known)
    key = "×".join(f"{p['brand']}/{p['name']}" for p in sources)
    return (shop.draw.choice(ASKING[kind]).format(spoken), spoken + answer, key, sources) if answer else None


def about(kind, perfumes, known):
    """The answer to a question by name, without the name; empty where nothing is known."""
    if kind == "name_notes":
        return f"の香りの構成は、{tiers(perfumes[0], 40, MAX_CHARACTERS - 60)}です。" if known["note"] else ""
    if kind == "name_brand":
        both = [p["brand"] + f"（{p['brand_ja']}）" * (p["brand_ja"] not in ("", p["brand"])) for p in perfumes]
        return f"のブランドは、{'と'.join(both)}です。"
    if kind == "name_gender":
        return "".join(f"の対象は、{gender}（{PEOPLE[gender]}）です。" for gender in known["gender"])
    if kind == "name_features":
        families = "・".join(phrase("family", family) for family in known["family"][:3])
        parts = [families + "の香り"] if families else []
        nouns = {"impression": "印象", "image": "イメージ"}
        parts += [joined(known[k][:3]) + noun for k, noun in nouns.items() if known[k]]
        return f"の特徴は、{'、'.join(parts)}です。" if parts else ""
    parts = [f"{word}は{'・'.join(known[k])}" for k, word in (("season", "季節"), ("scene", "シーン")) if known[k]]
    return f"のおすすめの{'、'.join(parts)}です。" if parts else ""


MAKERS = {"several": several, "brands": brands} | {kind: by_name for kind in ASKING if kind.startswith("name_")}


def arrange(perfumes, spellings):
    """Yields the records, perfume by perfume; the same instruction and response never twice."""
    shop, written = Shop(perfumes, spellings), set()
    for perfume in tqdm(perfumes, desc="質問を作成", unit="本", disable=None):
        shop.draw.seed(f"{SEED} {perfume['url']} {perfume['name']}")  # a changed page moves few others
        known = facts(perfume)
        for kind, rate in RECORDS_PER_PERFUME.items():
            times = int(rate + shop.draw.random())
            if rate and kind in REFERENCE:  # asked whenever one perfume answers them
                times = max(times, sum((kind, value) not in shop.met for value in known[kind]))
            for _ in range(times):
                question, answer, key, sources = MAKERS.get(kind, wish)(shop, kind, perfume, known) or ("", "", "", [])
                if answer and len(answer) <= MAX_CHARACTERS and hash((question, answer)) not in written:
                    written.add(hash((question, answer)))
                    shop.met.update({(kind, key), question} if kind in REFERENCE else {(kind, key)})
                    source = unique(p["url"] for p in sources)
                    yield {"instruction": question, "response": answer, "type": kind, "key": key, "source": source}


def write(records, path):
    """Writes the records as they come and moves the file into place; {type: [count, first record]}."""
    table = {}
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".tmp", "w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write((",\n" if table else "[\n") + json.dumps(record, ensure_ascii=False))
            table.setdefault(record["type"], [0, record])[0] += 1
        file.write("\n]\n")
    os.replace(path + ".tmp", path)
    return table


def main():
    """Reads the perfumes, writes the data set, prints what is in it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8")
    if not os.path.isfile(PERFUMES_FILE):
        raise SystemExit(f"{PERFUMES_FILE} がありません。先に python getData.py を実行してください。")
    perfumes, rejected = read_perfumes(PERFUMES_FILE)
    for reason, numbers in rejected.items():
        lines = "、".join(f"{number:,}" for number in numbers[:20]) + " など" * (len(numbers) > 20)
        print(f"除外 {len(numbers):,} 行: {reason}（行 {lines}）")
    if not perfumes:
        raise SystemExit(f"{PERFUMES_FILE} に使える香水がありません。python getData.py を実行し直してください。")
    table = write(arrange(perfumes, read_spellings(SPELLINGS_FILE)), OUTPUT_FILE)
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
