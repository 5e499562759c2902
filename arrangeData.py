"""Turns the perfumes that getData.py found into questions and answers to learn from.

    python arrangeData.py

Reads:  data/perfumes.jsonl; data/spellings.csv (a value of the data a line, and what customers say)
Writes: data/perfume_qa.json: a JSON array of {"instruction", "response", "type", "key", "source"},
        one record a line, in the order of the perfumes and, within one, of the types: a person
        finds the questions about a page together, a changed page leaves most lines of the others
        as they were; loadModel.py shuffles. Same input, same bytes.
Prints: what was left out and why; the types with counts and an example

`type` and `key` say what was asked, the key in values as perfumes.jsonl spells them, joined by ×:

    brand gender season scene image impression note family concentration   "春", "Creed": `brand`,
                    or else `brand_ja`
    season_gender scene_gender brand_gender brand_season brand_scene brand_note note_season
    family_scene    "春×メンズ", "Chanel×春": in the order of the type's name
    note_tier       "ローズ×トップノート"
    without_note    "メンズ×バニラ": a gender, season or family, and the material that is not in it
    without_brand   "メンズ×Chanel"
    several         "3×season×春": so many perfumes are named, one to ten
    brands          "すべて", or "gender×メンズ": brands that have such a perfume are named
    name_…          "Chanel/Chance": brand, slash, `name`; `name_ja`, or the concentration behind
                    `name`, where only that is the perfume's own; in name_brand one for each brand
                    that has a perfume of that name
    name_tier       "Chanel/Chance×トップノート"
    yes_no          "Chanel/Chance×season×夏", …×gender×…, …×scene×…, …×note×…: はい or いいえ
    compare         "Chanel/Chance×Dior/Sauvage"
    similar         "Chanel/Chance": another perfume that shares a family and notes with it is named
"""

import csv
import io
import json
import os
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from tqdm import tqdm

# --------------------------------------------------------------------------------------------------
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py
OUTPUT_FILE = "data/perfume_qa.json"  # read by loadModel.py and generate.py
SPELLINGS_FILE = str(Path(__file__).parent / "data" / "spellings.csv")  # edit it in a spreadsheet
SEED = 0  # a whole number; another one draws other questions from the same perfumes
NOTES_SHOWN = 3  # notes of a tier that a recommendation names; a longer tier ends in など
MAX_CHARACTERS = 240  # of a response: at a token or less each it fits generate.py's MAX_NEW_TOKENS
RECORDS_PER_PERFUME = {  # on average; 0: left out; 1,591 perfumes give about 29,000 records
    "brand": 0.9, "gender": 0.5, "season": 0.6, "scene": 0.6, "image": 0.5, "impression": 0.5,
    "note": 0.8, "note_tier": 0.5, "family": 0.6, "concentration": 0.4,
    "season_gender": 0.3, "scene_gender": 0.3, "note_season": 0.3, "family_scene": 0.3,
    "brand_gender": 0.3, "brand_season": 0.3, "brand_scene": 0.3, "brand_note": 0.3,
    "without_note": 0.4, "without_brand": 0.3, "several": 0.5, "brands": 0.2,
    "name_notes": 1.0, "name_features": 1.0, "name_brand": 1.0, "name_gender": 1.0,
    "name_occasions": 1.0, "name_tier": 1.0, "name_concentration": 1.0, "name_family": 0.5,
    "name_perfumer": 1.0, "name_year": 1.0, "yes_no": 0.8, "compare": 0.3, "similar": 0.4,
}  # fmt: skip
# --------------------------------------------------------------------------------------------------

Perfume = dict[str, Any]  # a line of perfumes.jsonl, without nulls
Facts = dict[str, list[str]]  # {simple type: values}
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
ALL_NOTES = TIERS | {"ノート": "notes"}
SEASONS = ("春", "夏", "秋", "冬")
PEOPLE = {"メンズ": "男性向け", "レディース": "女性向け", "ユニセックス": "男女兼用"}
BOTH = "ユニセックス"
AGAIN = "もう一度 python arrangeData.py を実行してください。"
MANY = 60  # perfumes looked through for one that is like another

