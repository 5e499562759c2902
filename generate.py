"""Answers questions about perfumes in the terminal, with the model that loadModel.py trained.

Command: python generate.py              (or: python generate.py < questions.txt, one question a line)
Reads:   ADAPTER_DIR, QA_FILE, PERFUMES_FILE; customers' words: data/spellings.csv, data/brands.csv, data/asked_words.csv
Writes:  with EVALUATE = True evaluation.json and the section 評価 of the model card in ADAPTER_DIR, else nothing
Prints:  the answers to QUESTIONS, then to what is typed; to piped questions lines Q：… and A：… alone

A question is understood (its words are those of the data), what may be said is narrowed to what bears them out, and
within that the model chooses: each token of its answer continues one of the responses that are left.
"""

import csv
import itertools
import json
import os
import random
import re
import shutil
import sys
import time
import unicodedata
import warnings
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

# --------------------------------------------------------------------------------------------------
ADAPTER_DIR = "fine_tuned_open_calm"  # written by loadModel.py
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py; the facts that answers rest on
QA_FILE = "data/perfume_qa.json"  # written by arrangeData.py; its responses are what may be said
QUESTIONS = [  # answered first, and alone where nobody can type
    "メゾンマルジェラの香水を教えてください。",
    "男性向けの香水を教えてください。",
    "春に相応しい香水を教えてください。",
]
GROUNDED = (
    True  # True: only responses of QA_FILE, nothing is invented; False: free, inventions are marked
)
EVALUATE = False  # True: answer the saved test split, print and save the figures, and end
MAX_NEW_TOKENS = 256  # tokens of a free answer; grounded answers are as long as they are in QA_FILE
TEMPERATURE = 0.7  # > 0; lower: the likeliest more often; free decoding, and among right answers
TOP_P = 0.9  # 0-1; free decoding: draw from the likeliest tokens that together have this share
REPETITION_PENALTY = 1.2  # 1.0: none; free decoding only, it would punish repeating the brand asked
BATCH_SIZE = 16  # questions of the test split answered side by side; fewer when memory is short
CHARACTER_SECONDS = 0.005  # pause after each character at the terminal, for the eye; 0: none
# --------------------------------------------------------------------------------------------------

HERE = Path(__file__).parent / "data"
MOST = 10  # perfumes in one answer
SOME = 3  # what いくつか means
SOURCES = 2  # pages named under an answer
FREE_TESTS = 200  # test questions answered freely
DRAWS = 10  # of chance, for its share
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes"}
LISTS = (*TIERS.values(), "notes", "families", "seasons", "scenes", "images", "impressions")
FIELDS = {  # kind of a value: the fields that hold it
    "brand": ("brand", "brand_ja"),
    "gender": ("gender",),
    "season": ("seasons",),
    "scene": ("scenes",),
    "image": ("images",),
    "impression": ("impressions",),
    "family": ("families",),
    "note": (*TIERS.values(), "notes"),
    "concentration": ("concentration",),
    "perfumer": ("perfumer",),
    "year": ("year",),
}
ONE_EACH = {"brand", "concentration", "gender", "perfumer", "year"}  # a perfume has one of these
NAMING = {
    "name",
    "first",
    "part",
}  # a whole name, its first words, words of it where its brand is said
VALUED = NAMING | FIELDS.keys()
PEOPLE = {"メンズ": "男性向け", "レディース": "女性向け", "ユニセックス": "男女兼用"}
ABOUT = {  # kind of question about a named perfume: what it asks for
    "name_notes": "香り",
    "name_features": "特徴",
    "name_gender": "対象",
    "name_occasions": "季節とシーン",
    "name_brand": "ブランド",
    "name_tier": "ノート",
    "name_concentration": "濃度",
    "name_family": "香調",
    "name_perfumer": "調香師",
    "name_year": "発売年",
}
TELLS = {  # kind of value: the kind of answer that tells whether a perfume bears it out
    "gender": "name_gender",
    "season": "name_occasions",
    "scene": "name_occasions",
    "note": "name_notes",
    "family": "name_features",
    "image": "name_features",
    "impression": "name_features",
    "brand": "name_brand",
    "concentration": "name_concentration",
    "perfumer": "name_perfumer",
    "year": "name_year",
}
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff]"
)
NUMBERS = {word: n for n, words in enumerate(
    ("一 ひと", "二 ふた 両", "三 みっ", "四 よっ", "五 いつ", "六 むっ", "七 なな", "八 やっ", "九 ここの", "十 とお"), 1
) for word in words.split()}  # fmt: skip
COUNTED = re.compile(
    rf"(?P<number>\d+|{'|'.join(NUMBERS)})(?:つ|本|個|種類|種|点|選|品(?!種))(?!目)"
    r"|(?i:top|best|ベスト|トップ)\s*(?P<best>\d+)|(?P<digits>\d+)\s*(?:perfumes|fragrances)"
    "|(?P<some>いくつか|幾つか|何本か|何個か|何種類か|数本|数種類|複数|いろいろ|色々)"
    "|(?P<all>全部|すべて|全て|一覧|ぜんぶ)"
)
MORE = re.compile("(他|ほか|別の|べつの|次|もう(一|1|ひと)つ)(に|の|は|を|も|、|$)?")
RATHER = re.compile("^(もっと|もう少し|もうちょっと|より|じゃあ|では|それなら)")
IT = re.compile("それ|これ|その(香水|香り|匂い)|この(香水|香り|匂い)|さっきの(香水|やつ|の)?")
OR = re.compile("か|や|または|もしくは|あるいは|or|、?か、?")
NOUN = re.compile(
    r"[ァ-ヺー]{2,}(?:[・ ＝=&＆]?[ァ-ヺー]+)*|[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ'’&.]+|[一-龠々]+"
)
SMELL = re.compile(
    "(の|な|っぽい|っぽく|みたいな|のような|系|系の)*(香り|匂い|におい|ニオイ|味|フレーバー)|っぽ|な|感|[がのを]?(入|使|配合)"
)
PURPOSE = re.compile("(?:に|で|へ|帰り|用|向け|向き|中|前|後|好き)")
GAP = re.compile(
    "(系|の|香り|匂い|におい|香料|香水|もの|やつ|とか|など|は|が|も|を|って|に|だけ|ちょっと|少し|あまり|"
    "あんまり|とても|すごく|本当に|どうも|っぽい|感じ|なの|強|く|、| )*"
)
LINKED = re.compile("と|や|も|か|、|・|とか| |と、|and|or")
PARTICLES = set("のとやはがもをにでみだなよかへ")
MARK, LEGEND = "［？{}］", "［？…］はデータで確かめられない言葉です。"
AGAIN = "python {} を実行してください。"
HELP = """次のようにお尋ねになれます。
　・ブランド、香料、季節、シーン、性別、印象から：「シャネルの香水は？」「夏に合うレモンの香水を3つ」「バニラが苦手です」
　・香水のこと：「ソヴァージュのトップノートは？」「ジャズクラブは女性でも使える？」「シャリマーとミツコの違いは？」
　・続けて：「他には？」「もっと爽やかなのは？」「それは冬でも使える？」
　終わるには「終了」か Ctrl-D。"""

Perfume = dict[str, Any]
Record = dict[str, Any]


class Value(NamedTuple):
    """A value of the data: ("season", "春"), ("note", "ローズ"), ("name", "ソヴァージュ"); or what a word does: ("ask", "name_year")."""

    kind: str
    text: str


class Word(NamedTuple):
    """A piece of a question, and the values that it may mean."""

    start: int
    end: int
    text: str
    values: frozenset[Value]

    @property
    def kinds(self) -> set[str]:
        return {value.kind for value in self.values}


class Understood(NamedTuple):
    """What a question says, in the words of the data."""

    text: str
    names: tuple[Word, ...] = ()
    wishes: tuple[Word, ...] = ()  # each has to be borne out
    excluded: tuple[Word, ...] = ()
    tiers: tuple[str, ...] = ()
    number: int | None = None
    asked: frozenset[str] = frozenset()  # kinds of answer
    lacks: tuple[str, ...] = ()  # what the data has no field for
    unknown: tuple[str, ...] = ()  # asked for, and not in the data
    strange: tuple[str, ...] = ()  # other words that the data does not have
    taken: tuple[tuple[str, str], ...] = ()  # what is one letter off, and what it was taken for
    greeting: str = ""
    perfumes_meant: bool = False  # 香水, 香り, おすすめ
    further: str = ""  # "other": 他には？ "rather": もっと爽やかなの "it": それは…？


class Claim(NamedTuple):
    """What a response of the data set says: of which perfumes, asked by which values."""

    response: str
    record: Record
    values: frozenset[Value]
    without: frozenset[Value]
    perfumes: frozenset[int]


class Said(NamedTuple):
    """An answer, the perfumes told of, and the records that the model chose."""

    text: str
    told: tuple[int, ...] = ()
    records: tuple[Record, ...] = ()
    pages: tuple[str, ...] = ()
    whole: bool = True  # a free answer came to its end


