"""Answers questions about perfumes in the terminal, with the model that loadModel.py trained.

Command: python generate.py              (or: python generate.py < questions.txt, one question a line)
Reads:   ADAPTER_DIR, QA_FILE, PERFUMES_FILE, data/spellings.csv (other names of materials)
Writes:  with EVALUATE = True evaluation.json and the section 評価 of the model card in ADAPTER_DIR, else nothing
Prints:  the answers to QUESTIONS, then to what is typed; to piped questions lines Q：… and A：… alone
"""

import csv
import json
import os
import re
import sys
import time
import unicodedata
import warnings
from collections import Counter
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
ADAPTER_DIR = "fine_tuned_open_calm"  # written by loadModel.py
PERFUMES_FILE = "data/perfumes.jsonl"  # written by getData.py; the facts that answers are checked against
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
REPETITION_PENALTY = 1.2  # 1.0: none; free decoding only, it would punish repeating the brand asked for
BEAMS = 4  # grounded: openings of an answer that are weighed side by side; 1 is greedy
PRIOR = 0.0  # grounded: 0-1, how much of an opening's likelihood under an empty question is taken out
BATCH_SIZE = 16  # questions answered side by side; fewer when memory is short
SEED = None  # None: other perfumes from run to run; a number: the same ones
CHARACTER_SECONDS = 0.005  # pause after each character at the terminal, so that the eye can follow; 0: none
# ----------------------------------------------------------------------------------------------------------------------

SPELLINGS_FILE = Path(__file__).parent / "data" / "spellings.csv"
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes", "ノート": "notes"}
LISTS = (*TIERS.values(), "families", "seasons", "scenes", "images", "impressions")
PEOPLE = {"メンズ": "男性", "レディース": "女性", "ユニセックス": "男女兼用"}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
KATAKANA, LATIN, KANJI = "[ァ-ヺー]++", "[A-Za-zÀ-ɏ]++", "[一-龠々]++"
WORD, ANY_WORD = re.compile(f"{KATAKANA}|{LATIN}"), re.compile(f"{KATAKANA}|{LATIN}|{KANJI}")
UNKNOWN = re.compile(f"{KATAKANA}(?![に用向])|{LATIN}|{KANJI}(?=[はをがっも？?]|$)")  # what a question asks for, not whom
OUTSIDE = re.compile(r"いくら|どこで[買売]|何(?:円|時|ml|歳)")  # no shop page that getData.py reads is asked for this
MORE = re.compile(r"^(他|ほか|別|もっと|もう(一|ひと)つ)[^、]{0,8}[？?。]?$")
SUBJECT = re.compile(  # where an answer names the perfume that it is about
    r"「([^」]+)」|、([^、。「」【】]+?)がおすすめ|^([^、。「」【】]+?)(?<!の香水)の(?:香りの構成|特徴|ブランド|対象|おすすめの(?:季節|シーン))は"
)
MARK = "［？{}］"
LEGEND = MARK.format("…") + " はデータで確かめられない言葉です。"


