"""Asks generate.py the questions of tests/questions.jsonl and judges its answers by the data.

Command: python tests/judge.py           in a project whose four scripts have run
         python tests/judge.py -v        each mistake of half a; half b is set aside
         python tests/judge.py -v --all  each mistake of both halves
Reads:   tests/questions.jsonl, data/perfumes.jsonl
Prints:  right answers of all by class, half a and half b, and the kinds of mistake

A question's check says what a right answer bears out:
    rec      recommends perfumes that all have the facts named (any: one of several, not_: not
             these), as many as n says, or as there are; without n one to ten
    about    tells of the perfume `name`: values of `field`, one of the `types`, the words `has`;
             yes: where it begins with はい or いいえ, which
    compare  tells of all the perfumes `names`
    which    prefers `name` to `other`
    similar  recommends perfumes that share a family or notes with `name`
    brands   lists brands, two or more where there are, that all have such a perfume
    refuse   says that the data does not tell, or greets; `absent` is what is asked for
"""

import argparse
import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

# --------------------------------------------------------------------------------------------------
QUESTIONS_FILE = Path(__file__).with_name("questions.jsonl")
PERFUMES_FILE = Path("data/perfumes.jsonl")
MOST = 10  # perfumes in an answer that was not asked for a number
SEVERAL = 2  # values of a list that an answer has to tell, and notes that like perfumes share
SHOWN = 100  # characters of an answer shown beside a mistake
# --------------------------------------------------------------------------------------------------

Perfume = dict[str, Any]
Check = dict[str, Any]

TIERS = {"top": "top_notes", "middle": "middle_notes", "last": "last_notes", "flat": "notes"}
LOOKALIKES = {  # materials whose names begin like another's: ローズマリー is no ローズ
    *("ローズマリー", "ローズウッド", "チェリーブロッサム", "パイナップル"),
    *("アンバーグリス", "アンバーウッド", "オレンジハニー"),
}
FOR_WHOM = {
    "メンズ": re.compile("男性|メンズ"),
    "レディース": re.compile("女性|レディース"),
    "ユニセックス": re.compile("男女|ユニセックス|性別|どちらでも|両方|共用"),
}
VOICED = "\u3099\u309a"  # the marks that make か が; all other combining marks are accents
SUGGESTED = re.compile(  # a question that the answer offers
    r"""「[^」]*
    (?: [？?。]」
      | 」 (?= (?:[や、]?「[^」]*」)* (?:など|のよう)? [にと]? (?:お尋ね|お聞き|聞い|質問|入力) )
    )""",
    re.VERBOSE,
)
TIER_NOTES = re.compile("【[^】]*(?:ノート|トップ|ミドル|ラスト|香料)[^】]*】[^【。]*")
SET_ASIDE = re.compile(  # after the name of a perfume that is excluded or compared with
    "[」』]? ?(?:以外|のほか|を除|抜き|より|ではなく|に似|と似|に近|と近|のよう|みたい)"
)
PREFERRED = re.compile("[」』]?(?:が|の?方が|のほうが|です|をおすすめ)")
AGREES = re.compile("(はい|ええ|そうです)|(?:いいえ|いえ)")
REFUSES = re.compile(
    r"""(?: データ|情報|記録|項目|登録|取り?扱い|該当 ) [^。]{0,20} (?: あり|ござい ) ません
    | (?: わかり|分かり|存じ|見つかり|見当たり ) ません
    | (?: お答えでき|答えられ|扱ってい?|扱っており|載ってい? ) ません""",
    re.VERBOSE,
)
GREETINGS = ["ありがとう", "こんにちは", "こんばんは", "おはよう", "はじめまして", "いらっしゃい"]
GREETINGS += ["どういたしまして", "お気軽", "よろしく", "またどうぞ"]
GREETS = re.compile("|".join(GREETINGS))


class Question(NamedTuple):
    """A question, and what a right answer to it bears out."""

    question: str
    kind: str
    answerable: bool
    half: str
    check: Check


class Folded(NamedTuple):
    """A text without case, width, accents, spaces and signs; where each of its characters stood."""

    letters: str
    places: list[int]


