"""Turns the perfumes that getData.py found into questions and answers to learn from.

    python arrangeData.py

Reads data/perfumes.jsonl and data/spellings.csv (other names of materials, for questions only), writes
data/perfume_qa.json: a JSON array of {"instruction", "response", "type", "key", "source"}, one record a line, in the order of
the perfumes and, within a perfume, of the types: what stands side by side belongs to one page, so that a person can
check it, and a changed page changes its own lines; loadModel.py shuffles. Prints what was left out and why, and a
table of the types with counts and an example of each. The same input gives the same bytes.

`type` and `key` say what was asked; values are spelled as in perfumes.jsonl, joined by ×:

    brand gender season scene image impression note family concentration
                    one value: "Maison Margiela" (`brand`, or `brand_ja` where there is no Latin spelling), "春" ...
    note_tier       material × tier: "ローズ×トップノート" (or ミドルノート, ラストノート)
    season_gender scene_gender brand_gender note_season family_scene
                    the two values in the order of the type's name: "春×メンズ"
    several         number × type × value: "3×season×春" (brand, gender, season or family); so many are named
    brands          "すべて", or type × value: "gender×メンズ" (or family); brands with such a perfume are named
    name_notes name_features name_brand name_gender name_occasions
                    one perfume: "Chanel/Chance" (brand as above, a slash, `name`); for name_brand, when brands share
                    the title, all of them joined by ×
"""

import csv
import json
import os
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py
OUTPUT_FILE = "data/perfume_qa.json"  # read by loadModel.py and generate.py
SPELLINGS_FILE = str(Path(__file__).parent / "data" / "spellings.csv")  # a line: all spellings of one material
SEED = 0  # any whole number; another one draws other questions from the same perfumes
NOTES_SHOWN = 3  # notes of a tier in an answer that recommends; longer tiers end in など
MAX_CHARACTERS = 240  # of a response; has to fit generate.py's MAX_NEW_TOKENS (256 tokens of 1 to 2 characters)
RECORDS_PER_PERFUME = {  # drawn for each perfume, on average; 1,591 perfumes give about 27,000 records
    "brand": 1.0, "gender": 0.8, "season": 0.9, "scene": 0.9, "image": 0.8, "impression": 0.8, "note": 1.2,
    "note_tier": 0.9, "family": 0.9, "concentration": 0.8,
    "season_gender": 0.5, "scene_gender": 0.5, "brand_gender": 0.5, "note_season": 0.6, "family_scene": 0.5,
    "several": 0.4, "brands": 0.25,
    "name_notes": 1.3, "name_features": 1.2, "name_brand": 1.2, "name_gender": 1.1, "name_occasions": 1.2,
}  # fmt: skip
# ----------------------------------------------------------------------------------------------------------------------

TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
TIER_WORDS = {
    "トップノート": ("トップノート", "トップ"),
    "ミドルノート": ("ミドルノート", "ミドル", "ハートノート"),
    "ラストノート": ("ラストノート", "ラスト", "ベースノート"),
}
GENDERS = {
    "メンズ": ("男性向けの", "メンズの", "男性用の", "メンズ向けの", "男性におすすめの"),
    "レディース": ("女性向けの", "レディースの", "女性用の", "レディース向けの", "女性におすすめの"),
    "ユニセックス": ("男女兼用の", "ユニセックスの", "性別を問わず使える", "男女どちらでも使える", "ジェンダーレスな"),
}
GENDER_OPENINGS = {"メンズ": "メンズ向けでは", "レディース": "レディース向けでは", "ユニセックス": "ユニセックスでは"}
GENDER_PEOPLE = {"メンズ": "男性向け", "レディース": "女性向け", "ユニセックス": "男女兼用"}
SEASONS = ("春", "夏", "秋", "冬")
SCENE_WORDS = {
    "オフィス": ("オフィス", "仕事", "職場"),
    "デート": ("デート",),
    "デイリー": ("デイリー使い", "普段使い", "毎日の生活"),
    "パーティー": ("パーティー",),
    "リラックス": ("リラックスタイム", "くつろぎの時間", "リラックスしたい時"),
    "切り替え": ("気分の切り替え",),
}
CONCENTRATION_WORDS = {
    "オードパルファム": ("オードパルファム", "オードパルファン", "EDP"),
    "オードトワレ": ("オードトワレ", "オーデトワレ", "EDT"),
    "オーデコロン": ("オーデコロン", "コロン", "EDC"),
    "パルファム": ("パルファム", "パルファン"),
}
ENDINGS = (
    "香水を教えてください。", "香水はありますか？", "香水を探しています。", "香水のおすすめは何ですか？",
    "香水が欲しいです。", "香水を一つ紹介してください。", "香水って何かある？", "香水、何がいい？", "香水が知りたい。",
    "香水でおすすめを教えて。",
)  # fmt: skip
SEVERAL_ENDINGS = (
    "香水を{}つ教えてください。", "香水を{}本紹介してください。", "香水のおすすめを{}つ知りたいです。",
    "香水を{}つ挙げて。", "香水、{}つ教えて。", "香水を{}種類選んでください。", "香水で{}つおすすめはありますか？",
)  # fmt: skip
BRANDS_ENDINGS = (
    "香水のブランドを教えてください。", "香水はどのブランドにありますか？", "香水だとどんなブランドがある？",
    "香水を扱っているブランドは？", "香水のブランドには何がありますか？", "香水を出しているブランドが知りたいです。",
)  # fmt: skip
ALL_BRANDS = (
    "取り扱いブランドを教えてください。", "どんなブランドがありますか？", "お店にあるブランドは？",
    "どのブランドの香水を扱っていますか？", "ブランドの一覧が知りたいです。", "何のブランドがあるの？",
    "このお店で買えるブランドを教えて。",
)  # fmt: skip
NAME_QUESTIONS = {
    "name_notes": (
        "{}の香りの構成を教えてください。", "{}にはどんな香料が使われていますか？", "{}のノートは何ですか？",
        "{}は何の香りがしますか？", "{}の香料が知りたい。", "{}って何の香り？", "{}の香りの内訳を教えて。",
    ),
    "name_features": (
        "{}の特徴を教えてください。", "{}はどんな香水ですか？", "{}ってどんな感じ？", "{}の印象を教えてください。",
        "{}について教えて。", "{}の雰囲気が知りたいです。", "{}はどんなイメージの香水？",
    ),
    "name_brand": (
        "{}はどこのブランドですか？", "{}のブランドを教えてください。", "{}はどのブランドの香水ですか？",
        "{}ってどこのブランド？", "{}のブランド名が知りたいです。", "{}を出しているブランドは？",
    ),
    "name_gender": (
        "{}は男性向けですか、女性向けですか？", "{}は誰向けの香水ですか？", "{}はメンズ？レディース？",
        "{}の対象の性別を教えてください。", "{}は男性でも使えますか？", "{}は女性が使ってもいい香水？",
    ),
    "name_occasions": (
        "{}はいつ使うのがいいですか？", "{}に合う季節とシーンを教えてください。", "{}はどんな場面に合いますか？",
        "{}っていつつければいい？", "{}はどの季節向けの香水ですか？", "{}はどんな時に使えばいい？",
        "{}のおすすめの季節は？",
    ),
}  # fmt: skip


# -- reading -----------------------------------------------------------------------------------------------------------
TEXTS = ("url", "brand", "brand_ja", "name", "name_ja", "gender", "concentration", "perfumer", "concept")
LISTS = (*TIERS.values(), "notes", "families", "seasons", "scenes", "images", "impressions")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]")
LABEL = re.compile(
    r"(トップ|ミドル|ラスト|ベース|ハート|ヘッド|ボトム)(ノート)?|香調|調香師|ノート|香りのノート|不明|なし|など|"
    r"(top|middle|mid|last|base|heart|head)( notes?)?|notes?|.*[:：【】].*",
    re.IGNORECASE,
)


def unique(values):
    """The values without repetitions, in their order."""
    return list(dict.fromkeys(values))


