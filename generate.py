"""Answers questions about perfumes in the terminal, with the model that loadModel.py trained.

Run:    python generate.py
Reads:  fine_tuned_open_calm/ (adapter, tokenizer, template), data/perfume_qa.json, data/perfumes.jsonl
Writes: nothing; with EVALUATE = True fine_tuned_open_calm/evaluation.json and a section of its model card
Prints: the answers to QUESTIONS; to questions typed at the prompt, or piped in one a line
"""

import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
ADAPTER_DIR = "fine_tuned_open_calm"        # what python loadModel.py wrote
PERFUMES_FILE = "data/perfumes.jsonl"       # the facts that answers are checked against, from getData.py
QA_FILE = "data/perfume_qa.json"            # the responses that may be given when GROUNDED, from arrangeData.py
QUESTIONS = [                               # asked when nobody types: standard input closed or empty, or the greeting
    "メゾンマルジェラの香水を教えてください。",
    "男性向けの香水を教えてください。",
    "春に相応しい香水を教えてください。",
]
GROUNDED = True                             # True: only responses of QA_FILE; False: free sampling, inventions marked
EVALUATE = False                            # True: answer the saved test split, print and save the figures, and end
MAX_NEW_TOKENS = 256                        # tokens an answer may have
TEMPERATURE = 0.7                           # > 0; lower: more of the same; free decoding, and choice of equally right answers
TOP_P = 0.9                                 # 0–1, free decoding: the likeliest tokens that make up this share
REPETITION_PENALTY = 1.2                    # 1.0: none; free decoding only: the constraint needs none
BEAMS = 1                                   # ways to open an answer that are weighed side by side when GROUNDED
PRIOR = 0.0                                 # 0–1: how much of an answer's likelihood without the question is taken out
BATCH_SIZE = 16                             # questions answered side by side; fewer when memory is short
SEED = None                                 # a number: the same answers in every run; None: variety
# ----------------------------------------------------------------------------------------------------------------------


def read_records(path: str, maker: str, fields: tuple) -> list:
    """The records of a JSON array or JSON Lines file; SystemExit names what is wrong and which command mends it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SystemExit(f"{path} がありません。先に python {maker} を実行してください。") from None
    try:
        records = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise SystemExit(f"{path} は JSON として読めません（{error}）。python {maker} で作り直してください。") from None
    records = [record for record in records if isinstance(record, dict) and all(record.get(f) for f in fields)]
    if not records:
        raise SystemExit(f"{path} に使える記録がありません。python {maker} で作り直してください。")
    return records


# --- the constraint ---------------------------------------------------------------------------------------------------


class Responses:
    """Every response that may be given: its tokens as sorted columns of one array, its text, what it answers."""

    def __init__(self, qa: list, tokenizer):
        asked = {}
        for record in qa:
            asked.setdefault(record["response"], []).append(record)
        texts = list(asked)
        tokens = response_tokens(tokenizer, texts)
        order = sorted(range(len(texts)), key=tokens.__getitem__)
        self.texts = [texts[i] for i in order]
        self.records = [asked[text] for text in self.texts]
        self.columns = np.full((max(map(len, tokens)) + 1, len(order)), -1, np.int32)
        for row, i in enumerate(order):
            self.columns[: len(tokens[i]), row] = tokens[i]
        keys = {}
        groups = [keys.setdefault(frozenset(map(question_key, records)), len(keys)) for records in self.records]
        changes = np.flatnonzero(np.diff(groups)) + 1  # from each row on, the first row that answers another question
        ends = np.append(changes, len(groups))
        self.group_end = ends[np.searchsorted(changes, np.arange(len(groups)), side="right")]

    def __len__(self):
        return len(self.texts)

    def decided(self, low: int, high: int) -> bool:
        """Whether rows low to high all answer the same question."""
        return self.group_end[low] >= high

    def next_tokens(self, low: int, high: int, depth: int) -> np.ndarray:
        """The tokens that may stand at depth in rows low to high."""
        column = self.columns[depth, low:high]
        return column[np.append(0, np.flatnonzero(np.diff(column)) + 1)]

    def narrow(self, low: int, high: int, depth: int, token: int) -> tuple:
        """(low, high, depth) of the rows that go on with token, depth moved on as far as they all agree."""
        column = self.columns[depth, low:high]
        low, high = low + np.searchsorted(column, token, "left"), low + np.searchsorted(column, token, "right")
        differ = self.columns[:, low] != self.columns[:, high - 1]
        return int(low), int(high), int(differ.argmax()) if differ.any() else self.length(low)

    def length(self, row: int) -> int:
        """How many tokens a row has, its end token included."""
        return int((self.columns[:, row] >= 0).sum())


def question_key(record: dict) -> tuple:
    """What a record's question asks: records with the same key answer the same question."""
    return record["type"], record["key"]