# -- questions: phrasings, parted by slashes -------------------------------------------------------
WISHES = {  # type, or a value of it: what a customer says before 香水
    "brand": "{}の/{}の/{}が出している/{}から出ている/{}というブランドの",
    "gender": "{}向けの/{}の/{}用の/{}におすすめの/{}に似合う", BOTH: "{}",
    "season": "{}に相応しい/{}にぴったりの/{}に合う/{}につけたい/{}に使いたい/{}向けの/{}の/{}に使える",
    "scene": "{}に合う/{}にぴったりの/{}に向いた/{}に使える/{}に使いたい/{}向きの/{}におすすめの",
    "image": "{}イメージの/{}雰囲気の/{}/{}/{}感じの/{}香りの",
    "impression": "{}印象の/{}感じの/{}/{}/{}雰囲気の/{}香りの",
    "note": "{}の香りがする/{}を使った/{}が香る/{}の入った/{}の/{}が入っている/{}の匂いがする/{}入りの",
    "note_tier": "{}を使った/{}が香る/{}の入った/{}が入っている/{}を感じる",
    "family": "{}の/{}の香りがする/{}の香りの/{}の匂いがする/{}っぽい香りの",
    "concentration": "{}の/濃度が{}の/{}タイプの/濃さが{}の",
    "without_note": """{}が苦手です。/{}の入っていない/{}なしで、/{}を使っていない/{}抜きで、/{}が入ってない/
        {}が嫌いなので、/{}以外で、/{}は避けたいです。/{}の香りがしない""",
    "without_brand": "{}以外で、/{}以外の/{}ではない/{}じゃない/{}は除いて、/{}のほかで、",
}  # fmt: skip
ASKING = {  # type of question: {} is what it is about
    "wish": """香水を教えてください。/香水を教えて。/香水はありますか？/香水ある？/香水ってありますか？/香水が欲しいです。/
        香水を探しています。/香水探してる。/香水のおすすめは何ですか？/香水のおすすめは？/香水でおすすめを教えて。/香水ほしい。/
        香水を一つ紹介してください。/香水って何かある？/香水、何がいい？/香水、どれがいい？/香水が知りたい。/香水は？/
        香水を選んでほしいです。/香水をお願いします。/香水を提案してください。/フレグランスを教えてください。/
        フレグランスはありますか？/ものはありますか？/やつある？/やつがいい。/香水ないかな？""",
    "noun": "{}なら何がいい？/{}だと何がおすすめ？/{}でおすすめは？/{}で何かある？/{}といえば？",
    "keywords": "{} 香水/{} 香水 おすすめ/香水 {}/{} おすすめ/{} フレグランス",
    "several": """香水を{}教えてください。/香水を{}紹介してください。/香水のおすすめを{}知りたいです。/香水を{}挙げて。/
        香水、{}教えて。/香水を{}選んでください。/香水でおすすめを{}お願いします。/香水{}ください。/香水が{}ほしい。/
        香水を{}見たいです。/香水から{}選んで。/香水を{}提案してください。/香水、おすすめ{}。/香水 {}""",
    "brands": """香水のブランドを教えてください。/香水はどのブランドにありますか？/香水だとどんなブランドがある？/
        香水を扱っているブランドは？/香水のブランドには何がありますか？/香水を出しているブランドが知りたいです。/
        香水のブランドは？/香水ならどのブランド？/香水を作っているブランドを教えて。/香水のブランド一覧/
        香水があるブランドはどこですか？/香水ってどこのブランドが出してる？""",
    "all brands": """取り扱いブランドを教えてください。/どんなブランドがありますか？/お店にあるブランドは？/ブランド一覧/
        どのブランドの香水を扱っていますか？/ブランドの一覧が知りたいです。/どんなブランドがあるの？/何のブランドがある？/
        ブランドは何がありますか？/どこのブランドを扱ってる？/取り扱いブランドは？/どのメーカーの香水がありますか？""",
    "name_notes": """{}の香りの構成を教えてください。/{}にはどんな香料が使われていますか？/{}のノートは何ですか？/
        {}は何の香りがしますか？/{}の香料が知りたい。/{}って何の香り？/{}の香料は？/{}には何が入っていますか？/
        {}のノートを全部教えて。/{}って何が入ってる？/{}の香りの移り変わりを教えてください。/{}は何の匂い？/{} 香料/{} ノート""",
    "name_features": """{}の特徴を教えてください。/{}はどんな香水ですか？/{}ってどんな感じ？/{}の印象を教えてください。/
        {}について教えて。/{}の雰囲気が知りたいです。/{}ってどんな香り？/{}はどんな香りですか？/{}のことを教えてください。/
        {}はどんなイメージの香水ですか？/{}って、どういう香水？/{}を説明して。/{} 特徴/{} どんな香り""",
    "name_brand": """{}はどこのブランドですか？/{}のブランドを教えてください。/{}はどのブランドの香水ですか？/{}ってどこの香水？/
        {}ってどこのブランド？/{}のブランド名が知りたいです。/{}を出しているブランドは？/{}のメーカーは？/{} ブランド/
        {}はどこの？/{}を作っているのはどこですか？/{}はどこが出していますか？""",
    "name_gender": """{}は男性向けですか、女性向けですか？/{}は誰向けの香水ですか？/{}はメンズ？レディース？/{}は男女どちら向け？/
        {}の対象の性別を教えてください。/{}って男性用？女性用？/{}は男物？女物？/{}はどの性別向け？/{}の性別は？/
        {}はどんな人向け？/{}って誰が使う香水？/{} メンズ レディース""",
    "name_occasions": """{}はいつ使うのがいいですか？/{}に合う季節とシーンを教えてください。/{}っていつ使えばいい？/
        {}はどんな場面に合いますか？/{}はどの季節向けの香水ですか？/{}はどんな時に使えばいい？/{}の季節は？/{}に合うシーンは？/
        {}っていつ向け？/{}はいつつける？/{}を使うならいつ？/{}はどの季節に合う？/{} 季節/{} シーン""",
    "name_tier": """{}の{}は何ですか？/{}の{}を教えてください。/{}の{}は？/{}の{}には何が使われていますか？/{}の{}が知りたい。/
        {}の{}は何の香りですか？/{}、{}は何の香り？/{}の{}に入っている香料は？/{}の{}って何？/{} {}/{}は{}に何が香りますか？""",
    "name_concentration": """{}の濃度は？/{}の濃度を教えてください。/{}の濃さは？/{}はEDT？EDP？/{}の濃さが知りたい。/
        {}はオードトワレですか、オードパルファムですか？/{}って濃度はどれくらい？/{}はどの濃度の香水ですか？/{} 濃度/
        {}はトワレ？パルファム？/{}の濃さはどのくらいですか？/{}の賦香率の種類は？""",
    "name_family": """{}の香調は？/{}の香調を教えてください。/{}は何系の香りですか？/{}って何系？/{}は何系の香水？/{}の系統は？/
        {}の香りの系統を教えて。/{}はどの系統の香りですか？/{}の香りのタイプは？/{}の香調が知りたい。/{} 香調/{} 何系""",
    "name_perfumer": """{}の調香師は誰ですか？/{}の調香師を教えてください。/{}を作った人は？/{}は誰が作ったの？/{}の調香は誰？/
        {}を調香したのは誰ですか？/{}を手がけた調香師は？/{}の調香師の名前が知りたい。/{}って誰の調香？/{}の調香師は？/
        {}を作った調香師を教えて。/{} 調香師""",
    "name_year": """{}はいつ発売されましたか？/{}の発売年を教えてください。/{}は何年の香水ですか？/{}っていつ出たの？/
        {}の発売はいつ？/{}は何年に出た？/{}はいつからある香水？/{}の発売年は？/{}が発売されたのは何年ですか？/{}っていつの香水？/
        {} 発売年/{} 何年""",
    "compare": """{}と{}の違いを教えてください。/{}と{}を比べてください。/{}と{}はどう違いますか？/{}と{}、何が違う？/
        {}と{}の違いって何？/{}と{}を比較して。/{}と{}はどこが違うの？/{}と{}の差は？/{}と{}はどう違う？/{}と{} 違い/{} {} 比較/
        {}と{}、どんな違いがありますか？""",
    "similar": """{}に似た香水を教えてください。/{}に似た香りはありますか？/{}みたいな香水ある？/{}のような香りを探しています。/
        {}に近い香水は？/{}が好きな人におすすめの香水は？/{}と似ている香水を教えて。/{}っぽい香水ほしい。/{}に似たやつある？/
        {}の代わりになる香水は？/{}が好きです。ほかに合いそうな香水は？/{} 似た香水""",
    "gender?": """{}は{}でも使える？/{}は{}でも使えますか？/{}は{}がつけてもいいですか？/{}は{}がつけても大丈夫？/
        {}って{}でもつけられますか？/{}は{}にも合いますか？/{}って{}向け？/{}は{}が使っても変じゃないですか？""",
    "note?": """{}に{}は入っていますか？/{}って{}入ってる？/{}は{}を使っていますか？/{}は{}の香りがしますか？/
        {}に{}は使われていますか？/{}には{}が入ってるの？/{}は{}入り？/{}は{}の匂いがする？""",
    "season?": """{}は{}でも使えますか？/{}は{}に合いますか？/{}って{}向き？/{}は{}につけてもいい？/{}、{}でも使える？/
        {}は{}に使えますか？/{}は{}につけても大丈夫ですか？/{}って{}に向いてる？""",
}  # fmt: skip
ASKING = {kind: re.split(r"/\s*", said) for kind, said in (ASKING | WISHES).items()}
ASKING["scene?"] = ASKING["season?"]
REFERENCE = {
    "brand": "{}の",
    "gender": "{}の",
    "season": "{}に相応しい",
}  # asked in the first place
FACETS = ("brand", "gender", "season", "scene", "image", "impression", "family")  # of several
NUMBERS = (1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 8, 10)  # of perfumes wanted, as often as customers want it
KANJI = "〇一二三四五六七八九十"
PERSONS = {
    "メンズ": ("男性", "男の人", "男", "男子"),
    "レディース": ("女性", "女の人", "女", "女子"),
}

