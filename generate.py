"""Answers questions about perfumes in the terminal, with the model that loadModel.py trained.

Command: python generate.py              (or: python generate.py < questions.txt, one question a line)
Reads:   ADAPTER_DIR, QA_FILE, PERFUMES_FILE, data/spellings.csv (other names of materials)
Writes:  with EVALUATE = True evaluation.json and the section 評価 of the model card in ADAPTER_DIR, else nothing
Prints:  the answers to QUESTIONS, then to what is typed; to piped questions lines Q：… and A：… alone
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import mmap
import os
import re
import shutil
import sys
import time
import unicodedata
import warnings
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm
from wcwidth import wcwidth

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# ----------------------------------------------------------------------------------------------------------------------
ADAPTER_DIR = "fine_tuned_open_calm"  # written by loadModel.py
PERFUMES_FILE = (
    "data/perfumes.jsonl"  # written by getData.py; the facts that answers are checked against
)
QA_FILE = "data/perfume_qa.json"  # written by arrangeData.py; its responses are what may be said when GROUNDED
QUESTIONS = [  # answered first, and alone when standard input is closed or empty
    "メゾンマルジェラの香水を教えてください。",
    "男性向けの香水を教えてください。",
    "春に相応しい香水を教えてください。",
]
GROUNDED = True  # True: only responses of QA_FILE, nothing is invented; False: free sampling, inventions are marked
EVALUATE = False  # True: answer the saved test split, print and save the figures, and end
MAX_NEW_TOKENS = 256  # tokens of a free answer; grounded answers are as long as they are in QA_FILE
TEMPERATURE = 0.7  # > 0; lower: the likeliest more often; free decoding, and which of equally right answers is given
TOP_P = 0.9  # 0-1; free decoding: draw from the likeliest tokens that together have this share
REPETITION_PENALTY = (
    1.2  # 1.0: none; free decoding only, it would punish repeating the brand asked for
)
BATCH_SIZE = 16  # questions answered side by side; fewer when memory is short
CHARACTER_SECONDS = (
    0.005  # pause after each character at the terminal, so that the eye can follow; 0: none
)
# ----------------------------------------------------------------------------------------------------------------------

SPELLINGS_FILE = Path(__file__).parent / "data" / "spellings.csv"
TIERS = {
    "トップノート": "top_notes",
    "ミドルノート": "middle_notes",
    "ラストノート": "last_notes",
    "ノート": "notes",
}
LISTS = (*TIERS.values(), "families", "seasons", "scenes", "images", "impressions")
PEOPLE = {"メンズ": "男性", "レディース": "女性", "ユニセックス": "男女兼用"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
WORD, KANJI = re.compile("[ァ-ヺー]++|[A-Za-zÀ-ɏ]++|〓"), "[一-龠々]++"
WORDS = re.compile(f"{WORD.pattern}|{KANJI}")
ASKED_FOR = re.compile(  # words that say what is asked for (ザラの, 値段は), not whom or what it is for (プレゼントに)
    f"(?:(?:{WORD.pattern})(?: (?:{WORD.pattern}))*(?![に用向])|{KANJI}(?=[はをがっも？?]|$))(?<=..)|いくら|どこで"
)
STATED = (
    re.compile(  # where an answer names a perfume (「…」 or 、…がおすすめ), or the notes of a tier
        "(?:「|(?<=、))(?P<name>[^、。「」【】]+)(?:」|(?=がおすすめ))|"
        "【(?P<tier>[^】]*)】(?P<notes>[^【。]*?)(?:など)?(?:です)?(?=[【。]|$)"
    )
)
MORE = re.compile(r"^(他|ほか|別|もっと|もう(一|ひと)つ)[^、]{0,8}[？?。]?$")
MARK, LEGEND = "［？{}］", "［？…］はデータで確かめられない言葉です。"
NOTHING_ELSE = "ほかに当てはまる香水はデータにありません。"
AGAIN = "python {} を実行してください。"


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
        at, record = found.end(), None
        with contextlib.suppress(ValueError, RecursionError):
            record, at = json.JSONDecoder().raw_decode(text, at)
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


# --- what may be said -------------------------------------------------------------------------------------------------
def asked_by(record):
    """What a record's question asks; answers to the same are equally right."""
    return record["type"], record["key"]