class Mention(NamedTuple):
    """Where an answer names a perfume or a brand, folded; aside: to exclude or compare it."""

    start: int
    word: str
    quoted: bool
    aside: bool


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one JSON object a line; SystemExit when it is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise SystemExit(
            f"{path} がありません。先に 4 つのスクリプトを実行してください。"
        ) from None
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def read_questions(path: Path) -> list[Question]:
    """The questions of a file, in its order."""
    return [
        Question(row["question"], row["class"], row["answerable"], row["half"], row["check"])
        for row in read_lines(path)
    ]


# --- words in texts -------------------------------------------------------------------------------
def fold(text: str) -> Folded:
    """The text folded for comparing."""
    letters, places = [], []
    for place, char in enumerate(text):
        for letter in unicodedata.normalize("NFKD", char).casefold():
            if letter.isalnum() or letter in VOICED:
                letters.append(letter)
                places.append(place)
    return Folded("".join(letters), places)


def flat(text: str) -> str:
    """The letters of the text folded."""
    return fold(text).letters


def spellings(perfume: Perfume, field: str) -> list[str]:
    """The name or brand of a perfume, in both scripts where it has both."""
    return [perfume[key] for key in (field, f"{field}_ja") if perfume.get(key)]


def notes(perfume: Perfume, tiers: Iterable[str] = TIERS) -> list[str]:
    """The materials of a perfume's tiers."""
    return [note for tier in tiers for note in perfume.get(TIERS[tier]) or []]


def is_material(note: str, word: str) -> bool:
    """Whether a note is of the material asked for: カラブリア産ベルガモット is ベルガモット."""
    if any(other in note for other in LOOKALIKES):
        return note.endswith(word)
    return word in note


def cuts_word(text: str, start: int, end: int) -> bool:
    """Whether a span begins or ends inside a word of Latin letters or katakana."""
    edges = text[max(0, start - 1) : start + 1], text[end - 1 : end + 1]
    return any(re.fullmatch("[A-Za-zÀ-ɏ]{2}|[ァ-ヺー]{2}", edge) for edge in edges)


# --- what an answer tells of ----------------------------------------------------------------------
class Catalogue:
    """The perfumes of the data, and where texts name them."""

    def __init__(self, perfumes: list[Perfume]) -> None:
        self.perfumes = perfumes
        self.named: dict[str, list[Perfume]] = defaultdict(list)
        self.branded: dict[str, str] = {}
        for perfume in perfumes:
            for name in spellings(perfume, "name"):
                self.named[flat(name)].append(perfume)
            for brand in spellings(perfume, "brand"):
                self.branded[flat(brand)] = perfume["brand"]
        self.materials = {flat(note) for perfume in perfumes for note in notes(perfume)}
        self.words = sorted({*self.named, *self.branded}, key=len, reverse=True)

    def by_name(self, name: str) -> Perfume:
        """The perfume of that name."""
        return next(perfume for perfume in self.perfumes if perfume["name"] == name)

    def mentions(self, answer: str) -> list[Mention]:
        """The names and brands in an answer, longest first; not in suggested questions."""
        text = TIER_NOTES.sub("　", SUGGESTED.sub("　", answer))
        folded = fold(text)
        taken: set[int] = set()
        found = []
        for word in self.words:
            for hit in re.finditer(re.escape(word), folded.letters):
                start, end = folded.places[hit.start()], folded.places[hit.end() - 1] + 1
                if taken.isdisjoint(range(start, end)) and not cuts_word(text, start, end):
                    taken.update(range(start, end))
                    quoted = start > 0 and text[start - 1] in "「『"
                    found.append(Mention(start, word, quoted, bool(SET_ASIDE.match(text, end))))
        return sorted(found)

    def brands(self, answer: str) -> set[str]:
        """The brands that an answer names."""
        words = {mention.word for mention in self.mentions(answer)}
        return {self.branded[word] for word in words if word in self.branded}

    def told(self, answer: str, asides: bool = False) -> list[Perfume]:
        """The perfumes that an answer names, with asides also those excluded or compared with."""
        mentions = self.mentions(answer)
        brands = self.brands(answer)
        sure = [m for m in mentions if m.word in self.named and m.word not in self.branded]
        houses = {p["brand"] for mention in sure for p in self.named[mention.word]}
        found: dict[str, Perfume] = {}
        for mention in mentions:
            same = self.named.get(mention.word, [])
            of_brand = [perfume for perfume in same if perfume["brand"] in brands]
            if not same or (mention.aside and not asides):
                continue
            if mention.word in self.materials and not of_brand:  # ブルーベル, the flower
                continue
            brand = self.branded.get(mention.word)
            if brand in houses and not mention.quoted:  # クロエのノマド
                continue
            perfume = (of_brand or same)[0]
            found[perfume["url"]] = perfume
        return list(found.values())


