"""Answers questions about perfumes in the terminal, with the model that loadModel.py trained.

Command: python generate.py     (or: python generate.py < questions.txt, one question a line)
Reads:   ADAPTER_DIR, QA_FILE, PERFUMES_FILE; data/spellings.csv, brands.csv and asked_words.csv
Writes:  with EVALUATE = True evaluation.json and the section 評価 of the model card, else nothing
Prints:  the answers to QUESTIONS, then to what is typed; to piped questions lines Q：… and A：…

The words of a question are found, what may be said is narrowed to what bears them out, and within
that the model chooses: each token of its answer continues one of the responses that are left.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import difflib
import itertools
import json
import mmap
import os
import random
import re
import shutil
import sys
import time
import unicodedata
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# --------------------------------------------------------------------------------------------------
ADAPTER_DIR = "fine_tuned_open_calm"  # written by loadModel.py
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py; the facts that answers rest on
QA_FILE = "data/perfume_qa.json"  # written by arrangeData.py; its responses are what may be said
QUESTIONS = [  # answered first, and alone where nobody can type
    "メゾンマルジェラの香水を教えてください。",
    "男性向けの香水を教えてください。",
    "春に相応しい香水を教えてください。",
]
GROUNDED = True  # True: only what the data says; False: free, and inventions are marked
EVALUATE = False  # True: answer the saved test split, print and save the figures, and end
MAX_NEW_TOKENS = 256  # tokens of a free answer; grounded answers are as long as they are in QA_FILE
TEMPERATURE = 0.7  # > 0; lower: the likeliest more often; free, and among equally right answers
TOP_P = 0.9  # 0-1; free decoding: draw from the likeliest tokens that together have this share
REPETITION_PENALTY = 1.2  # 1.0: none; free decoding only: it would punish repeating the brand asked
BATCH_SIZE = 16  # questions of the test split answered side by side; fewer when memory is short
CHARACTER_SECONDS = 0.005  # pause after each character at the terminal, for the eye; 0: none
# --------------------------------------------------------------------------------------------------

WORDS = Path(__file__).parent / "data"
MOST, EXAMPLES = 10, 3  # perfumes in one answer; questions suggested
SOURCES = 2  # pages named under an answer
FREE_TESTS = 200  # test questions answered freely
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
FIELDS = {  # kind of value: the fields that hold it
    "brand": ["brand", "brand_ja"], "gender": ["gender"], "season": ["seasons"],
    "scene": ["scenes"], "image": ["images"], "impression": ["impressions"], "family": ["families"],
    "note": [*TIERS.values(), "notes"], "concentration": ["concentration"],
    "perfumer": ["perfumer"], "year": ["year"],
}  # fmt: skip
ONE_EACH = {"brand", "concentration", "gender", "perfumer", "year"}  # a perfume has one of these
PROPER = {"name", "brand", "note"}  # what may be misspelt
LISTS = {"brands", "name_brand"}  # types of answer that tell brands
TAILS = {"name_tier": 1, "yes_no": 2}  # what a key has after the perfume: ×ミドルノート, ×season×夏
NAMING = {"name", "first", "part"}  # a name, its first words, words of it where its brand is said
TELLS = {  # kind of value: the type of answer that tells it, where that is not name_<kind>
    "season": "name_occasions", "scene": "name_occasions", "note": "name_notes",
    "image": "name_features", "impression": "name_features", "family": "name_features",
}  # fmt: skip
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff]"
)
IGNORED = set(" 　・-‐‑–—ー〜~'’‘`.°*=&＊＝＆")  # what spellings of one word differ in
SMALL = str.maketrans("ァィゥェォャュョヮ", "アイウエオヤユヨワ")
V_ROW = {"ァ": "バ", "ィ": "ビ", "ェ": "ベ", "ォ": "ボ"}  # ヴァ is バ
COUNTED = re.compile(
    r"(?<!もう)(\d+|[一二三四五六七八九十])(?:つ|本|個|種|点|選|品(?!種))(?!目)"
    r"|(?i:top|best|ベスト|トップ)\s*(\d+)"
)
MORE = re.compile("(他|ほか|別の|べつの|次|もう(一|1|ひと)つ)(に|の|は|を|も|、|$)")
RATHER = re.compile("^(もっと|もう少し|もうちょっと|じゃあ|では|それなら)")
IT = re.compile("[そこ](れ(?!以外|なら|より|ぞれ|から)|の(香水|香り|匂い))|さっきの")
NOUN = re.compile(
    r"[ァ-ヺー]{2,}(?:[・ ＝=&＆]?[ァ-ヺー]+)*|[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ'’&.]+|[一-龠々]+"
    "|(?<![ぁ-ん])[ぁ-ん]{3,}(?=の(?:香り|匂い|におい))"
)
SMELL = re.compile(  # behind a material: the smell of it is meant
    "(の|な|っぽい|っぽく|みたいな|のような|系|系の)*(香り|匂い|におい|味)|っぽ|な|感|[がのを]?(入|使|配合)"
)
PURPOSE = re.compile("に(?!つい|関)|で|へ|帰り|用|向け|向き|中|前|後|好き")  # behind an occasion
MATTER = "(は|って|を|が|も|[?？]|$|ある|ない|教)"  # behind what is asked for: 春の天気は？
GAP = re.compile(  # between what is excluded and what excludes it
    "(系|の|香り|匂い|におい|香料|香水|もの|やつ|とか|など|は|が|も|を|って|に|だけ|ちょっと|少し|あまり|"
    "あんまり|とても|すごく|本当に|どうも|っぽい|感じ|な|強く|する|した|ある|入り|入った|使った|、| )*"
)
LEADS = re.compile("(の| the)? |な?(の|もの|香り|匂い)?(は|が|:)")  # and what follows it
LINKED = re.compile("と|や|も|か|、|・|とか| |と、|and|or")
EITHER = re.compile("、?(か|や|または|もしくは|or)、?")
PARTICLES = set("のとやはがもをにでみだなよかへて")
JOINING = "用向系物場頃夜朝夕専春夏秋冬"  # 夏用: characters that may follow a word of one
ABSENT = "はデータにありません。"
MARK, LEGEND = "［？{}］", "［？…］はデータで確かめられない言葉です。"
AGAIN = "python {} を実行してください。"
Record = dict[str, Any]


class Value(NamedTuple):
    """A value of the data (season, 春), (name, ソヴァージュ), or what a word does: (ask, name_year)."""

    kind: str
    text: str


class Word(NamedTuple):
    """A piece of a question, and the values that it may mean."""

    start: int
    end: int
    text: str
    values: frozenset[Value] = frozenset()

    @property
    def kinds(self) -> set[str]:
        return {value.kind for value in self.values}


class Question(NamedTuple):
    """What a question says, in the words of the data."""

    text: str
    words: tuple[Word, ...]
    names: tuple[Word, ...]
    wishes: tuple[Word, ...]  # each has to be borne out
    excluded: tuple[Word, ...]
    number: int | None
    asked: frozenset[str]  # types of answer
    unknown: tuple[str, ...]  # asked for, and not in the data
    strange: tuple[str, ...]  # other words that the data does not have
    taken: tuple[tuple[str, str], ...]  # what is a letter off, and what it was taken for
    further: str  # "other": 他には？ "rather": もっと爽やかなの "it": それは…？

    def says(self, kind: str) -> tuple[str, ...]:
        """What its words of a kind stand for: the tiers, what no field tells, 香水, a greeting."""
        return meanings(self.words, kind)

    @property
    def facts(self) -> set[str]:
        """The types of answer that tell of a named perfume."""
        return {kind for kind in self.asked if kind.startswith("name_")}

    def goes_on(self, before: Question | None) -> bool:
        """Whether it asks on from the question before, or the same again."""
        told = [q and (q.names, q.wishes, q.excluded, q.asked) for q in (self, before)]
        return self.further in ("other", "rather") or told[0] == told[1]


class Claim(NamedTuple):
    """A record of the data set, and the perfumes that it tells of."""

    record: Record
    perfumes: frozenset[int] = frozenset()


class Plan(NamedTuple):
    """What is to be said: a fixed opening, then of each group what the model chooses."""

    opening: str
    groups: tuple[list[Claim], ...] = ()
    titles: bool = False  # only which perfumes are recommended, not the whole responses
    ending: str = ""


class Said(NamedTuple):
    """An answer, what it rests on, and whether it came to its end."""

    text: str
    claims: tuple[Claim, ...] = ()
    ended: bool = True


class Memory(NamedTuple):
    """What was asked last, the perfumes told to it, and the last of all."""

    question: Question | None = None
    told: frozenset[int] = frozenset()
    last: int | None = None


NOTHING = Memory()


# --- records ------------------------------------------------------------------------------------
FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)  # control, bidi, surrogates, private use
LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
SPECIAL_TOKEN = re.compile(r"<\|\w+\|>")
OBJECT = re.compile(r"(?:^|[\[,\n])\s*(?=\{)")  # where one begins, in an array or on a line


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
    if not isinstance(record, dict):
        return False
    for field in fields:
        value = record.get(field)
        if not isinstance(value, str) or not value.strip():
            return False
        if FORBIDDEN.search(LINE_END.sub("", value)) or SPECIAL_TOKEN.search(value):
            return False
    return not re.search(r"[\ud800-\udfff]", json.dumps(record, ensure_ascii=False))


def read_records(path: str | Path, maker: str, fields: tuple[str, ...]) -> list[dict]:
    """The usable records of a JSON array or of JSON Lines; SystemExit when there are none."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace").strip()
    except FileNotFoundError:
        raise SystemExit(f"{path} がありません。{AGAIN.format(maker)}") from None
    except OSError as error:
        raise SystemExit(
            f"{path} が読めません（{error.strerror}）。{AGAIN.format(maker)}"
        ) from None
    records = parse_records(text)
    whole = [
        record | {field: LINE_END.sub("\n", record[field]).strip() for field in fields}
        for record in records
        if usable(record, fields)
    ]
    if not whole:
        raise SystemExit(f"{path} に使える記録がありません。{AGAIN.format(maker)}")
    if len(whole) < len(records):
        skipped = f"読めない記録 {len(records) - len(whole):,} 件をとばしました。"
        print(f"{path}: {skipped}", file=sys.stderr)
    return whole


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 with or without a mark, UTF-16, or cp932."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if marked or b"\0" in content:
        return content.decode("utf-16" if marked else "utf-16-le", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp932", "replace")


def read_words(name: str) -> list[list[str]]:
    """The lines of a word list in data/, the first cell apart."""
    try:
        rows = csv.reader(decoded((WORDS / name).read_bytes()).splitlines())
    except OSError:
        back = f"git checkout data/{name} で戻してください。"
        raise SystemExit(f"data/{name} がありません。{back}") from None
    cells = ([cell.strip() for cell in row if cell.strip()] for row in rows)
    return [row for row in cells if row]


def normal(text: str) -> str:
    """The text in one width and one spelling of numbers: ﾊﾞﾗ, N°5 and 5番 become バラ and No.5."""
    text = re.sub(r"(?i)n[°º]|№|\bno\.?(?=\s*\d)|ナンバー(?=\s*\d)", "No.", CONTROL.sub("", text))
    text = re.sub(r"(No\.)\s+(?=\d)", r"\1", unicodedata.normalize("NFKC", text))
    return re.sub(r"(\d+)番(?!目|人|組)", r"No.\1", text).strip()


def folded(text: str) -> tuple[str, list[int]]:
    """(the text without what spellings differ in, where each of its characters stood)."""
    letters, places = "", []
    kana = "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in text)
    for place, char in enumerate(kana):
        if char in IGNORED or (char in V_ROW and kana[place - 1 : place] == "ヴ"):
            continue
        if char == "ヴ":
            char = V_ROW.get(kana[place + 1 : place + 2], "ブ")
        elif char < "\u3000":
            char = unicodedata.normalize("NFKD", char)[0].casefold()[0]
        letters += char.translate(SMALL)
        places.append(place)
    return letters, places


@cache
def fold(text: str) -> str:
    """The text folded, for comparing."""
    return folded(normal(text))[0]


def spellings(perfume: Record, field: str) -> list[str]:
    """The Latin and the Japanese spelling of a perfume's name or brand."""
    return [perfume[key] for key in (field, f"{field}_ja") if perfume.get(key)]


def values_of(perfume: Record, kind: str) -> list[str]:
    """A perfume's values of a kind, without repetitions; the brand in its first spelling."""
    if kind == "brand":
        return spellings(perfume, "brand")[:1]
    found = [perfume.get(field) or [] for field in FIELDS[kind]]
    listed = itertools.chain(*(value if isinstance(value, list) else [value] for value in found))
    return list(dict.fromkeys(map(str, listed)))


def as_noun(word: Word) -> str:
    """A word as it can be quoted alone: 甘く is what it means, スイート."""
    meant = sorted({value.text for value in word.values})
    return "・".join(meant) if word.text.endswith("く") and meant else word.text


def quoted(words: Iterable[str]) -> str:
    """「夏」「甘い」."""
    return "".join(f"「{word}」" for word in words)


def meanings(words: Iterable[Word], kind: str) -> tuple[str, ...]:
    """What the words of a kind stand for, in their order."""
    return tuple(dict.fromkeys(v.text for w in words for v in w.values if v.kind == kind))


def between(text: str, words: list[Word]) -> list[Word]:
    """The nouns of a text that none of the words covers."""
    nouns = [Word(*noun.span(), noun[0]) for noun in NOUN.finditer(text)]
    return [n for n in nouns if not any(w.start < n.end and n.start < w.end for w in words)]


class Lexicon:
    """All words that a question may hold, and the perfumes that bear out what they mean."""

    def __init__(self, perfumes: list[Record], qa: list[Record]) -> None:
        self.perfumes = perfumes
        self.words: dict[str, set[Value]] = defaultdict(set)  # a word folded: what it means
        self.bearing: dict[Value, set[int]] = defaultdict(set)
        self.hiragana: set[str] = set()
        asked = " ".join(record["instruction"] for record in qa)
        self.ordinary = set(re.findall("[一-龠々]+", asked))  # words of the questions learned from
        self.plain = set(NOUN.findall(" ".join(record["response"] for record in qa)))
        for number, perfume in enumerate(perfumes):
            for kind in FIELDS:
                for text in values_of(perfume, kind):
                    self.bearing[Value(kind, text)].add(number)
                    self.add(text + "年" * (kind == "year"), Value(kind, text))
            for spelling in spellings(perfume, "brand"):
                self.add(spelling, Value("brand", values_of(perfume, "brand")[0]))
        self.add_lines(read_words("brands.csv"), whole=True)
        self.add_lines(read_words("spellings.csv"), whole=False)
        self.add_compounds()
        self.add_asked(read_words("asked_words.csv"))
        self.add_names()
        for values in self.words.values():
            values -= {v for v in values if v.kind == "absent" and len(values) > 1}
        self.longest = max(map(len, self.words))

    def add(self, word: str, *values: Value) -> None:
        """Takes a word in, unless it is too short to be told from its surroundings."""
        for key in {fold(word), folded(word)[0]}:
            if values and (len(key) > 1 or re.fullmatch("[一-龠a-z]", key)):
                self.words[key].update(values)
                self.hiragana.update([key] if re.fullmatch("[ぁ-んー]+", word) else [])

    def add_lines(self, rows: list[list[str]], whole: bool) -> None:
        """Customers' words: a line is one house as a whole, or its words are what its first is."""
        means = {key: {v for v in values if v.kind in FIELDS} for key, values in self.words.items()}
        means |= {fold(tier): {Value("tier", tier)} for tier in TIERS}
        for row in rows:
            known = []
            for word in row:
                noun = fold(re.sub("(のある|の|な|系)$", "", word))  # 透明感のある is 透明感 too
                known.append(means.get(fold(word), set()) | means.get(noun, set()))
            shared_by_all = set().union(*(known if whole else known[:1]))
            for word, own in zip(row, known, strict=True):
                values = shared_by_all | own
                self.add(word, *(values or [Value("absent", word)]))
                if re.search("[一-龠ぁ-ん]い$", word):  # 甘い, 甘く
                    for ending in ("く", "さ", "め", "み", "すぎ"):
                        self.add(word[:-1] + ending, *values)

    def add_compounds(self) -> None:
        """A compound is what its end names too: ターキッシュローズ is ローズ."""
        notes = {fold(value.text): value for value in self.bearing if value.kind == "note"}
        for key, start in ((long, at) for long in notes for at in range(1, len(long) - 1)):
            short = notes.get(key[start:])
            if short:
                self.bearing[short] |= self.bearing[notes[key]]

    def add_asked(self, rows: list[list[str]]) -> None:
        """What questions say besides values: types of answer, what no field tells, exclusion …"""
        kinds = {"除く": "not", "香水": "topic", "おすすめ": "topic", "普通の言葉": "plain"}
        for label, *words in rows:
            kind = "ask" if label.isascii() else "greet" if label[-1] == "。" else "lack"
            kind = "number" if label.isdigit() else kinds.get(label, kind)
            self.ordinary.update(words if kind == "plain" else ())
            for word in words:
                self.add(word, Value(kind, label))
        self.labels = {label: words[0] for label, *words in rows}

    def add_names(self) -> None:
        """Names, and those of their words that one house alone has (バカラルージュ)."""
        owners, leading = defaultdict(set), set()
        for number, perfume in enumerate(self.perfumes):
            brand = fold(" ".join(spellings(perfume, "brand")))
            title = Value("name", spellings(perfume, "name")[-1])
            self.bearing[title].add(number)
            for name in spellings(perfume, "name"):
                self.add(name, title)
                words = list(filter(fold, re.split("[ ・＆&]+", normal(name))))
                for start, end in itertools.combinations(range(len(words) + 1), 2):
                    part, before = "".join(words[start:end]), fold("".join(words[:start]))
                    owners[fold(part)].add(number)
                    if before in brand and len(part) > 3:
                        leading.add(fold(part))
        for part, numbers in owners.items():
            houses = {values_of(self.perfumes[number], "brand")[0] for number in numbers}
            if len(houses) == 1 and len(part) > 1 and not self.words.get(part):
                value = Value("first" if part in leading else "part", part)
                self.words[part].add(value)
                self.bearing[value] = numbers

    def bears(self, word: Word) -> set[int]:
        """The perfumes that bear out a word in any of its meanings."""
        return set().union(*(self.bearing.get(value, ()) for value in word.values))

    def find(self, text: str, torn: frozenset[tuple[int, int]] = frozenset()) -> list[Word]:
        """The known words of a text, the longest at each place, none torn from an unknown one."""
        letters, places = folded(text)
        found, at, last = [], 0, 0
        while at < len(letters):
            for size in range(min(self.longest, len(letters) - at), 0, -1):
                values = self.words.get(letters[at : at + size])
                start, end = places[at], places[at + size - 1] + 1
                end = re.compile("((?<=ヴ)[ァィェォ])?ー*").match(text, end).end()
                known = values and (start, end) not in torn
                if known and self.stands(text, start, end, start == last):
                    found.append(Word(start, end, text[start:end], frozenset(values)))
                    at, last = at + size - 1, end
                    break
            at += 1
        pieces = set()
        for run in re.finditer("[ァ-ヺ][ァ-ヺー]*|[A-Za-zÀ-ɏ]+", text):  # no ローズ in ローズマリー
            start, end = run.span()
            inside = [word for word in found if word.start < end and start < word.end]
            if sum(min(word.end, end) - max(word.start, start) for word in inside) < end - start:
                cut = (w for w in inside if start < w.start < end or start < w.end < end)
                pieces.update((word.start, word.end) for word in cut)
        return self.find(text, torn | pieces) if pieces else found

    def stands(self, text: str, start: int, end: int, follows: bool) -> bool:
        """Whether a piece of text, which follows another word or not, may be a word by itself."""
        word, before, after = text[start:end], text[:start][-1:], text[end : end + 1]
        if re.fullmatch("[一-龠]", word):
            alone = follows or not re.match("[一-龠々]", before)
            return alone and not re.match("[一-龠々]", after.strip(JOINING))
        begins = follows or not re.match("[ぁ-ん]", before) or before in PARTICLES
        if re.match("[ぁ-ん]", word) and len(word) < 4 and not begins:
            return False
        ends = len(word) > 2 or not re.match("[ぁ-ん]", after) or after in PARTICLES
        known = len(word) > 3 or (fold(word) in self.hiragana and ends)
        return known or not re.fullmatch("[ぁ-んー]+", word)


# --- understanding --------------------------------------------------------------------------------
def counted(text: str) -> tuple[int | None, str]:
    """(how many perfumes are wanted in figures, the text with blanks for it)."""
    found = COUNTED.search(text)
    if not found:
        return None, text
    written = found[1] or found[2]
    number = int(written) if written.isdecimal() else int(unicodedata.numeric(written))
    return number, text.replace(found[0], " " * len(found[0]), 1)


def left_out(text: str, words: list[Word]) -> set[Word]:
    """The words that a question excludes, before a cue or after it: ローズが苦手, 苦手なのはローズ."""
    excluded = set()
    for place, cue in ((place, word) for place, word in enumerate(words) if "not" in word.kinds):
        at, gap = cue.start, GAP
        for word in reversed(words[:place]):
            smell = gap is GAP and word.kinds == {"topic"}  # バニラの香りが苦手
            bare = cue.text in ("ない", "なく") and not word.text.endswith(("く", "ぎ"))
            valued = word.kinds & (FIELDS.keys() | NAMING)
            if not gap.fullmatch(text[word.end : at]) or not (smell or (valued and not bare)):
                break
            at = word.start
            if not smell:
                excluded.add(word)
                gap = LINKED
        following = words[place + 1 : place + 2]  # without lemon, 苦手なのはレモン
        excluded.update(w for w in following if LEADS.fullmatch(text[cue.end : w.start]))
    return excluded


def joined(text: str, wishes: list[Word]) -> tuple[Word, ...]:
    """The wishes; those of which a perfume has one, and those that か joins, are one: シャネルかディオール."""
    merged: list[Word] = []
    for word in wishes:
        place = len(merged) - 1
        linked = merged and EITHER.fullmatch(text[merged[-1].end : word.start])
        for other, wish in enumerate(merged):
            if word.kinds <= ONE_EACH and word.kinds == wish.kinds:
                place, linked = other, True
        if not linked or not merged[place].kinds & word.kinds:
            merged.append(word)
            continue
        wish = merged[place]
        said = wish.text if word.values <= wish.values else f"{wish.text}か{word.text}"
        merged[place] = Word(wish.start, word.end, said, wish.values | word.values)
    return tuple(merged)


def further(text: str, wished: bool, excluded: bool) -> str:
    """How a question goes on from the one before."""
    if MORE.search(text) and not excluded:
        return "other"
    if RATHER.search(text) and wished:
        return "rather"
    return "it" if IT.search(text) else ""


class Reader(Lexicon):
    """Understands questions; pure, without the model."""

    def understand(self, said: str) -> Question:
        """What a question says."""
        number, text = counted(normal(said))
        known = self.find(text)
        guesses = [self.guessed(noun) for noun in between(text, known)]
        words = sorted([*known, *guesses])
        read: list[Word] = []
        about = bool(meanings(words, "tier") or {*meanings(words, "ask")} - {"brands"})
        for word in words:
            read.append(word._replace(values=self.meant(text, word, read, about)))
        excluded = left_out(text, read)
        if "similar" in meanings(read, "ask"):  # ソヴァージュを持っています。似た香りは？
            excluded = {word for word in excluded if not word.kinds & NAMING}
        names = tuple(word for word in read if word.kinds & NAMING)
        wishes = self.wanted(read, names)
        unknown, strange = self.unknown(text, read, about and not names)
        wishes = [word for word in wishes if word.text not in unknown]
        number = number or next(map(int, meanings(read, "number")), None)
        return Question(
            text=said,
            words=tuple(read),
            names=tuple(word for word in names if word not in excluded),
            wishes=joined(text, [word for word in wishes if word not in excluded]),
            excluded=tuple(word for word in (*names, *wishes) if word in excluded),
            number=number and max(1, min(number, MOST)),
            asked=self.asked(text, read),
            unknown=tuple(dict.fromkeys(unknown)),
            strange=tuple(dict.fromkeys(strange)),
            taken=tuple((w.text, min(w.values).text) for w in guesses if w.kinds - {"note"}),
            further="" if names else further(text, bool(wishes), bool(excluded)),
        )

    @staticmethod
    def asked(text: str, read: list[Word]) -> frozenset[str]:
        """The types of answer that are asked for, the particular ones alone."""
        asked = set(meanings(read, "ask"))
        if len(asked - {"meaning"}) > 1 or meanings(read, "tier"):
            asked -= {"name_features"}
        if not re.search("ブランド|メーカー|(?i:brand)", text):
            asked -= {"brands"}
        return frozenset(asked)

    def wanted(self, read: list[Word], names: tuple[Word, ...]) -> list[Word]:
        """The wishes; a brand before a name only says whose it is (シャネルのチャンス)."""
        wishes = [word for word in read if word.kinds & FIELDS.keys()]
        told = set().union(*map(self.bears, names))
        last = max((name.start for name in names), default=0)
        owners = [word for word in wishes if word.kinds == {"brand"} and word.start < last]
        return [word for word in wishes if word not in owners or not told & self.bears(word)]

    def guessed(self, noun: Word) -> Word:
        """An unknown noun with what it may mean: what is a letter off, or has it as a piece."""
        key = fold(noun.text)
        if noun.text in self.ordinary:
            return noun
        near = difflib.get_close_matches(key, self.words, 2, 0.85) if len(key) > 3 else []
        meant = [v for v in self.words[near[0]] if v.kind in PROPER] if len(near) == 1 else []
        if meant:
            return noun._replace(values=frozenset(meant))
        notes = (value for value in self.bearing if value.kind == "note")
        return noun._replace(values=frozenset(note for note in notes if noun.text in note.text))

    def meant(self, text: str, word: Word, read: list[Word], about: bool) -> frozenset[Value]:
        """What a word means in its place: a wish, a name, or what it does in the question."""
        cue = bool(read and GAP.fullmatch(text[read[-1].end : word.start]))  # なし: without, or 梨
        named = any(w.kinds & NAMING for w in read)  # 好きな人
        for kind, holds in (("not", cue), ("ask", named)):
            if kind in word.kinds and word.kinds & FIELDS.keys():
                return frozenset(v for v in word.values if (v.kind == kind) == holds)
        titles = frozenset(value for value in word.values if value.kind in NAMING)
        named = titles and self.is_name(text, word._replace(values=titles), word.kinds, read, about)
        return titles if named else word.values - titles

    def is_name(
        self, text: str, title: Word, kinds: set[str], read: list[Word], about: bool
    ) -> bool:
        """Whether a word names a perfume: after its brand, or where a perfume is asked about."""
        owners, after = self.bears(title), text[title.end :]
        if any("brand" in house.kinds and owners & self.bears(house) for house in read):
            return True
        if not kinds & FIELDS.keys():
            return "name" in kinds or ("first" in kinds and not after.startswith("な"))
        about = about or bool(re.match("は|って", after))  # サクラは春向き？
        return about and kinds != {"part"} and not SMELL.match(after)

    def unknown(self, text: str, words: list[Word], named: bool) -> tuple[list[str], list[str]]:
        """(words not in the data that stand for a name, brand or material, others not in it).

        Where a perfume is asked about, a material behind its brand is a name: シャネルのガーデニア.
        """
        unknown, strange, before = [], [], Word(0, 0, "")
        for word in words:
            smell, lone = SMELL.match(text[word.end :]), word.kinds <= {"absent"}
            title = named and "brand" in before.kinds and "note" in word.kinds and not smell
            ordinary = not word.kinds and word.text.casefold() in self.ordinary
            before = word
            if ordinary or len(word.text) < 2 or not (lone or title):
                continue
            small = text.isascii() and word.text.islower()
            asked_for = word.kinds or not (small or PURPOSE.match(text[word.end :]))
            if re.match("[一-龠]", word.text) and not word.kinds:
                asked_for = smell
            (unknown if asked_for else strange).append(word.text)
        return unknown, strange


# --- answering ------------------------------------------------------------------------------------
def asked_by(record: Record) -> Value:
    """What a record's question asks; answers to the same are equally right."""
    return Value(record["type"], record["key"])


class Clerk(Reader):
    """Knows what may be said to a question: the records whose type and key it works out to."""

    def __init__(self, perfumes: list[Record], qa: list[Record]) -> None:
        super().__init__(perfumes, qa)
        names = [(values_of(p, "brand")[0], spellings(p, "name")[-1]) for p in perfumes]
        again = {name for name, count in Counter(names).items() if count > 1}
        self.titles = []
        for name, perfume in zip(names, perfumes, strict=True):
            strength = f"（{perfume.get('concentration')}）" if name in again else ""
            self.titles.append(f"{name[0]}の「{name[1]}{strength}」")
        self.claims = self.claimed(qa)
        self.answers: dict[Value, list[Claim]] = defaultdict(list)
        for claim in self.claims:
            kind, key = asked_by(claim.record)
            keys = [key]
            if kind.startswith("name_") or kind in ("yes_no", "similar", "compare"):
                tail = key.split("×")[-TAILS[kind] :] if kind in TAILS else []
                keys = ["×".join([f"#{number}", *tail]) for number in claim.perfumes]
            for key in keys:
                self.answers[Value(kind, key)].append(claim)

    def claimed(self, qa: list[Record]) -> list[Claim]:
        """The records with the perfumes of their pages that they name."""
        at = defaultdict(list)  # a page: its perfumes
        for number, perfume in enumerate(self.perfumes):
            at[perfume["url"]].append(number)
        claims = []
        for record in qa:
            told: set[int] = set()
            for here in (at.get(url, []) for url in record.get("source") or ()):
                names = {n: spellings(self.perfumes[n], "name") for n in here if len(here) > 1}
                said = [n for n in names if any(name in record["response"] for name in names[n])]
                told.update(said or here)
            claims.append(Claim(record, frozenset(told)))
        return claims

    def computed(self, text: str, numbers: Iterable[int]) -> Claim:
        """A sentence whose words follow from the facts of perfumes."""
        told = frozenset(numbers)
        source = [self.perfumes[number]["url"] for number in sorted(told)]
        return Claim({"response": text, "type": "", "key": "", "source": source}, told)

    def keyed(self, keys: Iterable[Value], fit: Iterable[int]) -> list[Claim]:
        """The claims that answer one of the keys, and are about none but these perfumes."""
        claims = [claim for key in sorted(set(keys)) for claim in self.answers.get(key, ())]
        return [claim for claim in claims if claim.perfumes.issubset(fit)]

    def plan(self, question: Question, memory: Memory = NOTHING) -> Plan:
        """What is to be said: what the data does not know, and the answer to the rest."""
        opening = "".join(
            f"「{word}」を「{as_}」としてお答えします。" for word, as_ in question.taken
        )
        lacks, greeting = "、".join(question.says("lack")), "".join(question.says("greet")[:1])
        opening += f"{quoted(question.unknown)}{ABSENT}" * bool(question.unknown)
        opening += f"{lacks}の情報{ABSENT}" * bool(lacks)
        if greeting and not (question.names or question.wishes or opening):
            shown = self.suggestions(question, MOST) if "できます" in greeting else ""
            return Plan(greeting + shown)
        if self.refused(question):
            strange = quoted(question.strange[-1:]) or "お尋ねの内容"
            return Plan((opening or strange + ABSENT) + self.suggestions(question, EXAMPLES))
        if question.names:
            plan = self.of_named(question, [sorted(self.bears(word)) for word in question.names])
        else:
            told = memory.told if question.goes_on(memory.question) else frozenset()
            plan = self.recommended(question, told)
        return plan._replace(opening=opening + plan.opening)

    @staticmethod
    def refused(question: Question) -> bool:
        """Whether there is nothing that the data can answer."""
        wished = [word for word in question.wishes if "brand" not in word.kinds]
        topics, lacks = question.says("topic"), question.says("lack")
        if lacks:
            return bool(question.names) or not wished or "ほかの品" in lacks
        if question.unknown:
            about = question.facts or question.says("tier")
            about = about or (wished and "香水" not in topics)  # 夏に飲むカクテル
            return not question.names and bool(about or not (question.wishes or question.excluded))
        if question.names or question.excluded or question.further == "other":
            return False
        if "meaning" in question.asked and wished and not topics:
            return True  # シプレって何？
        if not question.wishes:
            about = topics or question.number or question.asked & {*LISTS, "count"}
            return bool(question.strange) or not about
        off_topic = any(re.search(word + MATTER, question.text) for word in question.strange)
        return off_topic and "香水" not in topics and len(wished) == len(question.wishes)

    def suggestions(self, question: Question, number: int) -> str:
        """Questions of the data set about the same perfumes, or else of some kinds."""
        told = set().union(*map(self.bears, (*question.names, *question.wishes)))
        related, others = {}, {}  # {type: a question}
        for claim in self.claims:
            examples = related if claim.perfumes and claim.perfumes <= told else others
            examples.setdefault(claim.record["type"], claim.record["instruction"])
        return f"{quoted([*related.values(), *others.values()][:number])}のようにお尋ねください。"

    def continued(self, question: Question, memory: Memory) -> Question:
        """The question with what it takes from the one before."""
        before, last = memory.question, memory.last
        bare = not (question.names or question.wishes or question.unknown)
        asks = bare and not question.says("topic") and (question.says("tier") or question.facts)
        if last is not None and (question.further == "it" or asks):
            value = Value("name", f"#{last}")
            self.bearing[value] = {last}
            return question._replace(names=(Word(0, 0, self.titles[last], frozenset({value})),))
        if before is None or question.further not in ("other", "rather"):
            return question
        kinds = set().union(*(word.kinds for word in question.wishes))
        return question._replace(
            names=before.names,
            wishes=tuple(w for w in before.wishes if not w.kinds & kinds) + question.wishes,
            excluded=before.excluded + question.excluded,
            asked=frozenset({"similar"}) if before.names else before.asked,
        )

    def fitting(self, question: Question, wishes: Iterable[Word]) -> set[int]:
        """The perfumes that bear out the wishes, in the tiers asked for, and nothing excluded."""
        fit = set(range(len(self.perfumes))).intersection(*map(self.bears, wishes))
        for word in wishes:
            ends = meanings([word], "note")  # シチリア産レモン is レモン
            for field in (TIERS[tier] for tier in question.says("tier") if ends):
                own = {n: self.perfumes[n].get(field) or () for n in fit}
                fit = {n for n in fit if any(note.endswith(ends) for note in own[n])}
        fit -= set().union(*map(self.bears, question.excluded))
        notes = [fold(note) for note in meanings(question.excluded, "note")]
        own = {n: fold("\n".join(values_of(self.perfumes[n], "note"))) for n in fit if notes}
        return {n for n in fit if not any(note in own[n] for note in notes)}

    def kept(self, question: Question) -> tuple[tuple[Word, ...], set[int], str]:
        """(most of the wishes that can be met together, what meets them, what to say of others)."""
        for number in range(len(question.wishes), -1, -1):
            for wishes in itertools.combinations(question.wishes, number):
                fit = self.fitting(question, wishes)
                dropped = quoted(w.text for w in question.wishes if w not in wishes)
                if fit and dropped:
                    every = quoted(w.text for w in question.wishes)
                    cause = f"{every}のすべてに当てはまる香水{ABSENT}"
                    return wishes, fit, f"{cause}{dropped}を除いてお答えします。"
                if fit:
                    return wishes, fit, ""
        return (), set(), ""

    def keys(self, question: Question, meant: list[set[Value]]) -> list[Value]:
        """The types and keys of records that say a value of each wish, and what is excluded."""
        keys = []
        tiers, left = question.says("tier"), {v for w in question.excluded for v in w.values}
        for wishes in itertools.permutations(meant[:3]):
            for values in itertools.product(*wishes):
                kind, text = "_".join(v.kind for v in values), "×".join(v.text for v in values)
                if left:
                    keys += [Value(f"without_{v.kind}", f"{text}×{v.text}") for v in left]
                elif question.number:
                    keys.append(Value("several", f"{question.number}×{kind}×{text}"))
                elif tiers and kind == "note":
                    keys += [Value("note_tier", f"{text}×{tier}") for tier in tiers]
                if not left and (question.number or 1) == 1:
                    keys.append(Value(kind, text))
        return keys

    def recommended(self, question: Question, told: frozenset[int]) -> Plan:
        """Perfumes that meet the wishes: responses that say them all, or else a frame that does."""
        wishes, fit, dropped = self.kept(question)
        fit -= told
        if not fit:
            return Plan(f"ほかに当てはまる香水{ABSENT}")
        opening = self.described(question, wishes)
        listing = question.asked & LISTS if not any("brand" in w.kinds for w in wishes) else set()
        if "count" in question.asked:
            return Plan(f"{dropped}{opening}香水は、データに{len(fit):,}種類あります。")
        if listing:
            return self.brands(wishes, fit, dropped)
        exact = [{v for v in word.values if fold(v.text) == fold(word.text)} for word in wishes]
        values = [set(word.values) for word in wishes]
        for meant in (exact, values):
            claims = self.keyed(self.keys(question, meant), fit)
            if claims and wishes:
                return Plan(dropped, (claims,))
        branded = {key for key in self.answers if key.kind == "brand"}
        claims = self.keyed(branded, fit)
        untold = fit.difference(*(claim.perfumes for claim in claims))
        claims += [self.computed(f"{self.titles[n]}がおすすめです。", [n]) for n in sorted(untold)]
        wanted = question.number or 1
        number = min(wanted, len(fit))
        if wanted > 1:
            fewer = f"データにあるのは{number}つです。" * (number < wanted)
            opening = f"{dropped}{opening}香水を{number}つ選ぶなら、"
            return Plan(opening, (claims,) * number, True, fewer)
        if opening:
            return Plan(f"{dropped}{opening}香水では、", (claims,), True)
        return Plan(dropped, (claims,))

    @staticmethod
    def described(question: Question, wishes: Iterable[Word]) -> str:
        """What is said of the perfumes wished: 「シャネル」以外の「夏」に合う."""
        excluded, wished = (quoted(map(as_noun, words)) for words in (question.excluded, wishes))
        return f"{excluded}以外の" * bool(excluded) + f"{wished}に合う" * bool(wished)

    def brands(self, wishes: tuple[Word, ...], fit: set[int], opening: str) -> Plan:
        """The brands that have a perfume such as is wished."""
        keys = [Value("brands", f"{v.kind}×{v.text}") for word in wishes for v in word.values]
        claims = self.keyed(keys or [Value("brands", "すべて")], fit) if len(wishes) < 2 else []
        names = list(dict.fromkeys(values_of(self.perfumes[n], "brand")[0] for n in sorted(fit)))
        said = f"{quoted(word.text for word in wishes)}に合う香水の" if wishes else "取り扱い"
        more = "など" * (len(names) > MOST)
        text = f"{said}ブランドは、{'、'.join(names[:MOST])}{more}です。"
        return Plan(opening, (claims or [self.computed(text, sorted(fit)[:1])],))

    def alike(self, question: Question, number: int) -> Plan:
        """What is like a perfume: what the data set says, or else others of its families."""
        fit = self.fitting(question, question.wishes) | {number}
        claims = self.keyed([Value("similar", f"#{number}")], fit)
        url = self.perfumes[number]["url"]
        claims = [claim for claim in claims if claim.record["source"][0] == url]
        if claims and not question.number:
            return Plan("", (claims,))
        families = values_of(self.perfumes[number], "family")
        values = frozenset(Value("family", family) for family in families)
        wishes = (Word(0, 0, "か".join(families), values), *question.wishes)
        others = question._replace(wishes=wishes[not values :], excluded=question.names)
        plan = self.recommended(others._replace(asked=frozenset()), frozenset())
        return plan._replace(opening=f"{self.titles[number]}に似た香りなら、{plan.opening}")

    def of_named(self, question: Question, named: list[list[int]]) -> Plan:
        """What is asked of named perfumes: facts, whether they bear out a wish, how they differ."""
        numbers = named[0] if len(named) == 1 else [same[0] for same in named]
        if "similar" in question.asked:
            return self.alike(question, numbers[0])
        kept = FIELDS.keys() - ({"brand"} if len(named) > 1 else set())
        checks = [w for w in (*question.wishes, *question.excluded) if w.kinds & kept]
        chosen = {k for k in ("gender", "family") if len(meanings(checks, k)) > 1}
        checks = [word for word in checks if not word.kinds & chosen]  # メンズ？レディース？
        kinds = {TELLS.get(k, f"name_{k}") for w in checks for k in w.kinds & kept}
        kinds |= {f"name_{kind}" for kind in chosen}
        if checks:
            return self.checked(question, checks, named, kinds)
        kinds = kinds or question.facts
        if "brands" in question.asked:
            kinds = kinds or {"name_brand"}
        return self.compared(numbers, kinds, question.says("tier"), len(named) > 1)

    def compared(
        self, numbers: list[int], kinds: set[str], tiers: tuple[str, ...], several: bool
    ) -> Plan:
        """The facts asked for of a perfume, or of several side by side."""
        if not several:
            usual = {"name_notes"} if tiers else {"name_notes", "name_features"}
            return Plan("", (self.facts(numbers, kinds or usual, tiers),))
        both = self.keyed([Value("compare", f"#{numbers[0]}")], numbers)
        if both:
            return Plan("", (both,))
        kinds = kinds or ({"name_notes"} if tiers else {"name_features"})
        opening = "と".join(self.titles[n] for n in numbers) + "を比べると、"
        return Plan(opening, tuple(self.facts([n], kinds, tiers) for n in numbers))

    def checked(
        self, question: Question, checks: list[Word], named: list[list[int]], kinds: set[str]
    ) -> Plan:
        """はい or いいえ, or which of the perfumes bear out the words; one for all is for either."""
        plain, fit = question._replace(excluded=()), set().union(*named)
        for word in checks:
            both = self.bearing.get(Value("gender", "ユニセックス"), set())
            fit &= self.fitting(plain, [word]) | (both if word.kinds == {"gender"} else set())
        numbers = sorted(fit) or sorted(named[0])
        if len(named) > 1:
            titles = "、".join(self.titles[n] for n in sorted(fit))
            which = f"に合うのは、{titles}です。" if fit else "に合うものはこの中にありません。"
            told = tuple(self.facts([n], kinds, ()) for n in sorted(fit))
            return Plan(quoted(word.text for word in checks) + which, told)
        said = "はい" if fit else "いいえ"
        values = [v for v in checks[0].values if len(checks) == 1]
        keys = [Value("yes_no", f"#{n}×{v.kind}×{v.text}") for n in numbers for v in values]
        claims = self.keyed(keys, numbers)
        claims = [claim for claim in claims if claim.record["response"].startswith(said)]
        if claims:
            return Plan("", (claims,))
        return Plan(f"{said}、", (self.facts(numbers, kinds, ()),))

    def facts(self, numbers: list[int], kinds: set[str], tiers: tuple[str, ...]) -> list[Claim]:
        """The responses about perfumes of the types asked for, or else what the data says."""
        perfume, title = self.perfumes[numbers[0]], self.titles[numbers[0]]
        if tiers and kinds <= {"name_notes"}:
            keys = [Value("name_tier", f"#{n}×{tiers[0]}") for n in numbers if len(tiers) == 1]
            told = {tier: perfume.get(TIERS[tier]) or [] for tier in tiers}
        else:
            keys = [Value(kind, f"#{n}") for kind in kinds for n in numbers]
            told = {self.labels[kind]: [] for kind in sorted(kinds)}
        said = ""
        for label, texts in told.items():
            fact = f"は、{'、'.join(texts)}です。" if texts else ABSENT
            said += f"{title}の{label}{fact}"
        return self.keyed(keys, numbers) or [self.computed(said, numbers[:1])]

    def together(self, plan: Plan, chosen: list[Claim]) -> Said:
        """The answer of a plan: the chosen responses whole, or their perfumes in its frame."""
        text = "".join(claim.record["response"] for claim in chosen)
        if plan.titles:
            titles = "、".join(self.titles[min(claim.perfumes)] for claim in chosen)
            notes = text.partition("がおすすめです。")[2] if len(chosen) == 1 else ""
            text = f"{titles}がおすすめです。{notes}{plan.ending}"
        return Said(CONTROL.sub("", plan.opening + text), tuple(chosen))

    def told(self, text: str, words: list[Word]) -> set[int]:
        """The perfumes that an answer tells of."""
        houses = set().union(*(self.bears(word) for word in words if "brand" in word.kinds))
        told: set[int] = set()
        for word in words:
            names = frozenset(value for value in word.values if value.kind == "name")
            if names and re.match("」|(の[^、。「]*)?は|がおすすめ|（", text[word.end :]):
                same = self.bears(word._replace(values=names))
                told |= same & houses or same
        return told or houses

    def invented(self, text: str) -> list[Word]:
        """The words of an answer that no perfume told of bears out."""
        words = [word for word in self.find(text) if word.kinds & {"name", *FIELDS}]
        if not words:
            return [Word(0, len(text), text)]
        told, wrong = self.told(text, words), []
        for word in words:
            denied = bool(re.match("を使わない|以外の", text[word.end :]))
            if bool(self.bears(word) & told) == denied:
                wrong.append(word)
        return sorted([*wrong, *(n for n in between(text, words) if n.text not in self.plain)])


# --- decoding -------------------------------------------------------------------------------------
class Row(NamedTuple):
    """A response in tokens, the claims that are worded so, and what they answer."""

    tokens: list[int]
    claims: list[Claim]
    asked: frozenset[Value]


def shared(rows: list[Row]) -> int:
    """How many tokens the rows begin with in common: as many as the first and last in order."""
    ordered = min(row.tokens for row in rows), max(row.tokens for row in rows)
    low, pairs = ordered[0], enumerate(zip(*ordered, strict=False))
    return next((depth for depth, (one, other) in pairs if one != other), len(low))


def decode(model: Any, choices: list[list[Row]], prompts: list[list[int]]) -> list[Row]:
    """The row that answers each prompt, by the model's choice among the tokens that may follow.

    It takes the likeliest until all the rows left answer the same question, then it draws. The
    answers are those of generate() with a prefix_allowed_tokens_fn, but what has to follow is read
    in one pass, not in one for each token.
    """
    left, blocks, depths = list(choices), prompts, [shared(rows) for rows in choices]
    if all(len(rows) == 1 for rows in left):
        return [rows[0] for rows in left]
    import torch

    cache, mask = None, torch.zeros(len(prompts), 0, dtype=torch.long)
    blocks = [
        tokens + rows[0].tokens[:n] for tokens, rows, n in zip(prompts, left, depths, strict=True)
    ]
    while any(len(rows) > 1 for rows in left):
        width = max(map(len, blocks))  # the blocks are read side by side, flush right
        ids = torch.tensor([[0] * (width - len(block)) + block for block in blocks])
        read = torch.tensor([[0] * (width - len(block)) + [1] * len(block) for block in blocks])
        mask = torch.cat([mask, read], 1)
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -width:]
        with torch.inference_mode():
            out = model(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device),
                position_ids=places.to(model.device), past_key_values=cache, use_cache=True,
                logits_to_keep=1,
            )  # fmt: skip
        scores, cache = out.logits[:, -1].float().cpu(), out.past_key_values
        blocks = [[] for _ in left]
        for i, rows in enumerate(left):
            if len(rows) == 1:
                continue
            branches = defaultdict(list)
            for row in rows:
                branches[row.tokens[depths[i]]].append(row)
            gains = scores[i, list(branches)]
            if len({row.asked for row in rows}) == 1:  # Gumbel noise: the largest is a draw
                gains = gains / TEMPERATURE - torch.empty_like(gains).exponential_().log()
            left[i] = list(branches.values())[gains.argmax()]
            start, depths[i] = depths[i], shared(left[i])
            blocks[i] = left[i][0].tokens[start : depths[i]] if len(left[i]) > 1 else []
    return [rows[0] for rows in left]


