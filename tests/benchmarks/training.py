"""Measures loadModel.py's training path beside SFTTrainer: same 16 examples a step, equality checked before timing.

Run:    python tests/benchmarks/training.py                     CPU: 6 layers, hidden 384; CUDA: random weights in the 3B shape
        python tests/benchmarks/training.py 52096 rounds=3      one vocabulary, other numbers
        python tests/benchmarks/training.py whole               from start to first step with 26,075 records, cost of watching
Prints: difference of losses and adapters, samples/s (median, min–max), ratio, memory, MFU on CUDA
Writes: tests/benchmarks/training_<device>.json
"""

import contextlib
import json
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from transformers import (  # noqa: E402
    AttentionInterface,
    AutoModelForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedTokenizerFast,
    TrainerCallback,
    logging,
)
from transformers.trainer_callback import PrinterCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

import loadModel  # noqa: E402

GPU = torch.cuda.is_available()
SHAPE = (
    {"num_hidden_layers": 32, "hidden_size": 2560, "num_attention_heads": 32}
    if GPU
    else {"num_hidden_layers": 6, "hidden_size": 384, "num_attention_heads": 6}
)
VOCABULARIES = [52096] if GPU else [8192, 52096]
DTYPE = torch.bfloat16 if GPU else torch.float32
STEPS = 20 if GPU else 3  # timed steps of each arm in each round, after one that is not timed
ROUNDS = 5
WHOLE_STEPS = 20  # steps timed by `whole`
PEAK_FLOPS = 989e12  # dense bf16 of an H100/H200; set it to your card's for the MFU column
FLOPS_PER_TOKEN = 10.7e9  # LoRA on the 3B shape without recomputation

# Each arm: what differs from loadModel.py's arguments. On CUDA "as it comes" has the float32 base that TRL loads.
ARMS = {
    "loadModel.py": {},
    "SFTTrainer tuned (4x4, no checkpointing)": {},
    "SFTTrainer as it comes (4x4, checkpointing)": {"gradient_checkpointing": True},
    "SFTTrainer padding_free 4x4": {"padding_free": True},
    "SFTTrainer padding_free 16x1": {
        "padding_free": True,
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": 1,
    },
    "SFTTrainer padding_free 4x4, attention by sequence": {"padding_free": True},
    "SFTTrainer tuned, again": {},
}
OURS, TUNED, DEFAULT, *SETTINGS, BY_SEQUENCE, AGAIN = ARMS
OTHERS = [*SETTINGS, BY_SEQUENCE]  # the last: loadModel.py's attention under TRL's own loss


