"""Answers questions about perfumes in the terminal, with the model that loadModel.py trained.

Command: python generate.py     (or: python generate.py < questions.txt, one question a line)
Reads:   ADAPTER_DIR, QA_FILE, PERFUMES_FILE; data/spellings.csv, brands.csv and asked_words.csv
Writes:  with EVALUATE = True evaluation.json and the section 評価 of the model card, else nothing
Prints:  the answers to QUESTIONS, then to what is typed; to piped questions lines Q：… and A：…
A question narrows what may be said to what bears out its words; within that the model chooses.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import functools
import itertools
import json
import operator
import os
import random
import re
import shutil
import sys
import unicodedata
import warnings
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from tqdm import tqdm
from wcwidth import wcswidth

# --------------------------------------------------------------------------------------------------
ADAPTER_DIR = "fine_tuned_open_calm"  # written by loadModel.py
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py; the facts that answers rest on
QA_FILE = "data/perfume_qa.json"  # written by arrangeData.py; its responses are what may be said
QUESTIONS = [  # answered first, and alone where nobody can type
    "メゾンマルジェラの香水を教えてください。",
    "男性向けの香水を教えてください。",
    "春に相応しい香水を教えてください。",
]
GROUNDED = True  # True: only what the data says; False: free, and inventions are named
EVALUATE = False  # True: answer the saved test split, print and save the figures, and end
MAX_NEW_TOKENS = 256  # tokens of a free answer; grounded answers are as long as they are in QA_FILE
TEMPERATURE = 0.7  # > 0; lower: the likeliest more often; free, and among equally right answers
TOP_P = 0.9  # 0-1; free decoding: draw from the likeliest tokens that together have this share
REPETITION_PENALTY = 1.2  # 1.0: none; free decoding only: it would punish repeating the brand asked
# --------------------------------------------------------------------------------------------------

WORDS = Path(__file__).parent / "data"
MOST, EXAMPLES, SOURCES = 10, 3, 2  # perfumes in an answer, questions suggested, pages named
FREE_TESTS = 100  # test questions answered freely
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
FIELDS = {  # field of a perfume: what it tells; the type of answer that says it is name_<that>
    "brand": "brand", "gender": "gender", "seasons": "occasions", "scenes": "occasions",
    "images": "features", "impressions": "features", "families": "family",
    **dict.fromkeys((*TIERS.values(), "notes"), "notes"),
    "concentration": "concentration", "perfumer": "perfumer", "year": "year",
}  # fmt: skip
ONE_EACH = {"brand", "gender", "concentration", "perfumer", "year"}  # a perfume has one of these
VALUED = {"name", *FIELDS.values()}  # kinds of value that perfumes bear out
ABOUT = ("name_", "yes_no", "similar", "compare")  # how types of answer about named perfumes begin
IGNORED = " 　・-‐‑–—ー〜~'’‘`.°*=&＊＝＆"  # what spellings of one word differ in
SMALL = str.maketrans("ァィゥェォャュョヮ", "アイウエオヤユヨワ", IGNORED)
V_ROW = {"ヴァ": "バ", "ヴィ": "ビ", "ヴ": "ブ", "ヴェ": "ベ", "ヴォ": "ボ"}
NOUN = re.compile(
    r"No\.\d+|(?<![ァ-ヺー])[ァ-ヺー]+?(?=タイプ|(?![ァ-ヺー]))"
    "|(?<![A-Za-zÀ-ɏ'’])[A-Za-zÀ-ɏ'’]+|[一-龠々]+"
    "|(?<![ぁ-んァ-ヺー一-龠])[ぁ-んー]{3,}(?=の香り|の匂い|のにおい|入り)"
)
ASKED = re.compile("は|って|も?[?。]?$|[系風]|っぽ|あ[るり]|に似|の?にお|[のがを]?[よ香匂入使]")
HIRAGANA = str.maketrans({chr(code + 96): chr(code) for code in range(ord("ぁ"), ord("ゖ") + 1)})
ENDING = re.compile("(のある|の|な|系)$")  # 透明感のある is 透明感 too
TORN = re.compile("[ぁ-ん]{2}(?=[ぁ-ん])(?![のとやはがもをにでみだなよかへて])")  # いや in いやつ
LINKED = re.compile("と|や|も|か|、|・|とか| |と、|and|or")  # between what is excluded together
LEADS = re.compile("(?:な|の|もの|やつ|香り|匂い|香水|は|が|も|だけ|:| )*")  # 苦手なのはローズ
FORBIDDEN = re.compile(  # control, bidi, surrogates, private use
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)
UNUSABLE = re.compile(rf"{FORBIDDEN.pattern}|<\|\w+\|>")  # special tokens too
LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
OBJECT = re.compile(r"(?:^|[\[,\n])\s*(?=\{)")  # where one begins, in an array or on a line
UNIT = re.compile(  # what stays on one line: no line begins with 、。」ー, no word is broken
    r"[「『（【［]*(?:[A-Za-z0-9À-ɏ'’&.°]+|.)[、。，．・：；？！?!,」』）】］ーぁぃぅぇぉゃゅょっァィゥェォャュョッ々…〜]*"
)
SMALL_BYTES = 2**31  # of weights in float32: up to here a CPU gains nothing from fewer bits
ABSENT = "はデータにありません。"
AGAIN = "python {} を実行してください。"
Record = dict[str, Any]
asked_by = operator.itemgetter("type", "key")  # records that answer the same are equally right


class Value(NamedTuple):
    """A value of the data (occasions, 春), of one field, or what a cue asks (ask, name_year)."""

    kind: str
    text: str
    field: str = ""


class Word(NamedTuple):
    """A noun of a question, the values that it may mean, and whether they are excluded."""

    start: int
    end: int
    text: str
    values: frozenset[Value] = frozenset()
    excluded: bool = False

    @property
    def kinds(self) -> set[str]:
        return {value.kind for value in self.values}

    def only(self, kind: str) -> Self:
        """The word in its meanings of one kind."""
        return self._replace(values=frozenset(v for v in self.values if v.kind == kind))

    @property
    def says(self) -> set[str]:
        return {"-" * self.excluded + value.text for value in self.values}


class Question(NamedTuple):
    """What a question says, in the words of the data."""

    words: tuple[Word, ...]
    names: tuple[Word, ...]
    wishes: tuple[Word, ...]  # each has to be borne out

    def says(self, *kinds: str) -> list[str]:
        """What its words of some kinds stand for: the types of answer, the tiers, a number, …"""
        values = (value for word in self.words for value in word.values)
        return list(dict.fromkeys(value.text for value in values if value.kind in kinds))


class Claim(NamedTuple):
    """A record of the data set, the perfumes that it tells of, and the values that it says."""

    record: Record
    perfumes: tuple[int, ...]
    says: frozenset[str | int] = frozenset()  # its words, and the numbers of perfumes asked about


Plan = list[str | list[Claim]]  # what is to be said: fixed texts, and what the model chooses from


class Said(NamedTuple):
    """An answer, what it rests on, the question it completes, and all perfumes told to that."""

    text: str
    claims: tuple[Claim, ...] = ()
    question: str = ""
    told: tuple[int, ...] = ()


# --- records --------------------------------------------------------------------------------------
def parse_records(text: str) -> list:
    """The objects of a JSON array or of JSON Lines, None for each broken one."""
    records, at = [], 0
    while found := OBJECT.search(text, at):
        start, record = found.end(), None
        at = start + 1
        with contextlib.suppress(ValueError, RecursionError):
            record, at = json.JSONDecoder().raw_decode(text, start)
        records.append(record)
    return records


def usable(record: Any, fields: tuple[str, ...]) -> bool:
    """Whether a record has a text that can be shown in each of these fields."""
    texts = [record.get(field) for field in fields] if isinstance(record, dict) else [None]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return False
    return not UNUSABLE.search(LINE_END.sub("", "".join(texts)))


def content_of(path: str | Path, remedy: str) -> bytes:
    """What a file holds; SystemExit says how to get it."""
    try:
        return Path(path).read_bytes()
    except OSError:
        cause = "が読めません" if Path(path).exists() else "がありません"
        raise SystemExit(f"{path} {cause}。{remedy}") from None


def read_records(path: str | Path, maker: str, fields: tuple[str, ...]) -> list[dict]:
    """The usable records of a JSON array or of JSON Lines; SystemExit when there are none."""
    again = AGAIN.format(maker)
    records = parse_records(content_of(path, again).decode("utf-8-sig", "replace").strip())
    whole = [
        record | {field: LINE_END.sub("\n", record[field]).strip() for field in fields}
        for record in records
        if usable(record, fields)
    ]
    if not whole:
        raise SystemExit(f"{path} に使える記録がありません。{again}")
    if len(whole) < len(records):
        skipped = f"読めない記録 {len(records) - len(whole):,} 件をとばしました。"
        print(f"{path}: {skipped}", file=sys.stderr)
    return whole


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 with or without a mark, UTF-16, or cp932."""
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content
    with contextlib.suppress(UnicodeDecodeError):
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    return content.decode("cp932", "replace")