class Assistant:
    """Answers questions with the model, and remembers what it told."""

    def __init__(self, model: Any, tokenizer: Any, clerk: Clerk) -> None:
        self.model, self.tokenizer, self.clerk, self.memory = model, tokenizer, clerk, NOTHING
        responses = list(dict.fromkeys(claim.record["response"] for claim in clerk.claims))
        fast = tokenizer.backend_tokenizer  # half a second less for 26,000 than tokenizer()
        fast.no_padding()
        fast.no_truncation()
        rows = zip(responses, fast.encode_batch_fast(responses), strict=True)
        self.tokens = {text: [*row.ids, tokenizer.eos_token_id] for text, row in rows}

    def prompt(self, question: str) -> str:
        """The question in the template that the adapter was trained with."""
        messages = [{"role": "user", "content": question}]
        return self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )

    def rows(self, claims: list[Claim]) -> list[Row]:
        """The claims as rows of tokens, with the end token."""
        same: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            same[claim.record["response"]].append(claim)
        rows, end = [], self.tokenizer.eos_token
        for text, claims in same.items():
            tokens = self.tokens.get(text) or self.tokenizer(text + end)["input_ids"]
            rows.append(Row(tokens, claims, frozenset(asked_by(c.record) for c in claims)))
        return rows

    def choose(self, questions: list[str], choices: list[list[Claim]]) -> list[Claim]:
        """What the model says to each question, of what may be said."""
        prompts = [self.tokenizer(self.prompt(question))["input_ids"] for question in questions]
        rows = {id(claims): claims for claims in choices}  # the same for many questions: once
        rows = {place: self.rows(claims) for place, claims in rows.items()}
        chosen = decode(self.model, [rows[id(claims)] for claims in choices], prompts)
        return [row.claims[0] for row in chosen]

    def carry_out(self, plan: Plan, question: str) -> Said:
        """The answer of a plan, one choice after the other; no perfume twice in a frame."""
        chosen: list[Claim] = []
        for group in plan.groups:
            told = set().union(*(claim.perfumes for claim in chosen if plan.titles))
            left = [claim for claim in group if not claim.perfumes & told]
            chosen += self.choose([question], [left])
        return self.clerk.together(plan, chosen)

    def free(self, questions: list[str]) -> list[Said]:
        """Free answers, with the perfumes that they tell of."""
        prompts = [self.prompt(question) for question in questions]
        batch = self.tokenizer(prompts, padding=True, return_tensors="pt").to(self.model.device)
        start, end = batch["input_ids"].shape[1], self.tokenizer.eos_token_id
        out = self.model.generate(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], do_sample=True,
            temperature=TEMPERATURE, top_p=TOP_P, top_k=0, repetition_penalty=REPETITION_PENALTY,
            max_new_tokens=MAX_NEW_TOKENS, pad_token_id=self.tokenizer.pad_token_id,
        )  # fmt: skip
        answers = []
        for tokens in out[:, start:].tolist():
            text = self.tokenizer.decode(tokens, skip_special_tokens=True).rstrip("\ufffd")
            text = CONTROL.sub("", text).replace("\ufffd", "〓")
            told = self.clerk.told(text, self.clerk.find(text))
            answers.append(Said(text, (self.clerk.computed(text, told),), end in tokens))
        return answers

    def answer(self, text: str) -> tuple[Said, Memory]:
        """The answer to a question, and what is to be remembered once it is told."""
        question = self.clerk.continued(self.clerk.understand(text), self.memory)
        if GROUNDED:
            plan = self.clerk.plan(question, self.memory)
            said = self.carry_out(plan, CONTROL.sub("", text))
        else:
            (said,) = self.free([text])
            for word in reversed(self.clerk.invented(said.text)):
                marked = MARK.format(word.text)
                said = said._replace(text=said.text[: word.start] + marked + said.text[word.end :])
        told = frozenset().union(*(claim.perfumes for claim in said.claims))
        if not told:
            return said, self.memory
        before = self.memory.told if question.goes_on(self.memory.question) else frozenset()
        return said, Memory(question, before | told, min(said.claims[0].perfumes, default=None))