def make_examples(count, vocabulary):
    """Random tokens in lengths as in the real questions and answers: about 110, prompt 20 to 45."""
    chance = random.Random(0)
    examples = []
    for _ in range(count):
        prompt = chance.randint(20, 45)
        answer = min(max(int(chance.lognormvariate(math.log(70), 0.45)), 15), 300)
        ids = [chance.randrange(2, vocabulary) for _ in range(prompt + answer)] + [0]
        examples.append({"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]})
    return examples


def make_base(folder, vocabulary):
    """A random GPT-NeoX with OpenCALM's flags, saved in 16 bits."""
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=vocabulary,
        intermediate_size=4 * SHAPE["hidden_size"],
        rotary_pct=1.0,
        use_parallel_residual=False,
        max_position_embeddings=2048,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
        tie_word_embeddings=False,
        **SHAPE,
    )
    with torch.device("cuda" if GPU else "cpu"):
        GPTNeoXForCausalLM(config).half().save_pretrained(folder)


def make_tokenizer():
    """SFTTrainer wants one; the examples are tokenized already."""
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(
        models.WordLevel({"<|endoftext|>": 0, "<|padding|>": 1}, unk_token="<|endoftext|>")
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        pad_token="<|padding|>",
    )


class Clock(TrainerCallback):
    """Times of the optimizer steps, and their losses."""

    def __init__(self):
        self.times, self.losses = [], []

    def on_step_begin(self, args, state, control, **kwargs):
        if GPU:
            torch.cuda.synchronize()
        self.begin = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        if GPU:
            torch.cuda.synchronize()
        self.times.append(time.perf_counter() - self.begin)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.losses.append(logs["loss"])


class AttentionAlone(SFTTrainer):
    """TRL's own step, with loadModel.py's attention."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        lengths = inputs["cu_seq_lens_q"].diff().tolist()
        return super().compute_loss(model, inputs | {"lengths": lengths}, *args, **kwargs)


def make_trainer(arm, base, examples, steps, dropout):
    """A trainer of this arm that sees the same examples in the same order as every other."""
    AttentionInterface.register("by_sequence", loadModel.attention_by_sequence)
    default_on_gpu = GPU and arm == DEFAULT
    model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=torch.float32 if default_on_gpu else DTYPE,
        attn_implementation="by_sequence" if arm == BY_SEQUENCE else "sdpa",
    )
    options = {
        "output_dir": tempfile.mkdtemp(),
        "max_length": None,
        "max_steps": steps,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 4,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "cosine_with_restarts",
        "warmup_steps": 0.1,
        "max_grad_norm": 0.3,
        "weight_decay": 0.05,
        "seed": 42,
        "bf16": GPU,
        "use_cpu": not GPU,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }
    if arm == OURS:
        settings = SimpleNamespace(
            TARGET_MODULES="query_key_value",
            LORA_R=16,
            LORA_ALPHA=32,
            LORA_DROPOUT=dropout,
            BATCH_SIZE=4,
            step=16,
            world=1,
        )
        data = [loadModel.Example({"instruction": ""}, tokens) for tokens in examples]
        arguments = SFTConfig(**options, padding_free=True)
        pair = model, make_tokenizer()
        trainer, watcher = loadModel.make_trainer(pair, settings, arguments, data, [])
        trainer.remove_callback(watcher)
    else:
        trainer = (AttentionAlone if arm == BY_SEQUENCE else SFTTrainer)(
            model=model,
            args=SFTConfig(**options | ARMS[arm]),
            processing_class=make_tokenizer(),
            train_dataset=Dataset.from_list(examples),
            peft_config=LoraConfig(
                r=16,
                lora_alpha=32,
                lora_dropout=dropout,
                target_modules=["query_key_value"],
                task_type="CAUSAL_LM",
            ),
        )
    clock = Clock()
    trainer.add_callback(clock)
    trainer.remove_callback(PrinterCallback)
    return trainer, clock


def adapter(trainer):
    """The trainable weights as one vector."""
    return torch.cat(
        [p.detach().double().flatten().cpu() for p in trainer.model.parameters() if p.requires_grad]
    )


def check_equality(base, examples):
    """Largest relative difference of losses and of the adapter after 5 steps, each arm against tuned SFTTrainer."""
    results = {}
    for arm in (TUNED, OURS, DEFAULT, *OTHERS):
        trainer, clock = make_trainer(arm, base, examples, 5, dropout=0.0)
        start = adapter(trainer)
        trainer.train()
        results[arm] = clock.losses[:5], adapter(trainer), start
    losses, reference, start = results[TUNED]
    return {
        arm: {
            "loss": max(abs(a - b) / b for a, b in zip(result[0], losses, strict=True)),
            "adapter": ((result[1] - reference).norm() / reference.norm()).item(),
            "change": ((result[1] - reference).norm() / (reference - start).norm()).item(),
        }
        for arm, result in results.items()
    }


def time_arms(base, examples, rounds, steps):
    """Seconds of each timed step of each arm; rounds are interleaved, their order turns."""
    seconds = {arm: [] for arm in ARMS}
    for number in range(rounds):
        arms = list(ARMS)
        for arm in arms[number % len(arms) :] + arms[: number % len(arms)]:
            trainer, clock = make_trainer(arm, base, examples, steps + 1, dropout=0.05)
            trainer.train()
            seconds[arm].append(sum(clock.times[1:]))
            print(
                f"  round {number + 1} {arm}: {16 * steps / seconds[arm][-1]:.2f} samples/s",
                file=sys.stderr,
            )
            del trainer
            if GPU:
                torch.cuda.empty_cache()
    return seconds


def measure_memory(arm, base, examples):
    """MiB that training takes beyond the loaded model, at its peak; called in a process of its own."""
    trainer, _ = make_trainer(arm, base, examples, 2, dropout=0.05)
    if GPU:
        before = torch.cuda.memory_allocated()
        trainer.train()
        return (
            torch.cuda.max_memory_allocated() - before
        ) / 2**20, torch.cuda.max_memory_allocated() / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is resident now
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    trainer.train()
    peak = int(
        next(
            line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
        ).split()[1]
    )
    return (peak * 1024 - before) / 2**20, peak / 1024


def whole():
    """Prints seconds from main() to the end of the first step with 26,075 records, memory of the data, share of measuring."""
    sys.path.insert(0, str(ROOT / "tests"))
    import catalogue

    import arrangeData

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    seen = {}

    def timed(name, function):
        def call(*args):
            begin, before = time.perf_counter(), resident()
            value = function(*args)
            seen[name] = time.perf_counter() - begin, resident() - before
            return value

        return call

    class Stop(Exception):
        pass

    measure, step_ended = loadModel.Watcher.measure, loadModel.Watcher.on_step_end

    def measured(watcher):
        begin = time.perf_counter()
        measure(watcher)
        seen.setdefault("measuring", []).append(time.perf_counter() - begin)

    def on_step_end(watcher, *args, **kwargs):
        seen.setdefault("first step", time.perf_counter() - start)
        state = watcher.trainer.state
        if state.global_step == WHOLE_STEPS + 1:
            seen["steps"] = time.perf_counter() - seen["first"]
            seen["all steps"] = state.max_steps
            watcher.measure()
            raise Stop
        step_ended(watcher, *args, **kwargs)
        seen.setdefault("first", time.perf_counter())

    loadModel.Watcher.measure, loadModel.Watcher.on_step_end = measured, on_step_end
    with tempfile.TemporaryDirectory() as folder:
        perfumes = Path(folder, "perfumes.jsonl")
        lines = [
            json.dumps(perfume, ensure_ascii=False)
            for perfume in catalogue.make_catalogue(1_591, 0)
        ]
        perfumes.write_text("\n".join(lines), encoding="utf-8")
        arrangeData.PERFUMES_FILE, arrangeData.OUTPUT_FILE = (
            str(perfumes),
            str(Path(folder, "qa.json")),
        )
        arrangeData.main()
        records = json.loads(Path(folder, "qa.json").read_text(encoding="utf-8"))[:26_075]
        Path(folder, "qa.json").write_text(
            json.dumps(records, ensure_ascii=False), encoding="utf-8"
        )
        loadModel.load_base = timed("load", loadModel.load_base)
        loadModel.tokenize = timed("tokenize", loadModel.tokenize)
        loadModel.DATA_FILE, loadModel.OUTPUT_DIR, loadModel.REHEARSAL_OVERRIDES = (
            f"{folder}/qa.json",
            f"{folder}/out",
            {},
        )
        start = time.perf_counter()
        with contextlib.suppress(Stop):
            loadModel.main()
    begin = seen["first step"] - seen["load"][0] - seen["measuring"][0]
    training = seen["steps"] / WHOLE_STEPS * seen["all steps"]
    share = (
        10 * seen["measuring"][-1] / (training + 10 * seen["measuring"][-1])
    )  # at the start and every half of 4.5 epochs
    print(
        f"start to the end of the first step: {begin:.1f} s, without loading the model ({seen['load'][0]:.1f} s) and the first"
        f" measuring ({seen['measuring'][0]:.1f} s); tokenizing {len(records):,} records: {seen['tokenize'][0]:.1f} s,"
        f" {seen['tokenize'][1]:,.0f} MiB\n{seen['all steps']:,} steps would take {training / 60:.0f} min; measuring 10 times: {share:.1%}"
    )


def main():
    if "whole" in sys.argv:
        return whole()
    arguments = dict(argument.split("=") for argument in sys.argv[1:] if "=" in argument)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if "memory" in arguments:
        examples = make_examples(64, int(arguments["vocabulary"]))
        print(json.dumps(measure_memory(arguments["memory"], arguments["base"], examples)))
        return
    rounds, steps = int(arguments.get("rounds", ROUNDS)), int(arguments.get("steps", STEPS))
    report = {
        "device": torch.cuda.get_device_name()
        if GPU
        else f"CPU, {torch.get_num_threads()} threads",
        "dtype": str(DTYPE),
        "shape": SHAPE,
        "rounds": rounds,
        "steps": steps,
        "vocabularies": {},
    }
    for vocabulary in [
        int(argument) for argument in sys.argv[1:] if "=" not in argument
    ] or VOCABULARIES:
        with tempfile.TemporaryDirectory() as base:
            make_base(base, vocabulary)
            examples = make_examples(16 * (steps + 2), vocabulary)
            equality = check_equality(base, examples)
            memory = {}
            for arm in (TUNED, OURS, DEFAULT, *OTHERS):
                child = [
                    sys.executable,
                    __file__,
                    f"memory={arm}",
                    f"base={base}",
                    f"vocabulary={vocabulary}",
                ]
                memory[arm] = json.loads(
                    subprocess.run(
                        child, check=True, capture_output=True, text=True
                    ).stdout.splitlines()[-1]
                )
            seconds = time_arms(base, examples, rounds, steps)
        tuned = statistics.median(seconds[TUNED])
        rows = {}
        tokens = sum(len(example["input_ids"]) for example in examples) / len(examples)
        for arm in ARMS:
            speeds = sorted(16 * steps / value for value in seconds[arm])
            middle = statistics.median(speeds)
            rows[arm] = {
                "samples_per_second": middle,
                "min": speeds[0],
                "max": speeds[-1],
                "ratio": tuned / statistics.median(seconds[arm]),
                "equality": equality.get(arm),
                "memory_mib": memory.get(arm),
                "mfu": middle * tokens * FLOPS_PER_TOKEN / PEAK_FLOPS if GPU else None,
            }
        report["vocabularies"][vocabulary] = rows
        print(
            f"\nvocabulary {vocabulary:,}, {report['device']}, {DTYPE}, {tokens:.0f} tokens an example"
        )
        print(
            "| arm | samples/s (min–max) | ratio | adapter difference | loss difference | extra MiB |"
            + (" MFU |" if GPU else "")
        )
        print("|---|---|---|---|---|---|" + ("---|" if GPU else ""))
        for arm, row in rows.items():
            same = row["equality"] or {"adapter": math.nan, "loss": math.nan}
            print(
                f"| {arm} | {row['samples_per_second']:.2f} ({row['min']:.2f}–{row['max']:.2f}) | {row['ratio']:.2f} | "
                f"{same['adapter']:.1e} | {same['loss']:.1e} | {(row['memory_mib'] or [math.nan])[0]:,.0f} |"
                + (f" {row['mfu']:.1%} |" if GPU else "")
            )
        speed = {arm: row["samples_per_second"] for arm, row in rows.items()}
        best = max((TUNED, DEFAULT, *SETTINGS), key=speed.get)
        for other in (best, BY_SEQUENCE):
            print(f"loadModel.py beside {other}: {speed[OURS] / speed[other]:.2f}")
    path = Path(__file__).with_name(f"training_{'cuda' if GPU else 'cpu'}.json")
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(f"\n{path}")


if __name__ == "__main__":
    main()