def read_words(name: str) -> list[list[str]]:
    """The lines of a word list in data/."""
    content = content_of(WORDS / name, f"git checkout data/{name} で戻してください。")
    rows = csv.reader(decoded(content).splitlines())
    return [[*filter(None, map(str.strip, row))] for row in rows if any(map(str.strip, row))]


# --- words ----------------------------------------------------------------------------------------
def normal(text: str) -> str:
    """The text in one width and one spelling of numbers: ﾊﾞﾗ, N°5 and 5番 become バラ and No.5."""
    text = unicodedata.normalize("NFKC", FORBIDDEN.sub("", text))
    text = re.sub(r"(?i)(?<![a-z])n[°o]\.?\s*(?=\d)|ナンバー\s*(?=\d)", "No.", text)
    return re.sub(r"(\d+)番(?!目|人|組)", r"No.\1", text).strip()


def folded(text: str) -> tuple[str, list[int]]:
    """(the text without what spellings differ in, where its characters and its end stood)."""
    letters, places = "", []
    for piece in re.finditer("ヴ[ァィェォ]?|.", text):
        letter = V_ROW.get(piece[0], piece[0]).translate(SMALL)
        if letter < "\u3000":
            letter = unicodedata.normalize("NFKD", letter)[:1].casefold()[:1]
        letters += letter
        places += [piece.start()] * len(letter)
    return letters, [*places, len(text)]


def fold(text: str) -> str:
    """The text folded, for comparing."""
    return folded(normal(text))[0]