def fault(perfume):
    """Why a line of perfumes.jsonl is left out, or None; the reason is what the user reads."""
    if not isinstance(perfume, dict):
        return "JSON のオブジェクトではない"
    for field in TEXTS:
        if not isinstance(perfume.get(field), str | None):
            return f"{field} が文字列ではない"
    for field in LISTS:
        if not isinstance(values := perfume.get(field) or [], list) or not all(isinstance(v, str) for v in values):
            return f"{field} が文字列のリストではない"
    if not (perfume.get("name") or "").strip():
        return "name がない"
    if not (perfume.get("brand") or perfume.get("brand_ja") or "").strip():
        return "brand も brand_ja もない"
    if not (perfume.get("url") or "").strip():
        return "url がない"
    words = [value for field in LISTS for value in perfume.get(field) or []]
    texts = [perfume.get(field) or "" for field in TEXTS[:7]]
    if UNPRINTABLE.search("".join(words + texts)):
        return "制御文字を含む"
    if max(map(len, texts[1:])) > 80 or max(map(len, words), default=0) > 40 or len(words) > 120:
        return "長すぎる項目がある"
    if any(not word.strip() or LABEL.fullmatch(word.strip()) for word in words):
        return "見出しや空の語が値に混じっている"
    if perfume.get("gender") not in (*GENDERS, None) or not set(perfume.get("seasons") or ()) <= set(SEASONS):
        return "gender か seasons が決まった値ではない"
    return None


def read_perfumes(path):
    """The sound perfumes of a perfumes.jsonl, and [(line number, reason)] of the others; blank lines are neither."""
    perfumes, rejected, seen = [], [], set()
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                perfume = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError):
                rejected.append((number, "JSON として読めない"))
                continue
            reason = fault(perfume)
            if not reason:
                perfume = {field: perfume.get(field) for field in TEXTS[:7]} | {
                    field: unique(map(str.strip, perfume.get(field) or ())) for field in LISTS
                }
                identity = (perfume["url"], perfume["brand"], perfume["name"], perfume["concentration"])
                reason = "同じ香水が前にもある" if identity in seen else None
                seen.add(identity)
            if reason:
                rejected.append((number, reason))
            else:
                perfumes.append(perfume)
    return perfumes, rejected


def read_spellings(path):
    """{a spelling of a material: all its spellings}."""
    with open(path, encoding="utf-8", newline="") as lines:
        rows = [tuple(filter(None, map(str.strip, row))) for row in csv.reader(lines)]
    return {spelling: row for row in rows for spelling in row}


# -- words -------------------------------------------------------------------------------------------------------------
def attributive(value):
    """The value as it stands before a noun: エレガントな, 温かみのある, 大人の, 甘い."""
    if value.endswith(("い", "な", "の", "る", "た")):
        return value
    if value.endswith(("感", "み")):
        return value + "のある"
    return value + ("の" if value in ("大人", "定番", "和風", "クラシック") else "な")


def joined(values):
    """Qualities of one noun in a row, ready to stand before it: エレガントでベーシックな."""
    words = [attributive(value) for value in values]
    return "".join(word[:-1] + "で" if word.endswith("な") else word for word in words[:-1]) + words[-1]


def listed(values):
    """オフィスやデート."""
    return "や".join(values)


def occasion(scene):
    """The scene as an answer names it: デートシーン, but 特別な時."""
    return scene + "シーン" if re.fullmatch(r"[ァ-ヶー]+", scene) else scene


def series(family):
    """フローラル系."""
    return family if family.endswith(("系", "調")) else family + "系"


def brand_of(perfume):
    """The one spelling that answers and keys give a brand."""
    return perfume["brand"] or perfume["brand_ja"]


def brand_spellings(perfume):
    """The brand as customers write it; the first is the kana without spaces, where known."""
    kana = perfume["brand_ja"] or brand_of(perfume)
    return unique([kana.replace(" ", ""), kana, re.sub("[ ・＝=]", "", kana), brand_of(perfume)])


def names_of(perfume):
    """The spellings of the perfume's name, the Japanese one last."""
    return unique(filter(None, (perfume["name"], perfume["name_ja"])))


def key_of(perfume):
    """The key of questions about one perfume."""
    return f"{brand_of(perfume)}/{perfume['name']}"


def tiers(perfume, limit, asked=None):
    """【トップノート】A, B【ミドルノート】…, or 【ノート】A, B; at most `limit` notes each, the asked one among them."""
    parts = []
    for label, field in (*TIERS.items(), ("ノート", "notes")):
        notes = perfume[field]
        shown = notes[:limit]
        if asked in notes[limit:]:
            shown = [*shown[:-1], asked]
        if shown:
            parts.append(f"【{label}】" + ", ".join(shown) + ("など" if len(notes) > limit else ""))
    return "".join(parts)


