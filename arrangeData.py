"""Turns the perfumes that getData.py found into questions and answers to learn from.

    python arrangeData.py

Reads:  data/perfumes.jsonl; data/spellings.csv (a line: a value of the data and what customers say
        for it); data/phrasings.csv (a line: a kind of question and its wordings, ○○ and △△ being
        what it is about)
Writes: data/perfume_qa.json: a JSON array of {"instruction", "response", "type", "key", "source"},
        one record a line, by perfume and then by type (loadModel.py shuffles), same for same input
Prints: what was left out and why; the types with counts and an example

`type` and `key` say what was asked, the key in values as perfumes.jsonl spells them, joined by ×:

    brand season …  "春"; a brand as `brand`, or else `brand_ja`; brand_season "Chanel×春"
    note_tier       "ローズ×トップノート"
    without_…       "メンズ×バニラ", "メンズ×Chanel": a gender, season or family, and what is not in it
    several         "3×season×春": so many perfumes are named, one to eight
    brands          "すべて", or "gender×メンズ": brands that have such a perfume are named
    name_…          "Chanel/Chance": brand, slash, `name`; `name_ja`, or the concentration behind
                    `name`, where only that is its own; name_brand: one for each brand that has it
    name_tier       "Chanel/Chance×トップノート"
    yes_no          "Chanel/Chance×season×夏", …×gender×…, …×scene×…, …×note×…: はい or いいえ
    compare         "Chanel/Chance×Dior/Sauvage"; similar: "Chanel/Chance", one like it is named
"""

import csv
import io
import json
import os
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

# --------------------------------------------------------------------------------------------------
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py
OUTPUT_FILE = "data/perfume_qa.json"  # read by loadModel.py and generate.py
SPELLINGS_FILE = str(Path(__file__).parent / "data" / "spellings.csv")  # edit it in a spreadsheet
PHRASINGS_FILE = str(Path(__file__).parent / "data" / "phrasings.csv")  # and this one
SEED = 0  # a whole number; another one draws other questions from the same perfumes
NOTES_SHOWN = 3  # notes of a tier that a recommendation names; a longer tier ends in など
MAX_CHARACTERS = 240  # of a response: at a token or less each it fits generate.py's MAX_NEW_TOKENS
RECORDS_PER_PERFUME = {  # on average; 0: left out; 1,591 perfumes give about 26,200 records
    "brand": 0.7, "gender": 0.4, "season": 0.5, "scene": 0.5, "image": 0.4, "impression": 0.4,
    "note": 0.6, "note_tier": 0.4, "family": 0.5, "concentration": 0.35, "season_gender": 0.2,
    "scene_gender": 0.2, "note_season": 0.2, "family_scene": 0.2, "brand_gender": 0.2,
    "brand_season": 0.2, "brand_scene": 0.2, "brand_note": 0.2, "without_note": 0.25,
    "without_brand": 0.25, "several": 0.35, "brands": 0.2, "yes_no": 0.5, "compare": 0.2,
    "similar": 0.25, "name_notes": 1.0, "name_features": 1.0, "name_brand": 1.0, "name_gender": 1.0,
    "name_occasions": 1.0, "name_tier": 1.0, "name_concentration": 0.9, "name_family": 0.9,
    "name_perfumer": 1.0, "name_year": 0.9,
}  # fmt: skip
# --------------------------------------------------------------------------------------------------

Perfume = dict[str, Any]  # a line of perfumes.jsonl, without nulls
Facts = dict[str, list[str]]  # {simple type: values}
Words = list[list[str]]  # the lines of a table of words
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
ALL_NOTES = TIERS | {"ノート": "notes"}
PEOPLE = {"メンズ": "男性向け", "レディース": "女性向け", "ユニセックス": "男女兼用"}
BOTH = "ユニセックス"
WORDS_ALONE = 1 / 6  # of the questions for a perfume: 秋 ウッディ 香水
LIKE = 60  # perfumes looked through for one that is like another
AGAIN = "もう一度 python arrangeData.py を実行してください。"