def texts(perfume: Record, *fields: str) -> list[str]:
    """What a perfume has in some fields, each of them a list, one value, or nothing."""
    values = (perfume.get(field) or [] for field in fields)
    lists = (value if isinstance(value, list) else [value] for value in values)
    return list(map(str, itertools.chain.from_iterable(lists)))


def quoted(words: Iterable[Word]) -> str:
    """「夏」「シャネル以外」: the words by their one meaning, or else as they were said."""
    said = ((min(word.values).text if len(word.values) == 1 else word.text, word) for word in words)
    return "".join(f"「{text}{'以外' * word.excluded}」" for text, word in said)


def left_out(text: str, words: list[Word]) -> set[Word]:
    """The words that a question excludes, linked ones before a cue (ローズが苦手) or the one after."""
    excluded, run, cue = set(), [], None
    for word in (word for word in words if word.kinds & {"not", *VALUED}):
        between = text[run[-1].end : word.start] if run else ""
        if "not" in word.kinds:
            if not run or "name" not in run[-1].kinds or LEADS.fullmatch(between):
                excluded |= {*run}  # but モンパリはあり？なし？ excludes none
            cue = word
        elif cue and not excluded and LEADS.fullmatch(text[cue.end : word.start]):
            return {word}
        else:
            run = [*run, word] if LINKED.fullmatch(between) else [word]
    return excluded