def pages_of(records):
    """The pages that the facts of the records are from."""
    return {CONTROL.sub("", url) for record in records for url in record.get("source", [])}


class Responses:
    """All responses as sorted rows of tokens: those that begin alike are a range, found by binary search."""

    def __init__(self, tokenizer, qa):
        same, numbers = {}, {}
        for record in qa:
            same.setdefault(record["response"], []).append(record)
        fast = (
            tokenizer.backend_tokenizer
        )  # without the checks of tokenizer(): half a second less for 26,000 responses
        fast.no_padding()
        fast.no_truncation()
        ids = [[*row.ids, tokenizer.eos_token_id] for row in fast.encode_batch_fast(list(same))]
        rows = zip(ids, same.values(), strict=True)
        rows = sorted(rows, key=lambda row: row[0])
        self.tokens, self.records = [tokens for tokens, _ in rows], [records for _, records in rows]
        self.asked = [
            numbers.setdefault(frozenset(map(asked_by, records)), len(numbers))
            for records in self.records
        ]

    def shared(self, low, high):
        """How many tokens rows low to high have in common."""
        pairs = zip(self.tokens[low], self.tokens[high - 1], strict=False)
        return next(
            (depth for depth, (one, other) in enumerate(pairs) if one != other),
            len(self.tokens[low]),
        )

    def branches(self, low, high):
        """{each token that may follow what rows low to high have in common: (low, high) of its rows}."""
        branches, depth = {}, self.shared(low, high)
        while low < high:
            token, start = self.tokens[low][depth], low
            low = bisect_left(self.tokens, token + 1, low, high, key=lambda tokens: tokens[depth])
            branches[token] = start, low
        return branches

    def equally_right(self, low, high):
        """Whether rows low to high all answer the same question."""
        return self.asked[low:high].count(self.asked[low]) == high - low


def prompt(tokenizer, question):
    """The question in the template that the adapter was trained with."""
    messages = [{"role": "user", "content": question}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


# --- decoding ---------------------------------------------------------------------------------------------------------
def decode(model, responses, prompts, show=None):
    """The row of responses that answers each prompt, by the model's choice among the tokens that may follow.

    It takes the likeliest until all the rows left answer the same question, then it draws. The answers are those of
    generate() with a prefix_allowed_tokens_fn, but what has to follow is read in one pass, not in one for each token.
    show(tokens) sees the first answer grow.
    """
    import torch

    spans, blocks, cache = (
        [(0, len(responses.tokens))] * len(prompts),
        prompts,
        None,
    )  # a span: the rows left
    mask = torch.zeros(len(prompts), 0, dtype=torch.long)
    while any(high - low > 1 for low, high in spans):
        width = max(map(len, blocks))  # the blocks are read side by side, flush right
        ids = torch.tensor([[0] * (width - len(block)) + block for block in blocks])
        mask = torch.cat(
            [
                mask,
                torch.tensor([[0] * (width - len(block)) + [1] * len(block) for block in blocks]),
            ],
            1,
        )
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -width:]
        with torch.inference_mode():
            out = model(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device), logits_to_keep=1,
                position_ids=places.to(model.device), past_key_values=cache, use_cache=True,
            )  # fmt: skip
        scores, cache, blocks = (
            out.logits[:, -1].float().cpu(),
            out.past_key_values,
            [[]] * len(prompts),
        )
        for i, (low, high) in enumerate(spans):
            if high - low > 1:
                branches, depth = responses.branches(low, high), responses.shared(low, high)
                gains = scores[i, list(branches)]
                if responses.equally_right(
                    low, high
                ):  # Gumbel noise: the largest is a draw by the model's shares
                    gains = gains / TEMPERATURE - torch.empty_like(gains).exponential_().log()
                spans[i] = low, high = list(branches.values())[gains.argmax()]
                blocks[i] = (
                    responses.tokens[low][depth : responses.shared(low, high)]
                    if high - low > 1
                    else []
                )
        if show:
            show(responses.tokens[spans[0][0]][: responses.shared(*spans[0])])
    return [low for low, _ in spans]


