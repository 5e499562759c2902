"""Measures generate.py: start-up, time per answer, the ways of decoding, and on a GPU the distance to its memory.

    python tests/benchmarks/generation.py start   seconds until 26,075 responses can be chosen from
    python tests/benchmarks/generation.py speed   grounded and free answers beside model.generate, adapter unmerged
    python tests/benchmarks/generation.py study   share answered rightly by each way of decoding, trained adapter
    python tests/benchmarks/generation.py refuse  questions of tests/questions.csv answered and refused, rightly or not
    python tests/benchmarks/generation.py gpu     tokens a second of the 3B shape beside the memory's limit (CUDA); default

Run from the repository's root after loadModel.py; prints a table and writes nothing.
"""

import csv
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

import catalogue  # noqa: E402

import arrangeData  # noqa: E402
import generate  # noqa: E402

RESPONSES = 26_075  # the reference data set
PERFUMES = 1_591
ROUNDS = 5
QUESTIONS = 8  # asked in each round, alone and side by side
GPU_TOKENS = 128


def reference_scale():
    """(perfumes, records) of an invented shop of the reference's size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "perfumes.jsonl")
        perfumes = catalogue.make_catalogue(PERFUMES, 0)
        path.write_text(
            "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in perfumes), encoding="utf-8"
        )
        arrangeData.PERFUMES_FILE, arrangeData.OUTPUT_FILE = str(path), str(Path(folder, "qa.json"))
        arrangeData.main()
        return perfumes, json.loads(Path(folder, "qa.json").read_text(encoding="utf-8"))[:RESPONSES]


def assistant_of(model, tokenizer, perfumes, qa):
    """An assistant, and the seconds that each part of it took to make."""
    start = time.perf_counter()
    known = generate.Catalogue(perfumes, qa)
    middle = time.perf_counter()
    responses = generate.Responses(tokenizer, qa)
    seconds = middle - start, time.perf_counter() - middle
    return generate.Assistant(model, tokenizer, responses, known), seconds


def start():
    """Prints the seconds of start-up at the reference scale, without loading the model."""
    _, tokenizer = generate.load(generate.ADAPTER_DIR)
    perfumes, qa = reference_scale()
    for _ in range(ROUNDS):
        busy = time.process_time()
        _, (words, tokens) = assistant_of(None, tokenizer, perfumes, qa)
        busy = time.process_time() - busy
        print(
            f"{len(qa):,} records: words {words:.2f} s, tokens {tokens:.2f} s, {busy:.2f} s of processor time"
        )


def timed(function):
    """(seconds, what function returned)."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def speed():
    """Prints seconds an answer and tokens a second, alone and side by side, and the ratios to free decoding."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model, tokenizer = generate.load(generate.ADAPTER_DIR)
    base = AutoModelForCausalLM.from_pretrained(model.config.name_or_path, dtype=torch.float32)
    unmerged = (
        PeftModel.from_pretrained(base, generate.ADAPTER_DIR).to(model.device, model.dtype).eval()
    )
    perfumes, qa = reference_scale()
    assistant, _ = assistant_of(model, tokenizer, perfumes, qa)
    asked = [record["instruction"] for record in qa[:: len(qa) // QUESTIONS][:QUESTIONS]]

    def length(text):
        return len(tokenizer(text)["input_ids"]) + 1

    def grounded(questions):
        return sum(length(text) for text, _, _ in assistant.say(questions, True))

    def free(questions, using=model):
        return sum(
            len(tokens) + ended for tokens, ended in generate.sample(using, tokenizer, questions)
        )

    ways = {
        "model.generate, adapter unmerged": lambda questions: free(questions, unmerged),
        "free": free,
        "free, again (spread)": free,
        "grounded": grounded,
    }

    for title, groups in (("alone", [[question] for question in asked]), ("side by side", [asked])):
        figures = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                seconds, counts = timed(
                    lambda way=way, groups=groups: [way(group) for group in groups]
                )
                figures[name].append((seconds / len(asked), sum(counts) / seconds))
        reference = statistics.median(seconds for seconds, _ in figures["free"])
        print(
            f"\n{title}: {len(asked)} questions, {ROUNDS} rounds, {model.device}, {model.dtype}, {len(qa):,} records"
        )
        for name, rounds in figures.items():
            seconds, rate = (statistics.median(column) for column in zip(*rounds, strict=True))
            low, high = min(s for s, _ in rounds), max(s for s, _ in rounds)
            print(f"{name:34}{seconds:8.3f} s an answer ({low:.3f}-{high:.3f}){rate:9.0f} tokens/s"
                  f"{seconds / reference:7.2f} of free")  # fmt: skip


def beam(model, responses, prompts, plain, beams, prior, whole, local):
    """The row of each prompt by beam search, one prompt and one pass for each step: slow, plain, for comparison alone.

    whole: the whole answer counts, not only until what is asked is decided. local: shares among what may follow.
    """
    import torch

    rows = []
    for tokens in prompts:
        live, ended = [(0.0, (0, len(responses.tokens)))], []
        while live:
            ways, said = (
                [],
                [responses.tokens[low][: responses.shared(low, high)] for _, (low, high) in live],
            )
            for lead, weight in ((tokens, 1.0), (plain, -prior)):
                if not weight:
                    continue
                starts = [lead + words for words in said]
                width = max(map(len, starts))
                ids = torch.tensor([[0] * (width - len(start)) + start for start in starts])
                mask = torch.tensor(
                    [[0] * (width - len(start)) + [1] * len(start) for start in starts]
                )
                places = (mask.cumsum(1) - 1).clamp(min=0)
                with torch.inference_mode():
                    out = (
                        model(input_ids=ids, attention_mask=mask, position_ids=places)
                        .logits.float()
                        .log_softmax(-1)
                    )
                ways.append((weight, ids, out, width))
            found = list(ended)
            for row, (score, span) in enumerate(live):
                branches = responses.branches(*span)
                gains = 0
                for weight, ids, out, width in ways:
                    last = out[row, -1, list(branches)]
                    first = width - len(
                        said[row]
                    )  # the answer's own tokens stand at the end; they are scored afresh
                    past = (
                        0
                        if local
                        else out[row, first - 1 : -1].gather(1, ids[row, first:, None]).sum()
                    )
                    gains = gains + weight * (past + (last.log_softmax(0) if local else last))
                found += [((score if local else 0.0) + gain, rows_left, False)
                          for gain, rows_left in zip(gains.tolist(), branches.values(), strict=True)]  # fmt: skip
            live, ended = [], []
            for score, (low, high), done in sorted(found, key=lambda way: -way[0])[:beams]:
                if done or (high - low == 1 if whole else responses.equally_right(low, high)):
                    ended.append((score, (low, high), True))
                else:
                    live.append((score, (low, high)))
        rows.append(max(ended)[1][0])
    return rows


WAYS = {  # name: (beams, share of the prior taken out, the whole answer?, shares among what may follow?)
    "greedy (generate.py)": None,
    "sampled from the first token on": None,
    "greedy, 0.1 of the prior out": (1, 0.1, False, False),
    "greedy, 0.3 of the prior out": (1, 0.3, False, False),
    "greedy, 0.6 of the prior out": (1, 0.6, False, False),
    "greedy, the prior out": (1, 1.0, False, False),
    "4 beams": (4, 0.0, False, False),
    "8 beams": (8, 0.0, False, False),
    "8 beams, shares among the allowed": (8, 0.0, False, True),
    "8 beams, 0.3 of the prior out": (8, 0.3, False, False),
    "4 beams rescored, whole answer": (4, 0.0, True, False),
    "the same, 0.3 of the prior out": (4, 0.3, True, False),
}


def study():
    """Prints the share of the saved test split that each way of decoding answers rightly, and its worst kind."""
    fields = "instruction", "response", "type", "key"
    model, tokenizer = generate.load(generate.ADAPTER_DIR)
    perfumes = generate.read_records(generate.PERFUMES_FILE, "getData.py", ("name", "url"))
    qa = generate.read_records(generate.QA_FILE, "arrangeData.py", fields)
    tests = generate.read_records(f"{generate.ADAPTER_DIR}/test.json", "loadModel.py", fields)
    assistant, _ = assistant_of(model, tokenizer, perfumes, qa)
    plain = tokenizer(generate.prompt(tokenizer, ""))["input_ids"]
    own, stop = generate.decode, generate.Responses.equally_right
    kinds = sorted({record["type"] for record in tests})
    print(
        f"{len(tests)} test questions, {len(qa):,} records\n{'':36}{'right':>7}{'worst kind':>26}"
    )
    for name, how in WAYS.items():
        generate.Responses.equally_right = (
            (lambda *rows: True) if name.startswith("sampled") else stop
        )
        generate.decode = (
            (lambda m, r, p, show, how=how: beam(m, r, p, plain, *how)) if how else own
        )
        verdicts = generate.measure(assistant, tests, qa, name, True)
        judged = [
            (record["type"], verdict[0]) for record, verdict in zip(tests, verdicts, strict=True)
        ]
        share = {kind: statistics.mean(good for k, good in judged if k == kind) for kind in kinds}
        worst, all_right = min(share, key=share.get), statistics.mean(good for _, good in judged)
        print(f"{name:36}{all_right:7.1%}{worst:>19}{share[worst]:7.1%}", flush=True)


def refuse():
    """Prints, for each half of the written questions, how many are answered, with the kind meant, and how many refused."""
    qa = generate.read_records(
        generate.QA_FILE, "arrangeData.py", ("instruction", "response", "type", "key")
    )
    perfumes = generate.read_records(generate.PERFUMES_FILE, "getData.py", ("name", "url"))
    assistant, _ = assistant_of(*generate.load(generate.ADAPTER_DIR), perfumes, qa)
    kinds = {record["response"]: record["type"] for record in qa}
    with open(Path(__file__).parent.parent / "questions.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for used in ("tuning", "held"):
        for answerable, title in (("yes", "the data can answer"), ("no", "the data cannot answer")):
            asked = [row for row in rows if (row["used"], row["answerable"]) == (used, answerable)]
            questions = [assistant.catalogue.normalized(row["question"]) for row in asked]
            open_ = [
                (q, row["kind"])
                for q, row in zip(questions, asked, strict=True)
                if not assistant.catalogue.refusal(q)
            ]
            answers = assistant.say([question for question, _ in open_], True)
            meant = [
                kinds[text] == kind for (text, _, _), (_, kind) in zip(answers, open_, strict=True)
            ]
            print(f"{used:8}{title:24}{len(asked):4} asked{len(asked) - len(open_):5} refused{len(open_):5} answered"
                  f"{sum(meant):5} with the kind meant")  # fmt: skip
            for (question, kind), (text, _, _), good in zip(open_, answers, meant, strict=True):
                if not good:
                    print(f"    {question} ({kind}) → {text[:50]}")


def gpu():
    """Prints tokens a second of OpenCALM's 3B shape with random weights beside the limit that reading the weights sets."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    if not torch.cuda.is_available():
        raise SystemExit("CUDA の GPU がないので測れません。")
    config = GPTNeoXConfig(
        vocab_size=52_224, hidden_size=2560, num_hidden_layers=32, num_attention_heads=32, intermediate_size=10_240,
        rotary_pct=1.0, max_position_embeddings=2048, use_parallel_residual=False, tie_word_embeddings=False,
    )  # fmt: skip
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = GPTNeoXForCausalLM(config).eval()
    torch.set_default_dtype(torch.float32)
    read = sum(p.numel() * 2 for name, p in model.named_parameters() if "embed_in" not in name)
    one, other = (torch.empty(2**31, dtype=torch.uint8, device="cuda") for _ in range(2))

    def seconds_of(function):
        function()
        torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    bandwidth = (
        2 * one.numel() * 10 / seconds_of(lambda: [one.copy_(other) for _ in range(10)])
    )  # read and written
    print(
        f"{torch.cuda.get_device_name()}: {bandwidth / 1e12:.2f} TB/s measured, {read / 1e9:.2f} GB read a token"
    )
    for batch in (1, 16):
        ids = torch.randint(2, 50_000, (batch, 64), device="cuda")
        for name, cache in (
            ("dynamic cache", {}),
            ("static cache, compiled", {"cache_implementation": "static"}),
        ):
            settings = {
                "do_sample": False,
                "min_new_tokens": GPU_TOKENS,
                "max_new_tokens": GPU_TOKENS,
                **cache,
            }
            inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            seconds = seconds_of(
                lambda settings=settings, inputs=inputs: model.generate(**inputs, **settings)
            )
            rate, limit = batch * GPU_TOKENS / seconds, batch * bandwidth / read
            print(
                f"batch {batch:2}, {name:24}{rate:9.0f} tokens/s, {rate / limit:.0%} of the limit of {limit:,.0f}"
            )


if __name__ == "__main__":
    modes = {"start": start, "speed": speed, "study": study, "refuse": refuse, "gpu": gpu}
    mode = sys.argv[1] if len(sys.argv) > 1 else "gpu"
    if mode not in modes:
        raise SystemExit(f"{mode} は測れません。{'、'.join(modes)} のどれかを書いてください。")
    modes[mode]()