class Clerk:
    """Knows the words that a question may hold, what they mean, and what may be said to it."""

    def __init__(self, perfumes: list[Record], qa: list[Record]) -> None:
        self.perfumes = [p | {"brand": p.get("brand") or p.get("brand_ja") or ""} for p in perfumes]
        self.names = [texts(perfume, "name", "name_ja") for perfume in self.perfumes]
        self.words: dict[str, set[Value]] = defaultdict(set)  # a word folded: what it means
        self.bearing: dict[Value, set[int]] = defaultdict(set)
        self.labels: dict[str, str] = {}  # a type of answer: what it tells
        self.titles: list[str] = []  # of perfumes
        known = " ".join(record["instruction"] + record["response"] for record in qa)
        self.ordinary = set(NOUN.findall(known))  # words of what is learned
        years = sorted(str(perfume["year"]) for perfume in self.perfumes if perfume.get("year"))
        ages = dict(zip(years[:1] + years[-1:], ("最古", "最新"), strict=False))
        for number, perfume in enumerate(self.perfumes):
            for field, kind in FIELDS.items():
                for text in texts(perfume, field):
                    self.bearing[Value(kind, text)].add(number)
                    self.bearing[Value(kind, text, field)].add(number)
                    year = f"{text}年", f"{text[:3]}0年代", f"{text[2:3]}0年代", ages.get(text, "")
                    said = {"year": year, "perfumer": (text, text.split("・")[-1])}
                    for spelling in said.get(kind, [text]):
                        self.add(spelling, Value(kind, text))
            for spelling in texts(perfume, "brand", "brand_ja"):
                self.add(spelling, Value("brand", perfume["brand"]))
            strength = f"（{perfume['concentration']}）" if perfume.get("concentration") else ""
            self.titles.append(f"{perfume['brand']}の「{self.names[number][-1]}」{strength}")
        self.add_listed()
        self.add_names()
        for word, values in list(self.words.items()):  # しゃねる
            if len(word) > 3 and {value.kind for value in values} & {"brand", "name"}:
                self.words.setdefault(word.translate(HIRAGANA), values)
        self.at = {perfume["url"]: number for number, perfume in enumerate(self.perfumes)}
        self.claims = [self.claim(record) for record in qa]

    def add(self, word: str, *values: Value) -> None:
        """Takes a word in, unless it is too short to be told from its surroundings."""
        key = fold(word)
        if len(key) > 1 or re.match("[一-龠a-z]", key):
            self.words[key].update(values)

    def add_listed(self) -> None:
        """The words of the lists: a line means what the first of it does that the data has."""
        synonyms = [*read_words("brands.csv"), *read_words("spellings.csv")]
        apart = {row[0] for row in synonyms}
        for value, numbers in list(self.bearing.items()):  # シチリア産レモン is レモン too
            for cut in range(1, len(value.text) * (value.text not in apart)):
                self.bearing.get(value._replace(text=value.text[cut:]), set()).update(numbers)
        for kind, label, *words in (row for row in read_words("asked_words.csv") if len(row) > 2):
            self.labels[label] = words[0]
            for word in words:
                self.add(word, Value(kind, label))
        known = {key: frozenset(values) for key, values in self.words.items()}
        for row in synonyms:
            shared = next((known[fold(word)] for word in row if fold(word) in known), ())
            for word in row:
                for form in {word, re.sub("(?<=[一-龠ぁ-ん])い$", "", word)}:  # 甘い: 甘く, 甘さ
                    own = known.get(fold(ENDING.sub("", form)), ())
                    self.add(form, *shared, *own)

    def add_names(self) -> None:
        """Names, and parts of them that one house alone has: first words (バカラルージュ), last two."""
        parts: dict[str, set[int]] = defaultdict(set)
        for number, perfume in enumerate(self.perfumes):
            house = {fold(spelling) for spelling in texts(perfume, "brand", "brand_ja")}
            title = Value("name", self.names[number][-1])
            self.bearing[title].add(number)
            for name in self.names[number]:
                self.add(name, title)
                words = re.split("[ ・＆&]+", normal(name))
                words = words[fold(words[0]) in house :]  # グッチ ブルーム
                ends = ("".join(words[at:]) for at in range(1, len(words) - 1))
                for part in itertools.chain(itertools.accumulate(words), ends):
                    if len(part) > 3:
                        parts[fold(part)].add(number)
        for part, numbers in parts.items():
            houses = {self.perfumes[number]["brand"] for number in numbers}
            if len(houses) == 1 and part not in self.words:
                self.words[part] = {Value("name", self.names[number][-1]) for number in numbers}
                self.words[f"{part}な"] = {Value("plain", part)}  # ワイルドな香り

    def bears(self, word: Word) -> set[int]:
        """The perfumes that bear out a word in a meaning, or if it is excluded in none."""
        borne = set().union(*(self.bearing.get(value, ()) for value in word.values))
        return set(range(len(self.perfumes))) - borne if word.excluded else borne

    def read(self, text: str) -> list[Word]:
        """The nouns of a text: from left to right the longest known word, or else a whole noun."""
        letters, places = folded(text)
        words, at = [], 0
        while at < len(letters):
            noun = NOUN.match(text, places[at])
            whole = bisect_left(places, noun.end()) if noun else at + 1
            least = at if "一" <= letters[at] <= "龠" else whole - 1  # ローズマリア: no ローズ
            least += 2 * bool(TORN.match(letters, at))
            ends = range(len(letters), least, -1)
            end = next((end for end in ends if letters[at:end] in self.words), whole)
            if noun or letters[at:end] in self.words:
                said = text[places[at] : places[end]].rstrip(" 　・")
                values = frozenset(self.words.get(letters[at:end], ()))
                words.append(Word(places[at], places[at] + len(said), said, values))
            at = end
        return words

    def understand(self, said: str) -> Question:
        """What a question says."""
        text = normal(said)
        read, words = self.read(text), []
        about = any(word.kinds & {"ask", "tier", "like", "as"} for word in read)
        for word, after in itertools.zip_longest(read, read[1:]):
            is_joined = after and text[word.end : after.start] in ("", " ", "の")  # クロエのノマド
            owns = is_joined and self.bears(word.only("brand")) & self.bears(after.only("name"))
            word = word._replace(values=word.values or self.guessed(word, text[word.end :]))
            if "as" in word.kinds and words and "name" in words[-1].kinds:  # ソヴァージュっぽい
                word = word._replace(values=frozenset({Value("like", "similar")}))
            words.append(word.only("brand") if owns else self.meant(word, about))
        excluded = left_out(text, words)
        words = [word._replace(excluded=word in excluded) for word in words]
        names = (word for word in words if "name" in word.kinds and not word.excluded)
        question = Question(tuple(words), tuple(names), ())
        return question._replace(wishes=tuple(self.wishes(question)))

    def wishes(self, question: Question) -> Iterable[Word]:
        """What has to be borne out: all values but the names and their brands, each once."""
        wishes, told = {}, set().union(*map(self.bears, question.names))
        is_left_out = operator.attrgetter("excluded")  # and is said last: ムスクは嫌。ムスクなしで
        for word in sorted(question.words, key=is_left_out):
            owner = "brand" in word.kinds and told & self.bears(word)  # シャネルのチャンス
            whose = owner and word.start < question.names[-1].start
            if word.kinds & VALUED and word not in question.names and not whose:
                values = itertools.product(word.only("notes").values, question.says("tier"))
                notes = frozenset(value._replace(field=TIERS[tier]) for value, tier in values)
                last = word.kinds if question.says("rather") else word.values  # もっと爽やかなの
                wishes[frozenset(last)] = word._replace(values=notes or word.values)
        return wishes.values()

    def meant(self, word: Word, about: bool) -> Word:
        """What a word means: a name where a perfume is asked about, or where it is nothing else."""
        name = word.only("name")
        if name.values and (about or name == word):
            return name
        return word._replace(values=word.values - name.values)  # サクラの香り

    def guessed(self, noun: Word, after: str) -> frozenset[Value]:
        """What an unknown noun may mean, a letter off; unknown; or said aside: 孫娘がつけている."""
        key, near, is_kanji = fold(noun.text), [], "一" <= noun.text[0] <= "龠"
        if noun.text in self.ordinary or len(key) < 2:
            return frozenset({Value("plain", noun.text)})
        if len(key) > 3 and not is_kanji:
            near = difflib.get_close_matches(key, self.words, 1, 1 - 1.01 / len(key))
        values = {value for word in near for value in self.words[word] if value.kind in VALUED}
        kind = "aside" if is_kanji and not ASKED.match(after) else "unknown"  # 線香っぽい
        return frozenset(values or {Value(kind, noun.text)})

    # --- answering --------------------------------------------------------------------------------

    def claim(self, record: Record) -> Claim:
        """A record, whom it tells of, and what it says: type, key, -what is left out, a number."""
        kind, says = record["type"], record["key"].split("×")
        told = tuple(self.at[url] for url in record.get("source") or () if url in self.at)
        if kind.startswith("without_"):
            says[-1] = f"-{says[-1]}"
        if kind.startswith(ABOUT):
            about = told[:1] if kind == "similar" else told
            told = told[len(about) :] or told
            says += about
        return Claim(record, told, frozenset([kind, *says]))

    def computed(self, text: str, *numbers: int) -> Claim:
        """A sentence whose words follow from the facts of perfumes."""
        source = [self.perfumes[number]["url"] for number in numbers]
        return Claim({"response": text, "type": "", "key": "", "source": source}, numbers)

    def saying(self, meanings: list[set], fit: set[int]) -> tuple[list[Claim], int]:
        """(the claims about these perfumes that say most of what is meant, how much they lack)."""
        named = any(isinstance(said, int) for meaning in meanings for said in meaning)
        ranks: dict[tuple[int, int], list[Claim]] = defaultdict(list)
        for claim in self.claims:
            about = claim.record["type"].startswith(ABOUT)
            if about == named and fit.issuperset(claim.perfumes):
                said = sum(not meaning.isdisjoint(claim.says) for meaning in meanings)
                ranks[said, -len(claim.says)].append(claim)
        best = max(ranks, default=(0, 0))
        return ranks[best], len(meanings) - best[0]

    def completed(self, text: str, before: Said) -> str:
        """A question with what it takes up: それは…, 他には？, もっと爽やかなの."""
        question = self.understand(text)
        known = question.names or question.wishes
        is_whole = known or question.says("brands", "unknown", "aside", "topic")
        first = next((word.kinds for word in question.words if word.kinds & {"it", *VALUED}), ())
        asks = "it" in first or (question.says("ask", "tier") and not is_whole)
        if before.told and asks:
            return self.titles[before.told[-1]].partition("（")[0] + text
        goes_on = question.says("rather" if known else "other")
        return f"{before.question}。{text}" if goes_on else text

    def missing(self, question: Question) -> str:
        """What is said of words that the data does not have, or has in another spelling."""
        said = ""
        for word in question.words:
            if word.kinds & VALUED and fold(word.text) not in self.words:  # a letter off
                said += f"「{word.text}」を「{min(word.values).text}」としてお答えします。"
        aside = "" if question.names or question.says("brands") else "aside"
        unknown = quoted(word for word in question.words if word.kinds & {"unknown", aside})
        lacks = "、".join(question.says("lack"))
        said += f"{unknown}{ABSENT}" * bool(unknown)
        return said + f"{lacks}の情報{ABSENT}" * bool(lacks)

    def plan(self, question: Question, told: Iterable[int] = ()) -> Plan:
        """What is to be said: what the data does not know, and the answer to the rest."""
        missing, known = self.missing(question), question.names or question.wishes
        if (greeting := "".join(question.says("greet")[:1])) and not known:
            return [greeting + self.suggestions(question, MOST) * ("できます" in greeting)]
        if question.says("lack"):
            known = not question.names and any("brand" not in w.kinds for w in question.wishes)
        elif not question.says("unknown"):
            known = known or question.says("topic", "number", "other", "ask", "like", "brands")
        if not known:
            return [(missing or f"お尋ねの内容{ABSENT}") + self.suggestions(question, EXAMPLES)]
        if question.names and not question.says("like", "other"):
            return [missing, *self.of_named(question)]
        return [missing, *self.recommended(question, told)]

    def suggestions(self, question: Question, number: int) -> str:
        """Questions of the data set about the same perfumes, or else of some kinds."""
        told = set().union(*map(self.bears, (*question.names, *question.wishes)))
        examples: dict[str, str] = {}  # {type: a question}
        for claim in sorted(self.claims, key=lambda claim: not told.issuperset(claim.perfumes)):
            examples.setdefault(claim.record["type"], claim.record["instruction"])
        return f"「{'」「'.join([*examples.values()][:number])}」のようにお尋ねください。"

    def recommended(self, question: Question, told: Iterable[int]) -> Plan:
        """Perfumes that meet the wishes: records that say them, or a frame around some titles."""
        named = set().union(*map(self.bears, question.names))
        kin = {family for number in named for family in texts(self.perfumes[number], "families")}
        like = Word(0, 0, "同じ香調", frozenset(Value("family", family) for family in kin))
        wishes = (*[like] * bool(kin), *question.wishes)
        fit, met = set(range(len(self.perfumes))) - named, []
        for word in wishes:
            same = (w for w in wishes if w.kinds == word.kinds <= ONE_EACH and not word.excluded)
            borne = self.bears(word).union(*map(self.bears, same))  # シャネルかディオール
            if fit & borne:
                fit, met = fit & borne, [*met, word]
        unmet = f"{quoted(wishes)}のすべてに当てはまる香水{ABSENT}" * (len(met) < len(wishes))
        fit -= set(told)
        if not fit:
            return [f"ほかに当てはまる香水{ABSENT}"]
        brands = "name_brand" in question.says("ask", "brands")
        meanings = [word.says for word in met if word in question.wishes] + [{"brands"}] * brands
        numbers = question.says("number")
        meanings += [{text} for text in (*question.says("tier"), *numbers) if text != "1"]
        meanings += [{"similar"}, *map(self.bears, question.names[:1])] * bool(named)
        claims, lacking = self.saying(meanings, fit)
        if not lacking:
            return [unmet, claims]
        wanted = MOST if brands else int("".join(numbers[:1]) or 1)
        titles = [self.computed(self.titles[number], number) for number in sorted(fit)]
        fewer = f"データにあるのは{len(fit)}つです。" * (len(fit) < wanted)
        listed = ["、", titles] * min(wanted, len(fit))
        opening = unmet + f"{quoted(question.names)}に似た" * bool(named)
        opening += f"{quoted(met)}の" * bool(met)
        return [f"{opening}香水では", *listed, f"がおすすめです。{fewer}"]

    def of_named(self, question: Question) -> Plan:
        """What is asked of named perfumes: facts, whether they bear out a wish, how they differ."""
        same = [self.bears(word) for word in question.names]
        wished = {f"name_{kind}" for word in question.wishes for kind in word.kinds}
        beside = {*question.says("ask")} - {"name_features", *wished}
        wishes = question.wishes * (not beside)  # 妻の使うノマドはどこのブランド
        is_shared = wished == {"name_gender"} and not question.says("only")
        shared = self.bearing[Value("gender", "ユニセックス")] if is_shared else set()
        borne = [self.bears(word) | shared for word in wishes]
        fit = [numbers for numbers in same if all(map(numbers.intersection, borne))]
        opening, meanings = "", [*same]
        if len(wishes) == len(same) == 1:  # more are to choose from: メンズ？レディース？
            opening = "はい、" if fit else "いいえ、"
            meanings += [{"yes_no"}, wishes[0].says]
        elif len(same) > 1 and not borne:
            opening = "と".join(self.titles[min(numbers)] for numbers in same) + "を比べると、"
            meanings += [{"compare"}]
        claims, lacking = self.saying(meanings, set().union(*same))
        if not lacking and len(meanings) > len(same):
            return [claims]
        told = wished if wishes else question.says("tier") or question.says("ask", "brands") or [""]
        return [opening, *(self.fact(n, kind) for n in fit or same for kind in sorted(told))]

    def fact(self, numbers: set[int], kind: str) -> list[Claim]:
        """The records about a perfume of a type, of a tier, or of what it is like."""
        number = min(numbers)
        meant = {kind} if kind else {"name_features", "name_notes"}
        claims, lacking = self.saying([numbers, meant], numbers)
        if not lacking:
            return claims
        fields = [f for f, told in FIELDS.items() if TIERS.get(kind, kind) in (f, f"name_{told}")]
        values = "、".join(texts(self.perfumes[number], *fields))
        said = f"{self.titles[number]}の{self.labels.get(kind, kind)}"
        return [self.computed(said + (f"は、{values}です。" if values else ABSENT), number)]

    def invented(self, answer: str) -> list[str]:
        """The words of an answer that no perfume named in it, or else house, bears out."""
        text, wrong = normal(answer), []
        words = self.read(text)
        listed = [word for word in words if "brand" in word.kinds]
        names = [word for word in words if "name" in word.kinds]
        are_houses = all(word in listed for word in names) and len(listed) > len(names) + 1
        told = set().union(*(self.bears(word.only("name")) for word in names if not are_houses))
        told = told or set().union(*(self.bears(word.only("brand")) for word in listed))
        for word in words:
            denied = text.startswith(("を使わない", "以外の"), word.end)
            false = word.kinds & VALUED and not denied and not self.bears(word) & told
            if false or (not word.values and word.text not in self.ordinary):
                wrong.append(word.text)
        return wrong if told else [answer]