def bears_out(perfume: Perfume, check: Check) -> bool:
    """Whether a perfume has all the facts that a check names."""
    return all(has(perfume, key, value) for key, value in check.items() if key not in ("kind", "n"))


def has(perfume: Perfume, key: str, value: Any) -> bool:
    """Whether one fact of a check holds for a perfume."""
    if key == "any":
        return any(bears_out(perfume, one) for one in value)
    if key == "not_":
        return not bears_out(perfume, value)
    if key == "note":
        return any(is_material(note, value) for note in notes(perfume))
    if key in TIERS:
        return any(is_material(note, value) for note in notes(perfume, [key]))
    if key == "gender":
        return perfume.get(key) in value
    known = perfume.get(key)
    return value in known if isinstance(known, list) else value == known


# --- what an answer says of one perfume -----------------------------------------------------------
def says_values(answer: str, values: Iterable[Any], wanted: int) -> bool:
    """Whether an answer says as many of the values as are wanted, or all there are."""
    folded = {flat(str(value)) for value in values if value}
    said = sum(value in flat(answer) for value in folded)
    return said >= min(wanted, max(1, len(folded)))


def says_field(answer: str, perfume: Perfume, field: str) -> bool:
    """Whether an answer says what a perfume has in a field."""
    value = perfume.get(field)
    if isinstance(value, list):
        return says_values(answer, value, SEVERAL)
    return says_values(answer, [value], 1)


def says_kind(answer: str, perfume: Perfume, kind: str) -> bool:
    """Whether an answer says of a perfume what such a question asks."""
    if kind == "name_notes":
        return says_values(answer, notes(perfume), SEVERAL)
    if kind == "name_brand":
        return says_values(answer, spellings(perfume, "brand"), 1)
    if kind == "name_gender":
        return bool(FOR_WHOM[perfume["gender"]].search(answer))
    fields = {
        "name_features": ("families", "images", "impressions"),
        "name_occasions": ("seasons", "scenes"),
    }
    return says_values(answer, [value for f in fields[kind] for value in perfume[f]], 1)


def contradicts(answer: str, yes: bool | None) -> bool:
    """Whether an answer begins with はい where いいえ is true, or the other way round."""
    said = AGREES.match(answer)
    return yes is not None and said is not None and bool(said[1]) != yes