def read_records(path, maker, fields):
    """The records of a JSON array or of JSON Lines that have all the fields; SystemExit when there are none."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        lines = [text] if text.lstrip().startswith("[") else [f"[{line}]" for line in text.splitlines() if line.strip()]
    except OSError:
        raise SystemExit(f"{path} がありません。先に python {maker} を実行してください。") from None
    records, broken = [], 0
    for line in lines:
        try:
            records += [r for r in json.loads(line) if isinstance(r, dict) and all(r.get(field) for field in fields)]
        except ValueError:
            broken += 1
    if not records:
        raise SystemExit(f"{path} に使える記録がありません。先に python {maker} を実行してください。")
    if broken:
        print(f"{path}: 読めない行を {broken:,} 行とばしました。python {maker} で作り直せます。", file=sys.stderr)
    return records


# --- what may be said -------------------------------------------------------------------------------------------------
class Responses:
    """All responses as sorted columns of tokens: what may follow is found in a range of rows, by binary search."""

    def __init__(self, records, columns):
        self.records, self.columns = records, columns  # per row: the records with this response; (depth, row) tokens
        groups = {}
        groups = [groups.setdefault(frozenset(map(question_key, same)), len(groups)) for same in records]
        changes = np.append(np.flatnonzero(np.diff(groups)) + 1, len(records))
        self.group_end = changes[np.searchsorted(changes, np.arange(len(records)), "right")]

    def decided(self, low, high):
        """Whether rows low to high all answer the same question."""
        return self.group_end[low] >= high

    def next_tokens(self, low, high, depth):
        """The tokens that may follow."""
        column = self.columns[depth, low:high]
        return column[np.append(0, np.flatnonzero(np.diff(column)) + 1)].astype(np.int64)

    def narrow(self, low, high, depth, token):
        """(low, high, depth) after token and all that has to follow it."""
        column = self.columns[depth, low:high]
        low, high = low + np.searchsorted(column, token, "left"), low + np.searchsorted(column, token, "right")
        return int(low), int(high), int((self.columns[:, low] != self.columns[:, high - 1]).argmax())

    def tokens(self, low, high, depth):
        """The tokens that rows low to high share; the whole response where it is one row."""
        return [t for t in self.columns[:depth if high - low > 1 else None, low].tolist() if t >= 0]


def question_key(record):
    """What a record's question asks; answers with the same key are equally right."""
    return record["type"], record["key"]