def response_tokens(tokenizer, texts: list) -> list:
    """The tokens of each response, just as they followed the prompt in training, and the end token."""
    lead = prompt_text(tokenizer, "")
    skip = len(tokenizer(lead)["input_ids"])
    return [ids[skip:] + [tokenizer.eos_token_id] for ids in tokenizer([lead + text for text in texts])["input_ids"]]


def prompt_text(tokenizer, question: str) -> str:
    """The prompt that the adapter was trained on, by the template saved with it."""
    return tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True)


# --- decoding ---------------------------------------------------------------------------------------------------------


class Rows:
    """A batch being read by the model: each row can go on by any number of tokens, and be dropped or copied."""

    def __init__(self, model, pad: int):
        self.model, self.pad, self.past, self.mask = model, pad, None, None

    def feed(self, blocks: list, parents: list | None = None):
        """Log-probabilities (row, position, token) after each of the blocks' tokens, the blocks flush right."""
        import torch

        width, device = max(map(len, blocks)), self.model.device
        ids = torch.tensor([[self.pad] * (width - len(b)) + b for b in blocks], device=device)
        seen = torch.tensor([[0] * (width - len(b)) + [1] * len(b) for b in blocks], device=device)
        if parents is not None:
            chosen = torch.tensor(parents, device=device)
            self.past.reorder_cache(chosen)
            seen = torch.cat([self.mask[chosen], seen], 1)
        self.mask = seen
        positions = (seen.cumsum(1) - 1).clamp(min=0)[:, -width:]
        with torch.inference_mode():
            out = self.model(input_ids=ids, attention_mask=seen, position_ids=positions, past_key_values=self.past,
                             use_cache=True)
        self.past = out.past_key_values
        return out.logits.float().log_softmax(-1)


def open_answers(model, responses, prompts: list, plain: list, pad: int, beams: int, prior: float) -> list:
    """(low, high, depth) for each prompt: the rows that answer what the model takes to be asked."""
    best = [[] for _ in prompts]  # (score, span), finished openings of each prompt
    live = [(i, 0.0, (0, len(responses), 0)) for i in range(len(prompts))]  # (prompt, score, span)
    blocks, parents, rows = [list(p) for p in prompts], None, Rows(model, pad)
    twin = [list(plain) for _ in prompts] if prior else []
    while live:
        logp = rows.feed(blocks + twin, parents).cpu()
        if prior:
            logp = logp[: len(live)] - prior * logp[len(live):]
        found = [[(score, span, None) for score, span in done] for done in best]
        for row, (i, score, (low, high, depth)) in enumerate(live):
            forced = blocks[row][1:] if parents is not None else []
            score += sum(logp[row, k - len(forced) - 1, t].item() for k, t in enumerate(forced))
            tokens = responses.next_tokens(low, high, depth)
            for token, gain in zip(tokens.tolist(), logp[row, -1, tokens.astype(np.int64)].tolist(), strict=True):
                found[i].append((score + gain, (low, high, depth, token), row))
        live, blocks, parents, best = [], [], [], [[] for _ in prompts]
        for i, ways in enumerate(found):
            for score, span, row in sorted(ways, key=lambda way: -way[0])[:beams]:
                if row is not None:
                    low, high, depth = responses.narrow(*span)
                if row is None or responses.decided(low, high):
                    best[i].append((score, span if row is None else (low, high, depth)))
                else:
                    live.append((i, score, (low, high, depth)))
                    blocks.append(responses.columns[span[2]:depth, low].tolist())
                    parents.append(row)
        if prior:
            parents, twin = parents + [row + len(logp) for row in parents], blocks
    return [max(done)[1] for done in best]


def finish_answers(model, responses, prompts: list, spans: list, pad: int, temperature: float, show=None) -> list:
    """The row that each span ends at, token by token; temperature 0 takes the likeliest; show(tokens) sees them come."""
    ends, live = list(spans), [i for i, (low, high, _) in enumerate(spans) if high - low > 1]
    blocks, parents, rows = [prompts[i] + responses.columns[:spans[i][2], spans[i][0]].tolist() for i in live], None, None
    while live:
        rows = rows or Rows(model, pad)
        logp = rows.feed(blocks, parents)[:, -1].cpu()
        picked = []
        for row, i in enumerate(live):
            tokens = responses.next_tokens(*ends[i])
            scores = logp[row, tokens.astype(np.int64)]
            at = (scores / temperature).softmax(0).multinomial(1).item() if temperature else scores.argmax().item()
            picked.append(responses.narrow(*ends[i], tokens[at]))
        parents = [row for row, (low, high, _) in enumerate(picked) if high - low > 1]
        blocks = [responses.columns[ends[live[row]][2]:picked[row][2], picked[row][0]].tolist() for row in parents]
        for i, span in zip(live, picked, strict=True):
            ends[i] = span
        live = [live[row] for row in parents]
        if show and live:
            show(responses.columns[:ends[0][2], ends[0][0]].tolist())
    return [low for low, _, _ in ends]