# -- questions and answers -------------------------------------------------------------------------
OPENINGS = {  # type: how the answer says what was asked
    "brand": "{}の香りでは", "gender": "{}では", "season": "{}でしたら", "scene": "{}には",
    "image": "{}では", "impression": "{}では", "note": "{}を使った香水では", "family": "{}では",
    "note_tier": "{}を使った香水では", "concentration": "{}では", "season_gender": "{}の{}では",
    "scene_gender": "{}に合う{}では", "note_season": "{1}に似合う{0}の香りでは",
    "family_scene": "{1}に合う{0}では", "brand_gender": "{}の{}では",
    "brand_season": "{}の{}に似合う香りでは", "brand_scene": "{}の{}に合う香りでは",
    "brand_note": "{}の{}を使った香りでは", "without_note": "{1}を使わない{0}の香水では",
    "without_brand": "{1}以外の{0}の香水では",
}  # fmt: skip
ABOUT = {  # type: what is said of a perfume after its name
    "name_notes": "の香りの構成は、{}です。", "name_features": "の特徴は、{}です。",
    "name_gender": "の対象は、{}です。", "name_occasions": "のおすすめの{}です。",
    "name_concentration": "の濃度は、{}です。", "name_family": "の香調は、{}です。",
    "name_perfumer": "の調香師は、{}です。", "name_year": "の発売年は、{}です。",
    "name_brand": "のブランドは、{}です。", "name_tier": "の{}です。",
}  # fmt: skip
CLOSINGS = ("name_features", "name_gender", "name_occasions")  # what else is told of it
YES_NO = {"gender": "gender", "season": "occasions", "scene": "occasions", "note": "notes"}
REFERENCE = {"brand": "{}の", "gender": "{}の", "season": "{}に相応しい"}  # fmt: skip
FACETS = ("brand", "gender", "season", "scene", "image", "impression", "family")  # of several
NUMBERS = (1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 8)  # of perfumes wanted, as often as customers want it
PERSONS = {"メンズ": ("男性", "男の人", "男"), "レディース": ("女性", "女の人", "女")}  # fmt: skip
NOUNS = {"impression": "印象", "image": "イメージ"}  # what a quality is said of

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


def unique(values: Iterable[Any]) -> list[Any]:
    """The values without repetitions, in their order."""
    return list(dict.fromkeys(values))


def fault(perfume: Perfume) -> str | None:
    """Why a perfume of right kinds is left out."""
    titles = [perfume[field] for field in TEXTS if field != "url"]
    words = [word for field in LISTS for word in perfume[field]]
    faults = {
        "url、name、brand のどれかがない": not all(perfume[f] for f in ("url", "name", "brand")),
        "制御文字がある": FORBIDDEN.search("".join([perfume["url"], *titles, *words])),
        "記号かアドレスが混じっている": any(map(MARKUP.search, [*titles, *words])),
        "長すぎる項目がある": max(map(len, titles)) > 80 or len(perfume["url"]) > 2_000,
        "ノートなどが長すぎるか多すぎる": max(map(len, words), default=0) > 40 or len(words) > 120,
        "見出しが値に混じっている": any(map(LABEL.fullmatch, words)) or "【" in "".join(titles),
        "gender が決まった値ではない": perfume["gender"] not in ("", *PEOPLE),
        "seasons が決まった値ではない": not set(perfume["seasons"]) <= set("春夏秋冬"),
        "year が年ではない": perfume["year"] and not 1700 <= perfume["year"] <= 2100,
    }
    return next((reason for reason, found in faults.items() if found), None)


def read_perfume(line: bytes) -> Perfume:
    """The perfume of a line; ValueError says why there is none."""
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("UTF-8 ではない") from None
    except (ValueError, RecursionError):
        raise ValueError("JSON として読めない") from None
    if not isinstance(found, dict):
        raise ValueError("JSON のオブジェクトではない")
    for field, kind in FIELDS.items():
        value = found.get(field)
        words = value if isinstance(value, list) else []
        if not isinstance(value, kind | None) or not all(isinstance(word, str) for word in words):
            raise ValueError(f"{field} の型が違う")
    perfume = {field: (found.get(field) or "").strip() for field in TEXTS}
    for field in LISTS:
        perfume[field] = unique(word.strip() for word in found.get(field) or [])
    perfume |= {"year": found.get("year"), "brand": perfume["brand"] or perfume["brand_ja"]}
    perfume["strength"] = f"（{perfume['concentration']}）" if perfume["concentration"] else ""
    if reason := fault(perfume):
        raise ValueError(reason)
    return perfume