def in_seasons(seasons):
    """春・夏に, or 一年を通して."""
    return "一年を通して" if len(seasons) == len(SEASONS) else "・".join(seasons) + "に"


def closing(perfume, draw):
    """One short sentence from what is known beside the notes; empty where nothing is."""
    gender, seasons, scenes = perfume["gender"], perfume["seasons"], perfume["scenes"]
    images, impressions = perfume["images"][:2], perfume["impressions"][:2]
    scenes = [*scenes[:2][:-1], *map(occasion, scenes[:2][-1:])]
    sentences = []
    if impressions and scenes:
        sentences.append(f"{joined(impressions)}印象で、{listed(scenes)}に合います。")
    if seasons and gender:
        sentences.append(f"{in_seasons(seasons)}似合う{GENDER_PEOPLE[gender]}の香りです。")
    if images and seasons:
        sentences.append(f"{joined(images)}イメージで、{in_seasons(seasons)}よく合います。")
    if images and gender:
        sentences.append(f"{joined(images)}{GENDER_PEOPLE[gender]}の香りです。")
    if impressions and not sentences:
        sentences.append(f"{joined(impressions)}印象の香りです。")
    return draw.choice(sentences) if sentences else ""


# -- what can be asked: for each simple type the values, the customer's words before 香水, the answer's opening -----------
class Facet:
    """A wish with one value."""

    def __init__(self, values, wordings, opening):
        self.values = values  # perfume -> its values
        self.wordings = wordings  # value, perfume, spellings -> what a customer may say before 香水
        self.opening = opening  # value -> what the answer starts with


def spoken_note(note, spellings):
    """The material's spellings that a question about this one may use."""
    return spellings.get(note, (note,))


def tier_values(perfume):
    """ローズ×トップノート for each material of each tier."""
    return [f"{note}×{tier}" for tier, field in TIERS.items() for note in perfume[field]]


def all_notes(perfume):
    """The materials of the perfume, whatever their tier."""
    return unique(note for field in (*TIERS.values(), "notes") for note in perfume[field])


def brand_wordings(value, perfume, spellings):
    return [spelling + "の" for spelling in brand_spellings(perfume)]


def note_wordings(value, perfume, spellings):
    forms = ("{}の香りがする", "{}を使った", "{}が香る", "{}の入った")
    return [form.format(spelling) for spelling in spoken_note(value, spellings) for form in forms]


def tier_wordings(value, perfume, spellings):
    note, _, tier = value.rpartition("×")
    forms = ("{}に{}を使った", "{}に{}が香る", "{}が{}の")
    return [f.format(w, n) for n in spoken_note(note, spellings) for w in TIER_WORDS[tier] for f in forms]


def tier_opening(value):
    note, _, tier = value.rpartition("×")
    return f"{tier}に{note}を使った香水では"


def fixed(*forms, words=lambda value: (value,)):
    """Wordings that need no more than the value."""
    return lambda value, perfume, spellings: [form.format(word) for word in words(value) for form in forms]