def sample(model, tokenizer, questions, show=None):
    """(tokens before the end token, whether it came) of a free answer to each question; show(tokens) sees one grow."""
    import torch

    batch = tokenizer(
        [prompt(tokenizer, question) for question in questions], padding=True, return_tensors="pt"
    )
    start, eos = batch["input_ids"].shape[1], tokenizer.eos_token_id

    def watch(ids, scores, **_):
        if show:
            show(ids[0, start:].tolist())
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)

    out = model.generate(
        input_ids=batch["input_ids"].to(model.device), attention_mask=batch["attention_mask"].to(model.device),
        do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, top_k=0, repetition_penalty=REPETITION_PENALTY,
        max_new_tokens=MAX_NEW_TOKENS, pad_token_id=tokenizer.pad_token_id, stopping_criteria=[watch],
    )  # fmt: skip
    answers = [[*answer, eos] for answer in out[:, start:].tolist()]
    return [
        (answer[: answer.index(eos)], answer.index(eos) < len(answer) - 1) for answer in answers
    ]


# --- what is known ----------------------------------------------------------------------------------------------------
def folded(text):
    """(text without case, width, accents, spaces and points; where each of its characters stood)."""
    kept = [(i, char) for i, char in enumerate(text) if char not in " 　・-‐'’.°*＝=&＆"]
    chars = [
        c if "\u3000" < c < "\uff00" else unicodedata.normalize("NFKD", c)[0].casefold()[0]
        for _, c in kept
    ]
    return "".join(chars), [i for i, _ in kept]


def flat(text):
    """The text folded, for comparing."""
    return folded(text)[0]