# --- decoding -------------------------------------------------------------------------------------
class Assistant:
    """Answers questions with the model, and remembers what it told."""

    def __init__(self, model: Any, tokenizer: Any, clerk: Clerk) -> None:
        self.model, self.tokenizer, self.clerk = model, tokenizer, clerk
        self.before = Said("")  # what was told last

    @functools.cache  # noqa: B019, an assistant lives as long as the program
    def tokens(self, response: str) -> tuple[int, ...]:
        """A response in tokens, with the end token."""
        return tuple(self.tokenizer(response + self.tokenizer.eos_token)["input_ids"])

    def prompt(self, question: str) -> list[int]:
        """The question in the template that the adapter was trained with, in tokens."""
        chat = [{"role": "user", "content": question}]
        template = self.tokenizer.apply_chat_template
        return template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]

    def choose(self, question: str, claims: list[Claim]) -> Claim:
        """What the model says, token by token: the likeliest, drawn where all left are as right."""
        import torch

        left = {self.tokens(claim.record["response"]): claim for claim in claims}
        block, depth, cache = self.prompt(question), 0, None
        while len(left) > 1:
            same = os.path.commonprefix(list(left))  # noqa: RUF071, read in one pass
            ids = torch.tensor([[*block, *same[depth:]]]).to(self.model.device)
            with torch.inference_mode():
                out = self.model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            block, depth, cache = [], len(same), out.past_key_values
            tokens = sorted({response[depth] for response in left})
            shares = (out.logits[0, -1, tokens].float() / TEMPERATURE).softmax(0)
            alike = len({asked_by(claim.record) for claim in left.values()}) == 1
            chosen = tokens[torch.multinomial(shares, 1) if alike else shares.argmax()]
            left = {response: c for response, c in left.items() if response[depth] == chosen}
        return next(iter(left.values()))

    def carry_out(self, plan: Plan, question: str) -> Said:
        """The answer of a plan, one choice after the other; no perfume twice."""
        chosen, text = [], ""
        for part in plan:
            if not isinstance(part, str):
                told = {number for claim in chosen for number in claim.perfumes}
                left = [claim for claim in part if told.isdisjoint(claim.perfumes)]
                chosen.append(self.choose(question, left or part))
                part = chosen[-1].record["response"]
            text += part
        return Said(FORBIDDEN.sub("", text), tuple(chosen))

    def free(self, question: str) -> str:
        """A free answer."""
        import torch

        prompt = torch.tensor([self.prompt(question)]).to(self.model.device)
        (tokens,) = self.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=True,
            temperature=TEMPERATURE, top_p=TOP_P, top_k=0, repetition_penalty=REPETITION_PENALTY,
            max_new_tokens=MAX_NEW_TOKENS, pad_token_id=self.tokenizer.pad_token_id,
        )  # fmt: skip
        text = self.tokenizer.decode(tokens[prompt.shape[1] :], skip_special_tokens=True)
        return FORBIDDEN.sub("", text)

    def answer(self, text: str) -> Said:
        """The answer to a question, which may take up the one before."""
        before = self.before
        asked = self.clerk.completed(FORBIDDEN.sub("", text), before)
        if not GROUNDED:
            said = self.free(asked)
            doubtful = "」「".join(self.clerk.invented(said))
            return Said(said + f"※データで確かめられない言葉：「{doubtful}」" * bool(doubtful))
        told = before.told * asked.startswith(before.question or "。")
        said = self.carry_out(self.clerk.plan(self.clerk.understand(asked), told), asked)
        now = (number for claim in said.claims for number in claim.perfumes)
        return said._replace(question=asked, told=(*told, *now))