# --- reading ----------------------------------------------------------------------------------------------------------
def read_records(path, maker, fields):
    """The records of a JSON array or of JSON Lines that have all the fields; SystemExit when there are none."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        raise SystemExit(f"{path} がありません。{AGAIN.format(maker)}") from None
    records = []
    for part in [text] if text.startswith("[") else text.splitlines():
        try:
            records += json.loads(part if part.startswith("[") else f"[{part}]")
        except ValueError:
            records.append(None)
    whole = [
        record
        for record in records
        if isinstance(record, dict) and all(record.get(field) for field in fields)
    ]
    if not whole:
        raise SystemExit(f"{path} に使える記録がありません。{AGAIN.format(maker)}")
    if len(whole) < len(records):
        print(
            f"{path}: 読めない記録 {len(records) - len(whole):,} 件をとばしました。",
            file=sys.stderr,
        )
    return whole


def read_words(path: Path) -> list[list[str]]:
    """The lines of a word list, saved as UTF-8 or, by some spreadsheets, as cp932."""
    try:
        text = decoded(path.read_bytes())
    except OSError:
        raise SystemExit(
            f"{path} がありません。git checkout {path} で元に戻してください。"
        ) from None
    rows = ([cell.strip() for cell in row] for row in csv.reader(text.splitlines()))
    return [[cell for cell in row if cell] for row in rows if any(row)]


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 with or without a mark, UTF-16, or cp932."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content[:200]:
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp932", errors="replace")


def normal(text: str) -> str:
    """The text in one width and one spelling of numbers: ﾊﾞﾗ, N°5 and 5番 become バラ and No.5."""
    text = re.sub(r"(?i)n[°º]|№|\bno\.?(?=\s*\d)|ナンバー(?=\s*\d)", "No.", CONTROL.sub("", text))
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"(No\.)\s+(?=\d)", r"\1", text)
    return re.sub(r"(\d+)番(?!目|人|組)", r"No.\1", text).strip()


IGNORED = set(" 　・-‐‑–—ー〜~'’‘`.°*=&,ッっ")  # what spellings of one word differ in
SMALL = str.maketrans("ァィゥェォャュョヮ", "アイウエオヤユヨワ")
V_ROW = {"ァ": "バ", "ィ": "ビ", "ェ": "ベ", "ォ": "ボ"}  # ヴァ is バ


def folded(text: str) -> tuple[str, list[int]]:
    """(the text without what spellings differ in, where each of its characters stood)."""
    letters, places = [], []
    kana = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in text)
    for place, char in enumerate(kana):
        if char in IGNORED or (char in V_ROW and kana[place - 1 : place] == "ヴ"):
            continue
        if char == "ヴ":
            char = V_ROW.get(kana[place + 1 : place + 2], "ブ")
        elif char < "\u3000":
            char = unicodedata.normalize("NFKD", char)[0].casefold()[0]
        letters.append(char.translate(SMALL))
        places.append(place)
    return "".join(letters), places


def fold(text: str) -> str:
    """The text folded, for comparing."""
    return folded(normal(text))[0]


def one_letter_off(one: str, other: str) -> bool:
    """Whether a letter less, more, changed or exchanged with the next makes one of the other."""
    start = len(os.path.commonprefix([one, other]))
    end = len(os.path.commonprefix([one[start:][::-1], other[start:][::-1]]))
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    return max(len(left), len(right)) <= 1 or (len(left) == 2 and left == right[::-1])


def spellings(perfume: Perfume, field: str) -> list[str]:
    """The Latin and the Japanese spelling of a perfume's name or brand."""
    return [perfume[key] for key in (field, f"{field}_ja") if perfume.get(key)]


def values_of(perfume: Perfume, kind: str) -> list[str]:
    """A perfume's values of a kind, without repetitions; the brand in its first spelling."""
    if kind == "brand":
        return spellings(perfume, "brand")[:1]
    found = [perfume.get(field) for field in FIELDS[kind]]
    listed = itertools.chain(*(value if isinstance(value, list) else [value] for value in found))
    return list(dict.fromkeys(str(value) for value in listed if value))


class Lexicon:
    """All words that a question may hold, and which perfumes bear out what they mean."""

    def __init__(self, perfumes: list[Perfume], qa: list[Record]) -> None:
        self.perfumes = perfumes
        self.words: dict[str, set[Value]] = defaultdict(set)
        self.bearing: dict[Value, set[int]] = defaultdict(set)
        self.wider: dict[Value, set[Value]] = defaultdict(set)  # ローズ: ターキッシュローズ
        self.hiragana: set[str] = set()
        self.ordinary = {
            run for record in qa for run in re.findall("[一-龠々]+", record["instruction"])
        }
        self.add_values()
        self.add_brands(read_words(HERE / "brands.csv"))
        self.add_customers_words(read_words(HERE / "spellings.csv"))
        self.add_asked_words(read_words(HERE / "asked_words.csv"))
        self.add_names()
        self.longest = max(map(len, self.words))

    def add(self, word: str, value: Value) -> None:
        """Takes the word in, unless it is too short to be told from its surroundings."""
        key = fold(word)
        if len(key) > 1 or re.fullmatch("[一-龠A-Za-z]", key):
            self.words[key].add(value)
            if re.fullmatch("[ぁ-んー]+", word):
                self.hiragana.add(key)

    def add_values(self) -> None:
        """The values of all fields as the data spells them."""
        for number, perfume in enumerate(self.perfumes):
            for kind in FIELDS:
                for text in values_of(perfume, kind):
                    self.bearing[Value(kind, text)].add(number)
        for value in list(self.bearing):
            self.add(value.text + "年" * (value.kind == "year"), value)

    def add_brands(self, houses: list[list[str]]) -> None:
        """Every spelling of the brands, their words that no other has (マルジェラ), and houses that the data lacks."""
        brands = {
            fold(s): values_of(p, "brand")[0] for p in self.perfumes for s in spellings(p, "brand")
        }
        known = {spelling for p in self.perfumes for spelling in spellings(p, "brand")}
        owners = defaultdict(set)
        for spelling in known:
            for part in re.split("[ ・＆&]+", spelling):
                owners[part].add(brands[fold(spelling)])
        for spelling in known:
            self.add(spelling, Value("brand", brands[fold(spelling)]))
        for house in houses:
            ours = {brands[fold(spelling)] for spelling in house if fold(spelling) in brands}
            for spelling in house:
                for brand in ours:
                    self.add(spelling, Value("brand", brand))
                if not ours and len(fold(spelling)) > 2 and fold(spelling) not in self.words:
                    self.add(spelling, Value("absent", spelling))
        for part, brand in owners.items():
            if len(part) > 3 and len(brand) == 1 and fold(part) not in self.words:
                self.add(part, Value("brand", *brand))

    def add_customers_words(self, rows: list[list[str]]) -> None:
        """Customers' words for the values, with what adjectives become: 甘い, 甘く, 甘さ."""
        meanings = {
            key: {v for v in values if v.kind in FIELDS} for key, values in self.words.items()
        }
        meanings |= {fold(tier): {Value("tier", tier)} for tier in TIERS}
        absent = []
        own = {fold(first): set(map(fold, rest)) for first, *rest in rows}
        for first, *rest in rows:
            for word in [first, *rest]:
                stem = word[:-1] if re.search("[一-龠ぁ-ん]い$", word) else None
                for form in [word, *(stem + end for end in "くさめみ" if stem)]:
                    for value in meanings.get(fold(first), ()):
                        self.add(form, value)
                absent += [word] if not meanings.get(fold(first)) else []
        for word in absent:
            if fold(word) not in self.words:
                self.add(word, Value("absent", word))
        notes = {fold(value.text): value for value in self.bearing if value.kind == "note"}
        for key, note in notes.items():
            for start in range(1, len(key) - 1):
                short = key[
                    start:
                ]  # a compound is of the kind that its end names, unless a line of its own says no
                if short in notes and (key not in own or short in own[key]):
                    self.wider[notes[short]].add(note)
                    self.bearing[notes[short]] |= self.bearing[note]

    def add_asked_words(self, rows: list[list[str]]) -> None:
        """What questions ask besides values: kinds of answer, what no field tells, exclusion, greetings, plain words."""
        for label, *words in rows:
            kind = {"除く": "not", "香水": "topic", "普通の言葉": "plain"}.get(label, "lack")
            if label in ABOUT or label in ("similar", "compare"):
                kind = "ask"
            elif label.endswith("。"):
                kind = "greet"
            for word in words:
                self.add(word, Value(kind, label))
            self.ordinary |= set(words) if kind == "plain" else set()

    def add_names(self) -> None:
        """Names, their first words, and, where their brand is said, any of their words, if all are of one brand."""
        owners, leading = defaultdict(set), set()
        for number, perfume in enumerate(self.perfumes):
            brand = {
                fold(w) for s in spellings(perfume, "brand") for w in (s, *re.split("[ ・]", s))
            }
            for name in spellings(perfume, "name"):
                for spelling in {name, name.replace("＆", "アンド"), name.replace("&", "and")}:
                    self.add(spelling, Value("name", fold(name)))
                    self.bearing[Value("name", fold(name))].add(number)
                words = list(filter(fold, re.split("[ ・]", normal(name))))
                for start, end in itertools.combinations(range(len(words) + 1), 2):
                    part = fold("".join(words[start:end]))
                    owners[part].add(number)
                    before = fold("".join(words[:start]))
                    if (not before or before in brand) and (end - start > 1 or len(part) > 3):
                        leading.add(part)
        for part, numbers in owners.items():
            houses = {values_of(self.perfumes[number], "brand")[0] for number in numbers}
            if len(houses) == 1 and part not in self.words and len(part) > 1:
                value = Value("first" if part in leading else "part", part)
                self.bearing[value] = numbers
                self.words[part].add(value)

    def bears(self, word: Word) -> set[int]:
        """The perfumes that bear out a word in any of its meanings."""
        return set().union(*(self.bearing.get(value, set()) for value in word.values))

    def holds(self, word: Word) -> set[int]:
        """The perfumes to be left out with a word: with a material also what only contains its name."""
        inside = {fold(value.text) for value in word.values if value.kind == "note"}
        notes = [
            v for v in self.bearing if v.kind == "note" and any(i in fold(v.text) for i in inside)
        ]
        return self.bears(word).union(*(self.bearing[note] for note in notes))

    # --- finding ---
    def find(self, text: str, torn: frozenset[tuple[int, int]] = frozenset()) -> list[Word]:
        """The known words of a text, the longest at each place, none torn from another word."""
        letters, places = folded(text)
        found, at, last = [], 0, 0
        while at < len(letters):
            for size in range(min(self.longest, len(letters) - at), 0, -1):
                values = self.words.get(letters[at : at + size])
                start, end = places[at], places[at + size - 1] + 1
                end += len(re.match("ー*", text[end:])[0]) if values else 0
                fits = values and (start, end) not in torn
                if fits and self.stands(text, start, end, start == last):
                    found.append(Word(start, end, text[start:end], frozenset(values)))
                    at, last = at + size - 1, end
                    break
            at += 1
        pieces = torn_from(text, found)
        return self.find(text, torn | pieces) if pieces else found

    def stands(self, text: str, start: int, end: int, follows: bool) -> bool:
        """Whether a piece of text may be a word by itself; it follows another word."""
        word, before, after = text[start:end], text[:start][-1:], text[end : end + 1]
        if re.fullmatch("[ぁ-んー]+", word):
            alone = follows or not re.match("[ぁ-ん]", before) or before in PARTICLES
            ends = not re.match("[ぁ-ん]", after) or after in PARTICLES
            return len(word) > 3 or (
                fold(word) in self.hiragana and alone and (len(word) > 2 or ends)
            )
        if re.fullmatch("[一-龠]", word):
            suffix = after in set("用向系物場頃夜朝夕専冬春夏秋") or not re.match("[一-龠]", after)
            return suffix and (follows or not re.match("[一-龠々]", before))
        return True