class Catalogue:
    """The words of the data: finds them in texts, checks answers against the perfumes, refuses what nothing answers."""

    def __init__(self, perfumes, qa):
        self.qa, self.named, self.branded, words, brand_of = qa, {}, {}, {}, {}
        for perfume in perfumes:
            names, brands = (
                [perfume[f] for f in (f, f + "_ja") if perfume.get(f)] for f in ("name", "brand")
            )
            gender, values = (
                perfume.get("gender"),
                [value for field in LISTS for value in perfume.get(field) or []],
            )
            values += filter(
                None, (*names, *brands, perfume.get("concentration"), gender, PEOPLE.get(gender))
            )
            facts = {field: set(map(flat, perfume.get(field) or [])) for field in TIERS.values()}
            facts |= {
                "any": set(map(flat, values)),
                "names": set(map(flat, names)),
                "url": perfume["url"],
            }
            for word in names:
                self.named.setdefault(flat(word), []).append(facts)
            for word in brands:
                self.branded.setdefault(flat(word), []).append(facts)
                brand_of[word] = brands[0]
            words |= {flat(value): value for value in values}
            words |= {flat(scene + "シーン"): scene for scene in perfume.get("scenes") or []}
        with open(SPELLINGS_FILE, encoding="utf-8", newline="") as file:
            spellings = list(csv.reader(file))
        for row in spellings:
            if known := [word for word in row if flat(word) in words]:
                words = {flat(word): known[0] for word in row} | words
        parts = {
            (part, brand)
            for word, brand in brand_of.items()
            for part in re.split("[ ・]", word)
            if len(part) > 3
        }
        owners = Counter(part for part, _ in parts)  # マルジェラ has one, メゾン has two
        alone = {flat(part): brand for part, brand in parts if owners[part] == 1}
        whole = {flat(word): brand for word, brand in brand_of.items()}
        self.known = alone | words | whole  # {a word folded: as answers spell it}
        self.longest = max(map(len, self.known))
        self.asked_words = Counter(
            word for record in qa for word in set(WORDS.findall(record["instruction"]))
        )
        told_words = Counter(
            word for record in qa for word in set(WORD.findall(record["response"]))
        )
        self.plain_words = {
            word for word, count in told_words.items() if count * 50 >= len(qa)
        }  # イメージ, シーン …
        self.plain_words -= {word for value in self.known.values() for word in WORD.findall(value)}

    def find(self, text):
        """[(start, end, value)] of the data's words in text, the longest at each place, none inside another word."""
        letters, places = folded(text)
        inside = {
            place for word in WORD.finditer(text) for place in range(word.start() + 1, word.end())
        }
        found, at = [], 0
        while at < len(letters):
            for size in range(min(self.longest, len(letters) - at), 0, -1):
                value, end = self.known.get(letters[at : at + size]), places[at + size - 1] + 1
                if value and places[at] not in inside and end not in inside:
                    found.append((places[at], end, value))
                    at += size - 1
                    break
            at += 1
        return found

    def normalized(self, question):
        """The question with brands, names and materials as the data spells them."""
        question = CONTROL.sub("", question).strip()
        question = re.sub(
            "[ｦ-ﾟＡ-Ｚａ-ｚ０-９]+", lambda match: unicodedata.normalize("NFKC", match[0]), question
        )
        for start, end, value in reversed(self.find(question)):
            question = question[:start] + value + question[end:]
        return question

    def blanked(self, text):
        """The text with spaces for the data's words."""
        for start, end, _ in self.find(text):
            text = text[:start] + " " * (end - start) + text[end:]
        return text

    def claims(self, text):
        """[(start, end, word, field)] of what a perfume has to bear out; no perfume bears out an empty word."""
        claims, rest = [], text
        for stated in STATED.finditer(text):
            if stated["name"]:
                claims.append(
                    (*stated.span("name"), flat(re.sub("（[^）]*）$", "", stated["name"])), "names")
                )
            elif stated["tier"] not in TIERS:
                claims.append((*stated.span("tier"), "", "any"))
            for note in re.finditer("[^, ][^,]*", stated["notes"] or ""):
                start, end = (stated.start("notes") + place for place in note.span())
                claims.append((start, end, flat(note[0]), TIERS.get(stated["tier"], "any")))
            rest = rest[: stated.start()] + "。" * len(stated[0]) + rest[stated.end() :]
        for start, end, value in self.find(rest):
            word = flat(rest[start:end])  # a name that is a brand's too stays as it is
            field = next(
                (field for label, field in TIERS.items() if rest[:start].endswith(label + "に")),
                "any",
            )
            if (
                start == 0
                and rest[end : end + 1] == "の"
                and word in self.named
                and word not in self.branded
            ):
                field = "names"
            claims.append(
                (
                    start,
                    end,
                    word if word in self.named or word in self.branded else flat(value),
                    field,
                )
            )
        unknown = [
            word for word in WORD.finditer(self.blanked(rest)) if word[0] not in self.plain_words
        ]
        return sorted(claims + [(*word.span(), "", "any") for word in unknown])

    def check(self, text):
        """([(start, end)] that the data does not bear out, the pages of the perfumes that the text is about).

        Each thing that the first sentence lists is about one perfume, with what stands before the list; the last of
        them, often the only one, with all that follows. It is the one of that name or brand that bears out most.
        """
        claims, wrong, pages = self.claims(text), set(), set()
        brands = {start for start, _, word, _ in claims if word in self.branded}
        sentence = re.match("[^。【]*", text)[0]
        cuts = [
            cut
            for cut, char in enumerate(sentence)
            if char == "、" or (char == "と" and cut + 1 in brands)
        ] or [0]
        for start, end in pairwise([*cuts, len(text) + 1]):
            mine = [claim for claim in claims if claim[0] < cuts[0] or start <= claim[0] < end]
            words = [word for _, _, word, _ in mine]
            near = [
                p
                for word in words
                for table in (self.named, self.branded)
                for p in table.get(word, [])
            ]
            faults = [
                {claim for claim in mine if claim[2] not in perfume[claim[3]]} for perfume in near
            ]
            least = min(
                faults,
                default=set(mine),
                key=lambda fault: sum(100 if c[3] == "names" else 1 for c in fault),
            )
            wrong |= {claim[:2] for claim in least}
            if near and not near[faults.index(least)]["names"].isdisjoint(words):
                pages.add(near[faults.index(least)]["url"])
        return sorted(wrong) if claims else [(0, len(text))], pages

    def marked(self, text):
        """The text with what the data does not bear out in marks."""
        for start, end in reversed(self.check(text)[0]):
            text = text[:start] + MARK.format(text[start:end]) + text[end:]
        return text

    def form(self, text):
        """(how an answer says what was asked, a name in any spelling the same; how many perfumes it lists)."""
        opening = text.partition("、")[0]
        for start, end, value in reversed(self.find(opening)):
            if namesakes := self.named.get(flat(value)):
                opening = opening[:start] + namesakes[0]["url"] + opening[end:]
        return opening, text.count("「")

    def refusal(self, question):
        """What to say to a question that the data cannot answer, with the likest that it can; else None."""
        rest = self.blanked(question)
        unknown = [word[0] for word in ASKED_FOR.finditer(rest) if word[0] not in self.asked_words]
        rare = [
            word for word in WORDS.findall(rest) if 0 < self.asked_words[word] < len(self.qa) / 20
        ]  # 職場, 男性 …
        if not unknown and (rare or rest != question):
            return None
        pairs, likest = {question[i : i + 2] for i in range(len(question) - 1)}, {}
        for record in self.qa:
            other = record["instruction"]
            likeness = 2 * sum(pair in other for pair in pairs) / (len(pairs) + len(other))
            likest[record["type"]] = max(likest.get(record["type"], (0, "")), (likeness, other))
        likest = sorted(likest.values(), reverse=True)[:3]
        if not unknown and likest[0][0] > 0.6:
            return None
        what = f"「{unknown[0]}」" if unknown else "お尋ねの内容"
        return f"{what}はデータにありません。{''.join(f'「{other}」' for _, other in likest)}のようにお尋ねください。"