FACETS = {
    "brand": Facet(lambda p: [brand_of(p)], brand_wordings, "{}の香りでは".format),
    "gender": Facet(
        lambda p: [p["gender"]] if p["gender"] else [], lambda value, *_: GENDERS[value], GENDER_OPENINGS.get
    ),
    "season": Facet(
        lambda p: p["seasons"],
        fixed("{}に相応しい", "{}にぴったりの", "{}に合う", "{}につけたい", "{}らしい", "{}におすすめの"),
        "{}でしたら".format,
    ),
    "scene": Facet(
        lambda p: p["scenes"],
        fixed("{}に合う", "{}にぴったりの", "{}に向いた", words=lambda value: SCENE_WORDS.get(value, (value,))),
        lambda value: f"{occasion(value)}には",
    ),
    "image": Facet(
        lambda p: p["images"],
        fixed("{}イメージの", "{}雰囲気の", words=lambda value: (attributive(value),)),
        lambda value: f"{attributive(value)}イメージでは",
    ),
    "impression": Facet(
        lambda p: p["impressions"],
        fixed("{}印象の", "{}感じの", words=lambda value: (attributive(value),)),
        lambda value: f"{attributive(value)}印象では",
    ),
    "note": Facet(all_notes, note_wordings, "{}を使った香水では".format),
    "note_tier": Facet(tier_values, tier_wordings, tier_opening),
    "family": Facet(
        lambda p: p["families"],
        fixed("{}の", "{}の香りの", words=lambda value: (series(value),)),
        lambda value: f"{series(value)}では",
    ),
    "concentration": Facet(
        lambda p: [p["concentration"]] if p["concentration"] else [],
        fixed("{}の", "濃度が{}の", words=lambda value: CONCENTRATION_WORDS.get(value, (value,))),
        "{}では".format,
    ),
}
PAIRS = {  # type: (first facet, second facet, which is said first, opening)
    "season_gender": ("season", "gender", 0, lambda a, b: f"{a}の{GENDER_OPENINGS[b]}"),
    "scene_gender": ("scene", "gender", 0, lambda a, b: f"{occasion(a)}に合う{GENDER_OPENINGS[b]}"),
    "brand_gender": ("brand", "gender", 0, lambda a, b: f"{a}の{GENDER_OPENINGS[b]}"),
    "note_season": ("note", "season", 1, lambda a, b: f"{b}に似合う{a}の香りでは"),
    "family_scene": ("family", "scene", 1, lambda a, b: f"{occasion(b)}に合う{series(a)}では"),
}
WISHES = {"brand": str, "gender": str, "season": str, "family": series}  # what several perfumes can have in common


# -- the shop as a whole -----------------------------------------------------------------------------------------------
class Shop:
    """The perfumes, what is asked of all of them together, and the one source of chance."""

    def __init__(self, perfumes, spellings):
        self.draw = random.Random(SEED)
        self.pools = defaultdict(list)  # (type, value): its perfumes; ("", "") has all
        self.brands = defaultdict(set)  # (type, value): the brands that have one
        self.namesakes = defaultdict(lambda: defaultdict(list))  # a name as written: {brand: its perfumes}
        self.met = set()  # (type, key) asked so far
        for perfume in perfumes:
            wishes = [(kind, v) for kind in ("brand", "gender", "season", "family") for v in FACETS[kind].values(perfume)]
            for wish in [("", ""), *wishes]:
                self.pools[wish].append(perfume)
                self.brands[wish].add(brand_of(perfume))
            for name in names_of(perfume):
                self.namesakes[name][brand_of(perfume)].append(perfume)
        # A spelling that some page itself uses asks for that page's spelling and no other.
        notes = {note for perfume in perfumes for note in all_notes(perfume)}
        self.spellings = {note: [note, *(s for s in row if s not in notes)] for note, row in spellings.items()}

    def told_apart(self, perfume, name):
        """The name, with the concentration where the brand has several perfumes of that name that differ in it."""
        strengths = {p["concentration"] for p in self.namesakes[name][brand_of(perfume)]}
        return f"{name}（{perfume['concentration']}）" if len(strengths) > 1 and perfume["concentration"] else name

    def title(self, perfume):
        """The perfume's name in an answer that also names the brand."""
        alone = [name for name in names_of(perfume)[::-1] if len(self.namesakes[name][brand_of(perfume)]) == 1]
        return alone[0] if alone else self.told_apart(perfume, names_of(perfume)[-1])

    def value(self, kind, perfume):
        """One of the perfume's values, first of all one that was not asked for yet; None where it has none."""
        values = FACETS[kind].values(perfume)
        return self.draw.choice([v for v in values if (kind, v) not in self.met] or values) if values else None

    def wording(self, kind, value, perfume):
        """What a customer says before 香水."""
        return self.draw.choice(FACETS[kind].wordings(value, perfume, self.spellings))

    def recommendation(self, perfume, asked=None, with_brand=True):
        """…がおすすめです。【トップノート】… and a sentence."""
        name = f"{brand_of(perfume)}の「{self.title(perfume)}」" if with_brand else self.title(perfume)
        return f"、{name}がおすすめです。{tiers(perfume, NOTES_SHOWN, asked)}。{closing(perfume, self.draw)}"