def torn_from(text: str, found: list[Word]) -> frozenset[tuple[int, int]]:
    """Where words are torn from a longer one: no ローズ in ローズマリー, if that is unknown."""
    torn = set()
    for run in re.finditer("[ァ-ヺー]+|[A-Za-zÀ-ɏ]+", text):
        start, end = run.span()
        inside = [word for word in found if word.start < end and start < word.end]
        covered = sum(min(word.end, end) - max(word.start, start) for word in inside)
        if covered < end - start:
            cut = (w for w in inside if start < w.start < end or start < w.end < end)
            torn.update((word.start, word.end) for word in cut)
    return frozenset(torn)


# --- understanding ----------------------------------------------------------------------------------------------------
def counted(text: str) -> tuple[int | None, str]:
    """(how many perfumes are wanted, the text with blanks for it)."""
    found = COUNTED.search(text)
    if not found:
        return None, text
    written = found["number"] or found["best"] or found["digits"]
    number = MOST if found["all"] else SOME
    if written:
        number = NUMBERS.get(written) or int(written)
    blank = " " * len(found[0])
    return max(1, min(number, MOST)), text[: found.start()] + blank + text[found.end() :]


def left_out(text: str, words: list[Word]) -> set[Word]:
    """The words that a question excludes: those before a cue (ローズとバニラが苦手), or after it (苦手なのはローズ)."""
    excluded = set()
    for place, cue in enumerate(words):
        if "not" not in cue.kinds:
            continue
        at, first = cue.start, True
        for word in reversed(words[:place]):
            if not (GAP if first else LINKED).fullmatch(text[word.end : at]):
                break
            at = word.start
            if first and word.kinds == {"topic"}:
                continue  # バニラの香りが苦手
            bare = cue.text in ("ない", "なく") and not word.text.endswith("く")
            if bare or not word.kinds & VALUED:
                break
            excluded.add(word)
            first = False
        for word in words[place + 1 : place + 2]:
            leads = "(the | )" if cue.text.isascii() else "な?(の|もの|香り|匂い)?(は|が|:)"
            if re.fullmatch(leads, text[cue.end : word.start]):
                excluded.add(word)
    return excluded


class Reader:
    """Understands questions; pure, without the model."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.guessable = {
            key: frozenset(near)
            for key, values in lexicon.words.items()
            if len(key) > 3 and (near := {v for v in values if v.kind in ("name", "brand", "note")})
        }

    def understand(self, question: str) -> Understood:
        """What the question says."""
        text = normal(question)
        number, masked = counted(text)
        found = self.lexicon.find(masked)
        nouns = [
            Word(*noun.span(), noun[0], frozenset())
            for noun in NOUN.finditer(masked)
            if not any(word.start < noun.end() and noun.start() < word.end for word in found)
        ]
        guesses = {noun: self.guess(noun) for noun in nouns}
        taken = tuple((noun.text, spelling) for noun, (_, spelling) in guesses.items() if spelling)
        found += [noun._replace(values=values) for noun, (values, _) in guesses.items()]
        asked = {v.text for word in found for v in word.values if v.kind == "ask"}
        words: list[Word] = []
        for word in sorted(found):
            words.append(
                word._replace(values=self.meant(word, masked, sorted(found), words, asked))
            )
        excluded = left_out(masked, words)
        names = [word for word in words if word.kinds & NAMING]
        wishes = [word for word in words if word.kinds & FIELDS.keys()]
        tiers = self.labels(words, "tier")
        title = [] if names or not (asked & ABOUT.keys() or tiers) else self.title(masked, wishes)
        unknown, strange = self.unknown(masked, words)
        wishes = self.without_owner([name for name in names if name not in excluded], wishes)
        if len(asked & ABOUT.keys()) > 1 or tiers:
            asked -= {"name_features"}
        return Understood(
            text=text,
            names=tuple(word for word in names if word not in excluded),
            wishes=self.joined(masked, [w for w in wishes if w not in excluded and w not in title]),
            excluded=tuple(word for word in (*names, *wishes) if word in excluded),
            tiers=tiers,
            number=number,
            asked=frozenset(asked),
            lacks=self.labels(words, "lack"),
            unknown=(*unknown, *(word.text for word in title)),
            strange=strange,
            taken=taken,
            greeting="".join(self.labels(words, "greet")[:1]),
            perfumes_meant=any("topic" in word.kinds for word in words),
            further=self.further(masked, names, wishes),
        )

    @staticmethod
    def labels(words: list[Word], kind: str) -> tuple[str, ...]:
        """What the words of a kind stand for, in their order."""
        return tuple(dict.fromkeys(v.text for w in words for v in w.values if v.kind == kind))

    @staticmethod
    def further(text: str, names: list[Word], wishes: list[Word]) -> str:
        """How a question goes on from the one before: other (他には？), rather (もっと爽やかなの), it (それは…？)."""
        if names:
            return ""
        if MORE.search(text):
            return "other"
        if RATHER.search(text) and wishes:
            return "rather"
        return "it" if IT.search(text) else ""

    def guess(self, noun: Word) -> tuple[frozenset[Value], str]:
        """(the values of the word that an unknown one is a letter off, its spelling), or of materials that contain it."""
        key = fold(noun.text)
        if noun.text in self.lexicon.ordinary or key in self.lexicon.ordinary or len(key) < 2:
            return frozenset(), ""
        near = [known for known in self.guessable if len(key) > 3 and one_letter_off(known, key)]
        if len(near) == 1:
            value = min(self.guessable[near[0]])
            perfume = self.lexicon.perfumes[min(self.lexicon.bearing[value])]
            spelling = value.text if value.kind == "note" else spellings(perfume, value.kind)[-1]
            return self.guessable[near[0]], spelling
        notes = (value for value in self.lexicon.bearing if value.kind == "note")
        return frozenset(n for n in notes if len(noun.text) > 2 and noun.text in n.text), ""

    def meant(
        self, word: Word, text: str, found: list[Word], before: list[Word], asked: set[str]
    ) -> frozenset[Value]:
        """The values of a word in this place: a name after its brand or where a name is asked about, else a wish."""
        bears = self.lexicon.bears
        titles = frozenset(value for value in word.values if value.kind in NAMING)
        others = word.values - titles
        if "not" in word.kinds and len(word.kinds) > 1:  # なし: 梨, or without
            cue = before and GAP.fullmatch(text[before[-1].end : word.start])
            return frozenset(v for v in word.values if (v.kind == "not") == bool(cue))
        if not titles:
            return word.values
        owned = bears(word._replace(values=titles))
        if "brand" in word.kinds:
            later = [w for w in found if w.start > word.start and w.kinds & NAMING]
            if any(bears(w) & bears(word._replace(values=others)) for w in later):
                return others
        of_house = any("brand" in house.kinds and bears(house) & owned for house in before)
        if not of_house and {value.kind for value in titles} == {"part"}:
            return others
        smelled = SMELL.match(text[word.end :])
        if not others & self.lexicon.bearing.keys():
            wild = smelled and not of_house and {value.kind for value in titles} == {"first"}
            return frozenset() if wild else titles
        named = any(w.kinds & NAMING for w in before)
        by_question = asked & ABOUT.keys() and not named and word.kinds & {"brand", "note"}
        if of_house and not (smelled and not asked):
            return titles
        return titles if by_question and not smelled else others

    def without_owner(self, names: list[Word], wishes: list[Word]) -> list[Word]:
        """The wishes without a brand that only says whose the named perfume is (シャネルのチャンス)."""
        told = set().union(*map(self.lexicon.bears, names))
        return [
            word
            for word in wishes
            if word.kinds != {"brand"}
            or not names
            or word.start > names[-1].start
            or not told & self.lexicon.bears(word)
        ]

    def title(self, text: str, wishes: list[Word]) -> list[Word]:
        """A material right after a brand where a perfume is asked about: a name that the data lacks (シャネルのガーデニア)."""
        return [
            word
            for house, word in itertools.pairwise(wishes)
            if house.kinds == {"brand"}
            and word.kinds <= {"note", "family"}
            and text[house.end : word.start] in ("", "の", "・", " ")
            and not SMELL.match(text[word.end :])
        ]

    def joined(self, text: str, wishes: list[Word]) -> tuple[Word, ...]:
        """The wishes, with one for those of which a perfume has one or that か joins: シャネルかディオール."""
        merged: list[Word] = []
        for word in wishes:
            same = [w for w in merged if w.kinds == word.kinds and w.kinds <= ONE_EACH]
            if (
                merged
                and merged[-1].kinds == word.kinds
                and OR.fullmatch(text[merged[-1].end : word.start])
            ):
                same = merged[-1:]
            if same:
                place = merged.index(same[0])
                said = (
                    merged[place].text
                    if word.values <= same[0].values
                    else f"{same[0].text}か{word.text}"
                )
                merged[place] = Word(same[0].start, word.end, said, same[0].values | word.values)
            else:
                merged.append(word)
        return tuple(merged)

    def unknown(self, text: str, words: list[Word]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(words that stand where a name, brand or material is asked and are not in the data, other such words)."""
        unknown, strange = [], []
        for word in words:
            absent = word.kinds == {"absent"}
            if word.kinds and not absent:
                continue
            ordinary = (
                word.text in self.lexicon.ordinary or word.text.casefold() in self.lexicon.ordinary
            )
            if (ordinary and not absent) or len(word.text) < 2:
                continue
            after = text[word.end :]
            kanji = re.match("[一-龠]", word.text)
            lower = text.isascii() and (word.text.islower() or word.start == 0)
            if kanji and not absent:
                asked_for = SMELL.match(after)
            else:
                asked_for = absent or not (PURPOSE.match(after) or lower)
            (unknown if asked_for else strange).append(word.text)
        return tuple(dict.fromkeys(unknown)), tuple(dict.fromkeys(strange))