# -- answers ---------------------------------------------------------------------------------------
OPENINGS = {  # type: how the answer says what was asked
    "brand": "{}の香りでは", "gender": "{}では", "season": "{}でしたら", "scene": "{}には",
    "image": "{}イメージでは", "impression": "{}印象では", "note": "{}を使った香水では",
    "note_tier": "{}を使った香水では", "family": "{}では", "concentration": "{}では",
    "season_gender": "{}の{}では", "scene_gender": "{}に合う{}では", "brand_gender": "{}の{}では",
    "note_season": "{1}に似合う{0}の香りでは", "family_scene": "{1}に合う{0}では",
    "brand_season": "{}の{}に似合う香りでは", "brand_scene": "{}の{}に合う香りでは",
    "brand_note": "{}の{}を使った香りでは",
}  # fmt: skip
CLOSINGS = {  # what has to be known: the sentence after the notes
    ("impression", "scene"): "{impression}で、{scene}に合います。",
    ("season", "gender"): "{season}似合う{gender}の香りです。",
    ("image", "season"): "{image}で、{season}似合います。",
    ("image", "gender"): "{image}の、{gender}の香りです。",
    ("impression",): "{impression}の香りです。",
}
ABOUT = {  # type: what is said of a perfume after its name
    "name_notes": "の香りの構成は、{}です。", "name_features": "の特徴は、{}です。",
    "name_gender": "の対象は、{}です。", "name_occasions": "のおすすめの{}です。",
    "name_concentration": "の濃度は、{}です。", "name_family": "の香調は、{}です。",
    "name_perfumer": "の調香師は、{}です。", "name_year": "の発売年は、{}です。",
}  # fmt: skip
NOUNS = {"impression": "印象", "image": "イメージ"}  # what a quality is said of
SUCH = {"scene": "{}に合う香水", "image": "{}イメージの香水", "impression": "{}印象の香水"}

# -- reading ---------------------------------------------------------------------------------------
TEXTS = ("url", "brand", "brand_ja", "name", "name_ja", "gender", "concentration", "perfumer")
LISTS = (*ALL_NOTES.values(), "families", "seasons", "scenes", "images", "impressions")
FIELDS = dict.fromkeys((*TEXTS, "concept"), str) | dict.fromkeys(LISTS, list) | {"year": int}
FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)  # control, bidi, surrogates, private use
MARKUP = re.compile(r"<\|.*?\|>|###|https?://|www\.|[\w.]@\w+\.\w")  # a prompt's marks, addresses
LABEL = re.compile(
    r"(?i)(トップ|ミドル|ラスト|ベース|ハート|ヘッド|ボトム)(ノート)?|(香りの)?ノート|香調|調香師|不明|なし|"
    r"など|\W*|(top|mid|middle|last|base|heart|head)? ?(notes?)?|.*[:：【】].*"
)
YEARS = range(1700, 2101)


def unique(values: Iterable[Any]) -> list[Any]:
    """The values without repetitions, in their order."""
    return list(dict.fromkeys(values))


def wrong_field(perfume: Perfume) -> str | None:
    """The first field that is of a wrong kind."""
    for field, kind in FIELDS.items():
        value = perfume.get(field)
        texts = value if kind is list and isinstance(value, list) else []
        if value is not None and type(value) is not kind:
            return field
        if not all(isinstance(text, str) for text in texts):
            return field
    return None


