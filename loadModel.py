"""Fine-tunes OpenCALM with LoRA on the perfume questions and answers.

    python loadModel.py          (several GPUs: accelerate launch loadModel.py)

Reads:  data/perfume_qa.json, the base model
Writes: fine_tuned_open_calm/ (adapter, tokenizer with its template, test.json, metrics.json, loss.png, README.md)
Prints: the base model and why it is this one, what is left out, losses and sample answers on the way and at the end
Run again, it goes on from the last checkpoint; a finished run is left as it is.
"""

import contextlib
import hashlib
import json
import math
import os
import pickle
import random
import re
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from string import Template
from types import SimpleNamespace
from typing import NamedTuple

from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
BASE_MODEL = "cyberagent/open-calm-3b"  # Hub id or local folder of a GPT-NeoX: open-calm-small, -large, -1b, -7b …
REHEARSAL = None  # None: the rehearsal model if there is no CUDA GPU; True: always; False: never
REHEARSAL_MODEL = "data/rehearsal_model"  # a base small enough for a CPU, to try everything out
DATA_FILE = (
    "data/perfume_qa.json"  # JSON array or JSON Lines of records with instruction and response
)
OUTPUT_DIR = "fine_tuned_open_calm"  # what generate.py needs, and checkpoints; rename it to keep it and start anew
TEST_RATIO = 0.1  # above 0, below 1: share of the records kept back to judge the answers
SEED = 42  # any whole number: split, order, first adapter weights, dropout
MAX_TOKENS = 512  # tokens of a question with its answer; longer records are left out
LORA_R = 16  # 8–64: rank of the adapter; higher learns more and takes more memory
LORA_ALPHA = 32  # weight of the adapter; usually twice LORA_R
LORA_DROPOUT = 0.05  # 0 to below 1: share of adapter inputs dropped, against over-fitting
TARGET_MODULES = (
    "query_key_value"  # "all-linear": adapters in the MLPs too; learns more, twice the memory
)
BATCH_SIZE = 4  # examples that must fit into memory side by side; 1 or 2 when it is short
GRADIENT_ACCUMULATION = (
    4  # times BATCH_SIZE = examples a step; 16 with BATCH_SIZE 1 learns the same
)
LEARNING_RATE = (
    7e-6  # peak; public LoRA runs on OpenCALM used up to 5e-4: raise if little is learned
)
LR_SCHEDULER = (
    "cosine_with_restarts"  # one cycle: the same as "cosine"; "linear", "constant_with_warmup" …
)
WARMUP_RATIO = 0.1  # 0 to below 1: share of the steps in which the rate climbs
MAX_GRAD_NORM = 0.3  # longer gradients are cut to this length; 1.0 is common
WEIGHT_DECAY = 0.05  # 0–1: pull of adapter weights towards zero
EPOCHS = 4.5  # times that each record is seen
GRADIENT_CHECKPOINTING = False  # True: far less memory for activations, about half as slow again
LOAD_IN_4BIT = (
    False  # True: for a GPU of 8 GB, with GRADIENT_CHECKPOINTING; pip install bitsandbytes
)
SAVE_MINUTES = 10  # minutes between checkpoints; the last two are kept
EVAL_EXAMPLES = 100  # train and test records whose loss is measured every half epoch, at most
REPORT_TO = "none"  # "tensorboard", "wandb", "trackio": once that is installed
MERGED_DIR = None  # "merged_open_calm": a 16-bit model with the adapter inside too, for vLLM etc.
REHEARSAL_OVERRIDES = {  # what only so small a model needs; 1 x 4 examples a step: more, smaller steps
    "LEARNING_RATE": 2e-3,
    "TARGET_MODULES": "all-linear",
    "GRADIENT_ACCUMULATION": 1,
    "LORA_DROPOUT": 0.0,
}
# ----------------------------------------------------------------------------------------------------------------------

COUNT = "1 以上の整数", lambda value: value == int(value) >= 1
WHOLE = "0 以上の整数", lambda value: value == int(value) >= 0
POSITIVE = "0 より大きい数", lambda value: value > 0
SHARE = "0 以上 1 未満の数", lambda value: 0 <= value < 1
AMOUNT = "0 以上の数", lambda value: value >= 0
NAME = "名前（文字列）", lambda value: bool(value.split())
SETTINGS = {  # what decides the result, and what each must be; REHEARSAL_OVERRIDES may set any of it
    "TEST_RATIO": ("0 より大きく 1 より小さい数", lambda value: 0 < value < 1),
    "SEED": WHOLE,
    "MAX_TOKENS": COUNT,
    "LORA_R": COUNT,
    "LORA_ALPHA": POSITIVE,
    "LORA_DROPOUT": SHARE,
    "TARGET_MODULES": NAME,
    "BATCH_SIZE": COUNT,
    "GRADIENT_ACCUMULATION": COUNT,
    "LEARNING_RATE": AMOUNT,
    "LR_SCHEDULER": NAME,
    "WARMUP_RATIO": SHARE,
    "MAX_GRAD_NORM": POSITIVE,
    "WEIGHT_DECAY": AMOUNT,
    "EPOCHS": POSITIVE,
    "LOAD_IN_4BIT": AMOUNT,
}
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}### 質問:\n{{ message.content }}\n\n"
    "{% else %}### 回答:\n{{ message.content + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### 回答:\\n' }}{% endif %}"
)
LESS_MEMORY = (
    "1 ステップの件数は変えずに、GRADIENT_CHECKPOINTING = True、BATCH_SIZE = 1 と "
    "GRADIENT_ACCUMULATION = 16、LOAD_IN_4BIT = True の順に試してください。"
)
ANEW = "フォルダ名を変えて python loadModel.py を実行すると、最初から学習します。"