# --- narrowing --------------------------------------------------------------------------------------------------------
def asked_by(record: Record) -> tuple[str, str]:
    """What a record's question asks; answers to the same are equally right."""
    return record["type"], record["key"]


def pages_of(records: Iterable[Record]) -> list[str]:
    """The pages that the facts of the records are from."""
    urls = (CONTROL.sub("", url) for record in records for url in record.get("source") or [])
    return list(dict.fromkeys(urls))


class Claims:
    """What the responses of the data set say, found by perfume and by kind."""

    def __init__(self, lexicon: Lexicon, qa: list[Record]) -> None:
        self.lexicon = lexicon
        self.at: dict[str, list[int]] = defaultdict(list)  # page: its perfumes
        for number, perfume in enumerate(lexicon.perfumes):
            self.at[perfume["url"]].append(number)
        self.kinds = defaultdict(set)  # a value's text: what it may be
        for value in lexicon.bearing:
            self.kinds[value.text].add(value)
        self.recommending: list[Claim] = []
        self.about: dict[tuple[str, int], list[Claim]] = defaultdict(list)
        self.listing: list[Claim] = []
        self.several: list[Claim] = []
        self.every = [self.claim(record) for record in qa]
        for claim in self.every:
            record = claim.record
            if record["type"].startswith("name_") or record["type"] in (
                "similar",
                "compare",
                "yes_no",
            ):
                for number in claim.perfumes:
                    self.about[record["type"], number].append(claim)
            else:
                kinds = {"brands": self.listing, "several": self.several}
                kinds.get(record["type"], self.recommending).append(claim)

    def perfumes_of(self, record: Record) -> frozenset[int]:
        """The perfumes that a record tells of: those of its pages; of several on one page those that it names."""
        told = set()
        for url in record.get("source") or []:
            here = self.at.get(url, [])
            said = record["response"]
            named = [
                n
                for n in here
                if any(s in said for s in spellings(self.lexicon.perfumes[n], "name"))
            ]
            told.update(named if len(here) > 1 and named else here)
        return frozenset(told)

    def claim(self, record: Record) -> Claim:
        """A record with the values of its key."""
        kind, key = asked_by(record)
        parts, without = key.split("×"), frozenset()
        if kind.startswith("without_") and len(parts) > 1:
            without = frozenset({Value(kind.removeprefix("without_"), parts.pop())})
        if kind in FIELDS or kind == "note_tier":
            values = {Value(kind, key)}
        elif kind in ("several", "brands") and len(parts) > 1:
            values = {Value(*parts[-2:])}
        elif len(kind.split("_")) == len(parts) and set(kind.split("_")) <= FIELDS.keys():
            values = set(map(Value, kind.split("_"), parts))
        else:
            values = set().union(*(self.kinds.get(part, set()) for part in parts))
        return Claim(
            record["response"], record, frozenset(values), without, self.perfumes_of(record)
        )

    def of_several(self, wishes: tuple[Word, ...], number: int, perfumes: set[int]) -> list[Claim]:
        """The claims that name so many perfumes for just the one wish."""
        wished = set().union(*(word.values for word in wishes))
        return [
            claim
            for claim in self.several
            if len(wishes) == 1
            and claim.record["key"].startswith(f"{number}×")
            and claim.values <= wished
            and claim.perfumes <= perfumes
        ]

    def recommended(
        self, wishes: Iterable[Word], excluded: Iterable[Word], perfumes: set[int]
    ) -> tuple[list[Claim], bool]:
        """(the claims about some of the perfumes that say most of the wishes and nothing else, whether all of them)."""
        worth: dict[Value, tuple[int, int]] = {}  # a value: which wish it fulfils, and how nearly
        for place, word in enumerate(wishes):
            for value in word.values:
                for wider in self.lexicon.wider.get(value, ()):
                    worth.setdefault(wider, (place, 1))
            for value in word.values:
                worth[value] = place, 3 if fold(value.text) == fold(word.text) else 2
        without = {value for word in excluded for value in word.values}
        best, groups = 0, defaultdict(list)
        for claim in self.recommending:
            if (
                claim.values <= worth.keys()
                and claim.perfumes <= perfumes
                and claim.without <= without
                and claim.perfumes
            ):
                nearly = {worth[value][0]: worth[value][1] for value in claim.values}
                score = 10 * (len(nearly) + len(claim.without)) + sum(nearly.values())
                if score >= best:
                    best = score
                    groups[score].append(claim)
        about = groups[best] or [claim for claim in self.recommending if claim.perfumes <= perfumes]
        return about, best >= 10 * len(tuple(wishes)) > 0


# --- answering: pure, but that the model chooses where a claim is asked for with `yield` ----------------------------------
Answering = Generator[list[Claim], Claim, Said]


def listed(words: Iterable[str]) -> str:
    """「夏」「甘い」."""
    return "".join(f"「{word}」" for word in words)


class Memory(NamedTuple):
    """What was asked and told last."""

    question: Understood | None = None
    told: frozenset[int] = frozenset()  # to this question and what went on from it
    last: int | None = None  # the perfume told last