def fault(perfume: Perfume) -> str | None:
    """Why a perfume of right kinds is left out."""
    titles = [perfume[field] for field in TEXTS if field != "url"]
    words = list(chain(*(perfume[field] for field in LISTS)))
    faults = {
        "url、name、brand のどれかがない": not all(perfume[f] for f in ("url", "name", "brand")),
        "制御文字がある": FORBIDDEN.search("".join([perfume["url"], *titles, *words])),
        "記号かアドレスが混じっている": any(map(MARKUP.search, [*titles, *words])),
        "長すぎる項目がある": max(map(len, titles)) > 80 or len(perfume["url"]) > 2_000,
        "ノートなどが長すぎるか多すぎる": max(map(len, words), default=0) > 40 or len(words) > 120,
        "見出しが値に混じっている": any(map(LABEL.fullmatch, words))
        or re.search("[【】]", "".join(titles)),
        "gender が決まった値ではない": perfume["gender"] not in ("", *PEOPLE),
        "seasons が決まった値ではない": not set(perfume["seasons"]) <= set(SEASONS),
        "year が年ではない": perfume["year"] is not None and perfume["year"] not in YEARS,
    }
    return next((reason for reason, found in faults.items() if found), None)


class Line(NamedTuple):
    """A line of perfumes.jsonl: its perfume, or why there is none."""

    perfume: Perfume
    reason: str | None


def read_perfume(line: bytes) -> Line:
    """The perfume of a line, or why it is left out."""
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Line({}, "UTF-8 ではない")
    except (ValueError, RecursionError):
        return Line({}, "JSON として読めない")
    if not isinstance(found, dict):
        return Line({}, "JSON のオブジェクトではない")
    if field := wrong_field(found):
        return Line({}, f"{field} の型が違う")
    texts = {field: (found.get(field) or "").strip() for field in TEXTS}
    lists = {field: unique(word.strip() for word in found.get(field) or []) for field in LISTS}
    perfume = texts | lists | {"year": found.get("year")}
    perfume["brand"] = perfume["brand"] or perfume["brand_ja"]
    return Line(perfume, fault(perfume))


class Perfumes(NamedTuple):
    """What a perfumes.jsonl holds."""

    sound: list[Perfume]
    rejected: dict[str, list[int]]  # {reason: line numbers}


def read_perfumes(path: str) -> Perfumes:
    """The sound perfumes of a perfumes.jsonl and the other lines; blank lines are neither."""
    perfumes, rejected = {}, defaultdict(list)
    with open(path, "rb") as lines:  # bytes: a line ends at \n and at nothing else
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            perfume, reason = read_perfume(line)
            if not reason:
                same = tuple(perfume[field] for field in ("url", "brand", "name", "concentration"))
                reason = "前の行と同じ香水" if same in perfumes else None
                perfumes.setdefault(same, perfume)
            if reason:
                rejected[reason].append(number)
    return Perfumes(list(perfumes.values()), rejected)


def read_spellings(path: str) -> list[list[str]]:
    """The lines of a table of words, as UTF-8 or as an old spreadsheet saves it; ValueError if neither."""
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp932")
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    if any(FORBIDDEN.search(cell) for row in rows for cell in row):
        raise ValueError("制御文字がある")
    return [cells for row in rows if (cells := unique(filter(None, row)))]


# -- words -----------------------------------------------------------------------------------------
NA_ADJECTIVES = (
    "きれい|上品|清楚|可憐|優雅|高貴|高級|妖艶|繊細|清潔|素朴|自然|新鮮|元気|軽快|爽快|濃厚|豪華|華麗|"
    "優美|贅沢|甘美|無難|不思議|無邪気"
)
NOT_BEFORE_A_NOUN = re.compile(r".*([くにへのがではもと]|わず)|[a-z' .-]+")  # 甘く, 夫へ, rose
NO_NOUN = re.compile(rf"{NOT_BEFORE_A_NOUN.pattern}|.*([いるたな的用]|そう)")  # 食べたくなる
QUALITY = re.compile(rf".*[いかるたな的感みさめり用]|{NA_ADJECTIVES}")  # of a known part of speech


def attributive(value: str) -> str:
    """A quality as it stands before a noun: エレガントな, 温かみのある, 大人の, 甘い."""
    if re.fullmatch(f"[ァ-ヶー・ ]+|.*[か的]|{NA_ADJECTIVES}", value):
        return value + "な"
    if value.endswith(("い", "な", "の", "る", "た")):
        return value
    if value.endswith(("感", "み", "さ", "落ち着き", "もり")):
        return value + "のある"
    return value + ("した" if re.search("[っん].り$", value) else "の")


def joined(values: Iterable[str]) -> str:
    """Qualities in a row before a noun: エレガントでベーシックな."""
    *others, last = map(attributive, values)
    return "".join(re.sub("な$", "で", word) for word in others) + last


def phrase(kind: str, value: str) -> str:
    """A value as answers say it: メンズ向け, デートシーン, エレガントな, フローラル系, トップノートにローズ."""
    if kind == "gender":
        return value if value == BOTH else value + "向け"
    if kind == "scene":
        return value + "シーン" if re.fullmatch("[ァ-ヶー]+(?<!シーン)", value) else value
    if kind == "family":
        return value if value.endswith(("系", "調")) else value + "系"
    if kind == "note_tier":
        note, tier = value.rsplit("×", 1)
        return f"{tier}に{note}"
    return attributive(value) if kind in NOUNS else value


def such(kind: str, value: str) -> str:
    """Perfumes of this value: 春の香水, デートシーンに合う香水."""
    return SUCH.get(kind, "{}の香水").format(phrase(kind, value))


def facts(perfume: Perfume) -> Facts:
    """What is known of a perfume."""
    single = {kind: perfume[kind] for kind in ("brand", "gender", "concentration", "perfumer")}
    single["year"] = f"{perfume['year']}年" if perfume["year"] else ""
    several = {kind: perfume[kind + "s"] for kind in ("season", "scene", "image", "impression")}
    tiered = [f"{note}×{tier}" for tier, field in TIERS.items() for note in perfume[field]]
    return {
        **{kind: [value] if value else [] for kind, value in single.items()},
        **several,
        "family": perfume["families"],
        "note": unique(note for field in ALL_NOTES.values() for note in perfume[field]),
        "note_tier": tiered,
    }