# --- verdicts -------------------------------------------------------------------------------------
def recommends(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer names as many perfumes as wanted, each of which bears out the check."""
    told = catalogue.told(answer)
    there = sum(bears_out(perfume, check) for perfume in catalogue.perfumes)
    fewest = min(check.get("n", 1), there)
    most = min(check.get("n", MOST), there)
    return fewest <= len(told) <= most and all(bears_out(perfume, check) for perfume in told)


def tells(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer is about the perfume named and says what was asked."""
    perfume = catalogue.by_name(check["name"])
    says = [
        perfume in catalogue.told(answer, asides=True),
        not contradicts(answer, check.get("yes")),
    ]
    says += [flat(word) in flat(answer) for word in check.get("has", ())]
    if "field" in check:
        says.append(says_field(answer, perfume, check["field"]))
    if kinds := check.get("types"):
        says.append(any(says_kind(answer, perfume, kind) for kind in kinds))
    return all(says)


def compares(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer tells of all the perfumes to be compared."""
    told = catalogue.told(answer, asides=True)
    return all(catalogue.by_name(name) in told for name in check["names"])


def prefers(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer tells of the one perfume alone, or says that it is the one."""
    told = catalogue.told(answer)
    chosen, other = (catalogue.by_name(check[key]) for key in ("name", "other"))

    def stands_out(perfume: Perfume) -> bool:
        names = (re.escape(name) for name in spellings(perfume, "name"))
        return bool(re.search(f"(?:{'|'.join(names)}){PREFERRED.pattern}", answer))

    if chosen not in told or any(perfume not in (chosen, other) for perfume in told):
        return False
    return other not in told or (stands_out(chosen) and not stands_out(other))


def likens(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer names other perfumes, all like the one asked about."""
    model = catalogue.by_name(check["name"])
    others = [perfume for perfume in catalogue.told(answer) if perfume != model]
    return 0 < len(others) <= MOST and all(is_like(perfume, model) for perfume in others)


def is_like(one: Perfume, other: Perfume) -> bool:
    """Whether two perfumes share a family or some notes."""
    shared_notes = set(notes(one)) & set(notes(other))
    return bool(set(one["families"]) & set(other["families"])) or len(shared_notes) >= SEVERAL


def lists_brands(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer lists brands, each with a perfume that bears out the check."""
    fit = {perfume["brand"] for perfume in catalogue.perfumes if bears_out(perfume, check)}
    listed = catalogue.brands(answer)
    return listed <= fit and len(listed) >= min(SEVERAL, len(fit))


def declines(catalogue: Catalogue, check: Check, answer: str) -> bool:
    """Whether an answer says that the data does not tell, or greets and recommends nothing."""
    return bool(REFUSES.search(answer) or (GREETS.search(answer) and not catalogue.told(answer)))


JUDGES = {
    "rec": recommends,
    "about": tells,
    "compare": compares,
    "which": prefers,
    "similar": likens,
    "brands": lists_brands,
    "refuse": declines,
}


def verdict(catalogue: Catalogue, question: Question, answer: str) -> str:
    """正解, まちがい, 誤って断った (it could have been answered) or 断らなかった (it could not)."""
    if JUDGES[question.check["kind"]](catalogue, question.check, answer):
        return "正解"
    if not question.answerable:
        return "断らなかった"
    return "誤って断った" if REFUSES.search(answer) else "まちがい"


# --- asking ---------------------------------------------------------------------------------------
def ask(questions: list[str]) -> list[str]:
    """What generate.py answers to each question piped to it; SystemExit when it does not."""
    run = subprocess.run(
        [sys.executable, "generate.py"],
        input="".join(f"{question}\n" for question in questions),
        encoding="utf-8",
        capture_output=True,
    )
    blocks = re.split(r"^Q：.*\nA：", run.stdout, flags=re.MULTILINE)
    answers = [block.strip() for block in blocks[1:]]
    if run.returncode or len(answers) != len(questions):
        last = run.stderr.strip().rpartition("\n")[2]
        raise SystemExit(f"{len(questions)} 問に {len(answers)} 個の回答でした: {last}")
    return answers


def share(verdicts: list[str]) -> str:
    """How many verdicts are right, of how many."""
    right = verdicts.count("正解")
    return f"{right:3d} / {len(verdicts):3d} {right / max(1, len(verdicts)):5.0%}"


def table(questions: list[Question], verdicts: list[str]) -> str:
    """Right answers by class and half, then of all answerable and not, and the verdicts counted."""
    rows: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"a": [], "b": []})
    for question, result in zip(questions, verdicts, strict=True):
        rows[question.kind][question.half].append(result)
    for question, result in zip(questions, verdicts, strict=True):
        whole = "答えられる質問" if question.answerable else "断るべき質問"
        rows[whole][question.half].append(result)
    lines = [f"a {share(half['a'])}   b {share(half['b'])}   {name}" for name, half in rows.items()]
    counts = "、".join(f"{result} {number}" for result, number in Counter(verdicts).most_common())
    return "\n".join([*lines, counts])


def main() -> None:
    """Asks, judges, and prints."""
    parser = argparse.ArgumentParser(description="自然な質問への generate.py の回答を採点します")
    parser.add_argument("-v", action="store_true", help="まちがいを 1 つずつ表示する（a の半分）")
    parser.add_argument("--all", action="store_true", help="b の半分のまちがいも表示する")
    options = parser.parse_args()
    catalogue = Catalogue(read_lines(PERFUMES_FILE))
    questions = read_questions(QUESTIONS_FILE)
    answers = ask([question.question for question in questions])
    verdicts = []
    for question, answer in zip(questions, answers, strict=True):
        result = verdict(catalogue, question, answer)
        verdicts.append(result)
        if options.v and result != "正解" and (options.all or question.half == "a"):
            print(f"{result}: {question.question} → {' '.join(answer.split())[:SHOWN]}")
    print(table(questions, verdicts))


if __name__ == "__main__":
    main()
