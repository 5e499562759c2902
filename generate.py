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
import shutil
import sys
import time
import unicodedata
import warnings
from collections import Counter
from itertools import chain, islice
from pathlib import Path

import numpy as np
from tqdm import tqdm
from wcwidth import wcwidth

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
PRIOR = 0.3  # grounded: 0-1, how much of an answer's likelihood without the question is taken out; 0 is plain greedy
BATCH_SIZE = 16  # questions answered side by side; fewer when memory is short
SEED = None  # None: other perfumes from run to run; a number: the same ones
CHARACTER_SECONDS = 0.005  # pause after each character at the terminal, so that the eye can follow; 0: none
# ----------------------------------------------------------------------------------------------------------------------

SPELLINGS_FILE = Path(__file__).parent / "data" / "spellings.csv"
TIERS = {"トップノート": "top_notes", "ミドルノート": "middle_notes", "ラストノート": "last_notes", "ノート": "notes"}
LISTS = (*TIERS.values(), "families", "seasons", "scenes", "images", "impressions")
PEOPLE = {"メンズ": "男性", "レディース": "女性", "ユニセックス": "男女兼用"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
KATAKANA, LATIN, KANJI = "[ァ-ヺー]++", "[A-Za-zÀ-ɏ]++", "[一-龠々]++"
WORD, ANY_WORD = re.compile(f"{KATAKANA}|{LATIN}"), re.compile(f"{KATAKANA}|{LATIN}|{KANJI}")
WANTED = re.compile(  # the words that say what is asked for (ザラの, 値段は), not whom or what it is for (プレゼントに)
    f"(?:{KATAKANA}(?![に用向])|{LATIN}|{KANJI}(?=[はをがっも？?]|$))(?<=..)|いくら|どこで[買売]|何(?:円|時|ml|歳)"
)
MORE = re.compile(r"^(他|ほか|別|もっと|もう(一|ひと)つ)[^、]{0,8}[？?。]?$")
SUBJECT = re.compile(  # where an answer names the perfume that it is about
    r"「([^」]+)」|、([^、。「」【】]+?)がおすすめ|"
    r"^([^、。「」【】]+?)(?<!の香水)の(?:香りの構成|特徴|ブランド|対象|おすすめの(?:季節|シーン))は"
)
MARK, LEGEND = "［？{}］", "［？…］はデータで確かめられない言葉です。"
NOTHING_ELSE = "ほかに当てはまる香水はデータにありません。"
AGAIN = "先に python {} を実行してください。"


def read_records(path, maker, fields):
    """The records of a JSON array or of JSON Lines that have all the fields; SystemExit when there are none."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError:
        raise SystemExit(f"{path} がありません。{AGAIN.format(maker)}") from None
    records, broken = [], 0
    for part in [text] if text[:1] == "[" else [f"[{line}]" for line in text.splitlines()]:
        try:
            records += json.loads(part)
        except ValueError:
            broken += 1
    whole = [record for record in records if isinstance(record, dict) and all(record.get(field) for field in fields)]
    if not whole:
        raise SystemExit(f"{path} に使える記録がありません。{AGAIN.format(maker)}")
    if broken or len(whole) < len(records):
        print(f"{path}: 読めない記録 {broken + len(records) - len(whole):,} 件をとばしました。", file=sys.stderr)
    return whole


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


def question_key(record):
    """What a record's question asks; answers with the same key are equally right."""
    return record["type"], record["key"]


def pages_of(records):
    """The pages that the facts of the records are from."""
    return {CONTROL.sub("", url) for record in records for url in record.get("source", [])}


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
    tokens, records = [[*row[skip:], tokenizer.eos_token_id] for row in ids], list(same.values())
    order = sorted(range(len(tokens)), key=tokens.__getitem__)
    columns = np.full((max(map(len, tokens)), len(order)), -1, np.int32)
    for row, i in enumerate(order):
        columns[:len(tokens[i]), row] = tokens[i]
    return Responses([records[i] for i in order], columns)


# --- decoding ---------------------------------------------------------------------------------------------------------
def decode(model, responses, prompts, plain, show=None):
    """The row that answers each prompt, by the model's choice among what may follow; forced stretches take one pass.

    It takes the likeliest token, less PRIOR of its likelihood after the prompt plain, which asks nothing; once all the
    rows left answer the same question, it draws one (Gumbel noise). show(tokens) sees the first answer grow.
    """
    import torch

    spans = [(0, len(responses.records), 0)] * len(prompts)
    live = [i for i, (low, high, _) in enumerate(spans) if high - low > 1]  # the prompts whose answer is still open
    asking = [i for i in live if PRIOR and not responses.decided(*spans[i][:2])]  # those that are read after plain too
    blocks, parents, past, mask = [prompts[i] for i in live] + [plain] * len(asking), None, None, None
    while live:
        width = max(map(len, blocks))  # the blocks are read side by side, flush right
        ids = torch.tensor([[0] * (width - len(block)) + block for block in blocks], device=model.device)
        seen = torch.tensor([[0] * (width - len(block)) + [1] * len(block) for block in blocks], device=model.device)
        if past:
            past.reorder_cache(rows := torch.tensor(parents, device=model.device))
            seen = torch.cat([mask[rows], seen], 1)
        mask, places = seen, (seen.cumsum(1) - 1).clamp(min=0)[:, -width:]
        with torch.inference_mode():
            out = model(input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=past, use_cache=True,
                        logits_to_keep=1)  # fmt: skip
        scores, past = out.logits[:, -1].float().log_softmax(-1).cpu(), out.past_key_values
        kept, forced, twins = [], {}, {i: len(live) + k for k, i in enumerate(asking)}
        for row, i in enumerate(live):
            tokens = responses.next_tokens(*spans[i])
            gains = scores[row, tokens] - (PRIOR * scores[twins[i], tokens] if i in twins else 0)
            if responses.decided(*spans[i][:2]):
                gains = gains / TEMPERATURE - torch.empty_like(gains).exponential_().log()
            depth, spans[i] = spans[i][2], responses.narrow(*spans[i], tokens[gains.argmax()])
            low, high, longer = spans[i]
            if high - low > 1:
                kept.append(row)
                forced[i] = responses.columns[depth:longer, low].tolist()
        asking = [i for i in asking if i in forced and not responses.decided(*spans[i][:2])]
        live, parents = list(forced), kept + [twins[i] for i in asking]
        blocks = [forced[i] for i in live + asking]
        if show and live:
            show(responses.columns[:spans[0][2], spans[0][0]].tolist())
    return [low for low, _, _ in spans]


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
    answers = [[*answer, eos] for answer in out[:, start:].tolist()]
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


class Catalogue:
    """The perfumes, by name; the words that the data knows; what a text says that the data does not bear out."""

    def __init__(self, perfumes, qa, spellings):
        self.qa, self.named, self.branded, self.known, self.written = qa, {}, {}, {}, set()
        for perfume in perfumes:
            brands, names = ([perfume[f] for f in (f, f + "_ja") if perfume.get(f)] for f in ("brand", "name"))
            gender, values = perfume.get("gender"), {value for field in LISTS for value in perfume.get(field) or []}
            values |= {*brands, *names, perfume.get("concentration"), gender, PEOPLE.get(gender)} - {None}
            self.written |= values - set(brands[1:])  # a brand is asked for as answers spell it
            self.known |= {flat(value): brands[0] if value in brands else value for value in sorted(values)}
            facts = {tier: set(map(flat, perfume.get(tier) or [])) for tier in TIERS.values()}
            facts |= {None: set(map(flat, values)), "": set(), "url": perfume["url"]}
            for table, keys in ((self.named, names), (self.branded, brands)):
                for key in keys:
                    table.setdefault(flat(key), []).append(facts)
        for row in spellings:
            first = next((word for word in row if word in self.written), None)
            self.known = ({flat(word): first for word in row} if first else {}) | self.known
        self.longest = max(map(len, self.known))
        self.asked_words = Counter(word for record in qa for word in set(ANY_WORD.findall(record["instruction"])))
        words = Counter(word for record in qa for word in set(WORD.findall(record["response"])))
        self.plain_words = {word for word, count in words.items() if count * 50 >= len(qa)}  # シーン, イメージ …

    def find(self, text):
        """[(start, end, value)] of the data's words in text, the longest at each place, none inside another word."""
        letters, places = folded(text)
        words = WORD.finditer(text.replace("シーン", "　　　"))
        broken = {place for word in words for place in range(word.start() + 1, word.end())}
        found, at = [], 0
        while at < len(letters):
            for size in range(min(self.longest, len(letters) - at), 0, -1):
                value = self.known.get(letters[at:at + size])
                if value and places[at] not in broken and (end := places[at + size - 1] + 1) not in broken:
                    found.append((places[at], end, value))
                    at += size - 1
                    break
            at += 1
        return found

    def normalized(self, question):
        """The question with brands, names and materials as the data spells them."""
        question = CONTROL.sub("", question).strip()
        question = re.sub("[ｦ-ﾟＡ-Ｚａ-ｚ０-９]+", lambda m: unicodedata.normalize("NFKC", m[0]), question)
        for start, end, value in reversed(self.find(question)):
            if question[start:end] not in self.written:
                question = question[:start] + value + question[end:]
        return question

    def blanked(self, text):
        """The text with the data's words taken out."""
        for start, end, _ in reversed(self.find(text)):
            text = text[:start] + " " + text[end:]
        return text

    def claims(self, text):
        """[(start, end, value, field or None)] of what a perfume has to bear out; the field "" bears nothing out."""
        claims, tier = [], None
        for piece in re.finditer(r"【([^】]*)】|。|[^【】。,]+", SUBJECT.sub(lambda m: "。" * len(m[0]), text)):
            words, start = piece[0], piece.start()
            if words == "。" or piece[1] is not None:
                tier = TIERS.get(piece[1], "") if piece[1] else None
                claims += [(*piece.span(1), "", "")] * (tier == "")
            elif tier is not None:
                words = re.sub(r"(など)?(です)?$", "", words.rstrip())
                claims.append((start + len(words) - len(words.lstrip()), start + len(words), flat(words), tier))
            else:
                for begin, end, value in self.find(words):
                    tiers = (field for label, field in TIERS.items() if words[:begin].endswith(label + "に"))
                    claims.append((start + begin, start + end, flat(value), next(tiers, None)))
                    words = words[:begin] + "。" * (end - begin) + words[end:]
                unknown = [m for m in WORD.finditer(words) if m[0] not in self.plain_words]
                claims += [(start + m.start(), start + m.end(), "", "") for m in unknown]
        return sorted(claims, key=lambda claim: claim[0])

    def check(self, text):
        """([(start, end)] that the data does not bear out, the pages of the perfumes that the text is about)."""
        claims, wrong, pages = self.claims(text), set(), set()
        table, spans = self.named, [m.span(m.lastindex) for m in SUBJECT.finditer(text)]
        if not spans:  # a list of brands
            table, spans = self.branded, [claim[:2] for claim in claims if claim[2] in self.branded]
        if not spans:
            return [claim[:2] for claim in claims] or [(0, len(text))], pages
        last = shared = text.find("、")
        for start, end in spans:
            mine = [c for c in claims if c[0] < shared or c[0] >= spans[-1][1] or last <= c[0] < end]
            title = re.sub("（[^）]*）$", "", text[start:end])
            titles = [flat(title[i:]) for i in range(len(title)) if i == 0 or title[i - 1] == "の"]
            perfumes = next((table[t] for t in titles if t in table), [])
            brands = {value for _, _, value, _ in mine if value in self.branded}
            perfumes = [p for p in perfumes if brands <= p[None]] or perfumes
            faults = [{c[:2] for c in mine if c[2] not in p[c[3]]} for p in perfumes] or [{(start, end)}]
            wrong, pages, last = wrong | set.intersection(*faults), pages | {p["url"] for p in perfumes}, end
        return sorted(wrong), pages

    def marked(self, text):
        """The text with what the data does not bear out in marks."""
        for start, end in reversed(self.check(text)[0]):
            text = text[:start] + MARK.format(text[start:end]) + text[end:]
        return text

    def refusal(self, question):
        """What to say to a question that the data cannot answer, with the likest that it can; else None."""
        rest = self.blanked(question)
        unknown = [m[0] for m in WANTED.finditer(rest) if m[0] not in self.asked_words]
        rare = any(0 < self.asked_words[word] < len(self.qa) / 20 for word in ANY_WORD.findall(rest))
        if not unknown and (rare or rest != question):
            return None
        pairs, best = {question[i:i + 2] for i in range(len(question) - 1)}, {}
        for record in self.qa:
            other = record["instruction"]
            likeness = 2 * sum(pair in other for pair in pairs) / (len(pairs) + len(other))
            best[record["type"]] = max(best.get(record["type"], (0, "")), (likeness, other))
        best = sorted(best.values(), reverse=True)[:3]
        if not unknown and best[0][0] > 0.6:
            return None
        what = f"「{unknown[0]}」" if unknown else "お尋ねの内容"
        return f"{what}はデータにありません。{''.join(f'「{other}」' for _, other in best)}のようにお尋ねください。"


# --- answering --------------------------------------------------------------------------------------------------------
class Assistant:
    """Answers questions, and remembers what it told so that the same question gets another perfume."""

    def __init__(self, model, tokenizer, responses, catalogue):
        self.model, self.tokenizer, self.responses, self.catalogue = model, tokenizer, responses, catalogue
        self.told, self.last = {}, ""  # {question: [(answer, its pages, True)]}, the question before

    def text(self, tokens):
        """The text of an answer's tokens, without a character that is still incomplete."""
        return CONTROL.sub("", self.tokenizer.decode(tokens, skip_special_tokens=True)).rstrip("\ufffd")

    def say(self, questions, grounded, responses=None, show=None):
        """[(answer, its pages, whether it came to its end)], with nothing remembered; show(text) sees one grow."""
        show = show and (lambda tokens, shown=show: shown(self.text(tokens)))
        if not grounded:
            said = [(self.text(tokens), ended) for tokens, ended in sample(self.model, self.tokenizer, questions, show)]
            return [(text, self.catalogue.check(text)[1], ended) for text, ended in said]
        responses = responses or self.responses
        plain, *prompts = (self.tokenizer(prompt(self.tokenizer, text))["input_ids"] for text in ["", *questions])
        rows = [responses.records[row] for row in decode(self.model, responses, prompts, plain, show)]
        return [(CONTROL.sub("", same[0]["response"]), pages_of(same), True) for same in rows]

    def another(self, question, show):
        """[(answer, its pages, True)] from what else answers the question, none of the perfumes told before in it."""
        texts, pages, _ = zip(*self.told[question], strict=True)
        pages = set().union(*pages)
        keys = {question_key(r) for same in self.responses.records for r in same if r["response"] in texts}
        rows = [row for row, same in enumerate(self.responses.records)
                if keys & set(map(question_key, same)) and not pages & pages_of(same)]
        rest = rows and Responses([self.responses.records[row] for row in rows], self.responses.columns[:, rows])
        return self.say([question], True, rest, show) if rows else []

    def answers(self, questions, show=None):
        """[(answer, its pages)] to print; show(text) sees a single one grow."""
        asked, lines = [], []
        for question in questions:
            self.last = self.last if self.last and MORE.search(question) else self.catalogue.normalized(question)
            asked.append(self.last)
        refusals = {question: self.catalogue.refusal(question) for question in asked}
        known = [q in self.told or q in asked[:i] for i, q in enumerate(asked)]
        fresh = [i for i, q in enumerate(asked) if not refusals[q] and not (GROUNDED and known[i])]
        said = self.say([asked[i] for i in fresh], GROUNDED, show=show) if fresh else []
        for i, question in enumerate(asked):
            if refusals[question]:
                lines.append((refusals[question], ()))
                continue
            new = [said[fresh.index(i)]] if i in fresh else self.another(question, show)
            self.told.setdefault(question, []).extend(new)
            lines += [(text, sorted(pages)) for text, pages, _ in new] or [(NOTHING_ELSE, ())]
        return lines if GROUNDED else [(self.catalogue.marked(text), pages) for text, pages in lines]


# --- the terminal -----------------------------------------------------------------------------------------------------
def tell(assistant, question):
    """Prints the answer to a question as it is made, in lines of the terminal's display width, and its pages."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    written = column = 0

    def write(text):
        nonlocal written, column
        for char in text[written:]:
            column += max(wcwidth(char), 0)
            if columns and column > columns:
                print()
                column = wcwidth(char)
            print(char, end="", flush=True)
            time.sleep(CHARACTER_SECONDS if columns else 0)
        written = max(written, len(text))

    def grow(text):  # a free answer is shown as far as it can be checked
        checked = text[:max(text.rfind(end) for end in "。,】") + 1]
        write("A：" + (text if GROUNDED else assistant.catalogue.marked(checked) if checked else ""))

    ((answer, pages),) = assistant.answers([question], grow)
    write(f"A：{answer}")
    print(footer(answer, pages))


def footer(answer, pages):
    """The lines under an answer: the pages its facts are from, and what marks in it mean."""
    return "".join(f"\n　出典：{url}" for url in pages) + f"\n　{LEGEND}" * (MARK[:2] in answer) + "\n"


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
                tell(assistant, question)
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
    """[(right, true, ended)] of the answers to the test questions, made in batches of like length; refusal: wrong."""
    order = sorted(range(len(tests)), key=lambda i: len(tests[i]["instruction"]))
    verdicts, catalogue = [(False, True, True)] * len(tests), assistant.catalogue
    for start in tqdm(range(0, len(order), BATCH_SIZE), desc=title, disable=None):
        asked = {i: catalogue.normalized(tests[i]["instruction"]) for i in order[start:start + BATCH_SIZE]}
        asked = {i: question for i, question in asked.items() if not catalogue.refusal(question)}
        said = assistant.say(list(asked.values()), grounded) if asked else []
        for i, (text, _, ended) in zip(asked, said, strict=True):
            true, same = not catalogue.check(text)[0], right.get(question_key(tests[i]), ())
            opens = any(text.startswith(other.partition("、")[0] + "、") for other in same)
            verdicts[i] = (text in same or (true and opens), true, ended)
    return verdicts


def evaluate(load_assistant, catalogue, tests):
    """{column: {row: share}}: how adapter, bare base model and chance answer the test split, free and grounded."""
    right, tested = {}, {(r["instruction"], r["response"]) for r in tests}
    for record in catalogue.qa:
        right.setdefault(question_key(record), set()).add(record["response"])
    train = [r for r in catalogue.qa if (r["instruction"], r["response"]) not in tested]
    keys, phrasings = set(map(question_key, train)), {catalogue.blanked(r["instruction"]) for r in train}
    every = range(len(tests))
    rows = {
        "全体": every,
        "対象が学習にない": [i for i in every if question_key(tests[i]) not in keys],
        "言い回しが学習にない": [i for i in every if catalogue.blanked(tests[i]["instruction"]) not in phrasings],
    } | {kind: [i for i in every if tests[i]["type"] == kind] for kind in sorted({test["type"] for test in tests})}
    rows = {name: some for name, some in rows.items() if some}
    count = sum(len(set(texts)) for texts in right.values())
    table = {"件数": {name: len(some) for name, some in rows.items()}}
    table["偶然"] = {name: sum(len(right.get(question_key(tests[i]), ())) for i in some) / len(some) / count
                   for name, some in rows.items()} | {"事実": 1, "完結": 1}
    for title, adapted in (("アダプター", True), ("基盤モデル", False)):
        assistant = load_assistant(adapted)
        for mode, grounded in (("制約", True), ("自由", False)):
            verdicts = measure(assistant, tests, right, f"{title}・{mode}", grounded)
            shares = {name: sum(verdicts[i][0] for i in some) / len(some) for name, some in rows.items()}
            truth, ended = (sum(verdict[k] for verdict in verdicts) / len(verdicts) for k in (1, 2))
            table[f"{title}・{mode}"] = shares | {"事実": truth, "完結": ended}
    return table


def publish(table):
    """Prints the table, and keeps it beside the adapter: evaluation.json, and a section of the model card."""
    lines = [["", *table], ["---", *["---:"] * len(table)]]
    for name in table["偶然"]:
        shares = [f"{column[name]:.1%}" for title, column in table.items() if title != "件数"]
        lines.append([name, str(table["件数"].get(name, "")), *shares])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(text)
    card = Path(ADAPTER_DIR, "README.md")
    kept = card.read_text(encoding="utf-8") if card.exists() else ""
    kept = re.sub(r"\n+## 評価\n.*?(?=\n## |\Z)", "", kept, flags=re.S)
    for path, content in (
        (card, f"{kept.rstrip()}\n\n## 評価\n\n{text}\n"),
        (card.with_name("evaluation.json"), json.dumps(table, ensure_ascii=False, indent=1)),
    ):
        path.with_suffix(".tmp").write_text(content, encoding="utf-8")
        os.replace(path.with_suffix(".tmp"), path)
        print(f"{path} に書きました。")


# --- loading ----------------------------------------------------------------------------------------------------------
def load(folder, adapted=True):
    """(model, tokenizer), the adapter merged in float32; SystemExit names what is wrong with the adapter folder."""
    import torch
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)
    device, dtype = "cpu", torch.float32
    if torch.cuda.is_available():
        device, dtype = "cuda", torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16
    part = "設定 adapter_config.json "
    try:
        base = json.loads(Path(folder, "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        part = "トークナイザー"
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        assert tokenizer.chat_template, "質問のひな形 chat_template がありません"
        part = f"基盤モデル {base} "
        known, size = len(AutoTokenizer.from_pretrained(base)), len(tokenizer)
        assert known <= size <= known + 1, f"{known:,} 語のはずのトークナイザーが {size:,} 語です"
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        if size > model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(size)
        if adapted:
            part = f"アダプター（基盤モデル {base}）"
            saved = load_file(Path(folder, "adapter_model.safetensors"))
            model = PeftModel.from_pretrained(model, folder)
            expected = get_peft_model_state_dict(model, save_embedding_layers=False)
            assert set(saved) == set(expected), "層の名前が違います"
            assert any(tensor.any() for name, tensor in saved.items() if "lora_B" in name), "中身が空です"
            model = model.merge_and_unload()
    except Exception as error:
        why = str(error).split("\n")[0][:200]
        raise SystemExit(f"{folder} の{part}が読めません（{why}）。python loadModel.py を実行してください。") from None
    return model.to(device, dtype).eval(), tokenizer


def main():
    """Loads the model, then evaluates it, or answers what is typed, piped in, or QUESTIONS."""
    for stream in filter(None, (sys.stdin, sys.stdout, sys.stderr)):
        stream.reconfigure(encoding="utf-8", errors="replace")
    fields = "instruction", "response", "type", "key"
    qa = read_records(QA_FILE, "arrangeData.py", fields)
    perfumes = read_records(PERFUMES_FILE, "getData.py", ("name", "url"))
    if not Path(ADAPTER_DIR, "adapter_model.safetensors").is_file():
        raise SystemExit(f"{ADAPTER_DIR} にアダプターがありません。{AGAIN.format('loadModel.py')}")
    tests = EVALUATE and read_records(f"{ADAPTER_DIR}/test.json", "loadModel.py", fields)
    with open(SPELLINGS_FILE, encoding="utf-8", newline="") as file:
        catalogue = Catalogue(perfumes, qa, list(csv.reader(file)))
    typed = bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
    lines = filter(None, (CONTROL.sub("", line).strip() for line in (sys.stdin if sys.stdin and not typed else ())))
    first = next(lines, None)

    def ready(adapted=True):
        model, tokenizer = load(ADAPTER_DIR, adapted)
        how = f"制約あり（{QA_FILE} の回答だけ）" if GROUNDED else "制約なし（データにない言葉に印）"
        what = f"基盤モデル {model.config.name_or_path}、アダプター {ADAPTER_DIR if adapted else 'なし'}"
        print(f"{what}、{model.device}、{model.dtype}、{how}{'。Ctrl-D で終わります' * typed}",
              file=sys.stdout if typed else sys.stderr, flush=True)
        if SEED is not None:
            sys.modules["torch"].manual_seed(SEED)
        return Assistant(model, tokenizer, tokenized(tokenizer, qa), catalogue)

    if EVALUATE:
        publish(evaluate(ready, catalogue, tests))
    elif typed:
        converse(ready())
    elif first:
        serve(ready(), chain([first], lines))
    else:
        assistant = ready()
        for question in QUESTIONS:
            print(f"Q：{question}")
            tell(assistant, question)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