# --- answering --------------------------------------------------------------------------------------------------------
class Assistant:
    """Answers questions, and remembers what it told so that the same question gets another perfume."""

    def __init__(self, model, tokenizer, responses, catalogue):
        self.model, self.tokenizer, self.responses, self.catalogue = (
            model,
            tokenizer,
            responses,
            catalogue,
        )
        self.told, self.last = (
            defaultdict(list),
            "",
        )  # {question: what say() said}, the question before

    def text(self, tokens):
        """The text of an answer's tokens, without a last character that is still incomplete."""
        text = self.tokenizer.decode(tokens, skip_special_tokens=True).rstrip("\ufffd")
        return CONTROL.sub("", text).replace("\ufffd", "〓")

    def say(self, questions, grounded, responses=None, show=None):
        """[(answer, its pages, whether it came to its end)], with nothing remembered; show(text) sees one grow."""
        grow = show and (lambda tokens: show(self.text(tokens)))
        if not questions:
            return []
        if not grounded:
            said = [
                (self.text(tokens), ended)
                for tokens, ended in sample(self.model, self.tokenizer, questions, grow)
            ]
            return [(text, self.catalogue.check(text)[1], ended) for text, ended in said]
        responses = responses or self.responses
        prompts = [
            self.tokenizer(prompt(self.tokenizer, question))["input_ids"] for question in questions
        ]
        chosen = [responses.records[row] for row in decode(self.model, responses, prompts, grow)]
        return [(CONTROL.sub("", same[0]["response"]), pages_of(same), True) for same in chosen]

    def another(self, question, show):
        """[(answer, its pages, True)] from what else answers the question, about no perfume told before; or []."""
        if not GROUNDED:
            return self.say([question], False, show=show)
        texts, pages, _ = zip(*self.told[question], strict=True)
        keys = {
            asked_by(record)
            for record in self.catalogue.qa
            if CONTROL.sub("", record["response"]) in texts
        }
        rest = [
            r
            for r in self.catalogue.qa
            if asked_by(r) in keys and pages_of([r]).isdisjoint(chain(*pages))
        ]
        return self.say([question], True, Responses(self.tokenizer, rest), show) if rest else []

    def answers(self, questions, show=None):
        """[(answer, its pages)] to print; show(text) sees a single one grow."""
        asked, lines = [], []
        for question in questions:
            if not (self.last and MORE.search(question)):
                self.last = self.catalogue.normalized(question)
            asked.append(self.last)
        refusals = {question: self.catalogue.refusal(question) for question in asked}
        fresh = [
            question
            for question, refusal in refusals.items()
            if not refusal and question not in self.told
        ]
        said = dict(zip(fresh, self.say(fresh, GROUNDED, show=show), strict=True))
        for question in asked:
            if refusals[question]:
                lines.append((refusals[question], ()))
            elif new := [said.pop(question)] if question in said else self.another(question, show):
                self.told[question] += new
                text, pages, _ = new[0]
                lines.append((text if GROUNDED else self.catalogue.marked(text), sorted(pages)))
            else:
                lines.append((NOTHING_ELSE, ()))
        return lines