def is_writer() -> bool:
    """Whether this process prints and writes: one does when there are several."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str):
    """Prints above the progress bar, from one process only."""
    if is_writer():
        tqdm.write(text)


def digest(data) -> str:
    """Short fingerprint of bytes, or of anything that JSON can hold."""
    return hashlib.sha256(
        data if isinstance(data, bytes) else json.dumps(data).encode()
    ).hexdigest()[:16]


# Records --------------------------------------------------------------------------------------------------------------
def parsed(text: str):
    """The value of a JSON text, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parse_records(text: str) -> list:
    """The elements of a JSON array or of JSON Lines, None for each broken one."""
    whole = parsed(text)
    if whole is not None:
        return whole if isinstance(whole, list) else [whole]
    if not text.startswith("["):
        return [parsed(line) for line in text.splitlines() if line.strip()]
    records, at, element = [], 0, re.compile(r"[\[,\n]\s*(?=\{)")
    while found := element.search(text, at):
        at, record = found.end(), None
        with contextlib.suppress(ValueError, RecursionError):
            record, at = json.JSONDecoder().raw_decode(text, at)
        records.append(record)
    return records


def flaw(record) -> str | None:
    """Why nothing can be learned from this record, or None."""
    if not isinstance(record, dict):
        return "JSON として読めない" if record is None else "項目名のある記録でない"
    for field in ("instruction", "response"):
        value = record.get(field)
        if not isinstance(value, str) or not value.strip():
            return f"{field} が{'ない' if value is None else '空' if isinstance(value, str) else '文字列でない'}"
        if re.search(
            r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]|<\|\w+\|>", value
        ):
            return f"{field} に制御文字か特殊トークンがある"
    return None


def read_examples(path) -> tuple[list, list]:
    """(examples, rejected): usable records, and (number, reason) of each other one; SystemExit for a wrong file."""
    path = Path(path)
    text = path.read_text(encoding="utf-8-sig", errors="replace").strip() if path.is_file() else ""
    records = parse_records(text)
    if not any(
        isinstance(record, dict) and {"instruction", "response"} & record.keys()
        for record in records
    ):
        trouble = (
            "には質問（instruction）と回答（response）がありません"
            if text
            else "は空です"
            if path.is_file()
            else "はファイルではありません"
            if path.exists()
            else "がありません"
        )
        raise SystemExit(f"{path} {trouble}。python arrangeData.py を実行して作ってください。")
    examples, rejected, seen = [], [], set()
    for number, record in enumerate(records, 1):
        reason = flaw(record)
        if not reason:
            record = record | {
                field: record[field].strip() for field in ("instruction", "response")
            }
            pair = record["instruction"], record["response"]
            reason = "質問も回答も前の記録と同じ" if pair in seen else None
            seen.add(pair)
        if reason:
            rejected.append((number, reason))
        else:
            examples.append(record)
    return examples, rejected


def split_examples(examples: list, ratio: float, seed: int) -> tuple[list, list]:
    """(train, test), both shuffled; the test share is rounded up."""
    shuffled = random.Random(seed).sample(examples, len(examples))
    size = math.ceil(len(examples) * ratio - 1e-9)
    return shuffled[size:], shuffled[:size]