class Clerk:
    """Knows what may be answered to a question, and in which frame."""

    def __init__(self, perfumes: list[Perfume], qa: list[Record]) -> None:
        self.perfumes, self.qa = perfumes, qa
        self.lexicon = Lexicon(perfumes, qa)
        self.reader = Reader(self.lexicon)
        self.claims = Claims(self.lexicon, qa)
        self.namesakes = Counter(
            (values_of(p, "brand")[0], spellings(p, "name")[-1]) for p in perfumes
        )

    def name(self, number: int) -> str:
        """A perfume's name, with the concentration where its brand has another of that name."""
        perfume = self.perfumes[number]
        name = spellings(perfume, "name")[-1]
        alone = self.namesakes[values_of(perfume, "brand")[0], name] == 1
        return (
            name
            if alone or not perfume.get("concentration")
            else f"{name}（{perfume['concentration']}）"
        )

    def title(self, number: int) -> str:
        """Diorの「ソヴァージュ」."""
        return f"{values_of(self.perfumes[number], 'brand')[0]}の「{self.name(number)}」"

    def reply(self, asked: Understood, memory: Memory) -> Answering:
        """The answer to a question: what of it the data does not know is said, and the rest answered."""
        question = self.continued(asked, memory)
        opening = "".join(
            f"「{typed}」を「{taken}」としてお答えします。" for typed, taken in question.taken
        )
        if question.unknown:
            opening += f"{listed(question.unknown)}はデータにありません。"
        if question.lacks:
            opening += f"{'、'.join(question.lacks)}の情報はデータにありません。"
        known = question.names or question.wishes or question.excluded
        if question.greeting and not known and not question.lacks:
            return Said(question.greeting)
        if self.refused(question):
            strange = (
                f"{listed(question.strange[:1])}はデータにありません。" if question.strange else ""
            )
            opening = opening or strange or "お尋ねの内容はデータにありません。"
            return Said(opening + self.suggestions(question))
        told = set(memory.told if question.further or self.repeated(question, memory) else ())
        said = yield from self.rest(question, told)
        return said._replace(text=opening + said.text)

    @staticmethod
    def repeated(question: Understood, memory: Memory) -> bool:
        """Whether the same was asked just before."""
        before = memory.question
        return before is not None and before._replace(text="", further="") == question._replace(
            text="", further=""
        )

    @staticmethod
    def refused(question: Understood) -> bool:
        """Whether there is nothing that the data can answer."""
        wished = any(word.kinds != {"brand"} for word in question.wishes)
        listing = "name_brand" in question.asked and not question.strange
        if question.lacks:
            return bool(question.names) or not wished
        if question.unknown:
            named = bool(question.asked & ABOUT.keys() or question.tiers)
            return not question.names and (named or not (question.wishes or question.excluded))
        if question.names or question.excluded or question.further == "other":
            return False
        if not question.wishes:
            return not (listing or (question.perfumes_meant and not question.strange))
        off_topic = any(
            re.search(f"{word}(は|って|を|が|も|[?？]|$|ある|ない|教)", question.text)
            for word in question.strange
        )
        return (
            off_topic
            and not question.perfumes_meant
            and not any("brand" in w.kinds for w in question.wishes)
        )

    def suggestions(self, question: Understood) -> str:
        """Questions of the data set about the same perfume, brand or kind."""
        wished = {value for word in (*question.names, *question.wishes) for value in word.values}
        told = set().union(
            *(self.lexicon.bearing.get(value, set()) for value in wished if value.kind in NAMING)
        )
        near: dict[str, str] = {}
        other: dict[str, str] = {}
        for claim in self.claims.every:
            kind, instruction = claim.record["type"], claim.record["instruction"]
            if claim.perfumes & told or claim.values & wished:
                near.setdefault(kind, instruction)
            elif kind in ("brand", "season", "name_features"):
                other.setdefault(kind, instruction)
        examples = [*near.values(), *other.values()][:3]
        return f"{listed(examples)}のようにお尋ねください。"

    def continued(self, question: Understood, memory: Memory) -> Understood:
        """The question with what it takes from the one before."""
        before = memory.question
        alone = not (
            question.names or question.wishes or question.unknown or question.perfumes_meant
        )
        asks = question.asked & ABOUT.keys() or question.tiers
        if memory.last is not None and (question.further == "it" or (alone and asks)):
            value = Value("name", f"#{memory.last}")
            self.lexicon.bearing[value] = {memory.last}
            return question._replace(
                names=(Word(0, 0, self.name(memory.last), frozenset({value})),)
            )
        if before is None or question.further not in ("other", "rather"):
            return question
        kinds = set().union(*(word.kinds for word in question.wishes))
        kept = tuple(word for word in before.wishes if not word.kinds & kinds)
        excluded = (*before.excluded, *question.excluded)
        asked = frozenset({"similar"}) if before.names else before.asked
        return question._replace(
            names=before.names, wishes=kept + question.wishes, excluded=excluded, asked=asked
        )

    def rest(self, question: Understood, told: set[int]) -> Answering:
        """The answer to what the data knows of a question."""
        named = [sorted(self.lexicon.bears(word)) for word in question.names]
        branded = any("brand" in word.kinds for word in question.wishes)
        if not named and not branded and "name_brand" in question.asked:
            return (yield from self.brands(question))
        if not named:
            return (yield from self.recommend(question, told))
        if len(named) > 1 and "similar" not in question.asked:
            return (yield from self.compared(question, [numbers[0] for numbers in named]))
        if "similar" in question.asked:
            return (yield from self.similar(question, named[0], told))
        return (yield from self.about(question, named[0]))

    # --- recommending ---
    def fitting(self, wishes: Iterable[Word], question: Understood) -> set[int]:
        """The perfumes that bear out all the wishes and nothing that is excluded."""
        fit = set(range(len(self.perfumes)))
        for word in wishes:
            fit &= (
                self.in_tiers(word, question.tiers)
                if "note" in word.kinds
                else self.lexicon.bears(word)
            )
        return fit.difference(*map(self.lexicon.holds, question.excluded))

    def in_tiers(self, word: Word, tiers: tuple[str, ...]) -> set[int]:
        """The perfumes that bear out a material, in the tiers if some are asked for."""
        notes = {value.text for value in self.meanings(word)}
        fields = [TIERS[tier] for tier in tiers]
        return {
            number
            for number in self.lexicon.bears(word)
            if all(notes & set(self.perfumes[number].get(field) or ()) for field in fields)
        }

    def meanings(self, word: Word) -> set[Value]:
        """A word's values, with the compounds of its materials."""
        return word.values.union(*(self.lexicon.wider.get(value, ()) for value in word.values))

    def kept(self, question: Understood) -> tuple[tuple[Word, ...], set[int]]:
        """(most of the wishes that can be met together, the first ones rather; the perfumes that meet them)."""
        for number in range(len(question.wishes), 0, -1):
            for wishes in itertools.combinations(question.wishes, number):
                if fit := self.fitting(wishes, question):
                    return wishes, fit
        return (), self.fitting((), question)

    def recommend(self, question: Understood, told: set[int]) -> Answering:
        """One perfume, or as many as are wanted, in a response that says all the wishes, or in a frame that does."""
        wishes, fit = self.kept(question)
        opening = ""
        if dropped := [word for word in question.wishes if word not in wishes]:
            both = listed(word.text for word in question.wishes)
            opening = f"{both}のすべてに当てはまる香水はデータにありません。"
            opening += f"{listed(word.text for word in dropped)}を除いてお答えします。"
        if question.tiers:
            tiered = [
                Value("note_tier", f"{v.text}×{t}")
                for w in wishes
                for v in self.meanings(w)
                for t in question.tiers
            ]
            wishes = tuple(w._replace(values=w.values | set(tiered)) for w in wishes)
        fit -= told
        number = question.number or 1
        chosen: list[Claim] = []
        several = self.claims.of_several(wishes, number, fit) if not question.excluded else []
        if several:
            chosen.append((yield several))
            return self.said(opening + chosen[0].response, chosen)
        while len(chosen) < number and fit:
            claims, all_said = self.claims.recommended(wishes, question.excluded, fit)
            if not claims:
                break
            chosen.append((yield claims))
            fit -= chosen[-1].perfumes
            if all_said and number == 1:
                return self.said(opening + chosen[0].response, chosen[:1])
        if not chosen:
            return Said("ほかに当てはまる香水はデータにありません。")
        return self.said(opening + self.framed(question, wishes, chosen, number), chosen)

    def framed(
        self, question: Understood, wishes: tuple[Word, ...], chosen: list[Claim], number: int
    ) -> str:
        """The perfumes of the chosen responses with the wishes said before them, and the notes of a single one."""
        titles = "、".join(self.title(min(claim.perfumes)) for claim in chosen)
        wished = listed(word.text for word in wishes)
        said = "".join(f"「{word.text}」以外で" for word in question.excluded) + "、" * bool(
            question.excluded
        )
        said += f"{wished}に合う香水では、" if wished else ""
        if number > 1:
            said = said.removesuffix("では、") + f"を{len(chosen)}つ選ぶなら、" if wished else said
            fewer = f"データにあるのはこの{len(chosen)}つです。" * (len(chosen) < number)
            return f"{said}{titles}がおすすめです。{fewer}"
        return (
            f"{said}{titles}がおすすめです。" + chosen[0].response.partition("がおすすめです。")[2]
        )

    def said(self, text: str, claims: list[Claim]) -> Said:
        """An answer with what it rests on."""
        told = tuple(dict.fromkeys(n for claim in claims for n in sorted(claim.perfumes)))
        records = [claim.record for claim in claims]
        return Said(text, told, tuple(records), tuple(pages_of(records)))

    def computed(self, text: str, numbers: Iterable[int]) -> Said:
        """An answer whose words follow from the facts of perfumes."""
        told = tuple(numbers)
        return Said(
            text, told, (), tuple(pages_of({"source": [self.perfumes[n]["url"]]} for n in told))
        )

    def brands(self, question: Understood) -> Answering:
        """The brands that have a perfume such as is wished."""
        wishes, fit = self.kept(question)
        wished = set().union(*(word.values for word in wishes))
        claims = [c for c in self.claims.listing if c.values == wished and len(wishes) < 2]
        if claims and not question.excluded:
            claim = yield claims
            return self.said(claim.response, [claim])
        names = list(dict.fromkeys(values_of(self.perfumes[n], "brand")[0] for n in sorted(fit)))
        more = "など" * (len(names) > MOST)
        said = f"{listed(word.text for word in wishes)}に合う香水の" if wishes else "取り扱い"
        return self.computed(
            f"{said}ブランドは、{'、'.join(names[:MOST])}{more}です。", sorted(fit)[:1]
        )

    # --- about a named perfume ---
    def about(self, question: Understood, numbers: list[int]) -> Answering:
        """What is asked of a named perfume; はい or いいえ where a wish is asked of it."""
        wishes = [w for w in (*question.wishes, *question.excluded) if w.kinds & TELLS.keys()]
        open_ones = [
            w for w in wishes if w.kinds <= ONE_EACH and len(w.values) > 1 and "か" in w.text
        ]
        kinds = (question.asked & ABOUT.keys()) | {TELLS[k] for w in open_ones for k in w.kinds}
        checks = [word for word in wishes if word not in open_ones]
        if question.tiers and not checks:
            return (yield from self.tier_notes(question, numbers))
        if not checks:
            return (yield from self.told_of(numbers, kinds or set(ABOUT) - {"name_tier"}))
        fit = [n for n in numbers if all(self.agrees(n, word, question.tiers) for word in checks)]
        verdict = "はい" if fit else "いいえ"
        numbers = fit or numbers
        values = set().union(*(word.values for word in checks))
        kinds = {TELLS[kind] for word in checks for kind in word.kinds & TELLS.keys()}
        exact = [
            claim
            for number in numbers
            for claim in self.claims.about["yes_no", number]
            if claim.values & values and claim.response.startswith(verdict) and len(checks) == 1
        ]
        said = yield from self.told_of(numbers, kinds, exact)
        text = said.text if said.text.startswith(verdict) else f"{verdict}、{said.text}"
        return said._replace(text=text)

    def agrees(self, number: int, word: Word, tiers: tuple[str, ...]) -> bool:
        """Whether a perfume bears out a word; one for both men and women is for either."""
        if word.kinds == {"gender"} and self.perfumes[number].get("gender") == "ユニセックス":
            return True
        fit = self.in_tiers(word, tiers) if word.kinds & {"note"} else self.lexicon.bears(word)
        return number in fit

    def told_of(
        self, numbers: list[int], kinds: Iterable[str], exact: Iterable[Claim] = ()
    ) -> Answering:
        """What the model chooses of the responses of some kinds about perfumes, or what the facts say."""
        claims = [*exact]
        claims += [claim for n in numbers for kind in kinds for claim in self.claims.about[kind, n]]
        if claims:
            claim = yield claims
            return self.said(claim.response, [claim])
        for kind in sorted(kinds):
            if text := self.stated(kind, numbers[0]):
                return self.computed(text, numbers[:1])
        asked = "・".join(ABOUT[kind] for kind in sorted(kinds))
        return self.computed(
            f"{self.title(numbers[0])}の{asked}の情報はデータにありません。", numbers[:1]
        )

    def tier_notes(self, question: Understood, numbers: list[int]) -> Answering:
        """The notes of the tiers asked for."""
        ends = tuple(f"×{tier}" for tier in question.tiers)
        claims = [
            c
            for n in numbers
            for c in self.claims.about["name_tier", n]
            if c.record["key"].endswith(ends)
        ]
        if claims and len(question.tiers) == 1:
            claim = yield claims
            return self.said(claim.response, [claim])
        told = "".join(self.stated("name_tier", numbers[0], tier) for tier in question.tiers)
        if told:
            return self.computed(told, numbers[:1])
        return (yield from self.told_of(numbers[:1], ["name_notes"]))

    def stated(self, kind: str, number: int, tier: str = "") -> str:
        """A fact of a perfume in a sentence; empty where the data does not have it."""
        perfume = self.perfumes[number]
        tiers = [*TIERS.items(), ("ノート", "notes")]
        seasons, scenes = (values_of(perfume, kind) for kind in ("season", "scene"))
        facts = {
            "name_notes": "".join(
                f"【{t}】{', '.join(perfume[f])}" for t, f in tiers if perfume.get(f)
            ),
            "name_tier": "、".join(perfume.get(TIERS.get(tier, "")) or ()),
            "name_gender": "".join(f"{g}（{PEOPLE[g]}）" for g in values_of(perfume, "gender")),
            "name_occasions": "、".join("・".join(v) for v in (seasons, scenes) if v),
            "name_brand": "（".join(spellings(perfume, "brand"))
            + "）" * (len(spellings(perfume, "brand")) - 1),
            "name_features": "、".join(
                v for k in ("family", "image", "impression") for v in values_of(perfume, k)
            ),
            "name_family": "・".join(values_of(perfume, "family")),
        }
        simple = kind.removeprefix("name_")
        fact = (
            facts[kind]
            if kind in facts
            else "".join(values_of(perfume, simple))
            + "年" * (simple == "year" and bool(perfume.get("year")))
        )
        return f"{self.name(number)}の{tier or ABOUT[kind]}は、{fact}です。" if fact else ""

    def compared(self, question: Understood, numbers: list[int]) -> Answering:
        """Which of some perfumes bears out the wishes, or what each of them is like."""
        wishes = [word for word in question.wishes if word.kinds != {"brand"}]
        if wishes:
            fit = [
                n for n in numbers if all(self.agrees(n, word, question.tiers) for word in wishes)
            ]
            said = listed(word.text for word in wishes)
            titles = "、".join(map(self.title, fit))
            text = (
                f"{said}に合うのは、{titles}です。"
                if fit
                else f"{said}に合うものはこの中にありません。"
            )
            return self.computed(text, fit or numbers)
        both = [c for c in self.claims.about["compare", numbers[0]] if c.perfumes == set(numbers)]
        if both:
            claim = yield both
            return self.said(claim.response, [claim])
        kinds = (question.asked & ABOUT.keys()) or {"name_features"}
        told = []
        for number in numbers:
            told.append((yield from self.told_of([number], kinds)))
        text = (
            "と".join(map(self.title, numbers))
            + "を比べると、"
            + "".join(said.text for said in told)
        )
        records = tuple(record for said in told for record in said.records)
        pages = tuple(page for said in told for page in said.pages)
        return Said(text, tuple(numbers), records, pages)

    def similar(self, question: Understood, numbers: list[int], told: set[int]) -> Answering:
        """What shares families and notes with a perfume, and which they are."""
        number, wanted = numbers[0], question.number or 1
        _, fit = self.kept(question)
        fit -= told | set(numbers)
        names = [f"/{name}" for name in spellings(self.perfumes[number], "name")]
        claims = [
            claim
            for claim in self.claims.about["similar", number]
            if claim.record["key"].endswith(tuple(names)) and claim.perfumes - {number} <= fit
        ]
        if claims and wanted == 1:
            claim = yield claims
            return self.said(claim.response, [claim])._replace(
                told=tuple(claim.perfumes - {number})
            )
        own = {kind: set(values_of(self.perfumes[number], kind)) for kind in ("family", "note")}
        shared = {
            n: [v for kind in own for v in values_of(self.perfumes[n], kind) if v in own[kind]]
            for n in sorted(fit)
        }
        best = sorted(shared, key=lambda n: -len(shared[n]))[:wanted]
        if not best or not shared[best[0]]:
            return Said(f"{self.title(number)}に似た香水は、ほかにデータにありません。")
        titles = "、".join(map(self.title, best))
        text = f"{self.title(number)}に似た香りでは、{titles}がおすすめです。"
        return self.computed(f"{text}共通するのは、{'、'.join(shared[best[0]])}です。", best)