# --- the terminal ---------------------------------------------------------------------------------
UNIT = re.compile(  # what stays on one line: no line begins with 、。」ー, no word is broken
    r"[「『（【［]*(?:[A-Za-z0-9À-ɏ'’&.°]+|.)[、。，．・：；？！?!,」』）】］ーぁぃぅぇぉゃゅょっァィゥェォャュョッ々…〜]*"
)


def show(text: str) -> None:
    """Prints an answer character by character in lines of the terminal's width."""
    from wcwidth import wcswidth

    width, column = shutil.get_terminal_size().columns, 0
    for unit in UNIT.findall(text):
        if column and column + wcswidth(unit) > width:
            print()
            column, unit = 0, unit.lstrip()
        column += max(wcswidth(unit), 0)
        for char in unit:
            print(char, end="", flush=True)
            time.sleep(CHARACTER_SECONDS)
    print()


def footer(said: Said) -> str:
    """The lines under an answer: the pages that its facts are from, and what marks in it mean."""
    urls = (url for claim in said.claims for url in claim.record.get("source") or ())
    pages = list(dict.fromkeys(CONTROL.sub("", url) for url in urls))
    lines = [f"　出典：{page}" for page in pages[:SOURCES]]
    lines += [f"　　　　その他 {len(pages) - SOURCES} 件"] if len(pages) > SOURCES else []
    lines += [f"　{LEGEND}"] if MARK[:2] in said.text else []
    return "".join(f"{line}\n" for line in lines)