# --- the terminal ---------------------------------------------------------------------------------
def show(text: str) -> None:
    """Prints an answer in lines of the terminal's width."""
    width, column = shutil.get_terminal_size().columns, 0
    for unit in UNIT.findall(text):
        if column and column + wcswidth(unit) > width:
            print()
            column, unit = 0, unit.lstrip()
        column += max(wcswidth(unit), 0)
        print(unit, end="")
    print()


def footer(said: Said) -> str:
    """The lines under an answer: the pages that its facts are from."""
    urls = [FORBIDDEN.sub("", url) for c in said.claims for url in c.record.get("source") or ()]
    pages = [f"　出典：{url}\n" for url in dict.fromkeys(urls)]
    more = f"　　　　その他 {len(pages) - SOURCES} 件\n" * (len(pages) > SOURCES)
    return "".join(pages[:SOURCES]) + more


def converse(assistant: Assistant, questions: list[str], typed: bool, notes: Any) -> None:
    """Answers questions, then what is typed, until 終了, Ctrl-D, or Ctrl-C at an empty line."""
    waiting, session = list(questions), None
    if typed:
        from prompt_toolkit import PromptSession

        session = PromptSession(interrupt_exception=EOFError)
        print("「使い方」「終了」も入力できます。")
    while waiting or session:
        try:
            if waiting:
                print(f"Q：{waiting[0]}", flush=True)
            question = waiting.pop(0) if waiting else session.prompt("Q：").strip()
            if question in ("終了", "終わり", "exit", "quit"):
                return
            if question:
                said = assistant.answer(question)
                (show if typed else print)(f"A：{said.text}")
                print(footer(said), file=notes, flush=True)
                if said.told:  # an interrupted answer is not remembered
                    assistant.before = said
        except EOFError:  # Ctrl-D, or Ctrl-C, which clears a half-typed line
            if not session.default_buffer.text:
                return
        except KeyboardInterrupt:
            if not typed:
                raise
            waiting.clear()
            print("\n（止めました。何も入力せずに Ctrl-C か Ctrl-D で終わります）\n")