# --- decoding ---------------------------------------------------------------------------------------------------------
class Rows:
    """Responses as sorted rows of tokens: those that begin alike are a range, found by binary search."""

    def __init__(self, claims: Iterable[Claim], tokens: dict[str, list[int]]) -> None:
        same: dict[str, list[Claim]] = {}
        for claim in claims:
            same.setdefault(claim.response, []).append(claim)
        rows = sorted((tokens[response], response) for response in same)
        self.tokens = [row for row, _ in rows]
        self.claims = [same[response] for _, response in rows]
        self.asked = [
            frozenset(asked_by(claim.record) for claim in claims) for claims in self.claims
        ]

    def shared(self, low: int, high: int) -> int:
        """How many tokens rows low to high have in common."""
        pairs = zip(self.tokens[low], self.tokens[high - 1], strict=False)
        different = (depth for depth, (one, other) in enumerate(pairs) if one != other)
        return next(different, len(self.tokens[low]))

    def branches(self, low: int, high: int) -> dict[int, tuple[int, int]]:
        """{each token that may follow what rows low to high have in common: (low, high) of its rows}."""
        branches, depth = {}, self.shared(low, high)
        while low < high:
            token, start = self.tokens[low][depth], low
            low = bisect_left(self.tokens, token + 1, low, high, key=lambda tokens: tokens[depth])
            branches[token] = start, low
        return branches

    def equally_right(self, low: int, high: int) -> bool:
        """Whether rows low to high all answer the same question."""
        return self.asked[low:high].count(self.asked[low]) == high - low