def tiers(perfume: Perfume, limit: int, room: int, asked: str = "") -> str:
    """【トップノート】A, B【ミドルノート】… or 【ノート】A, B: `limit` of each, with the asked one, fewer to fit."""
    text = ""
    for label, field in ALL_NOTES.items():
        notes = perfume[field]
        kept = sorted(notes, key=lambda note: note != asked)[:limit]
        if notes:
            more = "など" if len(notes) > limit else ""
            text += f"【{label}】{', '.join(note for note in notes if note in kept)}{more}"
    return text if len(text) <= room or limit == 1 else tiers(perfume, limit - 1, room, asked)


def closing(known: Facts, draw: random.Random) -> str:
    """One short sentence about what is known; empty where that is too little."""
    said = {kind: joined(known[kind][:2]) + noun for kind, noun in NOUNS.items() if known.get(kind)}
    if seasons := known.get("season"):
        all_year = len(seasons) == len(SEASONS)
        said["season"] = "一年を通して" if all_year else "・".join(seasons) + "に"
    if scenes := known.get("scene"):
        said["scene"] = phrase("scene", scenes[0])
    if genders := known.get("gender"):
        said["gender"] = PEOPLE[genders[0]]
    possible = [sentence for kinds, sentence in CLOSINGS.items() if said.keys() >= set(kinds)]
    return draw.choice(possible).format(**said) if possible else ""


# -- questions and answers -------------------------------------------------------------------------
class Exchange(NamedTuple):
    """A question with its answer."""

    question: str
    answer: str
    key: str
    perfumes: list[Perfume]  # that the answer tells of


class Called(NamedTuple):
    """A perfume's name in an exchange."""

    asked: str  # as the customer says it
    told: str  # as the answer does


def strength(perfume: Perfume) -> str:
    """（オードトワレ）; empty where it is not known."""
    return f"（{perfume['concentration']}）" if perfume["concentration"] else ""


class Shop:
    """All perfumes, what is asked of them together, and the one source of chance."""

    def __init__(self, perfumes: list[Perfume], spellings: list[list[str]]) -> None:
        self.draw = random.Random()  # seeded for each perfume
        self.perfumes = perfumes
        self.pools = defaultdict(list)  # (type, value): its perfumes; ("", "") has all
        self.brands = defaultdict(set)  # (type, value): the brands that have one
        self.namesakes = defaultdict(lambda: defaultdict(list))  # name: {brand: its perfumes}
        self.met = set()  # (type, key), and of the reference's kinds the questions asked so far
        self.values = set()  # all that the pages say
        for perfume in perfumes:
            known = facts(perfume)
            self.values.update(*known.values())
            for wish in [("", ""), *((kind, value) for kind in FACETS for value in known[kind])]:
                self.pools[wish].append(perfume)
                self.brands[wish].add(perfume["brand"])
            for name in {perfume["name"], perfume["name_ja"] or perfume["name"]}:
                self.namesakes[name][perfume["brand"]].append(perfume)
        self.said = {}  # (type, value): its words
        self.lines = {word: row for row in reversed(spellings) for word in reversed(row)}
        self.lines |= {row[0]: row for row in spellings}  # a value's own line goes before others

    def spellings(self, kind: str, value: str) -> list[str]:
        """The value and the words of its line that can stand in a question; none that a page uses or that another line owns."""
        row = self.lines.get(value, [])
        own = [word for word in row if self.lines[word] is row and word not in self.values]
        if kind in NOUNS or value == BOTH:
            fit = [word for word in own if QUALITY.fullmatch(word)]
            return [attributive(w) for w in [value, *fit] if not NOT_BEFORE_A_NOUN.fullmatch(w)]
        fit = [word for word in own if not NO_NOUN.fullmatch(word)]
        return unique([phrase(kind, value) if kind == "family" else value, *fit])

    def words(self, kind: str, value: str, perfume: Perfume) -> list[str]:
        """The value as customers say it."""
        if kind == "brand":
            kana = perfume["brand_ja"]
            return unique(filter(None, (re.sub("[ ・]", "", kana), kana, value)))
        if kind == "note_tier":
            note, tier = value.rsplit("×", 1)
            word = self.draw.choice(self.words("tier", tier, perfume))
            return [f"{word}に{said}" for said in self.words("note", note, perfume)]
        if (kind, value) not in self.said:
            self.said[kind, value] = self.spellings(kind, value) or [phrase(kind, value)]
        return self.said[kind, value]

    def word(self, kind: str, value: str, perfume: Perfume) -> str:
        """One of the words, the value itself more often than each other."""
        words = self.words(kind, value, perfume)
        return words[0] if self.draw.random() < 1 / 4 else self.draw.choice(words)

    def wording(self, kind: str, value: str, perfume: Perfume) -> str:
        """What a customer says before 香水."""
        return self.ask(BOTH if value == BOTH else kind, self.word(kind, value, perfume))

    def ask(self, kind: str, *words: str) -> str:
        """A question of this kind about the words."""
        return self.draw.choice(ASKING[kind]).format(*words)

    def names(self, perfume: Perfume) -> list[str]:
        """The names that no other of its brand has, or else all with the concentration; the Japanese one last."""
        names = unique(filter(None, (perfume["name"], perfume["name_ja"])))
        own = [name for name in names if len(self.namesakes[name][perfume["brand"]]) == 1]
        return own or [name + strength(perfume) for name in names]

    def title(self, perfume: Perfume) -> str:
        """Brand and name as answers say them."""
        return f"{perfume['brand']}の「{self.names(perfume)[-1]}」"

    def key(self, *perfumes: Perfume) -> str:
        """The perfumes' names in a key."""
        return "×".join(f"{p['brand']}/{self.names(p)[0]}" for p in perfumes)

    def owners(self, name: str, perfume: Perfume) -> dict[str, list[Perfume]]:
        """{brand: its perfumes of that name}."""
        bare = name if name in self.namesakes else name.removesuffix(strength(perfume))
        return self.namesakes[bare]

    def call(self, perfume: Perfume) -> Called:
        """A name of the perfume, with the brand where others have one of that name, and now and then."""
        name = self.draw.choice(self.names(perfume))
        told = f"{perfume['brand']}の{name}" if len(self.owners(name, perfume)) > 1 else name
        closed = name.isascii() or self.draw.random() < 1 / 2  # ジャズ クラブ is typed ジャズクラブ
        asked = name if closed else name.replace(" ", "")
        if told != name or self.draw.random() < 1 / 3:
            asked = f"{self.draw.choice(self.words('brand', perfume['brand'], perfume))}の{asked}"
        return Called(asked, told)