def prompt_of(tokenizer, question: str) -> str:
    """The text that stands before the answer."""
    messages = [{"role": "user", "content": question}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def tokenize(tokenizer, examples: list) -> list:
    """input_ids and labels of each example: prompt, answer, one eos; the prompt is not learned."""
    prompts = tokenizer([prompt_of(tokenizer, example["instruction"]) for example in examples])[
        "input_ids"
    ]
    answers = tokenizer([example["response"] + tokenizer.eos_token for example in examples])[
        "input_ids"
    ]
    return [
        {"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def leave_out_long(encoded: list, examples: list, rejected: list) -> list:
    """(example, its tokens) of all that fit MAX_TOKENS; the others are added to rejected by their numbers."""
    gone = {number for number, _ in rejected}
    numbers = (number for number in range(1, len(examples) + len(gone) + 1) if number not in gone)
    long = [
        number
        for number, one in zip(numbers, encoded, strict=True)
        if len(one["input_ids"]) > MAX_TOKENS
    ]
    rejected += [(number, f"{MAX_TOKENS} トークンより長い") for number in long]
    return [
        pair
        for pair in zip(examples, encoded, strict=True)
        if len(pair[1]["input_ids"]) <= MAX_TOKENS
    ]


def tell_data(tokenizer, train: list, test: list, rejected: list) -> int:
    """Prints what is learned from, what is left out and why, and the first example; questions that both splits have."""
    say(f"{DATA_FILE}: 学習 {len(train):,} 件、テスト {len(test):,} 件、除外 {len(rejected):,} 件")
    for reason, count in Counter(reason for _, reason in rejected).most_common():
        first = next(number for number, why in rejected if why == reason)
        say(f"  {reason}: {count:,} 件（最初は {first:,} 件目）")
    if len(train) < 4:
        raise SystemExit(
            f"{DATA_FILE} で使える記録は {len(train) + len(test)} 件だけ。"
            "python arrangeData.py で作り直してください。"
        )
    asked = {example["instruction"] for example, _ in train}
    repeated = sum(example["instruction"] in asked for example, _ in test)
    few = "学習データが少ないので、丸暗記になりがちです。" if len(train) < 500 else ""
    say(f"テストのうち {repeated:,} 件は、同じ質問文が学習データにもあります。{few}")
    shown = train[0][1]
    start = shown["labels"].count(-100)
    prompt, answer = (
        tokenizer.decode(part) for part in (shown["input_ids"][:start], shown["input_ids"][start:])
    )
    say(f"最初の例（【】の中を学習）:\n{prompt}【{answer}】")
    return repeated


# The base model -------------------------------------------------------------------------------------------------------
class Base(NamedTuple):
    """Which model is fine-tuned, where, in which precision, and why."""

    name: str
    rehearsal: bool
    device: str
    dtype: str  # float32, bfloat16 or float16
    why: str


def choose_base() -> Base:
    """The base model: BASE_MODEL on a CUDA GPU, REHEARSAL_MODEL without one, unless REHEARSAL says otherwise."""
    import torch

    gpu = torch.cuda.is_available()
    rehearsal = not gpu if REHEARSAL is None else REHEARSAL
    name = REHEARSAL_MODEL if rehearsal else BASE_MODEL
    if not gpu:
        return Base(name, rehearsal, "cpu", "float32", "CUDA の GPU がないため")
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    capability = (
        torch.cuda.get_device_capability()
    )  # is_bf16_supported() says yes where bf16 is only emulated
    dtype = "bfloat16" if capability >= (8, 0) else "float16"
    return Base(
        name,
        rehearsal,
        "cuda",
        dtype,
        f"{torch.cuda.get_device_name()}、compute capability {capability}",
    )


def choose_settings(rehearsal: bool) -> SimpleNamespace:
    """The constants that decide the result, with the rehearsal's overrides; SystemExit for a value that cannot be."""
    overrides = REHEARSAL_OVERRIDES if rehearsal else {}
    settings = SimpleNamespace(**{name: globals()[name] for name in SETTINGS} | overrides)
    for name, (wanted, fits) in SETTINGS.items():
        value, fine = getattr(settings, name), False
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            fine = fits(value)
        if not fine:
            raise SystemExit(
                f"{name} = {value!r} は使えません。loadModel.py の先頭で{wanted}にしてください。"
            )
    settings.step = settings.BATCH_SIZE * settings.GRADIENT_ACCUMULATION
    settings.world = int(os.environ.get("WORLD_SIZE", "1"))
    if settings.step % settings.world:
        raise SystemExit(
            f"1 ステップの件数 {settings.step} はプロセス数 {settings.world} の倍数にしてください"
            "（loadModel.py の BATCH_SIZE × GRADIENT_ACCUMULATION）。"
        )
    if rehearsal:
        say(f"リハーサルです: 小さなモデルで手順を試します。本番と違う設定は {overrides}")
    return settings


def load_base(name: str, dtype: str):
    """(model, tokenizer) with a pad token that is not eos; the model grows only if the tokenizer needs it."""
    from transformers import (
        AttentionInterface,
        AutoModelForCausalLM,
        AutoTokenizer,
        BitsAndBytesConfig,
    )
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    AttentionInterface.register("packed", packed_attention)
    quantized = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_compute_dtype": dtype,
    }
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, pad_token="<|padding|>")
        model, loading = AutoModelForCausalLM.from_pretrained(
            name,
            dtype=dtype,
            attn_implementation="packed",
            output_loading_info=True,
            quantization_config=BitsAndBytesConfig(**quantized) if LOAD_IN_4BIT else None,
        )
    except (OSError, ValueError, ImportError, RuntimeError, pickle.UnpicklingError) as error:
        cause = str(error).strip().splitlines()[0]
        raise SystemExit(
            f"{name} を読み込めません（{cause}）。名前とネットワークを確かめるか、BASE_MODEL に"
            "手元のフォルダを書くか、REHEARSAL = True で試してください。"
        ) from None
    if lacking := sorted(loading["missing_keys"]):
        raise SystemExit(
            f"{name} の重みが {len(lacking)} 個足りません（{lacking[0]} など）。取得し直してください。"
        )
    tokenizer.chat_template = CHAT_TEMPLATE
    sample = prompt_of(
        tokenizer, "「香水」のトップノートは？ Maison Margiela №5・ガイアック（100％）"
    )
    if tokenizer.decode(tokenizer(sample)["input_ids"]) != sample:
        raise SystemExit(
            f"{name} のトークナイザーが文字を変えます。pip install -r requirements.txt をしてください。"
        )
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    for config in (model.config, model.generation_config):
        for token in ("pad_token_id", "eos_token_id", "bos_token_id"):
            setattr(config, token, getattr(tokenizer, token))
    return model, tokenizer


def memory_needed(model, settings, lengths: list, size: int) -> float:
    """GiB on the GPU with passes of `size` examples; bytes a token as tests/benchmarks/memory.py counts them."""
    layers, hidden = model.config.num_hidden_layers, model.config.hidden_size
    kept, ranks = (
        (71, 41) if settings.TARGET_MODULES == "all-linear" else (35, 4)
    )  # a layer and hidden unit
    kept = 2 * layers + kept if GRADIENT_CHECKPOINTING else kept * layers
    adapter = (
        16 * settings.LORA_R * layers * ranks
    )  # weight, gradient and two moments, 4 bytes each
    passing = (
        hidden * (adapter + kept * sum(sorted(lengths)[-size:])) + 2048 * model.config.vocab_size
    )
    return (
        sum(parameter.nbytes for parameter in model.parameters()) + passing
    ) / 2**30 + 0.6  # what CUDA takes


def choose_pass_size(model, settings, lengths: list, share: int) -> int:
    """Examples a pass: BATCH_SIZE, more where GPU memory allows; prints what is needed and what there is."""
    import torch

    size = min(settings.BATCH_SIZE, share)
    if torch.cuda.is_available():
        free = (
            torch.cuda.mem_get_info()[0] + torch.cuda.memory_allocated()
        ) / 2**30  # a 4-bit base is there already
        while size * 2 <= share and memory_needed(model, settings, lengths, size * 2) < 0.85 * free:
            size *= 2
        need = memory_needed(model, settings, lengths, size)
        say(f"GPU メモリ: 約 {need:.1f} GiB 必要（{size} 件ずつ）、空き {free:.1f} GiB")
        if need > free:
            say(f"足りないかもしれません。{LESS_MEMORY}")
    return size


# Speed: examples lie packed in one row without padding, and no logits are kept ---------------------------------------
def pack(examples: list) -> dict:
    """Examples side by side in one row; `learned` are the positions whose next token, in `targets`, is learned."""
    import torch

    lengths = [len(example["input_ids"]) for example in examples]
    following = [label for example in examples for label in [*example["labels"][1:], -100]]
    learned = [position for position, label in enumerate(following) if label != -100]
    places = [torch.arange(length) for length in lengths]
    return {
        "input_ids": torch.tensor(
            [[token for example in examples for token in example["input_ids"]]]
        ),
        "position_ids": torch.cat(places)[None],
        "lengths": lengths,
        "learned": torch.tensor(learned),
        "targets": torch.tensor([following[position] for position in learned]),
        "slots": torch.cat([place + row * max(lengths) for row, place in enumerate(places)]),
    }


def packed_attention(module, query, key, value, attention_mask, lengths=None, slots=None, **kwargs):
    """Causal attention of each packed sequence by itself; without lengths the usual one."""
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if lengths is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    how = {"is_causal": True, "dropout_p": kwargs["dropout"], "scale": kwargs["scaling"]}
    attend = torch.nn.functional.scaled_dot_product_attention
    if len(lengths) <= 4:  # one by one: least work
        rows = zip(*(states.split(lengths, 2) for states in (query, key, value)), strict=True)
        return torch.cat([attend(*row, **how) for row in rows], 2).transpose(1, 2), None

    def rectangle(states):  # many at once, each in its row: fewest kernels
        flat = states.new_zeros(len(lengths) * max(lengths), *states.shape[1::2])
        flat = flat.index_copy(0, slots, states[0].transpose(0, 1))
        return flat.view(len(lengths), max(lengths), *flat.shape[1:]).transpose(1, 2)

    return attend(*map(rectangle, (query, key, value)), **how).transpose(1, 2).flatten(0, 1)[slots][
        None
    ], None


def frozen_head_loss(hidden, weight, targets):
    """Summed cross-entropy of hidden @ weight.T; weight is frozen, so the slope is formed at once, no logits kept."""
    import torch

    total, slope = torch.zeros((), device=hidden.device), torch.empty_like(hidden)
    with torch.no_grad():
        for part in torch.arange(len(targets), device=hidden.device).split(256):
            target = targets[part, None]
            logits = (hidden[part].to(weight.dtype) @ weight.T).float()
            logits -= logits.amax(-1, keepdim=True)
            total -= logits.gather(1, target).sum()
            norm = logits.exp_().sum(-1, keepdim=True)
            total += norm.log().sum()
            logits.div_(norm).scatter_add_(1, target, -torch.ones_like(norm))
            slope[part] = (logits.to(weight.dtype) @ weight).to(slope.dtype)
    linear = (hidden.float() * slope.float()).sum()
    return linear + (total - linear.detach())  # its value is total, its gradient is slope


def add_loss_head(model):
    """Let model(..., learned=, targets=) return the summed loss of the learned positions."""
    usual_forward = model.forward

    def forward(*args, learned=None, targets=None, **kwargs):
        if targets is None:
            return usual_forward(*args, **kwargs)
        hidden = model.base_model(*args, use_cache=False, **kwargs).last_hidden_state[0, learned]
        return frozen_head_loss(hidden, model.get_output_embeddings().weight, targets)

    model.forward = forward


class PackedSteps:
    """Stands before SFTTrainer: a step goes through its examples in packed passes; whole checkpoints are sealed."""

    checked = 0, None  # the latest step whose loss has still to be looked at, and that loss

    def training_step(self, model, inputs, num_items_in_batch=None):
        self.check_loss()  # of the step before, which is computed by now: looking does not hold up the GPU
        losses = []
        for number, examples in enumerate(inputs["passes"], 1):
            joint = number == len(inputs["passes"])
            with contextlib.nullcontext() if joint else self.accelerator.no_sync(model):
                losses.append(super().training_step(model, examples, num_items_in_batch))
        self.checked = self.state.global_step + 1, sum(losses)
        return self.checked[1]

    def check_loss(self):
        step, loss = self.checked
        if loss is not None and not loss.isfinite():
            raise SystemExit(
                f"ステップ {step} で損失が {loss.item()} になり、止めました。チェックポイントは無事です。"
                f"LEARNING_RATE を下げ、{OUTPUT_DIR} の{ANEW}"
            )

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        return model(**inputs) * (self.accelerator.num_processes / num_items_in_batch)

    def _save(
        self, output_dir=None, state_dict=None
    ):  # save_embedding_layers="auto" would ask the Hub
        self.model.save_pretrained(
            output_dir,
            state_dict=state_dict,
            save_embedding_layers=False,
            is_main_process=self.args.should_save,
        )

    def _save_checkpoint(self, model, trial):
        self.check_loss()
        folder = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
        with told_when_saving_fails(folder):
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if is_writer():  # the seal comes last: a checkpoint without it is half written
                files = {path.name: digest(path.read_bytes()) for path in folder.iterdir()}
                Path(folder, "seal.json").write_text(
                    json.dumps({"run": self.run, "files": files}), encoding="utf-8"
                )


def packed_trainer(pass_size: int, run: dict, **kwargs):
    """SFTTrainer with PackedSteps, for examples of tokenize(): pass_size of them side by side."""
    import torch
    from trl import SFTTrainer

    class PackedTrainer(PackedSteps, SFTTrainer):
        pass

    def collate(examples):
        passes = [
            pack(examples[start : start + pass_size])
            for start in range(0, len(examples), pass_size)
        ]
        targets = torch.cat([examples["targets"] for examples in passes])
        return {"passes": passes, "labels": targets, "shift_labels": targets}

    trainer = PackedTrainer(data_collator=collate, **kwargs)
    trainer.run = run
    trainer.create_model_card = trainer.floating_point_ops = lambda *args, **kwargs: 0
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = (
                parameter.data.float()
            )  # also over 4 bits, where SFTTrainer makes them bf16
    add_loss_head(trainer.model.get_base_model())
    return trainer


# Runs that go on ------------------------------------------------------------------------------------------------------
def describe_run(name: str, settings: dict, examples: list) -> dict:
    """All that decides the result: two runs with the same description give the same adapter."""
    decided = {
        key: settings[key] for key in SETTINGS if key not in ("BATCH_SIZE", "GRADIENT_ACCUMULATION")
    }
    return decided | {
        "examples_per_step": settings["step"],
        "base_model": name,
        "data": digest(examples),
    }


def refuse_changes(before: dict, run: dict, what):
    """Raises SystemExit that names what has changed since `what` was saved, if anything has."""
    if changed := [
        f"{key}（{before.get(key)} → {run[key]}）" for key in run if before.get(key) != run[key]
    ]:
        raise SystemExit(
            f"{what} を保存した後に変わったもの: {'、'.join(changed)}。元に戻すか、{OUTPUT_DIR} の{ANEW}"
        )


def last_checkpoint(run: dict) -> str | None:
    """Newest checkpoint that is whole; half-written ones are named and removed."""
    folders = Path(OUTPUT_DIR, "checkpoints").glob("checkpoint-*")
    for folder in sorted(folders, key=lambda path: int(path.name.split("-")[1]), reverse=True):
        with contextlib.suppress(OSError, ValueError):
            sealed = json.loads(Path(folder, "seal.json").read_text(encoding="utf-8"))
            if all(
                digest(Path(folder, name).read_bytes()) == value
                for name, value in sealed["files"].items()
            ):
                refuse_changes(sealed["run"], run, folder)
                return str(folder)
        say(f"{folder} は書きかけなので使いません。")
        if is_writer():
            shutil.rmtree(folder, ignore_errors=True)
    return None


def is_finished(run: dict) -> bool:
    """Whether OUTPUT_DIR holds the result of this very run; SystemExit if it holds another's."""
    finished = Path(OUTPUT_DIR, "metrics.json")
    if finished.exists():
        refuse_changes(json.loads(finished.read_text(encoding="utf-8"))["run"], run, OUTPUT_DIR)
        say(
            f"このデータと設定では学習済みです。次は python generate.py です。{OUTPUT_DIR} の{ANEW}"
        )
    return finished.exists()


@contextlib.contextmanager
def told_when_saving_fails(folder: Path):
    """Turn a failed save (full disk …) into a message; what was half written is removed."""
    try:
        yield
    except (
        Exception
    ) as error:  # OSError, torch's RuntimeError or SafetensorError, whichever library was writing
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit(
            f"{folder} に保存できません（{error}）。前のチェックポイントは無事です。ディスクを空けて"
            " python loadModel.py を実行すると、そこから続きます。"
        ) from error


# Watching -------------------------------------------------------------------------------------------------------------
class Watcher:
    """A TrainerCallback: progress bar, losses and answers every half epoch, checkpoints, Ctrl-C."""

    def __init__(
        self, trainer, tokenizer, train: list, test: list, questions: list, pass_size: int
    ):
        self.trainer, self.tokenizer, self.pass_size = trainer, tokenizer, pass_size
        self.sets, self.questions = {"train_set": train, "test_set": test}, questions
        self.stopped, self.saved, self.bar, self.measuring = (
            False,
            time.monotonic(),
            tqdm(disable=True),
            0.0,
        )

    def on_train_begin(self, args, state, control, **kwargs):
        self.size = args.train_batch_size * args.world_size
        self.bar = tqdm(
            total=state.max_steps * self.size,
            initial=state.global_step * self.size,
            desc="学習",
            unit="件",
            disable=None if is_writer() else True,
        )
        if state.global_step == 0:
            self.measure(state)

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update(self.size)
        half = math.ceil(state.max_steps / args.num_train_epochs / 2)
        if state.global_step % half == 0 or state.global_step == state.max_steps:
            self.measure(state)
        stop, save = self.agreed(self.stopped, time.monotonic() - self.saved >= 60 * SAVE_MINUTES)
        control.should_training_stop |= stop
        if stop or save:
            control.should_save, self.saved = True, time.monotonic()

    def agreed(self, *wishes: bool) -> list:
        """The wishes of any process: all of them save and stop at the same step."""
        import torch

        accelerator = self.trainer.accelerator
        if accelerator.num_processes > 1:
            wishes = accelerator.reduce(
                torch.tensor(wishes, device=accelerator.device).int()
            ).tolist()
        return [bool(wish) for wish in wishes]

    def on_log(self, args, state, control, logs, **kwargs):
        if "loss" in logs:
            self.bar.set_postfix_str(f"損失 {logs['loss']:.3f}")

    def measure(self, state):
        """Logs and prints the losses of both sets, and the answers to the questions."""
        import torch

        model, began = self.trainer.model, time.monotonic()
        model.eval()
        with torch.no_grad(), self.trainer.compute_loss_context_manager():
            losses = {name: self.mean_loss(examples) for name, examples in self.sets.items()}
            answers = self.answers() if self.questions else []
        model.train()
        self.trainer.log(losses)
        say(
            f"{state.epoch or 0:.1f} エポック  損失: 学習 {losses['train_set']:.3f}  テスト {losses['test_set']:.3f}"
        )
        say(
            "\n".join(
                f"    {question} → {answer}"
                for question, answer in zip(self.questions, answers, strict=True)
            )
        )
        self.measuring += time.monotonic() - began

    def mean_loss(self, examples: list) -> float:
        """Loss of a learned token, in passes no larger than those of training."""
        passes = [
            pack(examples[start : start + self.pass_size])
            for start in range(0, len(examples), self.pass_size)
        ]
        total = sum(self.trainer.model(**self.trainer._prepare_inputs(one)) for one in passes)
        return total.item() / sum(len(one["targets"]) for one in passes)

    def answers(self) -> list:
        """The likeliest answers to the questions, their first 32 tokens."""
        prompts = self.tokenizer(
            [prompt_of(self.tokenizer, question) for question in self.questions]
        )["input_ids"]
        batch = self.tokenizer.pad({"input_ids": prompts}, padding_side="left", return_tensors="pt")
        batch = self.trainer._prepare_inputs(
            {name: batch[name] for name in ("input_ids", "attention_mask")}
        )
        base = self.trainer.model.get_base_model()
        base.set_attn_implementation("sdpa")  # packed attention has no mask for padding
        output = self.trainer.model.generate(**batch, do_sample=False, max_new_tokens=32)
        base.set_attn_implementation("packed")
        texts = self.tokenizer.batch_decode(
            output[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
        )
        return [re.sub(r"[\x00-\x1f\x7f-\x9f\ufffd]", "", text) for text in texts]

    def stop(self, number, frame):
        """Signal handler: the run ends after this step; the second time at once."""
        self.stopped = True
        signal.signal(number, signal.default_int_handler)
        say("このステップを終えたら保存して止まります。もう一度押すと、保存せずに止まります。")


def make_watcher(*arguments):
    """A Watcher that transformers can call back."""
    from transformers import TrainerCallback

    return type("RunWatcher", (Watcher, TrainerCallback), {})(*arguments)


# The result -----------------------------------------------------------------------------------------------------------
def verdict(curve: list) -> str:
    """One sentence on what the test losses say: learned little, over-fits, or neither."""
    first, last, best = curve[0], curve[-1], min(curve, key=lambda point: point["test_set"])
    figures = (
        f"テストの損失は {first['test_set']:.3f} から {last['test_set']:.3f}、最小は {best['test_set']:.3f}"
        f"（{best['epoch']:.1f} エポック）"
    )
    if last["test_set"] > 0.98 * first["test_set"]:
        return f"ほとんど学習していません: {figures}。LEARNING_RATE か EPOCHS を上げてください。"
    if last["test_set"] > 1.02 * best["test_set"]:
        return f"過学習しています: {figures}。EPOCHS か LEARNING_RATE を下げてください。"
    return f"過学習はしていません: {figures}。"


def draw_losses(path: Path, history: list):
    """Save the picture of the losses over the epochs."""
    import matplotlib_fontja  # noqa: F401  importing it gives matplotlib a Japanese font
    from matplotlib.figure import Figure

    axes = Figure(figsize=(8, 5), layout="constrained").add_subplot(
        xlabel="エポック", ylabel="損失（回答 1 トークンあたり）", title="学習の進み方"
    )
    for key, label, marker in (
        ("loss", "学習中", ""),
        ("train_set", "学習データ", "o"),
        ("test_set", "テスト", "o"),
    ):
        points = [(point["epoch"], point[key]) for point in history if key in point]
        axes.plot(*zip(*points, strict=True), label=label, marker=marker)
    axes.legend()
    axes.figure.savefig(path, dpi=120)


def model_card(metrics: dict) -> str:
    """README.md of the adapter folder, from data/model_card.md."""
    run, counts = (
        metrics["run"],
        {name: f"{metrics[name]:,}" for name in ("train", "test", "steps", "weights")},
    )
    losses = {
        f"{name}_{when}": f"{metrics['curve'][place][name]:.3f}"
        for name in ("train_set", "test_set")
        for when, place in (("before", 0), ("after", -1))
    }
    template = Path(__file__).with_name("data") / "model_card.md"
    return Template(template.read_text(encoding="utf-8")).substitute(
        metrics | counts | losses,
        folder=OUTPUT_DIR,
        base=run["base_model"],
        run=json.dumps(run, ensure_ascii=False, indent=1),
        hub="" if Path(run["base_model"]).exists() else f"base_model: {run['base_model']}\n",
        warning="**リハーサル: 小さなモデルで手順を試したもので、答えの質は本番と違います。**"
        * metrics["rehearsal"],
    )


def save_result(trainer, tokenizer, test: list, metrics: dict):
    """Writes all that inference needs into OUTPUT_DIR; metrics.json comes last and marks the run as finished."""
    from safetensors.torch import load_file

    part = Path(OUTPUT_DIR, "checkpoints", "result")
    with told_when_saving_fails(part):
        trainer.save_model(str(part))
        if not is_writer():
            return
        weights = load_file(part / "adapter_model.safetensors")
        learned = any(weight.any() for name, weight in weights.items() if "lora_B" in name)
        if not learned or not all(weight.isfinite().all() for weight in weights.values()):
            trouble = "壊れています" if learned else "空です"
            raise SystemExit(
                f"学習した重みが{trouble}。LEARNING_RATE を変え、{OUTPUT_DIR} の{ANEW}"
            )
        tokenizer.save_pretrained(part)
        draw_losses(part / "loss.png", trainer.state.log_history)
        for name, content in (("test.json", test), ("metrics.json", metrics)):
            Path(part, name).write_text(
                json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8"
            )
        Path(part, "README.md").write_text(model_card(metrics), encoding="utf-8")
        for path in sorted(part.iterdir(), key=lambda path: path.name == "metrics.json"):
            os.replace(path, Path(OUTPUT_DIR, path.name))
        part.rmdir()
        if MERGED_DIR:
            save_merged(tokenizer)


def save_merged(tokenizer):
    """Writes the base with the adapter inside to MERGED_DIR, in the base's own 16 bits, never quantised."""
    from peft import AutoPeftModelForCausalLM

    merged = AutoPeftModelForCausalLM.from_pretrained(OUTPUT_DIR, dtype="auto").merge_and_unload()
    merged.save_pretrained(MERGED_DIR)
    tokenizer.save_pretrained(MERGED_DIR)
    say(f"アダプターを合わせた 16 ビットのモデル: {MERGED_DIR}")


# The run --------------------------------------------------------------------------------------------------------------
def prepare_process():
    """UTF-8 output, no telemetry, one GPU unless accelerate launch starts a process for each."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_SAFETENSORS_CONVERSION": "1"}
    if "WORLD_SIZE" not in os.environ:
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[
            0
        ]


def training_arguments(base: Base, settings: SimpleNamespace):
    """SFTConfig of the run, made before the model is loaded so that a wrong constant is told at once."""
    from transformers.integrations import get_available_reporting_integrations
    from trl import SFTConfig

    if REPORT_TO not in ("none", *get_available_reporting_integrations()):
        raise SystemExit(
            f"REPORT_TO = {REPORT_TO!r} は使えません。pip install {REPORT_TO} か、none にしてください。"
        )
    try:
        return SFTConfig(
            output_dir=str(Path(OUTPUT_DIR, "checkpoints")),
            max_length=None,
            num_train_epochs=settings.EPOCHS,
            per_device_train_batch_size=settings.step // settings.world,
            learning_rate=settings.LEARNING_RATE,
            lr_scheduler_type=settings.LR_SCHEDULER,
            warmup_steps=settings.WARMUP_RATIO,
            max_grad_norm=settings.MAX_GRAD_NORM,
            weight_decay=settings.WEIGHT_DECAY,
            seed=settings.SEED,
            bf16=base.dtype == "bfloat16",
            fp16=base.dtype == "float16",
            use_cpu=base.device == "cpu",
            gradient_checkpointing=GRADIENT_CHECKPOINTING,
            logging_steps=0.01,
            logging_nan_inf_filter=False,
            save_strategy="no",
            save_total_limit=2,
            report_to=REPORT_TO,
            disable_tqdm=True,
        )
    except ValueError as error:
        cause = str(error).strip().splitlines()[0]
        raise SystemExit(
            f"学習の設定が使えません（{cause}）。loadModel.py の先頭の値を直してください。"
        ) from None


def make_trainer(
    model, tokenizer, settings: SimpleNamespace, arguments, train: list, test: list, run: dict
):
    """(trainer, watcher) of LoRA on the model; train and test hold (example, its tokens)."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback

    targets = (
        settings.TARGET_MODULES
        if settings.TARGET_MODULES == "all-linear"
        else settings.TARGET_MODULES.split()
    )
    names = {name.split(".")[-1] for name, _ in model.named_modules()}
    if targets != "all-linear" and not names >= set(targets):
        raise SystemExit(
            f"TARGET_MODULES = {settings.TARGET_MODULES!r} はこのモデルの層にありません。"
            'loadModel.py で "query_key_value" か "all-linear" にしてください。'
        )
    lora = LoraConfig(
        r=settings.LORA_R,
        lora_alpha=settings.LORA_ALPHA,
        lora_dropout=settings.LORA_DROPOUT,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    encoded = {"train": [tokens for _, tokens in train], "test": [tokens for _, tokens in test]}
    lengths = [len(one["input_ids"]) for tokens in encoded.values() for one in tokens]
    pass_size = choose_pass_size(model, settings, lengths, settings.step // settings.world)
    trainer = packed_trainer(
        pass_size,
        run,
        model=model,
        args=arguments,
        processing_class=tokenizer,
        peft_config=lora,
        train_dataset=Dataset.from_list(encoded["train"]),
    )
    processes = trainer.accelerator.num_processes
    assert processes == settings.world, f"{processes} processes, not {settings.world}"
    trainer.remove_callback(PrinterCallback)
    size = max(20, min(EVAL_EXAMPLES, len(train) // 50))
    watcher = make_watcher(
        trainer,
        tokenizer,
        encoded["train"][:size],
        encoded["test"][:size],
        [example["instruction"] for example, _ in test[:2]],
        min(settings.BATCH_SIZE, pass_size),
    )
    trainer.add_callback(watcher)
    return trainer, watcher


def run_training(trainer, watcher, resume: str | None):
    """Trains to the end; Ctrl-C saves first and then raises SystemExit."""
    from torch import OutOfMemoryError

    usual = {
        number: signal.signal(number, watcher.stop) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        trainer.train(resume_from_checkpoint=resume)
    except OutOfMemoryError:
        raise SystemExit(f"GPU のメモリが足りません。{LESS_MEMORY}") from None
    finally:
        watcher.bar.close()
        for number, handler in usual.items():
            signal.signal(number, handler)
    if watcher.stopped:
        raise SystemExit("止めました。python loadModel.py を実行すると、続きから学習します。")


def main():
    """Reads, splits, loads, trains, saves, reports."""
    prepare_process()
    examples, rejected = read_examples(DATA_FILE)
    base = choose_base()
    say(f"基礎モデル: {base.name}、{base.device}、{base.dtype}、attention は sdpa（{base.why}）")
    settings = choose_settings(base.rehearsal)
    run = describe_run(base.name, vars(settings), examples)
    if is_finished(run):
        return
    resume = last_checkpoint(run)
    arguments = training_arguments(base, settings)

    model, tokenizer = load_base(base.name, base.dtype)
    fitting = leave_out_long(tokenize(tokenizer, examples), examples, rejected)
    train, test = split_examples(fitting, settings.TEST_RATIO, settings.SEED)
    repeated = tell_data(tokenizer, train, test, rejected)

    trainer, watcher = make_trainer(model, tokenizer, settings, arguments, train, test, run)
    trainable, total = trainer.model.get_nb_trainable_parameters()
    steps = math.ceil(settings.EPOCHS * math.ceil(len(train) / settings.step))
    say(
        f"{settings.EPOCHS} エポック = {steps:,} ステップ、学習する重み {trainable:,} 個（{trainable / total:.2%}）"
    )
    began = time.monotonic()
    run_training(trainer, watcher, resume)

    curve = [point for point in trainer.state.log_history if "test_set" in point]
    save_result(
        trainer,
        tokenizer,
        [example for example, _ in test],
        metrics={
            "run": run,
            "rehearsal": base.rehearsal,
            "device": base.device,
            "dtype": base.dtype,
            "train": len(train),
            "test": len(test),
            "rejected": Counter(reason for _, reason in rejected),
            "repeated_questions": repeated,
            "steps": steps,
            "weights": trainable,
            "seconds": time.monotonic() - began,
            "measuring_seconds": watcher.measuring,
            "curve": curve,
            "verdict": verdict(curve),
        },
    )
    for key, label in (("train_set", "学習データ"), ("test_set", "テストデータ")):
        say(f"{label}の損失: 学習前 {curve[0][key]:.3f} → 学習後 {curve[-1][key]:.3f}")
    say(f"{verdict(curve)}\n{OUTPUT_DIR} に保存しました。次は python generate.py です。")


if __name__ == "__main__":
    main()
