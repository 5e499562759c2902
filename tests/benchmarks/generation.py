"""Measures generate.py: start-up, time per answer, and on a GPU the distance to its memory.

    python tests/benchmarks/generation.py start   seconds until 26,075 responses can be chosen from
    python tests/benchmarks/generation.py speed   answers beside free decoding and model.generate, adapter unmerged
    python tests/benchmarks/generation.py gpu     tokens a second of the 3B shape beside the memory's limit (CUDA); default

Run from the repository's root after loadModel.py; prints a table and writes nothing.
"""

import contextlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

import catalogue  # noqa: E402

import arrangeData  # noqa: E402
import generate  # noqa: E402

RESPONSES = 27_000  # about the reference data set's size
PERFUMES = 1_591
ROUNDS = 5
QUESTIONS = 8  # asked in each round
GPU_TOKENS = 128


def reference_scale() -> tuple[list[dict], list[dict]]:
    """(perfumes, records) of an invented shop of the reference's size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "perfumes.jsonl")
        perfumes = catalogue.make_catalogue(PERFUMES, 0)
        lines = (json.dumps(perfume, ensure_ascii=False) + "\n" for perfume in perfumes)
        path.write_text("".join(lines), encoding="utf-8")
        arrangeData.PERFUMES_FILE, arrangeData.OUTPUT_FILE = str(path), str(Path(folder, "qa.json"))
        with contextlib.redirect_stdout(io.StringIO()):
            arrangeData.main()
        return perfumes, json.loads(Path(folder, "qa.json").read_text(encoding="utf-8"))[:RESPONSES]


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds, what function returned)."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def start() -> None:
    """Prints the seconds of start-up at the reference scale, without loading the model."""
    _, tokenizer = generate.load(generate.ADAPTER_DIR)
    perfumes, qa = reference_scale()
    for _ in range(ROUNDS):
        busy = time.process_time()
        words, clerk = timed(lambda: generate.Clerk(perfumes, qa))
        assistant = generate.Assistant(None, tokenizer, clerk)  # takes them when they may be said
        season = [claim for claim in clerk.claims if claim.record["type"] == "season"]
        tokens, _ = timed(
            lambda all_of=assistant.tokens, claims=season: [
                all_of(claim.record["response"]) for claim in claims
            ]
        )
        busy = time.process_time() - busy
        print(
            f"{len(qa):,} records: words {words:.2f} s, tokens of a season's {tokens:.2f} s, {busy:.2f} s of processor time"
        )


def speed() -> None:
    """Prints seconds an answer, and the ratios to free decoding."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model, tokenizer = generate.load(generate.ADAPTER_DIR)
    base = AutoModelForCausalLM.from_pretrained(model.config.name_or_path, dtype=torch.float32)
    unmerged = PeftModel.from_pretrained(base, generate.ADAPTER_DIR)
    unmerged = unmerged.to(model.device, model.dtype).eval()
    perfumes, qa = reference_scale()
    clerk = generate.Clerk(perfumes, qa)
    assistant = generate.Assistant(model, tokenizer, clerk)
    plain = generate.Assistant(unmerged, tokenizer, clerk)
    asked = [record["instruction"] for record in qa[:: len(qa) // QUESTIONS][:QUESTIONS]]
    ways = {
        "model.generate, adapter unmerged": plain.free,
        "free": assistant.free,
        "free, again (spread)": assistant.free,
        "understood and narrowed": assistant.answer,
        "the model alone, of all responses": lambda question: assistant.choose(
            question, clerk.claims
        ),
    }
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            seconds, _ = timed(lambda way=way: [way(question) for question in asked])
            figures[name].append(seconds / len(asked))
    reference = statistics.median(figures["free"])
    print(
        f"{len(asked)} questions, {ROUNDS} rounds, {model.device}, {model.dtype}, {len(qa):,} records"
    )
    for name, rounds in figures.items():
        seconds = statistics.median(rounds)
        spread = f"({min(rounds):.3f}-{max(rounds):.3f})"
        print(f"{name:36}{seconds:8.3f} s an answer {spread}{seconds / reference:7.2f} of free")


def gpu() -> None:
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

    def seconds_of(function: Callable[[], Any]) -> float:
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
    modes = {"start": start, "speed": speed, "gpu": gpu}
    mode = sys.argv[1] if len(sys.argv) > 1 else "gpu"
    if mode not in modes:
        raise SystemExit(f"{mode} は測れません。{'、'.join(modes)} のどれかを書いてください。")
    modes[mode]()