def simple(shop, kind, perfume):
    """A wish with one value; the first time in the reference's words."""
    if not (value := shop.value(kind, perfume)):
        return None
    if (kind, value) in shop.met:
        question = shop.wording(kind, value, perfume) + shop.draw.choice(ENDINGS)
    else:
        question = FACETS[kind].wordings(value, perfume, shop.spellings)[0] + ENDINGS[0]
    asked = value.rpartition("×")[0] if kind == "note_tier" else value
    answer = FACETS[kind].opening(value) + shop.recommendation(perfume, asked, kind != "brand")
    return question, answer, value, [perfume]


def pair(shop, kind, perfume):
    """A wish with two values."""
    *kinds, first, opening = PAIRS[kind]
    values = [shop.draw.choice(FACETS[k].values(perfume) or [None]) for k in kinds]
    if None in values:
        return None
    words = [shop.wording(k, value, perfume) for k, value in zip(kinds, values, strict=True)]
    question = words[first] + words[1 - first] + shop.draw.choice(ENDINGS)
    answer = opening(*values) + shop.recommendation(perfume, values[0], kind != "brand_gender")
    return question, answer, "×".join(values), [perfume]


def several(shop, kind, perfume):
    """Two or three perfumes in one answer."""
    facet = shop.draw.choice([k for k in WISHES if FACETS[k].values(perfume)])
    value = shop.draw.choice(FACETS[facet].values(perfume))
    number = shop.draw.choice((2, 3, 3))
    pool = shop.pools[facet, value]
    chosen = {}
    for candidate in [perfume, *shop.draw.sample(pool, min(len(pool), number + 1))]:
        brand = "" if facet == "brand" else brand_of(candidate) + "の"
        if len(chosen) < number:
            chosen.setdefault(f"{brand}「{shop.title(candidate)}」", candidate)
    if len(chosen) < number:
        return None
    question = shop.wording(facet, value, perfume) + shop.draw.choice(SEVERAL_ENDINGS).format(number)
    answer = f"{WISHES[facet](value)}の香水を{number}つ選ぶと、{'、'.join(chosen)}がおすすめです。"
    return question, answer, f"{number}×{facet}×{value}", list(chosen.values())


def brands(shop, kind, perfume):
    """Which brands the shop has, or has for a wish."""
    facet = shop.draw.choice(["", *(k for k in ("gender", "family") if FACETS[k].values(perfume))])
    value = shop.draw.choice(FACETS[facet].values(perfume)) if facet else ""
    pool = shop.pools[facet, value]
    chosen = {brand_of(p): p for p in [perfume, *shop.draw.sample(pool, min(len(pool), 7))]}
    more = "など" if len(chosen) < len(shop.brands[facet, value]) else ""
    if facet:
        question = shop.wording(facet, value, perfume) + shop.draw.choice(BRANDS_ENDINGS)
        opening, key = f"{WISHES[facet](value)}の香水のブランド", f"{facet}×{value}"
    else:
        question, opening, key = shop.draw.choice(ALL_BRANDS), "取り扱いブランド", "すべて"
    return question, f"{opening}には、{'、'.join(chosen)}{more}があります。", key, list(chosen.values())


def about(shop, kind, perfume):
    """A question about one perfume by its name, with the brand where several brands have one of that name."""
    name = shop.draw.choice(names_of(perfume))
    spoken, owners = shop.told_apart(perfume, name), shop.namesakes[name]
    sources = [perfume]
    if len(owners) > 1 and kind == "name_brand":
        spoken, sources = name, [same[0] for same in owners.values()]
    elif len(owners) > 1:
        spoken = f"{brand_of(perfume)}の{spoken}"
    answer = ANSWERS[kind](*sources)
    question = shop.draw.choice(NAME_QUESTIONS[kind]).format(spoken)
    return (question, spoken + answer, "×".join(map(key_of, sources)), sources) if answer else None


def composition(perfume):
    """の香りの構成は、【トップノート】…; empty where no note is known."""
    return f"の香りの構成は、{tiers(perfume, 99)}です。" if all_notes(perfume) else ""


def makers(*perfumes):
    """のブランドは、…."""
    return f"のブランドは、{'と'.join(map(full_brand, perfumes))}です。"


def audience(perfume):
    """の対象は、…; empty where it is not known."""
    return f"の対象は、{perfume['gender']}（{GENDER_PEOPLE[perfume['gender']]}）です。" if perfume["gender"] else ""