def read_perfumes(path: str) -> tuple[list[Perfume], dict[str, list[int]]]:
    """The sound perfumes of a perfumes.jsonl, and {reason: numbers} of the other lines."""
    perfumes, rejected = {}, defaultdict(list)
    with open(path, "rb") as lines:  # bytes: a line ends at \n and at nothing else
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                perfume = read_perfume(line)
                same = tuple(perfume[field] for field in ("url", "brand", "name", "strength"))
                if same in perfumes:
                    raise ValueError("前の行と同じ香水")
                perfumes[same] = perfume
            except ValueError as reason:
                rejected[str(reason)].append(number)
    return list(perfumes.values()), rejected


def read_words(path: str) -> Words:
    """The lines of a table of words, in UTF-8 or as an old spreadsheet saves it."""
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp932")
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    if any(FORBIDDEN.search(cell) for row in rows for cell in row):
        raise csv.Error("制御文字がある")
    return [cells for row in rows if (cells := [cell for cell in row if cell])]


NA_ADJECTIVES = (
    "きれい|上品|清楚|可憐|優雅|高貴|高級|妖艶|繊細|清潔|素朴|自然|新鮮|元気|軽快|爽快|濃厚|豪華|華麗|"
    "優美|贅沢|甘美|無難|不思議|無邪気"
)
ASIDE = re.compile(r".*([くにへのがではもと]|わず)|[a-z' .-]+")  # 甘く, 夫へ, rose
NO_NOUN = re.compile(rf"{ASIDE.pattern}|.*([いるたな的用]|そう|向け)")  # 食べたくなる
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
    """A value as answers say it: メンズ向け, デートシーン, エレガントなイメージ, フローラル系."""
    if kind == "gender":
        return value if value == BOTH else value + "向け"
    if kind == "scene":
        return value + "シーン" if re.fullmatch("[ァ-ヶー]+(?<!シーン)", value) else value
    if kind == "family":
        return value if value.endswith(("系", "調")) else value + "系"
    if kind == "note_tier":
        note, tier = value.rsplit("×", 1)
        return f"{tier}に{note}"
    return attributive(value) + NOUNS[kind] if kind in NOUNS else value


def facts(perfume: Perfume) -> Facts:
    """What is known of a perfume."""
    single = ("brand", "gender", "concentration", "perfumer")
    known = {kind: [perfume[kind]] if perfume[kind] else [] for kind in single}
    known |= {kind: perfume[kind + "s"] for kind in ("season", "scene", "image", "impression")}
    known["family"] = perfume["families"]
    known["year"] = [f"{perfume['year']}年"] if perfume["year"] else []
    known["note"] = unique(note for field in ALL_NOTES.values() for note in perfume[field])
    known["note_tier"] = [f"{note}×{tier}" for tier, f in TIERS.items() for note in perfume[f]]
    return known


def tiers(perfume: Perfume, limit: int, room: int, asked: str = "") -> str:
    """【トップノート】A, B【ミドルノート】…: `limit` of each, with the asked one, fewer to fit."""
    text = ""
    for label, field in ALL_NOTES.items():
        notes = perfume[field]
        kept = sorted(notes, key=lambda note: note != asked)[:limit]
        shown = ", ".join(note for note in notes if note in kept)
        text += f"【{label}】{shown}{'など' * (len(notes) > limit)}" * bool(notes)
    return text if len(text) <= room or limit == 1 else tiers(perfume, limit - 1, room, asked)