# --- the terminal -----------------------------------------------------------------------------------------------------
def tell(assistant, question):
    """Prints the answer to a question as it is made, in lines of the terminal's display width, and its pages."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    written, column = "", 0

    def write(text):
        nonlocal written, column
        if not text.startswith(
            written
        ):  # what came since has changed a mark: once more from the start
            print()
            written, column = "", 0
        for char in text[len(written) :]:
            column += max(wcwidth(char), 0)
            if width and column > width:
                print()
                column = wcwidth(char)
            print(char, end="", flush=True)
            time.sleep(CHARACTER_SECONDS if width else 0)
        written = text

    def grow(text):  # a free answer is shown as far as it can be checked
        checked = text[: max(text.rfind(end) for end in "。,】") + 1]
        write(
            "A：" + (text if GROUNDED else assistant.catalogue.marked(checked) if checked else "")
        )

    ((answer, pages),) = assistant.answers([question], grow)
    write(f"A：{answer}")
    print(f"\n{footer(answer, pages)}")


def footer(answer, pages):
    """The lines under an answer: the pages its facts are from, and what marks in it mean."""
    return "".join(f"　出典：{url}\n" for url in pages) + f"　{LEGEND}\n" * (MARK[:2] in answer)


def converse(assistant, typed):
    """Answers QUESTIONS, then what is typed, until Ctrl-D or until Ctrl-C while nothing is being answered."""
    from prompt_toolkit import PromptSession

    questions, session = list(QUESTIONS), PromptSession() if typed else None
    while questions or typed:
        try:
            if questions:
                print(f"Q：{questions[0]}")
            question = questions.pop(0) if questions else session.prompt("Q：").strip()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            if question:
                tell(assistant, question)
        except KeyboardInterrupt:
            questions.clear()
            print("\n（止めました。もう一度 Ctrl-C か Ctrl-D で終わります）\n")


def serve(assistant, questions):
    """Answers piped questions in batches and in order; nothing but Q and A goes to standard output."""
    for start in range(0, len(questions), BATCH_SIZE):
        batch = questions[start : start + BATCH_SIZE]
        for question, (answer, pages) in zip(batch, assistant.answers(batch), strict=True):
            print(f"Q：{question}\nA：{answer}", flush=True)
            print(footer(answer, pages), end="", file=sys.stderr, flush=True)


# --- evaluation -------------------------------------------------------------------------------------------------------
def measure(assistant, tests, records, title, grounded):
    """[(right, true, ended)] of the answers to the test questions, made in batches of like length; refusal: wrong.

    Right is what a record of the same type and key answers, and what says as much and is true by PERFUMES_FILE.
    """
    catalogue, right, forms = assistant.catalogue, defaultdict(set), defaultdict(set)
    for record in records:
        right[asked_by(record)].add(CONTROL.sub("", record["response"]))
        forms[asked_by(record)].add(catalogue.form(record["response"]))
    order = sorted(range(len(tests)), key=lambda i: len(tests[i]["instruction"]))
    verdicts = [(False, True, True)] * len(tests)
    for start in tqdm(range(0, len(order), BATCH_SIZE), desc=title, disable=None):
        asked = {
            i: catalogue.normalized(tests[i]["instruction"])
            for i in order[start : start + BATCH_SIZE]
        }
        asked = {i: question for i, question in asked.items() if not catalogue.refusal(question)}
        said = assistant.say(list(asked.values()), grounded)
        for i, (text, _, ended) in zip(asked, said, strict=True):
            true, key = not catalogue.check(text)[0], asked_by(tests[i])
            new = (
                true
                and catalogue.form(text) in forms[key]
                and catalogue.claims(text.partition("、")[2])
            )
            verdicts[i] = (text in right[key] or bool(new), true, ended)
    return verdicts


def evaluate(load_assistant, catalogue, tests):
    """{column: {row: share}}: how adapter, bare base model and chance answer the test split, free and grounded."""

    def phrasing(record):
        return re.sub(" +", " ", catalogue.blanked(record["instruction"]))

    tested = {(record["instruction"], record["response"]) for record in tests}
    train = [
        record
        for record in catalogue.qa
        if (record["instruction"], record["response"]) not in tested
    ]
    keys, phrasings = set(map(asked_by, train)), set(map(phrasing, train))
    rows = {"全体": range(len(tests))}
    rows["対象が学習にない"] = [i for i in rows["全体"] if asked_by(tests[i]) not in keys]
    rows["言い回しが学習にない"] = [i for i in rows["全体"] if phrasing(tests[i]) not in phrasings]
    for kind in sorted({test["type"] for test in tests}):
        rows[kind] = [i for i in rows["全体"] if tests[i]["type"] == kind]

    def column(right, true, ended):
        shares = {
            name: sum(right[i] for i in some) / len(some) for name, some in rows.items() if some
        }
        return shares | {"事実": sum(true) / len(tests), "完結": sum(ended) / len(tests)}

    answers, every = (
        {(asked_by(record), record["response"]) for record in catalogue.qa},
        [True] * len(tests),
    )
    number, count = Counter(key for key, _ in answers), len({response for _, response in answers})
    table = {
        "件数": {name: len(some) for name, some in rows.items()},
        "偶然": column([number[asked_by(test)] / count for test in tests], every, every),
    }
    for title, adapted in (("アダプター", True), ("基盤モデル", False)):
        assistant = load_assistant(adapted)
        sys.modules["torch"].manual_seed(0)  # the same figures again
        for mode, grounded in (("制約", True), ("自由", False)):
            verdicts = measure(
                assistant, tests, [*catalogue.qa, *tests], f"{title}・{mode}", grounded
            )
            table[f"{title}・{mode}"] = column(*zip(*verdicts, strict=True))
    return table


def publish(table):
    """Prints the table, and keeps it beside the adapter: evaluation.json, and a section of the model card."""
    counts, *columns = table.values()
    lines = [["", *table], ["---", *["---:"] * len(table)]]
    lines += [
        [name, str(counts.get(name, "")), *(f"{column[name]:.1%}" for column in columns)]
        for name in columns[0]
    ]
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


def main():
    """Loads the model, then evaluates it, or answers what is typed, piped in, or QUESTIONS."""
    for stream in filter(None, (sys.stdin, sys.stdout, sys.stderr)):
        stream.reconfigure(encoding="utf-8", errors="replace")
    fields = "instruction", "response", "type", "key"
    qa = read_records(QA_FILE, "arrangeData.py", fields)
    catalogue = Catalogue(read_records(PERFUMES_FILE, "getData.py", ("name", "url")), qa)
    if not Path(ADAPTER_DIR, "adapter_model.safetensors").is_file():
        raise SystemExit(f"{ADAPTER_DIR} にアダプターがありません。{AGAIN.format('loadModel.py')}")
    tests = EVALUATE and read_records(f"{ADAPTER_DIR}/test.json", "loadModel.py", fields)
    typed = bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
    piped = sys.stdin if sys.stdin and not sys.stdin.isatty() and not EVALUATE else ()
    questions = [question for line in piped if (question := CONTROL.sub("", line).strip())]

    def ready(adapted=True):
        model, tokenizer = load(ADAPTER_DIR, adapted)
        what = f"基盤モデル {model.config.name_or_path}、アダプター {ADAPTER_DIR if adapted else 'なし'}"
        how = (
            f"制約あり（{QA_FILE} の回答だけ）" if GROUNDED else "制約なし（データにない言葉に印）"
        )
        print(
            CONTROL.sub("", f"{what}、{model.device}、{model.dtype}"),
            file=sys.stdout if typed else sys.stderr,
        )
        print(
            how + "。Ctrl-D で終わります" * typed,
            file=sys.stdout if typed else sys.stderr,
            flush=True,
        )
        return Assistant(model, tokenizer, Responses(tokenizer, qa), catalogue)

    if EVALUATE:
        publish(evaluate(ready, catalogue, tests))
    elif questions:
        serve(ready(), questions)
    else:
        converse(ready(), typed)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(130)  # not even the streams are to be flushed