def prompt(tokenizer: Any, question: str) -> str:
    """The question in the template that the adapter was trained with."""
    messages = [{"role": "user", "content": question}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def token_rows(tokenizer: Any, responses: Iterable[str]) -> dict[str, list[int]]:
    """{each response: its tokens, with the end token}."""
    responses = list(dict.fromkeys(responses))
    fast = (
        tokenizer.backend_tokenizer
    )  # without the checks of tokenizer(): half a second less for 26,000
    fast.no_padding()
    fast.no_truncation()
    encoded = fast.encode_batch_fast(responses)
    return {
        r: [*row.ids, tokenizer.eos_token_id] for r, row in zip(responses, encoded, strict=True)
    }


def decode(model: Any, choices: list[Rows], prompts: list[list[int]]) -> list[int]:
    """The row that answers each prompt, by the model's choice among the tokens that may follow.

    It takes the likeliest until all the rows left answer the same question, then it draws. The answers are those of
    generate() with a prefix_allowed_tokens_fn, but what has to follow is read in one pass, not in one for each token.
    """
    import torch

    spans = [(0, len(rows.tokens)) for rows in choices]  # the rows left
    blocks, cache = prompts, None
    mask = torch.zeros(len(prompts), 0, dtype=torch.long)
    while any(high - low > 1 for low, high in spans):
        width = max(map(len, blocks))  # the blocks are read side by side, flush right
        ids = torch.tensor([[0] * (width - len(block)) + block for block in blocks])
        read = torch.tensor([[0] * (width - len(block)) + [1] * len(block) for block in blocks])
        mask = torch.cat([mask, read], 1)
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -width:]
        with torch.inference_mode():
            out = model(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                position_ids=places.to(model.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        scores, cache = out.logits[:, -1].float().cpu(), out.past_key_values
        blocks = [[]] * len(prompts)
        for i, (rows, (low, high)) in enumerate(zip(choices, spans, strict=True)):
            if high - low == 1:
                continue
            branches, depth = rows.branches(low, high), rows.shared(low, high)
            gains = scores[i, list(branches)]
            if rows.equally_right(low, high):  # Gumbel noise: the largest is a draw by the shares
                gains = gains / TEMPERATURE - torch.empty_like(gains).exponential_().log()
            spans[i] = low, high = list(branches.values())[gains.argmax()]
            if high - low > 1:
                blocks[i] = rows.tokens[low][depth : rows.shared(low, high)]
    return [low for low, _ in spans]


def sample(
    model: Any, tokenizer: Any, questions: list[str], show: Callable | None = None
) -> list[tuple[list[int], bool]]:
    """(tokens before the end token, whether it came) of a free answer to each question; show(tokens) sees one grow."""
    import torch

    prompts = [prompt(tokenizer, question) for question in questions]
    batch = tokenizer(prompts, padding=True, return_tensors="pt").to(model.device)
    start, eos = batch["input_ids"].shape[1], tokenizer.eos_token_id

    def watch(ids: Any, scores: Any, **_: Any) -> Any:
        if show:
            show(ids[0, start:].tolist())
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)

    out = model.generate(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        do_sample=True,
        temperature=TEMPERATURE,
        top_p=TOP_P,
        top_k=0,
        repetition_penalty=REPETITION_PENALTY,
        max_new_tokens=MAX_NEW_TOKENS,
        pad_token_id=tokenizer.pad_token_id,
        stopping_criteria=[watch],
    )
    answers = [[*answer, eos] for answer in out[:, start:].tolist()]
    return [
        (answer[: answer.index(eos)], answer.index(eos) < len(answer) - 1) for answer in answers
    ]


class Checker:
    """Finds in an answer what the data does not bear out."""

    def __init__(self, clerk: Clerk) -> None:
        self.lexicon, self.perfumes = clerk.lexicon, clerk.perfumes
        counts = Counter(word for r in clerk.qa for word in set(NOUN.findall(r["response"])))
        self.plain = {word for word, count in counts.items() if count * 50 >= len(clerk.qa)}

    def check(self, text: str) -> tuple[list[tuple[int, int]], set[int]]:
        """([(start, end)] that no perfume told of bears out, the perfumes told of)."""
        words = [word for word in self.lexicon.find(text) if word.kinds & VALUED]
        titled = [
            w
            for w in words
            if "name" in w.kinds and re.match("」|の[^、。]*は、|がおすすめ|（", text[w.end :])
        ]
        brands = [w for w in words if "brand" in w.kinds]
        told: set[int] = set()
        for word in titled:
            owners = {
                n for n in self.lexicon.bears(word) for b in brands if n in self.lexicon.bears(b)
            }
            told |= owners or self.lexicon.bears(
                word._replace(values=frozenset(v for v in word.values if v.kind == "name"))
            )
        tiers = [
            (m.start(), m.end(), TIERS.get(m[1])) for m in re.finditer("【(.*?)】[^【。]*", text)
        ]
        wrong = []
        for word in words:
            field = next((f for start, end, f in tiers if start < word.start < end and f), None)
            told_notes = {
                fold(note) for n in told for note in self.perfumes[n].get(field or "") or ()
            }
            borne = fold(word.text) in told_notes if field else self.lexicon.bears(word) & told
            if not borne or not told:
                wrong.append((word.start, word.end))
        for noun in NOUN.finditer(text):
            covered = any(w.start < noun.end() and noun.start() < w.end for w in words)
            if not covered and not re.match("[一-龠]", noun[0]) and noun[0] not in self.plain:
                wrong.append(noun.span())
        return sorted(wrong) if words else [(0, len(text))], told

    def marked(self, text: str) -> str:
        """The text with what the data does not bear out in marks."""
        for start, end in reversed(self.check(text)[0]):
            text = text[:start] + MARK.format(text[start:end]) + text[end:]
        return text


class Assistant:
    """Answers questions with the model, and remembers what it told."""

    def __init__(self, model: Any, tokenizer: Any, clerk: Clerk) -> None:
        self.model, self.tokenizer, self.clerk = model, tokenizer, clerk
        self.tokens = token_rows(tokenizer, (record["response"] for record in clerk.qa))
        self.memory = Memory()

    def choose(self, questions: list[str], choices: list[list[Claim]]) -> list[Claim]:
        """What the model says to each question, of what may be said."""
        rows = [Rows(claims, self.tokens) for claims in choices]
        ids = [
            self.tokenizer(prompt(self.tokenizer, question))["input_ids"] for question in questions
        ]
        chosen = decode(self.model, rows, ids)
        return [kept.claims[row][0] for kept, row in zip(rows, chosen, strict=True)]

    def answer(self, question: str, show: Callable | None = None) -> Said:
        """The answer to a question; show(text) sees a free one grow."""
        question = CONTROL.sub("", question)
        if not GROUNDED:
            return self.free([question], show)[0]
        understood = self.clerk.reader.understand(question)
        (said,) = finished(
            [self.clerk.reply(understood, self.memory)], lambda _, c: self.choose([question], c)
        )
        return said

    def remember(self, question: str, said: Said) -> None:
        """Keeps what was asked and told, for questions that go on from it."""
        asked = self.clerk.continued(self.clerk.reader.understand(question), self.memory)
        going_on = asked.further or self.clerk.repeated(asked, self.memory)
        told = (self.memory.told if going_on else frozenset()) | set(said.told)
        last = said.told[0] if said.told else self.memory.last
        self.memory = Memory(asked if said.told else self.memory.question, told, last)

    def text(self, tokens: list[int]) -> str:
        """The text of an answer's tokens, without a last character that is still incomplete."""
        text = self.tokenizer.decode(tokens, skip_special_tokens=True).rstrip("\ufffd")
        return CONTROL.sub("", text).replace("\ufffd", "〓")

    def free(self, questions: list[str], show: Callable | None = None) -> list[Said]:
        """Free answers, with the pages of the perfumes that they tell of."""
        grow = show and (lambda tokens: show(self.text(tokens)))
        answers = []
        for tokens, whole in sample(self.model, self.tokenizer, questions, grow):
            text = self.text(tokens)
            told = sorted(self.checker.check(text)[1])
            answers.append(self.clerk.computed(text, told)._replace(whole=whole))
        return answers

    @property
    def checker(self) -> Checker:
        """The checker of free answers, made when the first is checked."""
        self.__dict__.setdefault("_checker", None)
        self._checker = self._checker or Checker(self.clerk)
        return self._checker


def finished(
    replies: list[Answering], choose: Callable[[list[int], list[list[Claim]]], list[Claim]]
) -> list[Said]:
    """The answers, with choose(which replies ask, what each may say) asked for all that need it side by side."""
    said: dict[int, Said] = {}
    answers: dict[int, Claim | None] = dict.fromkeys(range(len(replies)))
    while answers:
        asking = {}
        for place, claim in answers.items():
            try:
                asking[place] = replies[place].send(claim)
            except StopIteration as stop:
                said[place] = stop.value
        places = list(asking)
        answers = (
            dict(zip(places, choose(places, list(asking.values())), strict=True)) if places else {}
        )
    return [said[place] for place in range(len(replies))]


# --- the terminal -----------------------------------------------------------------------------------------------------
UNIT = re.compile(  # what stays on one line: no line begins with 、。」ー, and no word or number is broken
    r"[「『（【［]*(?:[A-Za-z0-9À-ɏ'’&.°]+|.)[、。，．・：；？！?!,」』）】］ーぁぃぅぇぉゃゅょっァィゥェォャュョッ々…〜]*"
)


class Pen:
    """Writes a growing text in lines of a width; 0: as it comes."""

    def __init__(self, width: int) -> None:
        self.width, self.column, self.written = width, 0, ""

    def write(self, text: str) -> None:
        """Shows what is new in the text; once more from its start where what was shown has changed."""
        from wcwidth import wcswidth

        if not text.startswith(self.written):
            print()
            self.column, self.written = 0, ""
        for unit in UNIT.findall(text[len(self.written) :]):
            size = max(wcswidth(unit), 0)
            if self.width and self.column and self.column + size > self.width:
                print()
                self.column = 0
            self.column += size
            for char in unit:
                print(char, end="", flush=True)
                time.sleep(CHARACTER_SECONDS if self.width else 0)
        self.written = text


def tell(assistant: Assistant, question: str) -> None:
    """Prints the answer to a question, in lines of the terminal's width, and its pages; then it is remembered."""
    pen = Pen(shutil.get_terminal_size().columns if sys.stdout.isatty() else 0)

    def grow(text: str) -> None:  # a free answer is shown as far as it can be checked
        checked = text[: max(text.rfind(end) for end in "。】") + 1]
        if checked:
            pen.write("A：" + assistant.checker.marked(checked))

    said = assistant.answer(question, grow)
    text = said.text if GROUNDED else assistant.checker.marked(said.text)
    pen.write(f"A：{text}")
    print(f"\n{footer(said, text)}")
    assistant.remember(question, said)


def footer(said: Said, text: str) -> str:
    """The lines under an answer: pages its facts are from, and what marks in it mean."""
    lines = [f"　出典：{url}" for url in said.pages[:SOURCES]]
    if len(said.pages) > SOURCES:
        lines.append(f"　　　　その他 {len(said.pages) - SOURCES} 件")
    if MARK[:2] in text:
        lines.append(f"　{LEGEND}")
    return "".join(f"{line}\n" for line in lines)


def typing() -> Callable[[], str]:
    """What reads a line that is typed; Ctrl-C clears a half-typed one and leaves at an empty one."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("c-c")
    def clear_or_leave(event: Any) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    session = PromptSession(key_bindings=keys)
    return lambda: session.prompt("Q：").strip()


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
            if question in ("使い方", "ヘルプ", "help", "?", "？"):
                print(HELP + "\n")
            elif question:
                tell(assistant, question)
        except KeyboardInterrupt:
            questions.clear()
            print("\n（止めました。何も入力せずに Ctrl-C か Ctrl-D で終わります）\n")


def serve(assistant: Assistant, questions: list[str]) -> None:
    """Answers piped questions in order; nothing but Q and A goes to standard output."""
    for question in questions:
        said = assistant.answer(question)
        text = said.text if GROUNDED else assistant.checker.marked(said.text)
        print(f"Q：{question}\nA：{text}", flush=True)
        print(footer(said, text), end="", file=sys.stderr, flush=True)
        assistant.remember(question, said)


# --- evaluation -------------------------------------------------------------------------------------------------------
class Verdict(NamedTuple):
    """How an answer is judged."""

    right: bool  # a record of the same type and key supports it
    true: bool  # nothing in it is without ground
    ended: bool = True


class Judge:
    """Judges answers to the test questions."""

    def __init__(self, clerk: Clerk, records: list[Record]) -> None:
        self.clerk, self.checker = clerk, Checker(clerk)
        self.right: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.forms: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
        for record in records:
            self.right[asked_by(record)].add(CONTROL.sub("", record["response"]))
            self.forms[asked_by(record)].add(self.form(record["response"]))

    @staticmethod
    def form(text: str) -> tuple[str, int]:
        """(how an answer says what was asked, how many perfumes it lists)."""
        return fold(text.partition("、")[0]), text.count("「")

    def chosen(self, test: Record, said: Said) -> Verdict:
        """The verdict on an answer put together from responses."""
        right = any(asked_by(record) == asked_by(test) for record in said.records)
        right = right or said.text in self.right[asked_by(test)]
        return Verdict(right, not any(self.checker.check(r["response"])[0] for r in said.records))

    def invented(self, test: Record, said: Said) -> Verdict:
        """The verdict on a free answer: it says what a right one says, or says as much and is true."""
        true = not self.checker.check(said.text)[0]
        alike = true and self.form(said.text) in self.forms[asked_by(test)]
        return Verdict(said.text in self.right[asked_by(test)] or alike, true, said.whole)


def batches(tests: list[Record], title: str) -> Iterator[list[Record]]:
    """The test questions in batches, with a bar of progress."""
    from tqdm import tqdm

    for start in tqdm(range(0, len(tests), BATCH_SIZE), desc=title, disable=None):
        yield tests[start : start + BATCH_SIZE]


def narrowed(clerk: Clerk, tests: list[Record], choose: Callable) -> list[Said]:
    """The answers to questions that are understood first, each as if it were the first of a conversation."""
    questions = [test["instruction"] for test in tests]
    replies = [clerk.reply(clerk.reader.understand(question), Memory()) for question in questions]
    return finished(replies, lambda places, claims: choose([questions[p] for p in places], claims))


def measured(
    assistant: Assistant, judge: Judge, tests: list[Record], title: str
) -> dict[str, list[Verdict]]:
    """{way of answering: verdicts}: the model alone under the constraint, after narrowing, and free."""
    every = assistant.clerk.claims.every
    ways: dict[str, list[Verdict]] = defaultdict(list)
    for batch in batches(tests, f"{title}・制約"):
        chosen = assistant.choose([test["instruction"] for test in batch], [every] * len(batch))
        answers = [assistant.clerk.said(claim.response, [claim]) for claim in chosen]
        ways[f"{title}・制約"] += map(judge.chosen, batch, answers)
    for batch in batches(tests, f"{title}・絞り込み"):
        answers = narrowed(assistant.clerk, batch, assistant.choose)
        ways[f"{title}・絞り込み"] += map(judge.chosen, batch, answers)
    for batch in batches(tests[:FREE_TESTS], f"{title}・自由"):
        answers = assistant.free([test["instruction"] for test in batch])
        ways[f"{title}・自由"] += map(judge.invented, batch, answers)
    return ways


def evaluate(
    load_assistant: Callable[[bool], Assistant], clerk: Clerk, tests: list[Record]
) -> dict[str, dict[str, float]]:
    """{column: {row: share}}: how adapter, bare base model and chance answer the test split, by ways and by kinds."""
    draws, judge = random.Random(0), Judge(clerk, [*clerk.qa, *tests])
    tests = draws.sample(tests, len(tests))
    kinds = sorted({test["type"] for test in tests})
    answers = {(asked_by(record), record["response"]) for record in clerk.qa}
    number, count = Counter(key for key, _ in answers), len({response for _, response in answers})
    table: dict[str, dict[str, float]] = {
        "件数": {"全体": len(tests), **Counter(sorted(test["type"] for test in tests))},
        "偶然・制約": share(tests, [number[asked_by(test)] / count for test in tests]),
    }
    drawn = [
        [
            v.right
            for v in map(
                judge.chosen, tests, narrowed(clerk, tests, lambda _, c: list(map(draws.choice, c)))
            )
        ]
        for _ in range(DRAWS)
    ]
    table["偶然・絞り込み"] = share(
        tests, [sum(column) / DRAWS for column in zip(*drawn, strict=True)]
    )
    for title, adapted in (("アダプター", True), ("基盤モデル", False)):
        assistant = load_assistant(adapted)
        sys.modules["torch"].manual_seed(0)  # the same figures again
        for way, verdicts in measured(assistant, judge, tests, title).items():
            column = share(tests, [verdict.right for verdict in verdicts])
            column["事実"] = sum(verdict.true for verdict in verdicts) / len(verdicts)
            column["完結"] = sum(verdict.ended for verdict in verdicts) / len(verdicts)
            table[way] = column
    for column in table.values():
        column |= {kind: column[kind] for kind in kinds if kind in column}
    return table


def share(tests: list[Record], right: list[float]) -> dict[str, float]:
    """{all and each kind of question: the share answered rightly}; free answers are to the first of them only."""
    judged = list(zip(tests, right, strict=False))
    column = {"全体": sum(right) / len(right)}
    for kind in sorted({test["type"] for test, _ in judged}):
        of_kind = [value for test, value in judged if test["type"] == kind]
        column[kind] = sum(of_kind) / len(of_kind)
    return column


def publish(table: dict[str, dict[str, float]]) -> None:
    """Prints the table, and keeps it beside the adapter: evaluation.json, and a section of the model card."""
    rows = list(dict.fromkeys(row for column in table.values() for row in column))
    lines = [["", *table], ["---", *["---:"] * len(table)]]
    for row in rows:
        cells = [f"{column[row]:.1%}" if row in column else "" for column in table.values()]
        lines.append([row, str(table["件数"].get(row, "")), *cells[1:]])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    card = Path(ADAPTER_DIR, "README.md")
    kept = card.read_text(encoding="utf-8") if card.exists() else ""
    kept = re.sub(r"\n+## 評価\n.*?(?=\n## |\Z)", "", kept, flags=re.S).rstrip()
    data = json.dumps(table, ensure_ascii=False, indent=1)
    print(text)
    for path, content in (
        (card, f"{kept}\n\n## 評価\n\n{text}\n"),
        (card.with_name("evaluation.json"), data),
    ):
        path.with_suffix(".tmp").write_text(content, encoding="utf-8")
        os.replace(path.with_suffix(".tmp"), path)
        print(f"{path} に書きました。")


# --- loading ----------------------------------------------------------------------------------------------------------
def load(folder, adapted=True):
    """(model, tokenizer), the adapter merged in float32; SystemExit names what is wrong with the adapter folder."""
    import torch
    from peft import AutoPeftModelForCausalLM, PeftConfig, get_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.simplefilter("ignore")  # layers that do not fit are an error below
    device, dtype = "cpu", torch.float32
    if torch.cuda.is_available():
        device, dtype = (
            "cuda",
            torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16,
        )
    part = "adapter_config.json"
    try:
        base = PeftConfig.from_pretrained(folder).base_model_name_or_path
        part = "トークナイザー"
        tokenizer = AutoTokenizer.from_pretrained(
            folder, padding_side="left", trust_remote_code=False
        )
        assert tokenizer.chat_template, "質問のひな形 chat_template がありません"
        part = f"基盤モデル {base}"
        known, size = (
            len(AutoTokenizer.from_pretrained(base, trust_remote_code=False)),
            len(tokenizer),
        )
        assert known <= size <= known + 1, f"{known:,} 語のはずのトークナイザーが {size:,} 語です"
        part = f"アダプター（基盤モデル {base}）"
        saved = load_file(Path(folder, "adapter_model.safetensors"))
        model = AutoPeftModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, trust_remote_code=False
        )
        assert set(saved) == set(get_peft_model_state_dict(model, save_embedding_layers=False)), (
            "層の名前が違います"
        )
        assert any(tensor.any() for name, tensor in saved.items() if "lora_B" in name), (
            "中身が空です"
        )
        model = model.merge_and_unload() if adapted else model.unload()
    except Exception as error:
        why = CONTROL.sub("", " ".join(str(error).split()))[:200]
        raise SystemExit(
            f"{folder} の {part} が読めません（{why}）。{AGAIN.format('loadModel.py')}"
        ) from None
    return model.to(device, dtype).eval(), tokenizer


def piped_questions() -> list[str]:
    """The lines of standard input, in whatever encoding a file of questions has; none where it is a keyboard."""
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
    typed = (
        at_keyboard and "JPY_PARENT_PID" not in os.environ
    )  # nobody types into a notebook's cell
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
        adapter = ADAPTER_DIR if adapted else "なし"
        what = f"基盤モデル {model.config.name_or_path}、アダプター {adapter}、{model.device}、{model.dtype}"
        how = (
            f"制約あり（{QA_FILE} の回答だけ）" if GROUNDED else "制約なし（データにない言葉に印）"
        )
        print(CONTROL.sub("", what), file=notes)
        print(how + "。使い方：「使い方」、終わるには「終了」" * typed, file=notes, flush=True)
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