def about(kind: str, perfume: Perfume, known: Facts) -> str:
    """What is known of a perfume; empty where nothing is."""
    if kind == "name_notes":
        return tiers(perfume, 40, MAX_CHARACTERS - 80)
    if kind == "name_brand":
        kana = perfume["brand_ja"]
        return perfume["brand"] + (f"（{kana}）" if kana not in ("", perfume["brand"]) else "")
    if kind == "name_gender":
        return "".join(f"{gender}（{PEOPLE[gender]}）" for gender in known["gender"])
    if kind == "name_family":
        return "・".join(phrase("family", family) for family in known["family"])
    if kind == "name_features":
        parts = [about("name_family", perfume, known) + "の香り"] if known["family"] else []
        parts += [joined(known[k][:3]) + noun for k, noun in NOUNS.items() if known[k]]
        return "、".join(parts)
    if kind == "compare":
        parts = [about(k, perfume, known) for k in ("name_family", *CLOSINGS[1:])]
        return "、".join(filter(None, parts))
    if kind == "name_occasions":
        words = {"季節は": known["season"], "シーンは": known["scene"]}
        return "、".join(word + "・".join(values) for word, values in words.items() if values)
    return "".join(known[kind.removeprefix("name_")])


def in_common(known: Facts, others: Facts) -> str:
    """What two perfumes share, as a sentence; empty where it is nothing."""
    families, notes = ([v for v in known[kind] if v in others[kind]] for kind in ("family", "note"))
    parts = ["・".join(phrase("family", family) for family in families) + "の香り"] * bool(families)
    parts += ["、".join(notes[:NOTES_SHOWN]) + "を使った香水"] * bool(notes)
    return f"どちらも{'で、'.join(parts)}です。" if parts else ""


class Exchange(NamedTuple):
    """A question with its answer."""

    question: str
    answer: str
    key: str
    perfumes: list[Perfume]  # that the answer tells of