# Each maker returns an exchange, or None where the perfume lacks what would be asked.
def recommend(
    shop: Shop, opening: str, name: str, perfume: Perfume, untold: Facts, asked: str = ""
) -> str:
    """The answer that recommends a perfume, shows its notes and says something else of it."""
    answer = f"{opening}、{name}がおすすめです。"
    if shown := tiers(perfume, NOTES_SHOWN, MAX_CHARACTERS - len(answer) - 40, asked):
        answer += shown + "。"
    return answer + closing(untold, shop.draw)


def wish_question(shop: Shop, kinds: list[str], values: list[str], perfume: Perfume) -> str:
    """A question for a perfume with these values: a sentence, or their words alone."""
    pairs = list(zip(kinds, values, strict=True))
    if shop.draw.random() < 1 / 6:
        words = [shop.word(kind, value, perfume) for kind, value in pairs]
        noun = len(words) == 1 and kinds[0] not in (*NOUNS, "note_tier") and values[0] != BOTH
        form = "noun" if noun and shop.draw.random() < 1 / 2 else "keywords"
        return shop.ask(form, " ".join(re.sub("[なの]$", "", word) for word in words))
    said = [shop.wording(kind, value, perfume) for kind, value in pairs]
    if kinds[-1] in ("season", "scene"):  # 春に合うローズの香りがする香水
        said.reverse()
    return "".join(said) + shop.ask("wish")