def typing() -> Callable[[], str]:
    """What reads a typed line; Ctrl-C clears a half-typed one and leaves at an empty one."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

    keys, session = KeyBindings(), PromptSession()

    @keys.add("c-c")
    def clear_or_leave(event: Any) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    return lambda: session.prompt("Q：", key_bindings=keys).strip()


def converse(assistant: Assistant, typed: bool) -> None:
    """Answers QUESTIONS, then what is typed, until 終了, Ctrl-D, or Ctrl-C at an empty line."""
    questions, read = list(QUESTIONS), typing() if typed else None
    while questions or read:
        try:
            if questions:
                print(f"Q：{questions[0]}")
            question = questions.pop(0) if questions else read()
        except (EOFError, KeyboardInterrupt):
            return
        if question in ("終了", "終わり", "exit", "quit"):
            return
        try:
            if question:
                said, memory = assistant.answer(question)
                (show if typed else print)(f"A：{said.text}")
                print(footer(said))
                assistant.memory = memory  # an interrupted answer is not remembered as told
        except KeyboardInterrupt:
            questions.clear()
            print("\n（止めました。何も入力せずに Ctrl-C か Ctrl-D で終わります）\n")


def serve(assistant: Assistant, questions: list[str]) -> None:
    """Answers piped questions in order; nothing but Q and A goes to standard output."""
    for question in questions:
        said, assistant.memory = assistant.answer(question)
        print(f"Q：{question}\nA：{said.text}", flush=True)
        print(footer(said), end="", file=sys.stderr, flush=True)


# --- evaluation -----------------------------------------------------------------------------------
Table = dict[str, dict[str, float]]  # {column: {row: share}}


class Judged(NamedTuple):
    """How an answer is judged: right where a record of the same type and key supports it."""

    right: float
    true: bool = True
    ended: bool = True


def opening_of(text: str) -> str:
    """What tells which question an answer answers: its words before the first comma."""
    return fold(text.partition("、")[0])


def judged(clerk: Clerk, test: Record, said: Said, forms: dict[str, set[Any]]) -> Judged:
    """The verdict: of a chosen response by what it answers, of a free one by how it begins."""
    record = said.claims[0].record
    true = not clerk.invented(said.text)
    asked = {asked_by(record)} if record["type"] else forms.get(opening_of(said.text), set())
    return Judged(asked_by(test) in asked and true, true, said.ended)


def chance(test: Record, claims: list[Claim]) -> Judged:
    """The share of right answers among what may be said."""
    right = {c.record["response"]: asked_by(c.record) == asked_by(test) for c in claims}
    return Judged(sum(right.values()) / len(right))


def evaluate(ready: Callable[[bool], Assistant], clerk: Clerk, tests: list[Record]) -> Table:
    """How adapter, bare base model and chance answer the test split, in all and by kinds."""
    from tqdm import trange

    random.Random(0).shuffle(tests)
    forms, ways = defaultdict(set), defaultdict(list)
    for record in [*tests, *(claim.record for claim in clerk.claims)]:
        forms[opening_of(record["response"])].add(asked_by(record))
    plans = [clerk.plan(clerk.understand(test["instruction"])) for test in tests]
    groups = [plan.groups[0] if plan.groups else [clerk.computed("", ())] for plan in plans]
    ways["偶然・制約"] = [chance(test, clerk.claims) for test in tests]
    ways["偶然・絞り込み"] = list(map(chance, tests, groups))
    for title, adapted in (("アダプター", True), ("基盤モデル", False)):
        assistant = ready(adapted)
        sys.modules["torch"].manual_seed(0)  # the same figures again
        for start in trange(0, len(tests), BATCH_SIZE, desc=title, disable=None):
            batch = tests[start : start + BATCH_SIZE]
            questions = [test["instruction"] for test in batch]
            allowed = {"制約": [clerk.claims] * len(batch)}
            allowed["絞り込み"] = groups[start : start + BATCH_SIZE]
            answers = {}
            for way, choices in allowed.items():
                chosen = assistant.choose(questions, choices)
                answers[way] = [Said(claim.record["response"], (claim,)) for claim in chosen]
            answers["自由"] = assistant.free(questions) if start < FREE_TESTS else []
            for way, said in answers.items():
                pairs = zip(batch, said, strict=False)
                ways[f"{title}・{way}"] += [judged(clerk, *pair, forms) for pair in pairs]
    return tabulated([test["type"] for test in tests], ways)


def tabulated(kinds: list[str], ways: dict[str, list[Judged]]) -> Table:
    """The shares of right answers in all and by kinds, of true ones and of those that end."""
    table: Table = {"件数": {"全体": len(kinds), **Counter(sorted(kinds))}}
    for way, verdicts in ways.items():
        rows = defaultdict(list, {"全体": [verdict.right for verdict in verdicts]})
        for kind, verdict in sorted(zip(kinds, verdicts, strict=False)):
            rows[kind].append(verdict.right)
        rows |= {"事実": [v.true for v in verdicts], "完結": [v.ended for v in verdicts]}
        table[way] = {row: sum(values) / len(values) for row, values in rows.items()}
    return table


def publish(table: Table) -> None:
    """Prints the table, and keeps it beside the adapter: evaluation.json, and in the model card."""
    counts, *columns = table.values()
    lines = [["", *table], ["---", *["---:"] * len(table)]]
    for row in columns[0]:
        shares = [f"{column[row]:.1%}" if row in column else "" for column in columns]
        lines.append([row, str(counts.get(row, "")), *shares])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    card = Path(ADAPTER_DIR, "README.md")
    kept = card.read_text(encoding="utf-8") if card.exists() else ""
    kept = re.sub(r"\n+## 評価\n.*?(?=\n## |\Z)", "", kept, flags=re.S).rstrip()
    print(text)
    table_file, data = card.with_name("evaluation.json"), json.dumps(table, ensure_ascii=False)
    for path, content in {card: f"{kept}\n\n## 評価\n\n{text}\n", table_file: data}.items():
        path.with_suffix(".tmp").write_text(content, encoding="utf-8")
        os.replace(path.with_suffix(".tmp"), path)
        print(f"{path} に書きました。")


# --- loading ----------------------------------------------------------------------------------
SMALL_BYTES = 2**31  # of weights in float32: up to here a CPU gains nothing from fewer bits
MADV_DONTNEED = 4  # Linux, madvise(2)


def choose_device(size: int) -> tuple[str, torch.dtype]:
    """Where a model of so many weights answers, and in which precision."""
    import torch

    if torch.cuda.is_available():
        fast = torch.cuda.get_device_capability() >= (8, 0)  # below, bfloat16 is only emulated
        return "cuda", torch.bfloat16 if fast else torch.float16
    return "cpu", torch.float32 if 4 * size <= SMALL_BYTES else torch.bfloat16


def let_go(tensor: torch.Tensor) -> None:
    """Gives back the memory pages of a tensor that is read no more, without its file closed."""
    if sys.platform == "linux":
        start = -(-tensor.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
        end = (tensor.data_ptr() + tensor.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
        if start < end:
            release = ctypes.CDLL(None).madvise
            release(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def settle(model: PeftModel, adapted: bool, device: str, dtype: torch.dtype) -> PreTrainedModel:
    """The base model on the device in that precision; with its adapter, added in float32.

    It goes weight by weight, so that host memory holds the model once: a stored weight is a part
    of its file, mapped into memory, and leaves it as soon as it is converted.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    layers = (layer for layer in model.modules() if isinstance(layer, LoraLayer))
    layer_of = {id(layer.base_layer.weight): layer for layer in layers if adapted}
    for name, weight in model.named_parameters():
        if "lora_" in name:
            continue
        stored = weight.data
        layer = layer_of.get(id(weight))
        with torch.no_grad():
            full = stored.float() + layer.get_delta_weight("default") if layer else stored
        weight.data = full.to(device, dtype)
        if weight.data_ptr() != stored.data_ptr():
            let_go(stored)
    for buffer in model.buffers():
        buffer.data = buffer.to(device)
    return model.unload()