class Shop:
    """All perfumes, what is asked of them together, and the one source of chance."""

    def __init__(self, perfumes: list[Perfume], spellings: Words, phrasings: Words) -> None:
        self.draw = random.Random()  # seeded for each perfume
        self.pools = defaultdict(list)  # (type, value): its perfumes; ("", "") has all
        self.namesakes = defaultdict(lambda: defaultdict(list))  # name: {brand: its perfumes}
        self.kana = defaultdict(str)  # brand: its Japanese spelling
        self.met = set()  # (type, key), and of the reference's kinds the questions asked so far
        self.values = set()  # all that the pages say
        for perfume in perfumes:
            known = facts(perfume)
            self.values.update(*known.values())
            self.kana[perfume["brand"]] = perfume["brand_ja"] or self.kana[perfume["brand"]]
            for wish in [("", ""), *((kind, value) for kind in FACETS for value in known[kind])]:
                self.pools[wish].append(perfume)
            for name in {perfume["name"], perfume["name_ja"] or perfume["name"]}:
                self.namesakes[name][perfume["brand"]].append(perfume)
        self.brands = {wish: {p["brand"] for p in pool} for wish, pool in self.pools.items()}
        self.phrasings = {kind: cells for kind, *cells in phrasings}
        self.said = {}  # (type, value): its words
        self.lines = {word: row for row in reversed(spellings) for word in reversed(row)}
        self.lines |= {row[0]: row for row in spellings}  # a value's own line goes before others

    def words(self, kind: str, value: str) -> list[str]:
        """The value as customers say it, in words that fit a question and mean only that."""
        if kind == "brand":
            kana = self.kana[value]
            return unique(filter(None, (re.sub("[ ・]", "", kana), kana, value)))
        if (kind, value) not in self.said:
            row = self.lines.get(value, [])
            loose = kind != "note" and row[:1] != [value]  # 特別な時 is not all that パーティー is
            own = [w for w in row if self.lines[w] is row and w not in self.values and not loose]
            if kind in NOUNS or value == BOTH:
                said = [attributive(word) for word in [value, *filter(QUALITY.fullmatch, own)]]
            else:
                said = [phrase(kind, value) if kind == "family" else value]
                said += [word for word in own if not NO_NOUN.fullmatch(word)]
            self.said[kind, value] = unique(said) + said[:1] * (len(said) // 4)
        return self.said[kind, value]

    def word(self, kind: str, value: str) -> str:
        """One of the words: 薔薇, 残り香に薔薇."""
        if kind == "note_tier":
            note, tier = value.rsplit("×", 1)
            return f"{self.word('tier', tier)}に{self.word('note', note)}"
        return self.draw.choice(self.words(kind, value))

    def ask(self, kind: str, *about: str) -> str:
        """A wording of this kind about these words."""
        cells = self.phrasings.get(kind)
        if not cells:
            raise SystemExit(f"{PHRASINGS_FILE} に {kind} の行がありません。行を戻し、{AGAIN}")
        asked = self.draw.choice(cells)
        for mark, word in zip(("○○", "△△"), about, strict=False):
            asked = asked.replace(mark, word)
        return asked

    def wording(self, kind: str, value: str) -> str:
        """What a customer says before 香水."""
        word = self.word(kind.removeprefix("without_"), value)
        return self.ask(value if value == BOTH else kind, word)

    def names(self, perfume: Perfume) -> list[str]:
        """The names that no other of its brand has, or all with the concentration; kana last."""
        names = unique(filter(None, (perfume["name"], perfume["name_ja"])))
        own = [name for name in names if len(self.namesakes[name][perfume["brand"]]) == 1]
        return own or [name + perfume["strength"] for name in names]

    def title(self, perfume: Perfume) -> str:
        """Brand and name as answers say them."""
        return f"{perfume['brand']}の「{self.names(perfume)[-1]}」"

    def key(self, *perfumes: Perfume) -> str:
        """The perfumes' names in a key."""
        return "×".join(f"{p['brand']}/{self.names(p)[0]}" for p in perfumes)

    def owners(self, name: str, perfume: Perfume) -> dict[str, list[Perfume]]:
        """The perfumes of that name by brand."""
        return self.namesakes.get(name) or self.namesakes[name.removesuffix(perfume["strength"])]

    def called(self, perfume: Perfume, name: str = "") -> str:
        """A name as a customer says it: ジャズクラブ; with the brand where needed, and now and then."""
        name = name or self.draw.choice(self.names(perfume))
        joined_up = not re.search("[A-Za-zÀ-ɏ]", name) and self.draw.random() < 1 / 2
        asked = name.replace(" ", "") if joined_up else name
        if len(self.owners(name, perfume)) == 1 and self.draw.random() > 1 / 3:
            return asked
        return f"{self.word('brand', perfume['brand'])}の{asked}"

    # Each maker returns an exchange, or None where the perfume lacks what would be asked.
    def wish(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """A question with one or two values, answered by one perfume."""
        kinds = [kind] if kind in known else kind.split("_")
        if kinds[0] == "without":
            own = [*known["note"], *known["family"], *known["brand"]]
            others = facts(self.draw.choice(self.pools["", ""]))[kinds[1]]
            lacking = [word for word in others if not any(word in value for value in own)]
            known = known | {kind: lacking}
            kinds = [self.draw.choice(("gender", "season", "family")), kind]
        if not all(known[k] for k in kinds):
            return None
        unmet = [value for value in known.get(kind, []) if (kind, value) not in self.met]
        wanted = {k: self.draw.choice((k == kind and unmet) or known[k]) for k in kinds}
        name = self.names(perfume)[-1] if "brand" in wanted else self.title(perfume)
        opening = OPENINGS[kind].format(*(phrase(k, value) for k, value in wanted.items()))
        answer = f"{opening}、{name}がおすすめです。"
        note = wanted.get("note") or wanted.get("note_tier", "").rsplit("×", 1)[0]
        if shown := tiers(perfume, NOTES_SHOWN, MAX_CHARACTERS - len(answer) - 40, note):
            answer += shown + "。"
        untold = known | {k: [] for k in kinds}
        closings = [ABOUT[k].format(said) for k in CLOSINGS if (said := about(k, perfume, untold))]
        answer += self.draw.choice(closings or [""]).removeprefix("の")
        question = self.wish_question(wanted)
        return Exchange(question, answer, "×".join(wanted.values()), [perfume])

    def wish_question(self, wanted: dict[str, str]) -> str:
        """A question for these values: the reference's, a sentence, or the words alone."""
        (kind, value), *more = wanted.items()
        if kind in REFERENCE and not more:
            said = PEOPLE.get(value) or self.words(kind, value)[0]
            question = REFERENCE[kind].format(said) + "香水を教えてください。"
            if question not in self.met:
                return question
        excluding = any(k.startswith("without") for k in wanted)
        if self.draw.random() < WORDS_ALONE and not excluding:
            words = [re.sub("(?<!う)[なの]$", "", self.word(k, v)) for k, v in wanted.items()]
            several = more or kind in (*NOUNS, "note_tier") or value == BOTH
            return self.ask("keywords" if several else "noun", " ".join(words))
        said = [self.wording(k, v) for k, v in wanted.items()]
        if excluding or [*wanted][-1] in ("season", "scene"):  # 春に合うローズの香りがする香水
            said.reverse()
        return self.ask("wish", "".join(said))

    def several(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """A question that so many perfumes answer."""
        facet = self.draw.choice([k for k in FACETS if known[k]])
        value, number = self.draw.choice(known[facet]), self.draw.choice(NUMBERS)
        pool = self.pools[facet, value]
        others = self.draw.sample(pool, min(len(pool), number + 1))
        titles = {self.title(p): p for p in [*others, perfume]}
        chosen = dict([*titles.items()][-number:])
        if len(chosen) < number:
            return None
        digit = self.draw.choice((str(number), "〇一二三四五六七八"[number]))
        counted = digit + self.draw.choice(("つ", "つ", "本", "本", "個", "種類"))
        question = self.ask("several", self.wording(facet, value), counted)
        answer = f"{phrase(facet, value)}の香水を{number}本選ぶなら、"
        answer += "、".join(chosen) + "がおすすめです。"
        return Exchange(question, answer, f"{number}×{facet}×{value}", [*chosen.values()])

    def brands(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """Which brands the shop has, in all or for a wish."""
        facet = self.draw.choice(["", *(k for k in ("gender", "family") if known[k])])
        value = self.draw.choice(known[facet]) if facet else ""
        pool = self.pools[facet, value]
        chosen = {p["brand"]: p for p in [perfume, *self.draw.sample(pool, min(len(pool), 6))]}
        listed = "、".join(chosen) + "など" * (len(chosen) < len(self.brands[facet, value]))
        wanted = self.ask("brands", self.wording(facet, value)) if facet else ""
        opening = f"{phrase(facet, value)}の香水の" if facet else "取り扱い"
        question, key = wanted or self.ask("all brands"), f"{facet}×{value}" if facet else "すべて"
        return Exchange(question, f"{opening}ブランドは、{listed}です。", key, [*chosen.values()])

    def by_name(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """A question about a perfume by its name, of a tier also by that."""
        name, same = self.draw.choice(self.names(perfume)), [perfume]
        owners = self.owners(name, perfume)
        asked = self.called(perfume, name)
        told = f"{perfume['brand']}の{name}" if len(owners) > 1 else name
        if kind == "name_brand":
            same = [first for first, *_ in owners.values()] if len(owners) > 1 else same
            asked = told = name.removesuffix(perfume["strength"]) if len(owners) > 1 else name
        present = [tier for tier, field in TIERS.items() if perfume[field]]
        tier = [self.draw.choice(present)] if kind == "name_tier" and present else []
        notes = [f"{t}は、{'、'.join(perfume[TIERS[t]])}" for t in tier]
        said = "と".join(about(kind, p, known | {"tier": notes}) for p in same)
        question = self.ask(kind, asked, *(self.word("tier", t) for t in tier))
        key = "×".join([self.key(*same), *tier])
        return Exchange(question, told + ABOUT[kind].format(said), key, same) if said else None

    def yes_no(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """Whether a perfume is for somebody, a season or a scene, or has a material; the fact."""
        facet, other = self.draw.choice([*YES_NO]), self.draw.choice(self.pools["", ""])
        asked = self.draw.choice(facts(self.draw.choice((perfume, other)))[facet] or [""])
        if not asked or not known[facet]:
            return None
        if facet == "gender":
            asked = self.draw.choice([*PERSONS])
            word, true = self.draw.choice(PERSONS[asked]), known[facet][0] in (asked, BOTH)
        else:
            word, true = self.word(facet, asked), asked in known[facet]
        if not true and facet == "note" and any(asked in note for note in known["note"]):
            return None  # シチリア産レモン is a レモン
        question = self.ask(facet + "?", self.called(perfume), word)
        answer = f"{'はい' if true else 'いいえ'}、{self.title(perfume)}"
        told = "name_" + YES_NO[facet]
        answer += ABOUT[told].format(about(told, perfume, known))
        return Exchange(question, answer, f"{self.key(perfume)}×{facet}×{asked}", [perfume])

    def similar(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """What is like a perfume: of some that share a family, the one with most of its notes."""
        pool = self.pools.get(("family", "".join(known["family"][:1])), [])
        others = [p for p in self.draw.sample(pool, min(len(pool), LIKE)) if p is not perfume]
        shared = [len({*known["note"]} & {*facts(p)["note"]}) for p in others]
        if max(shared, default=0) < 2:
            return None
        other = others[shared.index(max(shared))]
        answer = f"{self.title(perfume)}に似た香りでは、{self.title(other)}がおすすめです。"
        answer += in_common(known, facts(other))
        question = self.ask(kind, self.called(perfume))
        return Exchange(question, answer, self.key(perfume), [perfume, other])

    def compare(self, kind: str, perfume: Perfume, known: Facts) -> Exchange | None:
        """A question how two perfumes differ."""
        other = self.draw.choice(self.pools["", ""])
        one, two = about(kind, perfume, known), about(kind, other, facts(other))
        if other is perfume or not one or not two:
            return None
        answer = f"{self.title(perfume)}は{one}で、{self.title(other)}は{two}です。"
        answer += in_common(known, facts(other))
        question = self.ask(kind, self.called(perfume), self.called(other))
        return Exchange(question, answer, self.key(perfume, other), [perfume, other])


MAKERS = dict.fromkeys(OPENINGS, Shop.wish) | dict.fromkeys(ABOUT, Shop.by_name)
MAKERS |= {k: getattr(Shop, k) for k in ("several", "brands", "yes_no", "similar", "compare")}


def arrange(shop: Shop) -> Iterator[dict[str, Any]]:
    """The records, none twice; each perfume draws anew, so that a change moves few others."""
    written = set()
    for perfume in tqdm(shop.pools["", ""], desc="質問を作成", unit="本", disable=None):
        shop.draw.seed(f"{SEED} {perfume['url']} {perfume['name']}")
        known = facts(perfume)
        for kind, rate in RECORDS_PER_PERFUME.items():
            times = int(rate + shop.draw.random())
            if rate and kind in REFERENCE:  # asked whenever one perfume answers them
                times = max(times, sum((kind, value) not in shop.met for value in known[kind]))
            for _ in range(times):
                made = MAKERS[kind](shop, kind, perfume, known)
                pair = hash(made[:2]) if made else 0  # small: millions are held against it
                if not made or pair in written or len(made.answer) > MAX_CHARACTERS:
                    continue
                written.add(pair)
                shop.met |= {(kind, made.key), made.question if kind in REFERENCE else kind}
                asked = {"instruction": made.question, "response": made.answer}
                source = unique(p["url"] for p in made.perfumes)
                yield asked | {"type": kind, "key": made.key, "source": source}


# -- the run ---------------------------------------------------------------------------------------
def check_constants() -> None:
    """Stops where a constant at the top is of a wrong kind."""
    for kind, rate in RECORDS_PER_PERFUME.items():
        name = f"RECORDS_PER_PERFUME の {kind}"
        if kind not in MAKERS:
            raise SystemExit(f"{name} という type はありません。綴りを直し、{AGAIN}")
        if type(rate) not in (int, float) or not 0 <= rate <= 1_000:
            raise SystemExit(f"{name} が {rate!r} です。0 から 1000 の数に直し、{AGAIN}")
    for name, value in {"NOTES_SHOWN": NOTES_SHOWN, "MAX_CHARACTERS": MAX_CHARACTERS}.items():
        if type(value) is not int or value < 1:
            raise SystemExit(f"{name} が {value!r} です。1 以上の整数に直し、{AGAIN}")


@contextmanager
def explained(path: str, fault: str, remedy: str) -> Iterator[None]:
    """A part in which a file that cannot be used stops the run in one line."""
    try:
        yield
    except FileNotFoundError:
        raise SystemExit(f"{path} がありません。{remedy}") from None
    except BlockingIOError:
        raise SystemExit(f"別の arrangeData.py が {path} を作成中です。後で{AGAIN}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SystemExit(f"{path} {fault}（{error}）。{remedy}") from None


def write(records: Iterable[dict[str, Any]], path: str) -> dict[str, list[Any]]:
    """Writes the records and moves the file into place; {type: [count, first record]}."""
    unfinished, table = Path(f"{path}.tmp"), None
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "a", encoding="utf-8", newline="\n") as file:
            if os.name != "nt":  # Windows refuses by itself to replace a file that is open
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            table = {}  # from here on the file is this run's alone
            if file.tell():  # left by a run that was killed
                file.truncate(0)
            for record in records:
                file.write((",\n" if table else "[\n") + json.dumps(record, ensure_ascii=False))
                table.setdefault(record["type"], [0, record])[0] += 1
            file.write("\n]\n")
        if table:
            os.replace(unfinished, path)
    finally:
        if table is not None:
            unfinished.unlink(missing_ok=True)
    return table


def report(table: dict[str, list[Any]], perfumes: int) -> None:
    """Prints the types with counts and an example."""
    total = sum(count for count, _ in table.values())
    print("type                  件数   割合  例")
    for kind in filter(table.get, RECORDS_PER_PERFUME):
        count, record = table[kind]
        shown = f"{record['instruction']} → {record['response']:.40}"
        print(f"{kind:<18}{count:>8,}{count / total:>7.1%}  {shown}")
    print(f"香水 {perfumes:,} 本から質問と回答 {total:,} 件を {OUTPUT_FILE} に書きました。")
    print("次は python loadModel.py を実行してください。")


def guard_streams() -> None:
    """Makes standard output and error take Japanese, or, where they are closed, nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            setattr(sys, name, io.StringIO())
        elif hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> None:
    """Reads the perfumes, writes the data set, prints what is in it."""
    guard_streams()
    check_constants()
    first = "python getData.py を実行"
    with explained(PERFUMES_FILE, "を読めません", f"先に {first}してください。"):
        perfumes, rejected = read_perfumes(PERFUMES_FILE)
    words = []
    for path in (SPELLINGS_FILE, PHRASINGS_FILE):
        with explained(path, "を読めません", f"UTF-8 の CSV に戻し、{AGAIN}"):
            words.append(read_words(path))
    with explained(OUTPUT_FILE, "に書けません", f"空き容量と権限を確かめ、{AGAIN}"):
        table = write(arrange(Shop(perfumes, *words)), OUTPUT_FILE) if perfumes else {}
    for reason, numbers in rejected.items():
        lines = "、".join(f"{number:,}" for number in numbers[:20]) + " など" * (len(numbers) > 20)
        print(f"除外 {len(numbers):,} 行: {reason}（行 {lines}）")
    if not perfumes:
        raise SystemExit(f"{PERFUMES_FILE} に使える香水がありません。{first}し直してください。")
    if not table:
        remedy = f"RECORDS_PER_PERFUME か MAX_CHARACTERS を大きくし、{AGAIN}"
        raise SystemExit(f"質問が 1 件もできませんでした。{remedy}")
    report(table, len(perfumes))


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        raise SystemExit(f"中断しました。{OUTPUT_FILE} は前のままです。{AGAIN}") from None
    except OSError:  # a reader that leaves (| head): the data set is in place by then
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