def full_brand(perfume):
    """Chanel（シャネル）, as far as both are known."""
    both = perfume["brand"] and perfume["brand_ja"]
    return f"{perfume['brand']}（{perfume['brand_ja']}）" if both else brand_of(perfume)


def features(perfume):
    """の特徴は、… from families, impressions and images; empty where none is known."""
    parts = []
    if perfume["families"]:
        parts.append("・".join(map(series, perfume["families"][:3])) + "の香り")
    if perfume["impressions"]:
        parts.append(joined(perfume["impressions"][:3]) + "印象")
    if perfume["images"]:
        parts.append(joined(perfume["images"][:3]) + "イメージ")
    return f"の特徴は、{'、'.join(parts)}です。" if parts else ""


def occasions(perfume):
    """のおすすめの季節は…シーンは…; empty where neither is known."""
    parts = []
    if perfume["seasons"]:
        parts.append("季節は" + "・".join(perfume["seasons"]))
    if perfume["scenes"]:
        parts.append("シーンは" + "・".join(perfume["scenes"]))
    return f"のおすすめの{'、'.join(parts)}です。" if parts else ""


ANSWERS = {
    "name_notes": composition, "name_features": features, "name_brand": makers, "name_gender": audience,
    "name_occasions": occasions,
}  # fmt: skip
MAKERS = (
    dict.fromkeys(FACETS, simple) | dict.fromkeys(PAIRS, pair) | {"several": several, "brands": brands}
    | dict.fromkeys(ANSWERS, about)
)  # fmt: skip


def arrange(perfumes, spellings):
    """Yields the records of the data set, perfume by perfume; no instruction and response come twice."""
    shop, written = Shop(perfumes, spellings), set()
    for perfume in tqdm(perfumes, desc="質問を作成", unit="本", disable=None):
        for kind, rate in RECORDS_PER_PERFUME.items():
            times = int(rate + shop.draw.random())
            if kind in ("gender", "season"):  # the reference's questions are asked whenever one perfume answers them
                times = max(times, sum((kind, value) not in shop.met for value in FACETS[kind].values(perfume)))
            for _ in range(times):
                question, answer, key, sources = MAKERS[kind](shop, kind, perfume) or ("", "", "", [])
                if not answer or len(answer) > MAX_CHARACTERS or hash((question, answer)) in written:
                    continue
                written.add(hash((question, answer)))
                shop.met.add((kind, key))
                source = unique(p["url"] for p in sources)
                yield {"instruction": question, "response": answer, "type": kind, "key": key, "source": source}


def write(records, path):
    """Writes the records as they come, moves the file into place, returns {type: [count, first record]}."""
    table = {}
    with open(path + ".tmp", "w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(("[\n" if not table else ",\n") + json.dumps(record, ensure_ascii=False))
            table.setdefault(record["type"], [0, record])[0] += 1
        file.write("\n]\n")
    os.replace(path + ".tmp", path)
    return table


def main():
    """Reads the perfumes, writes the data set, prints what is in it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    if not os.path.isfile(PERFUMES_FILE):
        raise SystemExit(f"{PERFUMES_FILE} がありません。先に python getData.py を実行してください。")
    perfumes, rejected = read_perfumes(PERFUMES_FILE)
    for reason, count in Counter(reason for _, reason in rejected).items():
        numbers = [number for number, why in rejected if why == reason]
        print(f"除外 {count:,} 行: {reason}（{'、'.join(map(str, numbers[:10]))} 行目{'など' if count > 10 else ''}）")
    if not perfumes:
        raise SystemExit(f"{PERFUMES_FILE} に使える香水がありません。python getData.py を実行し直してください。")
    table = write(arrange(perfumes, read_spellings(SPELLINGS_FILE)), OUTPUT_FILE)
    total = sum(count for count, _ in table.values())
    print(f"{'種類':<14}{'件数':>7}{'割合':>5}  例")
    for kind in [kind for kind in RECORDS_PER_PERFUME if kind in table]:
        count, example = table[kind]
        print(f"{kind:<16}{count:>9,}{count / total:>7.1%}  {example['instruction']} → {example['response']}")
    print(f"香水 {len(perfumes):,} 本から質問と回答 {total:,} 件を {OUTPUT_FILE} に書きました。次は python loadModel.py です。")


if __name__ == "__main__":
    main()