def wish(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question with one or two values, answered by one perfume."""
    kinds = [kind] if kind in known else kind.split("_")
    if not all(known[k] for k in kinds):
        return None
    unmet = [value for value in known.get(kind, []) if (kind, value) not in shop.met]
    values = [shop.draw.choice(unmet or known[k]) for k in kinds]
    question = ""
    if kind in REFERENCE:
        said = PEOPLE.get(values[0]) or shop.words(kind, values[0], perfume)[0]
        question = REFERENCE[kind].format(said) + ASKING["wish"][0]
    if not question or question in shop.met:
        question = wish_question(shop, kinds, values, perfume)
    name = shop.names(perfume)[-1] if kinds[0] == "brand" else shop.title(perfume)
    opening = OPENINGS[kind].format(*map(phrase, kinds, values))
    note = next((v for k, v in zip(kinds, values, strict=True) if k.startswith("note")), "")
    untold = {k: known[k] for k in known if k not in kinds}
    answer = recommend(shop, opening, name, perfume, untold, note.rsplit("×", 1)[0])
    return Exchange(question, answer, "×".join(values), [perfume])


def without(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question that excludes a material or a brand."""
    other = shop.draw.choice(shop.perfumes)
    excluded = shop.draw.choice(facts(other)[kind.removeprefix("without_")] or [""])
    mine = [*known["note"], *known["family"], *known["brand"]]
    facets = [facet for facet in ("gender", "season", "family") if known[facet]]
    if not (excluded and facets) or any(excluded in value for value in mine):
        return None
    facet = shop.draw.choice(facets)
    value = shop.draw.choice(known[facet])
    unwanted = shop.word(kind.removeprefix("without_"), excluded, other)
    question = shop.ask(kind, unwanted) + shop.wording(facet, value, perfume) + shop.ask("wish")
    opening = (
        f"{excluded}{'以外の' if kind == 'without_brand' else 'を使わない'}{such(facet, value)}では"
    )
    untold = {k: known[k] for k in known if k != facet}
    answer = recommend(shop, opening, shop.title(perfume), perfume, untold)
    return Exchange(question, answer, f"{value}×{excluded}", [perfume])


def count(number: int, draw: random.Random) -> str:
    """The number as customers write it: 3つ, 三本, ３個."""
    digits = draw.choice((str(number), KANJI[number], chr(ord("０") + number % 10)))
    if number == 10:
        digits = draw.choice(("10", "十"))
    kana = ("ひとつ", "ふたつ", "みっつ")[number - 1 : number]
    counted = [
        digits + word for word in ("つ", "つ", "本", "個", "種類") if number < 10 or word != "つ"
    ]
    return draw.choice([*counted, *kana])


def several(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question that so many perfumes answer."""
    facet = shop.draw.choice([k for k in FACETS if known[k]])
    value, number = shop.draw.choice(known[facet]), shop.draw.choice(NUMBERS)
    pool, titles = shop.pools[facet, value], {}
    for candidate in [perfume, *shop.draw.sample(pool, min(len(pool), number + 1))]:
        title = shop.title(candidate)
        titles.setdefault(title, candidate)
    if len(titles) < number:
        return None
    said = shop.wording(facet, value, perfume)
    question = said + shop.ask("several", count(number, shop.draw))
    named = "、".join([*titles][:number])
    answer = f"{such(facet, value)}を{number}本選ぶなら、{named}がおすすめです。"
    return Exchange(question, answer, f"{number}×{facet}×{value}", [*titles.values()][:number])


def brands(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """Which brands the shop has, in all or for a wish."""
    facet = shop.draw.choice(["", *(k for k in ("gender", "family") if known[k])])
    value = shop.draw.choice(known[facet]) if facet else ""
    pool = shop.pools[facet, value]
    chosen = {p["brand"]: p for p in [perfume, *shop.draw.sample(pool, min(len(pool), 6))]}
    listed = "、".join(chosen) + "など" * (len(chosen) < len(shop.brands[facet, value]))
    if not facet:
        answer = f"取り扱いブランドは、{listed}です。"
        return Exchange(shop.ask("all brands"), answer, "すべて", [*chosen.values()])
    question = shop.wording(facet, value, perfume) + shop.ask("brands")
    answer = f"{such(facet, value)}のブランドは、{listed}です。"
    return Exchange(question, answer, f"{facet}×{value}", [*chosen.values()])


def by_name(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question about a perfume by its name."""
    said = about(kind, perfume, known)
    called = shop.call(perfume)
    answer = called.told + ABOUT[kind].format(said)
    return (
        Exchange(shop.ask(kind, called.asked), answer, shop.key(perfume), [perfume])
        if said
        else None
    )


def about(kind: str, perfume: Perfume, known: Facts) -> str:
    """What is known of a perfume; empty where nothing is."""
    if kind == "name_notes":
        return tiers(perfume, 40, MAX_CHARACTERS - 60)
    if kind == "name_gender":
        return "".join(f"{gender}（{PEOPLE[gender]}）" for gender in known["gender"])
    if kind == "name_family":
        return "・".join(phrase("family", family) for family in known["family"])
    if kind == "name_features":
        families = "・".join(phrase("family", family) for family in known["family"][:3])
        parts = [families + "の香り"] if families else []
        parts += [joined(known[k][:3]) + noun for k, noun in NOUNS.items() if known[k]]
        return "、".join(parts)
    if kind == "name_occasions":
        words = {"季節は": known["season"], "シーンは": known["scene"]}
        return "、".join(word + "・".join(values) for word, values in words.items() if values)
    return "".join(known[kind.removeprefix("name_")])


def tier_of(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question about one tier of a perfume by its name."""
    present = [tier for tier, field in TIERS.items() if perfume[field]]
    if not present:
        return None
    tier, called = shop.draw.choice(present), shop.call(perfume)
    question = shop.ask(kind, called.asked, shop.word("tier", tier, perfume))
    answer = f"{called.told}の{tier}は、{'、'.join(perfume[TIERS[tier]])}です。"
    return Exchange(question, answer, f"{shop.key(perfume)}×{tier}", [perfume])


def brand_of(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question whose perfume it is; several where several brands have one of that name."""
    name = shop.draw.choice(shop.names(perfume))
    owners = shop.owners(name, perfume)
    if len(owners) > 1:
        name = name.removesuffix(strength(perfume))
    sources = [same[0] for same in owners.values()] if len(owners) > 1 else [perfume]
    said = [
        p["brand"] + (f"（{p['brand_ja']}）" if p["brand_ja"] not in ("", p["brand"]) else "")
        for p in sources
    ]
    answer = f"{name}のブランドは、{'と'.join(said)}です。"
    return Exchange(shop.ask(kind, name), answer, shop.key(*sources), sources)


def yes_no(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """Whether a perfume is for somebody, a season or a scene, or has a material."""
    facet = shop.draw.choice(("gender", "season", "scene", "note"))
    other = perfume if shop.draw.random() < 1 / 2 else shop.draw.choice(shop.perfumes)
    asked = shop.draw.choice(facts(other)[facet] or [""])
    if not asked or not known[facet]:
        return None
    if facet == "gender":
        asked = shop.draw.choice([*PERSONS])
        said, word = about("name_gender", perfume, known), shop.draw.choice(PERSONS[asked])
        true, fact = {asked, BOTH} & {*known["gender"]}, f"は{said}の香水です。"
    elif facet == "note":
        word, true = shop.word("note", asked, other), asked in known["note"]
        if not true and any(asked in note for note in known["note"]):
            return None
        place = next((t for t, field in TIERS.items() if asked in perfume[field]), "")
        fact = f"の{place}には{asked}が" if place else f"には{asked}が"
        fact += "使われています。" if true else "使われていません。"
    else:
        word, true = shop.word(facet, asked, other), asked in known[facet]
        noun = "似合う季節" if facet == "season" else "合うシーン"
        fact = f"に{noun}は、{'・'.join(known[facet])}です。"
    question = shop.ask(facet + "?", shop.call(perfume).asked, word)
    answer = f"{'はい' if true else 'いいえ'}、{shop.title(perfume)}{fact}"
    return Exchange(question, answer, f"{shop.key(perfume)}×{facet}×{asked}", [perfume])


def like(shop: Shop, perfume: Perfume, known: Facts) -> Perfume | None:
    """Another perfume that shares a family and two notes or more, as many as are found."""
    if not known["family"]:
        return None
    pool = shop.pools["family", shop.draw.choice(known["family"])]
    others = [p for p in shop.draw.sample(pool, min(len(pool), MANY)) if p is not perfume]
    shared = [len({*known["note"]} & {*facts(p)["note"]}) for p in others]
    return others[shared.index(max(shared))] if max(shared, default=0) > 1 else None


def in_common(known: Facts, others: Facts) -> str:
    """What two perfumes share, as a sentence; empty where it is nothing."""
    families, notes = ([v for v in known[k] if v in others[k]] for k in ("family", "note"))
    parts = ["・".join(phrase("family", f) for f in families) + "の香り"] if families else []
    parts += ["、".join(notes[:3]) + "を使った香り"] if notes else []
    return f"どちらも{'で、'.join(parts)}です。" if parts else ""


def similar(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question what is like a perfume."""
    other = like(shop, perfume, known)
    if not other:
        return None
    opening = f"{shop.title(perfume)}に似た香りでは、{shop.title(other)}がおすすめです。"
    question = shop.ask(kind, shop.call(perfume).asked)
    answer = opening + in_common(known, facts(other))
    return Exchange(question, answer, shop.key(perfume), [perfume, other])


def described(shop: Shop, perfume: Perfume, known: Facts) -> str:
    """A perfume as it is compared: its families, whom and what season it is for."""
    parts = {
        "香調が": about("name_family", perfume, known),
        "対象が": "".join(PEOPLE[gender] for gender in known["gender"]),
        "季節が": "・".join(known["season"]),
    }
    said = "、".join(word + value for word, value in parts.items() if value)
    return f"{shop.title(perfume)}は{said}" if said else ""


def compare(shop: Shop, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
    """A question how two perfumes differ."""
    facet = shop.draw.choice([k for k in FACETS if known[k]])
    other = shop.draw.choice(shop.pools[facet, known[facet][0]])
    both = [described(shop, p, facts(p)) for p in (perfume, other)]
    if other is perfume or not all(both):
        return None
    question = shop.ask(kind, shop.call(perfume).asked, shop.call(other).asked)
    answer = f"{'で、'.join(both)}です。{in_common(known, facts(other))}"
    return Exchange(question, answer, shop.key(perfume, other), [perfume, other])


Maker = Callable[[Shop, str, Perfume, Facts], Exchange | None]
MAKERS: dict[str, Maker] = dict.fromkeys(OPENINGS, wish) | dict.fromkeys(ABOUT, by_name)
MAKERS |= {"without_note": without, "without_brand": without, "several": several, "brands": brands}
MAKERS |= {"name_brand": brand_of, "name_tier": tier_of, "yes_no": yes_no}
MAKERS |= {"compare": compare, "similar": similar}


def arrange(perfumes: list[Perfume], spellings: list[list[str]]) -> Iterator[dict[str, Any]]:
    """The records, perfume by perfume; the same instruction and response never twice."""
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
                made = MAKERS[kind](shop, kind, perfume, known)
                if not made or len(made.answer) > MAX_CHARACTERS:
                    continue
                pair = hash((made.question, made.answer))  # small: millions are held against it
                if pair in written:
                    continue
                written.add(pair)
                shop.met.add((kind, made.key))
                if kind in REFERENCE:
                    shop.met.add(made.question)
                yield {
                    "instruction": made.question,
                    "response": made.answer,
                    "type": kind,
                    "key": made.key,
                    "source": unique(p["url"] for p in made.perfumes),
                }


# -- the run ---------------------------------------------------------------------------------------
def check_constants() -> None:
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


def opened(read: Callable[[str], Any], path: str, remedy: str) -> Any:
    """What read(path) returns; SystemExit where the file cannot be read."""
    try:
        return read(path)
    except FileNotFoundError:
        raise SystemExit(f"{path} がありません。{remedy}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise SystemExit(f"{path} を読めません（{error}）。{remedy}") from None


def locked(file: TextIO) -> bool:
    """Whether the file is now this run's alone."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


class Count(NamedTuple):
    """The records of a type."""

    number: int
    example: dict[str, Any]


def write_to(file: TextIO, records: Iterable[dict[str, Any]]) -> dict[str, Count]:
    """Writes the records as they come; what was written of each type."""
    table: dict[str, Count] = {}
    for record in records:
        file.write((",\n" if table else "[\n") + json.dumps(record, ensure_ascii=False))
        number, example = table.get(record["type"], Count(0, record))
        table[record["type"]] = Count(number + 1, example)
    file.write("\n]\n")
    file.flush()
    return table


def write(records: Iterable[dict[str, Any]], path: str) -> dict[str, Count]:
    """Writes the records and moves the file into place; what was written of each type."""
    unfinished = Path(f"{path}.tmp")
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "a", encoding="utf-8", newline="\n") as file:
            if not locked(file):
                raise SystemExit(
                    f"別の arrangeData.py が {path} を書いています。それが終わってから、{AGAIN}"
                )
            try:
                if file.tell():  # left by a run that was killed
                    file.truncate(0)
                table = write_to(file, records)
                if table:
                    file.close()
                    os.replace(unfinished, path)
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise SystemExit(
            f"{path} に書けません（{error.strerror}）。空き容量と権限を確かめ、{AGAIN}"
        ) from None
    return table


def report(table: dict[str, Count], rejected: dict[str, list[int]], perfumes: int) -> None:
    """Prints what was left out, and the types with counts and an example."""
    left_out(rejected)
    total = sum(count.number for count in table.values())
    print("type                  件数   割合  例")
    for kind in filter(table.get, RECORDS_PER_PERFUME):
        number, record = table[kind]
        answer = record["response"][:40] + "…" * (len(record["response"]) > 40)
        share = number / total
        print(f"{kind:<18}{number:>8,}{share:>7.1%}  {record['instruction']} → {answer}")
    print(f"香水 {perfumes:,} 本から質問と回答 {total:,} 件を {OUTPUT_FILE} に書きました。")
    print("次は python loadModel.py を実行してください。")


def left_out(rejected: dict[str, list[int]]) -> None:
    """Prints which lines were left out, and why."""
    for reason, numbers in rejected.items():
        lines = "、".join(f"{number:,}" for number in numbers[:20]) + " など" * (len(numbers) > 20)
        print(f"除外 {len(numbers):,} 行: {reason}（行 {lines}）")


def guard_streams() -> None:
    """Makes standard output and error take Japanese, or, where they are closed, nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> None:
    """Reads the perfumes, writes the data set, prints what is in it."""
    guard_streams()
    check_constants()
    remedy = "先に python getData.py を実行してください。"
    perfumes, rejected = opened(read_perfumes, PERFUMES_FILE, remedy)
    spellings = opened(read_spellings, SPELLINGS_FILE, f"UTF-8 の CSV に戻し、{AGAIN}")
    if not perfumes:
        left_out(rejected)
        raise SystemExit(
            f"{PERFUMES_FILE} に使える香水がありません。python getData.py を実行し直してください。"
        )
    table = write(arrange(perfumes, spellings), OUTPUT_FILE)
    if not table:
        left_out(rejected)
        raise SystemExit(
            f"質問が 1 件もできませんでした。RECORDS_PER_PERFUME か MAX_CHARACTERS を大きくし、{AGAIN}"
        )
    report(table, rejected, len(perfumes))


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        raise SystemExit(f"中断しました。{OUTPUT_FILE} は前のままです。{AGAIN}") from None
    except BrokenPipeError:  # a reader that leaves (| head) does so after the file is in place
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