def answer(model, tokenizer, responses, questions: list, show=None) -> list:
    """The row of responses that answers each question."""
    prompts = [tokenizer(prompt_text(tokenizer, question))["input_ids"] for question in questions]
    plain = tokenizer(prompt_text(tokenizer, ""))["input_ids"]
    spans = open_answers(model, responses, prompts, plain, tokenizer.pad_token_id, BEAMS, PRIOR)
    return finish_answers(model, responses, prompts, spans, tokenizer.pad_token_id, 0, show)


# --- evaluation -------------------------------------------------------------------------------------------------------


def evaluate(model, tokenizer, responses, tests: list) -> dict:
    """{column: {type or "all": share answered rightly}} for the adapter, the bare base and chance."""
    wanted = [question_key(record) for record in tests]
    columns = {}
    for column in ("adapter", "base"):
        if column == "base":
            with model.disable_adapter():
                rows = answer_all(model, tokenizer, responses, tests, column)
        else:
            rows = answer_all(model, tokenizer, responses, tests, column)
        right = [key in set(map(question_key, responses.records[row])) for key, row in zip(wanted, rows, strict=True)]
        columns[column] = by_type(wanted, right)
    keys = {}
    for records in responses.records:
        for key in set(map(question_key, records)):
            keys[key] = keys.get(key, 0) + 1 / len(responses)
    columns["chance"] = by_type(wanted, [keys.get(key, 0) for key in wanted])
    columns["n"] = {kind: sum(1 for k, _ in wanted if kind in (k, "all")) for kind in columns["chance"]}
    return columns


def answer_all(model, tokenizer, responses, tests: list, title: str) -> list:
    """The row that answers each test question, made in batches of like length."""
    order = sorted(range(len(tests)), key=lambda i: len(tests[i]["instruction"]))
    rows = [0] * len(tests)
    for start in tqdm(range(0, len(order), BATCH_SIZE), desc=title, disable=not sys.stderr.isatty()):
        batch = order[start:start + BATCH_SIZE]
        for i, row in zip(batch, answer(model, tokenizer, responses, [tests[i]["instruction"] for i in batch]), strict=True):
            rows[i] = row
    return rows


def by_type(keys: list, values: list) -> dict:
    """The mean of values for each type of question, and for "all"."""
    kinds = {}
    for (kind, _), value in zip(keys, values, strict=True):
        kinds.setdefault(kind, []).append(value)
    kinds = dict(sorted(kinds.items()))
    return {"all": sum(values) / len(values)} | {kind: sum(v) / len(v) for kind, v in kinds.items()}


def print_table(columns: dict):
    """Prints the shares as a table, one line a type of question."""
    print(f"{'':24}{'n':>7}" + "".join(f"{name:>10}" for name in columns if name != "n"))
    for kind in columns["n"]:
        shares = "".join(f"{columns[name][kind]:>10.1%}" for name in columns if name != "n")
        print(f"{kind:24}{columns['n'][kind]:>7,}{shares}")


# --- loading ----------------------------------------------------------------------------------------------------------


def load(folder: str):
    """(model with the adapter on it, tokenizer), on the GPU if there is one; SystemExit names what is wrong."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = Path(folder, "adapter_config.json")
    if not config.is_file() or not Path(folder, "adapter_model.safetensors").is_file():
        raise SystemExit(f"{folder} にアダプタがありません。先に python loadModel.py を実行してください。")
    base_name = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(base_name, dtype=torch.float32)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    model = PeftModel.from_pretrained(model, folder).eval()
    return model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer


def main():
    """Answers QUESTIONS, or evaluates."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    qa = read_records(QA_FILE, "arrangeData.py", ("instruction", "response", "type", "key"))
    read_records(PERFUMES_FILE, "getData.py", ("name", "url"))
    import torch

    if SEED is not None:
        torch.manual_seed(SEED)
    model, tokenizer = load(ADAPTER_DIR)
    responses = Responses(qa, tokenizer)
    if EVALUATE:
        tests = read_records(f"{ADAPTER_DIR}/test.json", "loadModel.py", ("instruction", "response", "type", "key"))
        columns = evaluate(model, tokenizer, responses, tests)
        print_table(columns)
        Path(ADAPTER_DIR, "evaluation.json").write_text(json.dumps(columns, ensure_ascii=False, indent=1), encoding="utf-8")
        return
    model = model.merge_and_unload()
    for question in QUESTIONS:
        row = answer(model, tokenizer, responses, [question])[0]
        print(f"Q：{question}\nA：{responses.texts[row]}\n", flush=True)


if __name__ == "__main__":
    main()