def load(folder: str, adapted: bool = True) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """(model, tokenizer), the adapter merged; SystemExit names what is wrong with the folder."""
    from peft import AutoPeftModelForCausalLM, PeftConfig, get_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.simplefilter("ignore")  # layers that do not fit are an error below
    part, own = "adapter_config.json", {"trust_remote_code": False}
    try:
        base = PeftConfig.from_pretrained(folder).base_model_name_or_path
        part = "トークナイザー"
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", **own)
        if not tokenizer.chat_template:
            raise ValueError("質問のひな形 chat_template がありません")
        part = f"基盤モデル {base}"
        known, size = len(AutoTokenizer.from_pretrained(base, **own)), len(tokenizer)
        if not known <= size <= known + 1:
            raise ValueError(f"{known:,} 語のはずのトークナイザーが {size:,} 語です")
        part = f"アダプター（基盤モデル {base}）"
        saved = load_file(Path(folder, "adapter_model.safetensors"))
        model = AutoPeftModelForCausalLM.from_pretrained(folder, dtype="auto", **own)
        if set(saved) != set(get_peft_model_state_dict(model, save_embedding_layers=False)):
            raise ValueError("層の名前が違います")
        if not any(tensor.any() for name, tensor in saved.items() if "lora_B" in name):
            raise ValueError("中身が空です")
        weights = model.get_base_model().num_parameters()
        model = settle(model, adapted, *choose_device(weights))
    except Exception as error:
        why = CONTROL.sub("", " ".join(str(error).split()))[:200]
        again = AGAIN.format("loadModel.py")
        raise SystemExit(f"{folder} の {part} が読めません（{why}）。{again}") from None
    return model.eval(), tokenizer