def prompt(tokenizer, question):
    """The question in the template that the adapter was trained with."""
    messages = [{"role": "user", "content": question}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def tokenized(tokenizer, qa):
    """The Responses of the records: tokens as they followed the prompt in training, and the end token."""
    same, lead = {}, prompt(tokenizer, "")
    for record in qa:
        same.setdefault(record["response"], []).append(record)
    skip, ids = len(tokenizer(lead)["input_ids"]), tokenizer([lead + text for text in same])["input_ids"]
    rows = sorted(zip((row[skip:] + [tokenizer.eos_token_id] for row in ids), same.values(), strict=True), key=lambda r: r[0])
    columns = np.full((max(len(tokens) for tokens, _ in rows), len(rows)), -1, np.int32)
    for row, (tokens, _) in enumerate(rows):
        columns[:len(tokens), row] = tokens
    return Responses([records for _, records in rows], columns)


# --- decoding ---------------------------------------------------------------------------------------------------------
def read(model, blocks, parents, past, mask):
    """(log-probabilities after each token of the blocks, past, mask): rows go on from their parents, flush right."""
    import torch

    width, device = max(map(len, blocks)), model.device
    ids = torch.tensor([[0] * (width - len(block)) + block for block in blocks], device=device)
    seen = torch.tensor([[0] * (width - len(block)) + [1] * len(block) for block in blocks], device=device)
    if past:
        rows = torch.tensor(parents, device=device)
        past.reorder_cache(rows)
        seen = torch.cat([mask[rows], seen], 1)
    places = (seen.cumsum(1) - 1).clamp(min=0)[:, -width:]
    with torch.inference_mode():
        out = model(input_ids=ids, attention_mask=seen, position_ids=places, past_key_values=past, use_cache=True)
    return out.logits.float().log_softmax(-1).cpu(), out.past_key_values, seen


def decode(model, responses, prompts, spans, beams=1, prior=None, temperature=0.0, until=None, show=None):
    """The span (low, high, depth) that each prompt's span narrows to by the model's choice, forced stretches in one pass.

    It ends at one row, or where until(low, high) holds. prior: (prompt, weight) of a likelihood to take out.
    temperature > 0 draws instead of taking the likeliest (Gumbel noise); show(tokens) sees the first answer grow.
    """
    import torch

    until = until or (lambda low, high: high - low == 1)
    best = [[(0.0, span, None)] if until(*span[:2]) else [] for span in spans]  # per prompt: (score, span, row read)
    live = [(i, 0.0, span) for i, span in enumerate(spans) if not best[i]]
    blocks, parents, past, mask = [prompts[i] + responses.tokens(*span) for i, _, span in live], None, None, None
    twins = [prior[0] + responses.tokens(*span) for _, _, span in live] if prior else []
    while live:
        scores, past, mask = read(model, blocks + twins, parents, past, mask)
        if prior:
            scores = scores[:len(live)] - prior[1] * scores[len(live):]
        ways = [[(score, span, None) for score, span, _ in ended] for ended in best]
        for row, (i, score, span) in enumerate(live):
            if parents:  # the forced stretch counts too
                forced = torch.tensor(blocks[row][1:], dtype=torch.long)
                score += scores[row, -len(forced) - 1:-1].gather(1, forced[:, None]).sum().item()
            tokens = responses.next_tokens(*span)
            gains = scores[row, -1, tokens]
            if temperature:
                gains = gains / temperature - torch.empty_like(gains).exponential_().log()
            ways[i] += [(score + gain, (*span, token), row) for gain, token in zip(gains.tolist(), tokens, strict=True)]
        blocks, parents, size, live, best = [], [], len(live), [], [[] for _ in spans]
        for i, found in enumerate(ways):
            for score, span, row in sorted(found, key=lambda way: -way[0])[:beams]:
                longer = span if row is None else responses.narrow(*span)
                if until(*longer[:2]):
                    best[i].append((score, longer, None))
                    continue
                live.append((i, score, longer))
                blocks.append(responses.columns[span[2]:longer[2], longer[0]].tolist())
                parents.append(row)
        if prior:
            twins, parents = blocks, parents + [row + size for row in parents]
        if show and live:
            show(responses.tokens(*live[0][2]))
    return [max(ended)[1] for ended in best]


def sample(model, tokenizer, questions, show=None):
    """(tokens before the end token, whether it came) of a free answer to each question; show(tokens) sees one grow."""
    import torch

    batch = tokenizer([prompt(tokenizer, question) for question in questions], padding=True, return_tensors="pt")
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
    answers = [answer + [eos] for answer in out[:, start:].tolist()]
    return [(answer[:answer.index(eos)], answer.index(eos) < len(answer) - 1) for answer in answers]


# --- what is known ----------------------------------------------------------------------------------------------------
def folded(text):
    """(text without case, width, accents, spaces and points; where each of its characters stood)."""
    kept = [(i, char) for i, char in enumerate(text) if char not in " 　・-‐'’.°*＝=&＆"]
    chars = [c if "\u3000" < c < "\uff00" else unicodedata.normalize("NFKD", c)[0].casefold()[0] for _, c in kept]
    return "".join(chars), [i for i, _ in kept]


def flat(text):
    """The text folded, for comparing."""
    return folded(text)[0]


def inside_word(text, at):
    """Whether a katakana or Latin word goes on across this place."""
    return any(re.fullmatch(script, text[at - 1:at + 1]) for script in (KATAKANA, LATIN)) and 0 < at < len(text)


class Catalogue:
    """The perfumes, by name; the words that the data knows; what a text says that the data does not bear out."""

    def __init__(self, perfumes, qa, spellings):
        self.qa, self.named, self.branded, self.known, self.written = qa, {}, {}, {}, set()
        for perfume in perfumes:
            self.add(perfume)
        for row in spellings:
            first = next((word for word in row if word in self.written), None)
            for word in row if first else ():
                self.known.setdefault(flat(word), first)
        self.longest = max(map(len, self.known))

    def add(self, perfume):
        """Takes a perfume in."""
        brands, names = ([perfume[f] for f in (field, field + "_ja") if perfume.get(f)] for field in ("brand", "name"))
        values = {value for field in LISTS for value in perfume.get(field) or []}
        gender = perfume.get("gender")
        values |= {*brands, *names, perfume.get("concentration"), gender, PEOPLE.get(gender)} - {None}
        self.written |= values | {brand.replace(" ", "") for brand in brands}
        if len(perfume.get("seasons") or []) == 4:
            values.add("一年を通して")
        self.known |= {flat(value): value for value in sorted(values)}
        facts = {tier: set(map(flat, perfume.get(tier) or [])) for tier in TIERS.values()}
        facts |= {None: set(map(flat, values)), "": set(), "url": perfume["url"]}
        for table, keys in ((self.named, names), (self.branded, brands)):
            for key in keys:
                table.setdefault(flat(key), []).append(facts)

    def find(self, text):
        """(start, end, value) of the data's words in text, the longest first at each place."""
        letters, places = folded(text)
        found, at = [], 0
        while at < len(letters):
            for size in range(min(self.longest, len(letters) - at), 0, -1):
                if letters[at:at + size] not in self.known:
                    continue
                start, end = places[at], places[at + size - 1] + 1
                if not inside_word(text, start) and (
                        text.startswith("シーン", end) or not inside_word(text, end)):
                    found.append((start, end, self.known[letters[at:at + size]]))
                    at += size - 1
                    break
            at += 1
        return found

    def normalized(self, question):
        """The question with brands, names and materials as the data spells them."""
        question = re.sub("[ｦ-ﾟＡ-Ｚａ-ｚ０-９]+", lambda m: unicodedata.normalize("NFKC", m[0]), CONTROL.sub("", question)).strip()
        for start, end, value in reversed(self.find(question)):
            if question[start:end] not in self.written:
                question = question[:start] + value + question[end:]
        return question

    def blanked(self, text):
        """The text with the data's words taken out."""
        for start, end, _ in reversed(self.find(text)):
            text = text[:start] + " " + text[end:]
        return text

    @cached_property
    def plain_words(self):
        """The katakana and Latin words that at least one response in fifty has: シーン, イメージ …."""
        counts = Counter(word for record in self.qa for word in set(WORD.findall(record["response"])))
        return {word for word, count in counts.items() if count * 50 >= len(self.qa)}

    def claims(self, text):
        """(start, end, value, tier or None) of everything in text that a perfume has to bear out."""
        claims, rest = [], text
        for block in re.finditer(r"【([^】]*)】([^【。]*)", text):
            tier = TIERS.get(block[1], "")
            if not tier:
                claims.append((*block.span(1), "", ""))
            for item in re.finditer(r"[^,、]+", re.sub(r"(など)?(です)?$", "", block[2])):
                start = block.start(2) + item.start() + len(item[0]) - len(item[0].lstrip())
                claims.append((start, start + len(item[0].strip()), flat(item[0]), tier))
            rest = rest[:block.start()] + "。" * (block.end() - block.start()) + rest[block.end():]
        for subject in SUBJECT.finditer(text):
            start, end = subject.span(subject.lastindex)
            rest = rest[:start] + "。" * (end - start) + rest[end:]
        for start, end, value in self.find(rest):
            tier = next((field for label, field in TIERS.items() if text[:start].endswith(label + "に")), None)
            claims.append((start, end, flat(value), tier))
            rest = rest[:start] + "。" * (end - start) + rest[end:]
        unknown = [m for m in WORD.finditer(rest) if m[0] not in self.plain_words]
        return sorted(claims + [(*m.span(), "", "") for m in unknown])

    def check(self, text):
        """(the spans that the data does not bear out, the perfumes that the text is about)."""
        claims = self.claims(text)
        spans = [subject.span(subject.lastindex) for subject in SUBJECT.finditer(text)]
        table = self.named if spans else self.branded
        spans = spans or [(start, end) for start, end, value, _ in claims if value in self.branded]
        if not spans:
            return [(0, len(text))], []
        wrong, about, shared_until, last = set(), [], text.find("、"), spans[0][0]
        for start, end in spans:
            mine = [c for c in claims if c[0] < shared_until or c[0] >= spans[-1][1] or last <= c[0] < end]
            title = re.sub("（[^）]*）$", "", text[start:end])
            titles = [flat(title[i:]) for i in range(len(title)) if i == 0 or title[i - 1] == "の"]
            perfumes = next((table[t] for t in titles if t in table), [])
            brands = {value for _, _, value, _ in mine if value in self.branded}
            perfumes = [p for p in perfumes if brands <= p[None]] or perfumes
            wrong |= set.intersection(*({c[:2] for c in mine if c[2] not in p[c[3]]} for p in perfumes)) if perfumes else {(start, end)}
            about += perfumes
            last = end
        return sorted(wrong), about

    def marked(self, text):
        """The text with what the data does not bear out in marks."""
        for start, end in reversed(self.check(text)[0]):
            text = text[:start] + MARK.format(text[start:end]) + text[end:]
        return text

    @cached_property
    def asked_words(self):
        """{a word of the questions in QA_FILE: what all the questions with it have in common in their keys}."""
        common = {}
        for record in self.qa:
            parts = set(re.split("[×/]", str(record["key"])))
            for word in ANY_WORD.findall(record["instruction"]):
                common[word] = common[word] & parts if word in common else parts
        return common

    def refusal(self, question):
        """What to say to a question that the data cannot answer, else None."""
        rest = self.blanked(question)
        unknown = [m[0] for m in UNKNOWN.finditer(rest) if len(m[0]) > 1 and m[0] not in self.asked_words]
        unknown += OUTSIDE.findall(rest)
        wish = rest != question or any(self.asked_words.get(word) for word in ANY_WORD.findall(rest))
        if wish and not unknown:
            return None
        score, near = self.nearest(question)
        if not unknown and score > 0.6:
            return None
        what = f"「{unknown[0]}」は" if unknown else "お尋ねの内容は"
        return f"{what}データにありません。{''.join(f'「{example}」' for example in near)}のようにお尋ねください。"

    def nearest(self, question):
        """(likeness 0-1, the likest question of each of the three likest types) in QA_FILE."""
        pairs = {question[i:i + 2] for i in range(len(question) - 1)}
        best = {}
        for record in self.qa:
            other = record["instruction"]
            score = sum(pair in other for pair in pairs) / (len(pairs) + len(other) - 1 or 1) * 2
            best[record["type"]] = max(best.get(record["type"], (0, "")), (score, other))
        top = sorted(best.values(), reverse=True)[:3]
        return top[0][0], [other for _, other in top]


# --- answering --------------------------------------------------------------------------------------------------------
class Assistant:
    """Answers questions, and remembers what it told so that the same question gets another perfume."""

    def __init__(self, model, tokenizer, responses, catalogue):
        self.model, self.tokenizer, self.responses, self.catalogue = model, tokenizer, responses, catalogue
        self.told, self.last = {}, ""  # {question: [(response, its pages, its keys)]}, the question before

    def text(self, tokens):
        """The text of an answer's tokens, without a character that is still incomplete."""
        return CONTROL.sub("", self.tokenizer.decode(tokens, skip_special_tokens=True)).rstrip("\ufffd")

    def say(self, questions, grounded, responses=None, show=None):
        """[(answer, its pages, whether it came to its end)], with nothing remembered; show(text) sees one grow."""
        if not questions:
            return []
        see = show and (lambda tokens: show(self.text(tokens)))
        if not grounded:
            said = [(self.text(tokens), ended) for tokens, ended in sample(self.model, self.tokenizer, questions, see)]
            return [(text, {p["url"] for p in self.catalogue.check(text)[1]}, ended) for text, ended in said]
        responses = responses or self.responses
        prompts = [self.tokenizer(prompt(self.tokenizer, question))["input_ids"] for question in questions]
        prior = (self.tokenizer(prompt(self.tokenizer, ""))["input_ids"], PRIOR) if PRIOR else None
        spans = [(0, len(responses.records), 0)] * len(prompts)
        spans = decode(self.model, responses, prompts, spans, BEAMS, prior, until=responses.decided)  # what is asked
        spans = decode(self.model, responses, prompts, spans, temperature=TEMPERATURE, show=see)  # one right answer
        rows = [responses.records[low] for low, _, _ in spans]
        return [(same[0]["response"], {url for record in same for url in record.get("source", [])}, True) for same in rows]

    def another(self, question, show=None):
        """[(answer, its pages, True)] from what else answers the question, none of the perfumes told before in it."""
        pages = set().union(*(pages for _, pages, _ in self.told[question]))
        told = {text for text, _, _ in self.told[question]}
        keys = {question_key(r) for same in self.responses.records for r in same if r["response"] in told}
        rows = [row for row, same in enumerate(self.responses.records)
                if any(question_key(r) in keys for r in same) and not any(pages & set(r.get("source", [])) for r in same)]
        others = rows and Responses([self.responses.records[row] for row in rows], self.responses.columns[:, rows])
        return self.say([question], True, others, show) if rows else []

    def answers(self, questions, show=None):
        """[(answer, its pages)] to print."""
        asked = []
        for question in questions:
            self.last = self.last if MORE.search(question) else self.catalogue.normalized(question)
            asked.append(self.last or question)
        refusals = {question: self.catalogue.refusal(question) for question in asked}
        fresh = [q for q in dict.fromkeys(asked) if not refusals[q] and not (GROUNDED and q in self.told)]
        said, lines = dict(zip(fresh, self.say(fresh, GROUNDED, show=show), strict=True)), []
        for question in asked:
            if refusals[question]:
                lines.append((refusals[question], ()))
                continue
            new = [said.pop(question)] if question in said else self.another(question, show)
            self.told.setdefault(question, []).extend(new)
            lines += [(text, sorted(pages)) for text, pages, _ in new] or [("ほかに当てはまる香水は、データにありません。", ())]
        return [(text if GROUNDED else self.catalogue.marked(text), pages) for text, pages in lines]


# --- the terminal -----------------------------------------------------------------------------------------------------
class Page:
    """Writes a text that grows; on a terminal in lines of its display width."""

    def __init__(self):
        self.text, self.column, self.width = "", 0, os.get_terminal_size().columns if sys.stdout.isatty() else 0

    def __call__(self, text):
        """Writes what is new in text."""
        from wcwidth import wcwidth

        for char in text[len(self.text):]:
            size = max(wcwidth(char), 0)
            turn = self.width and self.column + size > self.width
            self.column = size if turn else self.column + size
            print("\n" * bool(turn) + char, end="", flush=True)
            time.sleep(CHARACTER_SECONDS if self.width else 0)
        self.text = max(self.text, text, key=len)


def footer(answer, pages):
    """The lines under an answer: its pages, and what marks in it mean."""
    return "".join(f"\n　出典：{CONTROL.sub('', url)}" for url in pages) + f"\n　{LEGEND}" * (MARK[:2] in answer) + "\n"


def tell(assistant, question, page):
    """Prints the answer to one question as it is made."""
    ((answer, pages),) = assistant.answers([question], lambda text: GROUNDED and page("A：" + text))
    page("A：" + answer)
    print(footer(answer, pages))


def converse(assistant):
    """Answers what is typed, until Ctrl-D or until Ctrl-C while nothing is being answered."""
    from prompt_toolkit import PromptSession

    session, greeting = PromptSession(), list(QUESTIONS)
    while True:
        try:
            if greeting:
                print(f"Q：{greeting[0]}")
            question = greeting.pop(0) if greeting else session.prompt("Q：").strip()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            if question:
                tell(assistant, question, Page())
        except KeyboardInterrupt:
            greeting.clear()
            print("\n（止めました。もう一度 Ctrl-C か Ctrl-D で終わります）\n")


def serve(assistant, lines):
    """Answers piped questions in batches and in order; nothing but Q and A goes to standard output."""
    while batch := list(islice(lines, BATCH_SIZE)):
        for question, (answer, pages) in zip(batch, assistant.answers(batch), strict=True):
            print(f"Q：{question}\nA：{answer}", flush=True)
            print(footer(answer, pages).strip("\n"), file=sys.stderr, flush=True)


# --- evaluation -------------------------------------------------------------------------------------------------------
def measure(assistant, tests, right, title, grounded):
    """[(right, true, ended, refused)] of the answers to the test questions, made in batches of like length."""
    order = sorted(range(len(tests)), key=lambda i: len(tests[i]["instruction"]))
    verdicts, catalogue = [None] * len(tests), assistant.catalogue
    for start in tqdm(range(0, len(order), BATCH_SIZE), desc=title, disable=not sys.stderr.isatty()):
        batch = order[start:start + BATCH_SIZE]
        questions = {i: catalogue.normalized(tests[i]["instruction"]) for i in batch}
        asked = [i for i in batch if not catalogue.refusal(questions[i])]
        for i, (text, _, ended) in zip(asked, assistant.say([questions[i] for i in asked], grounded), strict=True):
            true, same = not catalogue.check(text)[0], right[question_key(tests[i])]
            opens = true and any(text.startswith(other.partition("、")[0] + "、") for other in same)
            verdicts[i] = (text in same or opens, true, ended)
    return verdicts


def evaluate(load_model, tokenizer, responses, catalogue, tests):
    """{column: {row: share}}: how the adapter, the bare base model and chance answer the test split."""
    right, tested = {}, {(r["instruction"], r["response"]) for r in tests}
    for record in catalogue.qa:
        right.setdefault(question_key(record), set()).add(record["response"])
    train = [r for r in catalogue.qa if (r["instruction"], r["response"]) not in tested]
    keys, phrasings = set(map(question_key, train)), {catalogue.blanked(r["instruction"]) for r in train}
    rows = {"全体": tests, "学習にない対象": [r for r in tests if question_key(r) not in keys],
            "学習にない言い回し": [r for r in tests if catalogue.blanked(r["instruction"]) not in phrasings]}
    rows |= {kind: [r for r in tests if r["type"] == kind] for kind in sorted({r["type"] for r in tests})}
    rows = {name: set(map(id, some)) for name, some in rows.items() if some}
    table = {"件数": {name: len(some) for name, some in rows.items()}}
    table["偶然"] = {name: sum(len(right.get(question_key(r), ())) for r in tests if id(r) in some) / len(some)
                   / len(responses.records) for name, some in rows.items()} | {"事実": 1, "完結": 1}
    for title, adapted in (("アダプター", True), ("基盤モデル", False)):
        assistant = Assistant(load_model(adapted), tokenizer, responses, catalogue)
        for mode, grounded in (("制約", True), ("自由", False)):
            verdicts = measure(assistant, tests, right, f"{title}・{mode}", grounded)
            given = [v for v in verdicts if v]
            table[f"{title}・{mode}"] = {
                name: sum(bool(v and v[0]) for r, v in zip(tests, verdicts, strict=True) if id(r) in some) / len(some)
                for name, some in rows.items()
            } | {"事実": sum(v[1] for v in given) / len(given), "完結": sum(v[2] for v in given) / len(given)}
    return table


def markdown(table):
    """The table in Markdown: rows are kinds of question, columns what answered them."""
    lines = [["", *table], ["---", *["---:"] * len(table)]]
    for name in table["偶然"]:
        shares = [f"{column[name]:,}" if title == "件数" else f"{column[name]:.1%}" for title, column in table.items() if name in column]
        lines.append([name, *[""] * (len(table) - len(shares)), *shares])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# --- loading ----------------------------------------------------------------------------------------------------------
def device_and_dtype():
    """Where the model runs, and in which precision."""
    import torch

    if not torch.cuda.is_available():
        return "cpu", torch.float32
    return "cuda", torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16


def load_tokenizer(folder):
    """(tokenizer, name of the base model) of an adapter; SystemExit names what is wrong with it."""
    from transformers import AutoTokenizer

    again = f"python loadModel.py で {folder} を作り直してください。"
    if not all(Path(folder, name).is_file() for name in ("adapter_config.json", "adapter_model.safetensors")):
        raise SystemExit(f"{folder} にアダプターがありません。先に python loadModel.py を実行してください。")
    try:
        base = json.loads(Path(folder, "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        known = len(AutoTokenizer.from_pretrained(base))
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{folder} の設定を読めません（{str(error).splitlines()[0]}）。{again}") from None
    if not tokenizer.chat_template:
        raise SystemExit(f"{folder} に質問のひな形（chat_template）がありません。{again}")
    if not known <= len(tokenizer) <= known + 1:
        raise SystemExit(f"{folder} のトークナイザーは {len(tokenizer):,} 語、基盤モデル {base} は {known:,} 語で合いません。{again}")
    return tokenizer, base


def load_model(folder, base, tokens, adapted=True):
    """The base model with the adapter merged into it in float32, on its device; SystemExit names what is wrong."""
    import torch
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)
    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    except (OSError, ValueError, SafetensorError) as error:
        raise SystemExit(f"基盤モデル {base} を読めません（{str(error).splitlines()[0]}）。") from None
    if tokens > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(tokens)
    if adapted:
        try:
            saved = load_file(Path(folder, "adapter_model.safetensors"))
            model = PeftModel.from_pretrained(model, folder)
            if set(saved) != set(get_peft_model_state_dict(model, save_embedding_layers=False)):
                raise ValueError("層の名前が違います")
        except (SafetensorError, RuntimeError, ValueError) as error:
            why = str(error).splitlines()[0]
            raise SystemExit(f"{folder} のアダプターは壊れているか、{base} のものではありません（{why}）。"
                             "python loadModel.py で作り直してください。") from None
        if not any(tensor.any() for name, tensor in saved.items() if "lora_B" in name):
            raise SystemExit(f"{folder} のアダプターは空です。python loadModel.py で作り直してください。")
        model = model.merge_and_unload()
    device, dtype = device_and_dtype()
    return model.to(device, dtype).eval()


def main():
    """Loads the model, then evaluates it, or answers what is typed, piped in, or QUESTIONS."""
    for stream in filter(None, (sys.stdin, sys.stdout, sys.stderr)):
        stream.reconfigure(encoding="utf-8", errors="replace")
    qa = read_records(QA_FILE, "arrangeData.py", ("instruction", "response", "type", "key"))
    perfumes = read_records(PERFUMES_FILE, "getData.py", ("name", "url"))
    tests = EVALUATE and read_records(f"{ADAPTER_DIR}/test.json", "loadModel.py", ("instruction", "response", "type", "key"))
    with open(SPELLINGS_FILE, encoding="utf-8", newline="") as file:
        catalogue = Catalogue(perfumes, qa, list(csv.reader(file)))
    typed = bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
    piped = filter(None, (CONTROL.sub("", line).strip() for line in (sys.stdin if sys.stdin and not typed else ())))
    first = next(piped, None)
    tokenizer, base = load_tokenizer(ADAPTER_DIR)
    import torch

    if SEED is not None:
        torch.manual_seed(SEED)
    responses = tokenized(tokenizer, qa)
    device, dtype = device_and_dtype()
    print(f"基盤モデル {base}、アダプター {ADAPTER_DIR}、{device}・{dtype}、"
          + (f"制約あり（{len(responses.records):,} 通りの回答から選びます）" if GROUNDED else "制約なし（データにない言葉には印が付きます）")
          + ("。終わるには Ctrl-D" if typed else ""), file=sys.stdout if typed else sys.stderr, flush=True)
    if EVALUATE:
        table = evaluate(lambda adapted: load_model(ADAPTER_DIR, base, len(tokenizer), adapted), tokenizer, responses, catalogue, tests)
        write_evaluation(table)
        return
    assistant = Assistant(load_model(ADAPTER_DIR, base, len(tokenizer)), tokenizer, responses, catalogue)
    if typed:
        converse(assistant)
    elif first:
        serve(assistant, chain([first], piped))
    else:
        for question in QUESTIONS:
            print(f"Q：{question}")
            tell(assistant, question, Page())


def write_evaluation(table):
    """Prints the table and keeps it beside the adapter: evaluation.json, and a section of the model card."""
    print(markdown(table))
    card = Path(ADAPTER_DIR, "README.md")
    text = re.sub(r"\n## 評価\n.*?(?=\n## |\Z)", "", card.read_text(encoding="utf-8") if card.exists() else "", flags=re.S)
    text = f"{text.rstrip()}\n\n## 評価\n\n{markdown(table)}\n"
    for path, content in ((card, text), (card.with_name("evaluation.json"), json.dumps(table, ensure_ascii=False, indent=1))):
        part = path.with_name(path.name + ".tmp")
        part.write_text(content, encoding="utf-8")
        os.replace(part, path)
    print(f"{card.with_name('evaluation.json')} と {card} に書きました。")


if __name__ == "__main__":
    main()