# --- evaluation -----------------------------------------------------------------------------------
def evaluate(ready: Callable[[bool], Assistant], clerk: Clerk, tests: list[Record]) -> None:
    """Prints shares of right answers by type and way, last of true ones; the card gets them too."""
    import pandas

    random.Random(0).shuffle(tests)
    results, records = [], [claim.record for claim in clerk.claims]
    for title, adapted in {"アダプター": True, "基盤モデル": False}.items():
        assistant = ready(adapted)
        sys.modules["torch"].manual_seed(0)  # the same figures again
        for number, test in enumerate(tqdm(tests, desc=title, disable=None)):
            asked, kind = test["instruction"], test["type"]
            right = {qa["response"] for qa in records if asked_by(qa) == asked_by(test)}
            begins = {text.partition("、")[0] for text in right}
            plan = clerk.plan(clerk.understand(asked))
            choices = (part for part in plan if not isinstance(part, str))
            ways = {"制約": clerk.claims, "絞り込み": next(choices, [clerk.computed("")])}
            for way in (*ways, *["自由"] * (number < FREE_TESTS)):
                claim = assistant.choose(asked, ways[way]) if way in ways else None
                said = claim.record["response"] if claim else assistant.free(asked)
                is_true = not clerk.invented(said)
                is_right = said in right if claim else is_true and said.partition("、")[0] in begins
                results.append((f"{title}・{way}", kind, float(is_right), is_true))
                if claim:
                    may = {claim.record["response"] for claim in ways[way]}
                    results.append((f"偶然・{way}", kind, len(may & right) / len(may), None))
    found = pandas.DataFrame(results, columns=["", "種類", "正解", "事実"])
    table = found.pivot_table("正解", "種類", "", sort=False, margins=True, margins_name="全体")
    table = table.drop(columns="全体")
    table.insert(0, "件数", Counter(test["type"] for test in tests) | {"全体": len(tests)})
    table.loc["事実"] = found.groupby("")["事実"].mean()
    known = table.astype(object).where(table.notna(), None)
    text = known.to_markdown(floatfmt=("", ".0f", *[".1%"] * len(table.columns)), missingval="")
    print(text)
    card = Path(ADAPTER_DIR, "README.md")
    kept = card.read_text(encoding="utf-8").partition("\n## 評価")[0] if card.exists() else ""
    contents = {card: f"{kept.rstrip()}\n\n## 評価\n\n{text}\n"}
    contents[card.with_name("evaluation.json")] = table.to_json(force_ascii=False)
    for path, content in contents.items():
        path.with_suffix(".tmp").write_text(content, encoding="utf-8")
        os.replace(path.with_suffix(".tmp"), path)
        print(f"{path} に書きました。")