def piped_questions() -> list[str]:
    """The lines of standard input, in whatever encoding; none where it is a keyboard."""
    if EVALUATE or not hasattr(sys.stdin, "buffer") or sys.stdin.isatty():
        return []
    lines = decoded(sys.stdin.buffer.read()).split("\n")
    return [question for line in lines if (question := CONTROL.sub("", line).strip())]


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
    perfumes = read_records(PERFUMES_FILE, "getData.py", ("name", "url"))
    if not Path(ADAPTER_DIR, "adapter_model.safetensors").is_file():
        raise SystemExit(f"{ADAPTER_DIR} にアダプターがありません。{AGAIN.format('loadModel.py')}")
    tests = EVALUATE and read_records(f"{ADAPTER_DIR}/test.json", "loadModel.py", fields)
    clerk, questions = Clerk(perfumes, qa), piped_questions()

    def ready(adapted: bool = True) -> Assistant:
        model, tokenizer = load(ADAPTER_DIR, adapted)
        adapter = f"アダプター {ADAPTER_DIR if adapted else 'なし'}"
        what = f"基盤モデル {model.config.name_or_path}、{adapter}、{model.device}、{model.dtype}"
        how = f"制約あり（{QA_FILE} の回答だけ）" if GROUNDED else f"制約なし。{LEGEND}"
        for line in [CONTROL.sub("", what), how] + ["「使い方」「終了」も入力できます。"] * typed:
            show(line) if typed else print(line, file=notes, flush=True)
        return Assistant(model, tokenizer, clerk)

    if EVALUATE:
        publish(evaluate(ready, clerk, tests))
    elif questions:
        serve(ready(), questions)
    else:
        converse(ready(), typed)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(130)  # not even the streams are to be flushed