# --- loading --------------------------------------------------------------------------------------
def choose_device(size: int) -> tuple[str, Any]:
    """Where a model of so many weights answers, and in which precision."""
    import torch

    if torch.cuda.is_available():
        fast = torch.cuda.get_device_capability() >= (8, 0)  # below, bfloat16 is only emulated
        return "cuda", torch.bfloat16 if fast else torch.float16
    return "cpu", torch.float32 if 4 * size <= SMALL_BYTES else torch.bfloat16


def load(folder: str, adapted: bool = True) -> tuple[Any, Any]:
    """(model, tokenizer), the adapter added in float32, layer by layer; SystemExit says why not."""
    from peft import AutoPeftModelForCausalLM, PeftConfig, get_peft_model_state_dict
    from peft.tuners.lora import LoraLayer
    from safetensors.torch import load as load_tensors
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.simplefilter("ignore")  # layers that do not fit are an error below
    base, again, own = "", AGAIN.format("loadModel.py"), {"trust_remote_code": False}
    content = content_of(Path(folder, "adapter_model.safetensors"), again)
    try:
        saved = load_tensors(content)
        base = PeftConfig.from_pretrained(folder).base_model_name_or_path
        tokenizer = AutoTokenizer.from_pretrained(folder, **own)
        known, size = len(AutoTokenizer.from_pretrained(base, **own)), len(tokenizer)
        model = AutoPeftModelForCausalLM.from_pretrained(folder, dtype="auto", **own)
        layers = set(get_peft_model_state_dict(model, save_embedding_layers=False))
        faults = {
            "質問のひな形 chat_template がありません": not tokenizer.chat_template,
            f"{known:,} 語のはずのトークナイザーが {size:,} 語です": size not in (known, known + 1),
            "層の名前が違います": set(saved) != layers,
            "中身が空です": not any(w.any() for name, w in saved.items() if "lora_B" in name),
        }
        for fault in filter(faults.get, faults):
            raise ValueError(fault)
        device, dtype = choose_device(model.get_base_model().num_parameters())
        for layer in model.modules():
            if adapted and isinstance(layer, LoraLayer):
                weight, delta = layer.base_layer.weight, layer.get_delta_weight("default")
                weight.data = (weight.data.float() + delta.data).to(dtype)
        model = model.unload()
        for weight in model.parameters():
            weight.data = weight.data.to(device, dtype)
        return model.to(device).eval(), tokenizer
    except Exception as error:
        why = FORBIDDEN.sub("", " ".join(str(error).split()))[:200]
        what = f"{folder} のアダプター（基盤モデル {base}）が読めません（{why}）。"
        raise SystemExit(what + again) from None


def main() -> None:
    """Loads the model, then evaluates it, or answers what is typed, piped in, or QUESTIONS."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8", errors="replace")
    at_keyboard = bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
    typed = at_keyboard and "JPY_PARENT_PID" not in os.environ  # that is a notebook's cell
    notes = sys.stdout if typed else sys.stderr
    print("読み込み中…", file=notes, flush=True)
    fields = "instruction", "response", "type", "key"
    qa = read_records(QA_FILE, "arrangeData.py", fields)
    clerk = Clerk(read_records(PERFUMES_FILE, "getData.py", ("name", "url")), qa)

    def ready(adapted: bool = True) -> Assistant:
        model, tokenizer = load(ADAPTER_DIR, adapted)
        adapter = f"アダプター {ADAPTER_DIR if adapted else 'なし'}"
        how = "制約あり" if GROUNDED else "制約なし"
        what = f"基盤モデル {model.config.name_or_path}、{adapter}、{how}、{model.device}、{model.dtype}"
        print(FORBIDDEN.sub("", what), file=notes, flush=True)
        return Assistant(model, tokenizer, clerk)

    if EVALUATE:
        tests = read_records(f"{ADAPTER_DIR}/test.json", "loadModel.py", fields)
        return evaluate(ready, clerk, tests)
    is_piped = hasattr(sys.stdin, "buffer") and not sys.stdin.isatty()
    lines = decoded(sys.stdin.buffer.read()).split("\n") if is_piped else []
    piped = [question for line in lines if (question := FORBIDDEN.sub("", line).strip())]
    converse(ready(), piped or QUESTIONS, typed, notes if piped else sys.stdout)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(130)  # not even the streams are to be flushed
