"""Fine-tunes OpenCALM with LoRA on the perfume questions and answers.

    python loadModel.py          (several GPUs: accelerate launch loadModel.py)

Reads:  data/perfume_qa.json, the base model
Writes: fine_tuned_open_calm/: adapter, tokenizer, test.json, metrics.json, loss.png, README.md
Prints: the base model and why it is this one, what is left out, losses and sample answers
Run again, it goes on from the last checkpoint; a finished run is left as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import random
import re
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock, Timeout
from tqdm import tqdm

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel as Model
    from transformers import PreTrainedTokenizerBase as Tokenizer
    from trl import SFTConfig, SFTTrainer

# --------------------------------------------------------------------------------------------------
BASE_MODEL = "cyberagent/open-calm-3b"  # Hub id or folder of a GPT-NeoX: open-calm-small … -7b
REHEARSAL = None  # None: the rehearsal model if there is no CUDA GPU; True: always; False: never
REHEARSAL_MODEL = "data/rehearsal_model"  # a base small enough for a CPU, to try everything out
DATA_FILE = "data/perfume_qa.json"  # JSON array or JSON Lines of instruction and response
OUTPUT_DIR = "fine_tuned_open_calm"  # result and checkpoints; rename it to keep it and start anew
TEST_RATIO = 0.1  # above 0, below 1: share of the records kept back to judge the answers
SEED = 42  # any whole number: split, order, first adapter weights, dropout
MAX_TOKENS = 512  # tokens of a question with its answer; longer records are left out
LORA_R = 16  # 8–64: rank of the adapter; higher learns more and takes more memory
LORA_ALPHA = 32  # weight of the adapter; usually twice LORA_R
LORA_DROPOUT = 0.05  # 0 to below 1: share of adapter inputs dropped, against over-fitting
TARGET_MODULES = "query_key_value"  # "all-linear": MLPs too; learns more, twice the memory
BATCH_SIZE = 4  # examples that must fit into memory side by side; 1 or 2 when it is short
GRADIENT_ACCUMULATION = 4  # times BATCH_SIZE = examples a step; 16 with BATCH_SIZE 1: the same
LEARNING_RATE = 7e-6  # peak; public LoRA runs on OpenCALM used up to 5e-4: raise for more
LR_SCHEDULER = "cosine_with_restarts"  # one cycle: the same as "cosine"; "linear", "constant" …
WARMUP_RATIO = 0.1  # 0 to below 1: share of the steps in which the rate climbs
MAX_GRAD_NORM = 0.3  # longer gradients are cut to this length; 1.0 is common
WEIGHT_DECAY = 0.05  # 0–1: pull of adapter weights towards zero
EPOCHS = 4.5  # times that each record is seen
GRADIENT_CHECKPOINTING = False  # True: far less memory for activations, half as slow again
LOAD_IN_4BIT = False  # True: GPU of 8 GB, with GRADIENT_CHECKPOINTING; pip install bitsandbytes
SAVE_MINUTES = 10  # minutes between checkpoints; the last two are kept
EVAL_EXAMPLES = 100  # train and test records whose loss is measured every half epoch, at most
REPORT_TO = "none"  # "tensorboard", "wandb", "trackio": once that is installed
MERGED_DIR = None  # "merged_open_calm": a 16-bit model with the adapter inside too, for vLLM etc.
REHEARSAL_OVERRIDES = {  # what only so small a model needs; 8 examples a step: more, smaller steps
    "LEARNING_RATE": 3e-3,
    "TARGET_MODULES": "all-linear",
    "BATCH_SIZE": 8,
    "GRADIENT_ACCUMULATION": 1,
    "LORA_DROPOUT": 0.0,
}
# --------------------------------------------------------------------------------------------------

CHECKS = (  # what constants must be; those of the first eight rows decide the result
    ("0 より大きく 1 より小さい数", lambda n: 0 < n < 1, "TEST_RATIO"),
    ("0 以上 1 未満の数", lambda n: 0 <= n < 1, "LORA_DROPOUT WARMUP_RATIO"),
    ("0 以上の数", lambda n: 0 <= n < math.inf, "LEARNING_RATE WEIGHT_DECAY"),
    ("0 より大きい数", lambda n: 0 < n < math.inf, "LORA_ALPHA MAX_GRAD_NORM EPOCHS"),
    ("0 以上の整数", lambda n: n == int(n) >= 0, "SEED"),
    ("1 以上の整数", lambda n: n == int(n) >= 1, "MAX_TOKENS LORA_R"),
    ("名前（文字列）", str.split, "TARGET_MODULES LR_SCHEDULER"),
    ("True か False", lambda n: n in (0, 1), "LOAD_IN_4BIT"),
    ("1 以上の整数", lambda n: n == int(n) >= 1, "BATCH_SIZE GRADIENT_ACCUMULATION EVAL_EXAMPLES"),
    ("0 以上の数", lambda n: 0 <= n < math.inf, "SAVE_MINUTES"),
    ("名前（文字列）", str.split, "BASE_MODEL REHEARSAL_MODEL OUTPUT_DIR REPORT_TO"),
    ("フォルダ名か None", lambda n: n is None or n.split(), "MERGED_DIR"),
)
DECIDING = [name for _, _, names in CHECKS[:8] for name in names.split()]
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}### 質問:\n{{ message.content }}\n\n"
    "{% else %}### 回答:\n{{ message.content + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### 回答:\\n' }}{% endif %}"
)
LESS_MEMORY = "GRADIENT_CHECKPOINTING = True、BATCH_SIZE = 1（積は同じ）、LOAD_IN_4BIT = True を順に試してください。"
ANEW = "フォルダ名を変えて python loadModel.py を実行すると、最初から学習します。"
GO_ON = "python loadModel.py を実行すると、続きから学習します。"
Left = list[tuple[int, str]]  # what is left out: the number of each record in the file, and why
ADAPTER_FILE = "adapter_model.safetensors"
WRITER = os.environ.get("RANK", "0") == "0"  # one process prints and writes when there are several


def say(text: str) -> None:
    """Prints above the progress bar, from one process only; without a reader (| head) silently."""
    try:
        if WRITER:
            tqdm.write(text)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def digest(content: Any) -> str:
    """Short fingerprint of bytes, or of anything that JSON can hold."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return hashlib.sha256(data).hexdigest()[:16]


# Records ------------------------------------------------------------------------------------------
FIELDS = ("instruction", "response")
FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\uffff]"
)  # control, bidi, surrogates, private use
LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
SPECIAL_TOKEN = re.compile(r"<\|\w+\|>")
OBJECT = re.compile(r"(?:^|[\[,\n])\s*(?=\{)")  # where one begins, in an array or on a line


class Example(NamedTuple):
    """A record and its tokens."""

    record: dict
    tokens: dict[str, list[int]]


def parse_records(text: str) -> list:
    """The objects of a JSON array or of JSON Lines, None for each broken one."""
    records, at = [], 0
    while found := OBJECT.search(text, at):
        start, record = found.end(), None
        at = start + 1
        with contextlib.suppress(ValueError, RecursionError):
            record, at = json.JSONDecoder().raw_decode(text, start)
        records.append(record)
    return records


def flaw(record: Any, fields: tuple[str, ...]) -> str | None:
    """Why this record cannot be used, or None."""
    if not isinstance(record, dict):
        return "JSON として読めない"
    for field in fields:
        value = record.get(field)
        if not isinstance(value, str):
            return f"{field} が{'ない' if value is None else '文字列でない'}"
        if not value.strip():
            return f"{field} が空"
        if FORBIDDEN.search(LINE_END.sub("", value)) or SPECIAL_TOKEN.search(value):
            return f"{field} に制御文字か特殊トークンがある"
    if re.search(r"[\ud800-\udfff]", json.dumps(record, ensure_ascii=False)):
        return "文字として書けない文字がある"
    return None


def read_examples(path: str | Path) -> tuple[list[dict], Left]:
    """(usable records, the others with their reasons); SystemExit for a wrong file."""
    path, text, trouble = Path(path), "", "は空です"
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace").strip()
    except OSError:
        trouble = "が読めません" if path.exists() else "がありません"
        trouble = "はファイルではありません" if path.is_dir() else trouble
    records = parse_records(text)
    if not any(isinstance(record, dict) and record.keys() & set(FIELDS) for record in records):
        trouble = "には質問（instruction）と回答（response）がありません" if text else trouble
        raise SystemExit(f"{path} {trouble}。python arrangeData.py を実行して作ってください。")
    examples, rejected, seen = [], [], set()
    for number, record in enumerate(records, 1):
        reason, pair = flaw(record, FIELDS), None
        if not reason:
            record |= {name: LINE_END.sub("\n", record[name]).strip() for name in FIELDS}
            pair = tuple(record[name] for name in FIELDS)
        if reason or pair in seen:
            rejected.append((number, reason or "質問も回答も前の記録と同じ"))
        else:
            examples.append(record)
        seen.add(pair)
    return examples, rejected


def split_examples(examples: list, ratio: float, seed: int) -> tuple[list, list]:
    """(train, test), both shuffled; the test share is rounded up."""
    shuffled = random.Random(seed).sample(examples, len(examples))
    size = math.ceil(len(examples) * ratio - 1e-9)  # 0.1 x 30 is a hair above 3
    return shuffled[size:], shuffled[:size]


def prompt_of(tokenizer: Tokenizer, question: str) -> str:
    """The text that stands before the answer."""
    messages = [{"role": "user", "content": question}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def tokenize(tokenizer: Tokenizer, records: list[dict]) -> list[dict]:
    """input_ids and labels of each record: prompt, answer, one eos; the prompt is not learned."""
    prompts = tokenizer([prompt_of(tokenizer, record["instruction"]) for record in records])
    answers = tokenizer([record["response"] + tokenizer.eos_token for record in records])
    return [
        {"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}
        for prompt, answer in zip(prompts["input_ids"], answers["input_ids"], strict=True)
    ]


def leave_out_long(tokens: list, records: list, rejected: Left) -> tuple[list[Example], Left]:
    """(what fits MAX_TOKENS, rejected and the too long by their numbers in the file)."""
    gone, fitting = dict(rejected), []
    numbers = [number for number in range(1, len(records) + len(gone) + 1) if number not in gone]
    for number, record, one in zip(numbers, records, tokens, strict=True):
        if len(one["input_ids"]) > MAX_TOKENS:
            gone[number] = f"{MAX_TOKENS} トークンより長い"
        else:
            fitting.append(Example(record, one))
    return fitting, list(gone.items())


def tell_data(tokenizer: Tokenizer, train: list, test: list, rejected: Left) -> None:
    """Prints how many records are learned and left out, and why, and the first example."""
    say(f"{DATA_FILE}: 学習 {len(train):,} 件、テスト {len(test):,} 件、除外 {len(rejected):,} 件")
    for reason, count in Counter(reason for _, reason in rejected).most_common():
        first = next(number for number, why in rejected if why == reason)
        say(f"  {reason}: {count:,} 件（最初は {first:,} 件目）")
    if len(train) < 4:
        usable = f"{DATA_FILE} で使える記録は {len(train) + len(test)} 件だけ。"
        raise SystemExit(f"{usable}python arrangeData.py で作り直してください。")
    asked = {example.record["instruction"] for example in train}
    repeated = sum(example.record["instruction"] in asked for example in test)
    few = "学習データが少ないので、丸暗記になりがちです。" if len(train) < 500 else ""
    say(f"テストのうち {repeated:,} 件は、同じ質問文が学習データにもあります。{few}")
    ids, start = train[0].tokens["input_ids"], train[0].tokens["labels"].count(-100)
    prompt, answer = tokenizer.batch_decode([ids[:start], ids[start:]])
    say(f"最初の例（【】の中を学習）:\n{prompt}【{answer}】")


# The base model -----------------------------------------------------------------------------------
class Base(NamedTuple):
    """Which model is fine-tuned, where, in which precision, and why."""

    name: str
    rehearsal: bool
    device: str
    dtype: str  # float32, bfloat16 or float16
    why: str


def choose_base() -> Base:
    """BASE_MODEL on a CUDA GPU, REHEARSAL_MODEL without one, unless REHEARSAL says otherwise."""
    import torch

    gpu = torch.cuda.is_available()
    rehearsal = not gpu if REHEARSAL is None else bool(REHEARSAL)
    name = REHEARSAL_MODEL if rehearsal else BASE_MODEL
    if not gpu:
        return Base(name, rehearsal, "cpu", "float32", "CUDA の GPU がないため")
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    capability = torch.cuda.get_device_capability()
    dtype = "bfloat16" if capability >= (8, 0) else "float16"  # below, bf16 is only emulated
    why = f"{torch.cuda.get_device_name()}、compute capability {capability}"
    return Base(name, rehearsal, "cuda", dtype, why)


def choose_settings(rehearsal: bool) -> SimpleNamespace:
    """The constants, with the rehearsal's overrides; SystemExit for a value that cannot be."""
    overrides = REHEARSAL_OVERRIDES if rehearsal else {}
    values = {name: globals()[name] for _, _, names in CHECKS for name in names.split()}
    settings = SimpleNamespace(**values | overrides)
    for words, fits, names in CHECKS:
        for name in names.split():
            value, fine = getattr(settings, name), False
            with contextlib.suppress(TypeError, ValueError, AttributeError, OverflowError):
                fine = fits(value)
            if not fine:
                place = f"loadModel.py の先頭で{words}にしてください。"
                raise SystemExit(f"{name} = {value!r} は使えません。{place}")
    settings.step = settings.BATCH_SIZE * settings.GRADIENT_ACCUMULATION
    settings.world = int(os.environ.get("WORLD_SIZE", "1"))
    if settings.step % settings.world:
        multiple = f"プロセス数 {settings.world} の倍数にしてください。"
        raise SystemExit(f"BATCH_SIZE × GRADIENT_ACCUMULATION = {settings.step} は{multiple}")
    if rehearsal:
        say(f"リハーサルです: 小さなモデルで手順を試します。本番と違う設定は {overrides}")
    return settings


def load_base(name: str, dtype: str | None, device: str = "cpu") -> tuple[Model, Tokenizer]:
    """(model, tokenizer) with a pad token that is not eos; the model grows only if it must."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    four_bits = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": dtype}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, pad_token="<|padding|>")
        model, loading = AutoModelForCausalLM.from_pretrained(
            name,
            dtype=dtype,
            output_loading_info=True,
            quantization_config=BitsAndBytesConfig(True, **four_bits) if LOAD_IN_4BIT else None,
            device_map={"": torch.cuda.current_device()} if device == "cuda" else None,
        )  # with a map each weight goes to the GPU by itself: no second copy in host memory
    except torch.OutOfMemoryError:
        raise SystemExit(f"GPU のメモリが足りません。{LESS_MEMORY}") from None
    except Exception as error:  # a wrong name, no network, a broken file, another library's error
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        remedy = "名前とネットワークを確かめるか、REHEARSAL = True で試してください。"
        raise SystemExit(f"{name} を読み込めません（{cause}）。{remedy}") from None
    if lacking := sorted(loading["missing_keys"]):
        missing = f"{len(lacking)} 個足りません（{lacking[0]} など）"
        raise SystemExit(f"{name} の重みが {missing}。取得し直してください。")
    tokenizer.chat_template = CHAT_TEMPLATE
    sample = prompt_of(tokenizer, "「香水」は？ Maison Margiela №5・ガイアック（100％）")
    if tokenizer.decode(tokenizer(sample)["input_ids"]) != sample:
        changed = f"{name} のトークナイザーが文字を変えます"
        raise SystemExit(f"{changed}。pip install -r requirements.txt をしてください。")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    return model, tokenizer


KEPT_BYTES = {"query_key_value": 32, "all-linear": 52}  # a token, layer and hidden unit on a GPU
OTHER_GIB = 1.0  # CUDA, adapter with moments, head; this and KEPT_BYTES: tests/benchmarks/memory.py
FILLED = 0.85  # share of free memory that is planned with: the allocator leaves gaps


def choose_pass(model: Model, settings: SimpleNamespace, lengths: list[int], gpu: bool) -> int:
    """Examples a pass: BATCH_SIZE, or more where GPU memory allows; they divide the step."""
    share, longest = settings.step // settings.world, sorted(lengths, reverse=True)
    sizes = [size for size in range(1, share + 1) if share % size == 0]
    chosen = max(size for size in sizes if size <= settings.BATCH_SIZE)
    if gpu:
        import torch

        layers, hidden = model.config.num_hidden_layers, model.config.hidden_size
        kept = KEPT_BYTES.get(settings.TARGET_MODULES, KEPT_BYTES["all-linear"])
        kept = 2 * layers + kept if GRADIENT_CHECKPOINTING else layers * kept
        weights = OTHER_GIB + sum(weight.nbytes for weight in model.parameters()) / 2**30
        need = {size: weights + kept * hidden * sum(longest[:size]) / 2**30 for size in sizes}
        free = (torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved()) / 2**30
        chosen = max([chosen, *(size for size in sizes if need[size] < FILLED * free)])
        short = LESS_MEMORY if need[chosen] > free else ""
        say(f"GPU メモリ: 必要 {need[chosen]:.1f} GiB（{chosen} 件）、空き {free:.1f} GiB。{short}")
    return chosen


# Speed: no padding, attention by sequence, a head where something is learned ----------------------
def attention_by_sequence(module: Any, *states: torch.Tensor, **how: Any) -> tuple:
    """Causal attention of each sequence of a row by itself; without lengths the usual one."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    lengths = how.pop("lengths", None)
    if lengths is None:
        return sdpa_attention_forward(module, *states, **how)
    options = {"is_causal": True, "dropout_p": how["dropout"], "scale": how["scaling"]}
    pieces = zip(*(one.split(lengths, dim=2) for one in states[:3]), strict=True)
    attended = [scaled_dot_product_attention(*piece, **options) for piece in pieces]
    return torch.cat(attended, dim=2).transpose(1, 2), None


@contextlib.contextmanager
def by_sequence(model: Model) -> Iterator[None]:
    """The model with attention_by_sequence, for as long as the block runs."""
    from transformers import AttentionInterface

    AttentionInterface.register("by_sequence", attention_by_sequence)
    model.set_attn_implementation("by_sequence")
    try:
        yield
    finally:
        model.set_attn_implementation("sdpa")


class LearnedLoss:
    """Stands before SFTTrainer: the same loss with less work, on rows without padding."""

    loss_of_step = 0.0  # this process's, of the passes since the last step

    def train(self, **how: Any) -> Any:
        """Trains, each sequence attending to itself alone."""
        with by_sequence(self.model.get_base_model()):
            return super().train(**how)

    def summed_loss(self, model: torch.nn.Module, batch: dict) -> torch.Tensor:
        """Cross-entropy of the learned tokens of a batch from TRL's padding-free collator."""
        from torch.nn.functional import cross_entropy

        inputs = {name: batch[name] for name in ("input_ids", "position_ids")}
        inputs["lengths"] = batch["cu_seq_lens_q"].diff().tolist()
        if batch["labels"].is_cuda:  # TRL's head: with Triton it scores learned positions alone
            return -model(**inputs, labels=batch["labels"], fused_lm_head=True).log_probs.sum()
        following = batch["labels"].roll(-1)  # first tokens are never learned: none leaves its row
        learned = following != -100
        logits = model(**inputs, logits_to_keep=learned, use_cache=False).logits
        return cross_entropy(logits.float(), following[learned], reduction="sum")

    def compute_loss(self, model: Any, inputs: dict, *_: Any, num_items_in_batch: int) -> Any:
        """The mean over the tokens of a step; processes average, so each counts its part more."""
        loss = self.summed_loss(model, inputs) * self.accelerator.num_processes / num_items_in_batch
        self.loss_of_step += loss.detach()
        return loss


# Runs that go on ----------------------------------------------------------------------------------
def refuse_changes(before: dict, run: dict, saved: str | Path) -> None:
    """SystemExit that names what has changed since `saved` was, if anything has."""
    changed = [key for key in run if before.get(key) != run[key]]
    if changed:
        changes = "、".join(f"{key}（{before.get(key)} → {run[key]}）" for key in changed)
        after = f"{saved} を保存した後に変わったもの: {changes}"
        raise SystemExit(f"{after}。元に戻すか、{OUTPUT_DIR} の{ANEW}")


def saved_object(path: Path) -> dict:
    """The object in a JSON file; an empty one where there is none, whatever else stands there."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    return {}


def is_finished(run: dict) -> bool:
    """Whether OUTPUT_DIR holds the result of this very run; SystemExit if it holds another's."""
    metrics = Path(OUTPUT_DIR, "metrics.json")
    before, adapter = saved_object(metrics).get("run"), metrics.with_name(ADAPTER_FILE)
    if not adapter.exists() or not isinstance(before, dict) or not before.keys() & run.keys():
        if metrics.exists():
            say(f"{OUTPUT_DIR} の結果はそろっていないので、学習は終わっていないものとします。")
        return False
    refuse_changes(before, run, OUTPUT_DIR)
    say(f"このデータと設定では学習済みです。次は python generate.py です。{OUTPUT_DIR} の{ANEW}")
    return True


def checkpoints() -> list[Path]:
    """The checkpoint folders, newest first; copies with names of their own are none."""
    folders = Path(OUTPUT_DIR, "checkpoints").glob("checkpoint-*")
    own = [folder for folder in folders if re.fullmatch("checkpoint-[0-9]+", folder.name)]
    return sorted(own, key=lambda folder: int(folder.name.split("-")[1]), reverse=True)


def fingerprints(folder: Path) -> dict[str, str]:
    """{name: fingerprint} of the files in a folder."""
    return {path.name: digest(path.read_bytes()) for path in folder.iterdir() if path.is_file()}


def last_checkpoint(run: dict) -> str | None:
    """Newest checkpoint that is whole; half-written ones are named and removed."""
    for folder in checkpoints():
        seal = saved_object(folder / "seal.json")
        whole = isinstance(seal.get("files"), dict) and isinstance(seal.get("run"), dict)
        if whole and seal["files"].items() <= fingerprints(folder).items():
            refuse_changes(seal["run"], run, folder)
            return str(folder)
        say(f"{folder} は書きかけなので使いません。")
        if WRITER:
            shutil.rmtree(folder, ignore_errors=True)
    return None


@contextlib.contextmanager
def told_when_saving_fails(folder: Path, half_written: Path) -> Iterator[None]:
    """Turns a failed save (full disk …) into a message; what was half written is removed."""
    try:
        yield
    except Exception as error:  # OSError, torch's RuntimeError or SafetensorError: who was writing
        shutil.rmtree(half_written, ignore_errors=True)
        told = f"{folder} に保存できません（{error}）。前のチェックポイントは無事です。"
        raise SystemExit(f"{told}ディスクを空けて {GO_ON}") from error


@contextlib.contextmanager
def output_held() -> Iterator[None]:
    """OUTPUT_DIR for this run alone; SystemExit if it cannot be written or another run has it."""
    lock = FileLock(Path(OUTPUT_DIR, ".lock"))
    try:
        lock.acquire(timeout=0)
    except OSError as error:
        busy = "では、いま別の python loadModel.py が学習しています。終わるのを待つか、"
        trouble = busy if isinstance(error, Timeout) else f"に書けません（{error.strerror}）。"
        raise SystemExit(f"{OUTPUT_DIR} {trouble}OUTPUT_DIR を変えてください。") from None
    try:
        yield
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # nothing was written: the folder goes too
            Path(OUTPUT_DIR).rmdir()


class SealedCheckpoints:
    """Stands before SFTTrainer: whole checkpoints get a seal, nothing is asked of the Hub."""

    def _save_checkpoint(self, model: torch.nn.Module, trial: None) -> None:
        folder = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
        with told_when_saving_fails(folder, folder):
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if WRITER:  # the seal comes last: a checkpoint without it is half written
                seal = {"run": self.run, "files": fingerprints(folder)}
                Path(folder, "seal.json").write_text(json.dumps(seal), encoding="utf-8")
        for old in checkpoints()[2:] if WRITER else []:
            shutil.rmtree(old, ignore_errors=True)

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        """Writes the adapter; Trainer's own would ask the Hub (save_embedding_layers="auto")."""
        self.model.save_pretrained(output_dir, state_dict=state_dict, save_embedding_layers=False)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Nothing: the card is written at the end, from data/model_card.md."""


class Watcher:
    """A TrainerCallback: progress bar, losses and answers every half epoch, checkpoints, Ctrl-C."""

    def __init__(self, trainer: SFTTrainer, train: list[Example], test: list[Example]) -> None:
        size = max(20, min(EVAL_EXAMPLES, len(train) // 50))
        self.trainer, self.tokenizer = trainer, trainer.processing_class
        self.sets = {"train_set": train[:size], "test_set": test[:size]}
        self.questions = [example.record["instruction"] for example in test[:2]]
        self.stopped, self.saved, self.bar = False, time.monotonic(), tqdm(disable=True)

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        state, hidden = self.trainer.state, None if WRITER else True  # None: if no terminal
        self.bar = tqdm(desc="学習", total=state.max_steps, unit="ステップ", disable=hidden)
        self.bar.update(state.global_step)
        if state.global_step == 0:
            self.measure()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        state, control, loss = self.trainer.state, self.trainer.control, self.trainer.loss_of_step
        self.trainer.loss_of_step = 0.0
        if not math.isfinite(loss):
            stopped = f"ステップ {state.global_step} で損失が {loss:.0f} になり、止めました。"
            raise SystemExit(f"{stopped}LEARNING_RATE を下げ、{OUTPUT_DIR} の{ANEW}")
        self.bar.update()
        half = math.ceil(state.max_steps / state.num_train_epochs / 2)
        if state.global_step % half == 0 or state.global_step == state.max_steps:
            self.measure()
        wishes = [self.stopped, time.monotonic() - self.saved >= 60 * SAVE_MINUTES]
        reduced = self.trainer.accelerator.reduce(loss.new_tensor(wishes))
        stop, save = reduced.bool().tolist()  # what one process wishes, all of them do
        control.should_training_stop |= stop
        if stop or save:
            control.should_save, self.saved = True, time.monotonic()

    def measure(self) -> None:
        """Logs and prints the losses of both sets, and the answers to the questions."""
        import torch

        model = self.trainer.model.eval()
        with torch.no_grad(), self.trainer.compute_loss_context_manager():
            losses = {name: self.mean_loss(examples) for name, examples in self.sets.items()}
            answers = [self.answer(question) for question in self.questions]
        model.train()
        epoch, train, test = self.trainer.state.epoch or 0, *losses.values()
        self.trainer.log(losses)
        say(f"{epoch:.1f} エポック  損失: 学習 {train:.3f}  テスト {test:.3f}")
        for question, answer in zip(self.questions, answers, strict=True):
            say(f"    {question} → {answer}")

    def mean_loss(self, examples: list[Example]) -> float:
        """Loss of a learned token, in passes no larger than those of training."""
        trainer, total, learned = self.trainer, 0.0, 0
        size = min(BATCH_SIZE, trainer.args.per_device_train_batch_size)
        for start in range(0, len(examples), size):
            batch = trainer.data_collator([one.tokens for one in examples[start : start + size]])
            learned += (batch["labels"] != -100).sum().item()
            total += trainer.summed_loss(trainer.model, trainer._prepare_inputs(batch)).item()
        return total / learned

    def answer(self, question: str) -> str:
        """The likeliest answer to a question, its first 32 tokens."""
        options = {"return_tensors": "pt", "return_token_type_ids": False}
        prompt = self.tokenizer(prompt_of(self.tokenizer, question), **options)
        batch = self.trainer._prepare_inputs(prompt)
        output = self.trainer.model.generate(**batch, do_sample=False, max_new_tokens=32)
        tokens = output[0, batch["input_ids"].shape[1] :]
        return FORBIDDEN.sub("", self.tokenizer.decode(tokens, skip_special_tokens=True))

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the run ends after this step; the second time at once."""
        self.stopped = True
        signal.signal(number, signal.default_int_handler)
        say("このステップを終えたら保存して止まります。もう一度押すと、保存せずに止まります。")


# The result ---------------------------------------------------------------------------------------
def verdict(curve: list[dict]) -> str:
    """One sentence on what the test losses say: learned little, over-fits, or neither."""
    first, last = curve[0]["test_set"], curve[-1]["test_set"]
    best = min(curve, key=lambda point: point["test_set"])
    lowest = f"最小は {best['test_set']:.3f}（{best['epoch']:.1f} エポック）"
    figures = f"テストの損失は {first:.3f} から {last:.3f}、{lowest}"
    if last > 0.98 * first:
        return f"ほとんど学習していません: {figures}。LEARNING_RATE か EPOCHS を上げてください。"
    if last > 1.02 * best["test_set"]:
        return f"過学習しています: {figures}。EPOCHS か LEARNING_RATE を下げてください。"
    return f"過学習はしていません: {figures}。"


def draw_losses(path: Path, history: list[dict]) -> None:
    """Saves the picture of the losses over the epochs."""
    import matplotlib_fontja  # noqa: F401  importing it gives matplotlib a Japanese font
    from matplotlib.figure import Figure

    axes = Figure(figsize=(8, 5), layout="constrained").add_subplot(title="学習の進み方")
    axes.set(xlabel="エポック", ylabel="損失（回答 1 トークンあたり）")
    lines = {"loss": ("学習中", ""), "train_set": ("学習データ", "o"), "test_set": ("テスト", "o")}
    for key, (label, marker) in lines.items():
        points = [(point["epoch"], point[key]) for point in history if key in point]
        axes.plot(*zip(*points, strict=True), label=label, marker=marker)
    axes.legend()
    axes.figure.savefig(path, dpi=120)


def model_card(metrics: dict) -> str:
    """README.md of the adapter folder, from data/model_card.md."""
    run, base = metrics["run"], metrics["run"]["base_model"]
    rehearsal = "**リハーサル: 小さなモデルで手順を試したもので、答えの質は本番と違います。**"
    template = Path(__file__).with_name("data") / "model_card.md"
    return template.read_text(encoding="utf-8").format(
        **metrics | {"run": json.dumps(run, ensure_ascii=False, indent=1)},
        base=base,
        hub="" if Path(base).exists() else f"base_model: {base}\n",
        folder=OUTPUT_DIR,
        before=metrics["curve"][0],
        after=metrics["curve"][-1],
        warning=rehearsal if metrics["rehearsal"] else "",
    )


def save_result(trainer: SFTTrainer, test: list[Example], metrics: dict) -> None:
    """Writes all that inference needs into OUTPUT_DIR; metrics.json comes last: finished."""
    from safetensors.torch import load_file

    part = Path(OUTPUT_DIR, "checkpoints", "result")
    contents = {"test.json": [example.record for example in test], "metrics.json": metrics}
    with told_when_saving_fails(part, part):
        trainer.save_model(str(part))
        if not WRITER:
            return
        weights = load_file(part / ADAPTER_FILE)
        learned = any(weight.any() for name, weight in weights.items() if "lora_B" in name)
        if not learned or not all(weight.isfinite().all() for weight in weights.values()):
            trouble = "壊れています" if learned else "空です"
            remedy = f"LEARNING_RATE を変え、{OUTPUT_DIR} の{ANEW}"
            raise SystemExit(f"学習した重みが{trouble}。{remedy}")
        trainer.processing_class.save_pretrained(part)
        draw_losses(part / "loss.png", trainer.state.log_history)
        for name, content in contents.items():
            text = json.dumps(content, ensure_ascii=False, indent=1)
            Path(part, name).write_text(text, encoding="utf-8")
        Path(part, "README.md").write_text(model_card(metrics), encoding="utf-8")
        for path in sorted(part.iterdir(), key=lambda path: path.name == "metrics.json"):
            os.replace(path, Path(OUTPUT_DIR, path.name))
        part.rmdir()


def save_merged(tokenizer: Tokenizer) -> None:
    """Writes the base with the adapter inside to MERGED_DIR, in the base's own 16 bits."""
    from peft import AutoPeftModelForCausalLM
    from peft.tuners.lora import LoraLayer

    with told_when_saving_fails(Path(MERGED_DIR), Path(OUTPUT_DIR, "checkpoints", "result")):
        model = AutoPeftModelForCausalLM.from_pretrained(OUTPUT_DIR, dtype="auto")
        for layer in model.modules():
            if isinstance(layer, LoraLayer):  # the sum in float32, one layer at a time
                weight = layer.base_layer.weight
                merged = weight.data.float() + layer.get_delta_weight("default")
                weight.data = merged.to(weight.dtype)
        model.unload().save_pretrained(MERGED_DIR)
        tokenizer.save_pretrained(MERGED_DIR)
    say(f"アダプターを合わせた 16 ビットのモデル: {MERGED_DIR}")


# The run ------------------------------------------------------------------------------------------
def prepare_process() -> None:
    """UTF-8 output wherever it goes, no telemetry, one GPU unless accelerate launch starts more."""
    for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
        if stream is None or stream.closed:  # started without one
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):  # a notebook's has not
            stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_SAFETENSORS_CONVERSION": "1"}
    os.environ["MPLBACKEND"] = "agg"  # a notebook names one that `!python` may not find
    if "WORLD_SIZE" not in os.environ:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]


def training_arguments(base: Base, settings: SimpleNamespace) -> SFTConfig:
    """SFTConfig of the run, made before the model is loaded: a wrong constant is told at once."""
    from transformers.integrations import get_available_reporting_integrations
    from trl import SFTConfig

    if REPORT_TO not in ("none", *get_available_reporting_integrations()):
        remedy = f"pip install {REPORT_TO} か、none にしてください。"
        raise SystemExit(f"REPORT_TO = {REPORT_TO!r} は使えません。{remedy}")
    try:
        return SFTConfig(
            output_dir=str(Path(OUTPUT_DIR, "checkpoints")),
            padding_free=True,
            max_length=None,
            num_train_epochs=settings.EPOCHS,
            per_device_train_batch_size=settings.BATCH_SIZE,
            gradient_accumulation_steps=settings.GRADIENT_ACCUMULATION,
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
            save_strategy="no",
            report_to=REPORT_TO,
            ddp_find_unused_parameters=False,  # all are used; looking for others costs and warns
            disable_tqdm=True,
        )
    except ValueError as error:
        cause = str(error).strip().splitlines()[0]
        raise SystemExit(f"設定の誤りです（{cause}）。loadModel.py を直してください。") from None


def make_trainer(
    base: tuple[Model, Tokenizer], settings: SimpleNamespace, arguments: SFTConfig, *sets: list
) -> tuple[SFTTrainer, Watcher]:
    """A trainer of LoRA on the model with the first of the sets, and what watches over both."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    class RunTrainer(SealedCheckpoints, LearnedLoss, SFTTrainer): ...

    class RunWatcher(Watcher, TrainerCallback): ...

    (model, tokenizer), (train, test) = base, sets
    targets = settings.TARGET_MODULES.split()
    names = {name.split(".")[-1] for name, _ in model.named_modules()}
    if targets != ["all-linear"] and not names >= set(targets):
        remedy = '"query_key_value" か "all-linear" にしてください。'
        wrong = f"TARGET_MODULES = {settings.TARGET_MODULES!r}"
        raise SystemExit(f"{wrong} はこのモデルの層にありません。loadModel.py で {remedy}")
    lengths = [len(example.tokens["input_ids"]) for example in train]
    size = choose_pass(model, settings, lengths, gpu=not arguments.use_cpu)
    arguments.per_device_train_batch_size = size
    arguments.gradient_accumulation_steps = settings.step // settings.world // size
    trainer = RunTrainer(
        model=model,
        args=arguments,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=settings.LORA_R,
            lora_alpha=settings.LORA_ALPHA,
            lora_dropout=settings.LORA_DROPOUT,
            target_modules="all-linear" if targets == ["all-linear"] else targets,
            task_type="CAUSAL_LM",
        ),
        train_dataset=Dataset.from_list([example.tokens for example in train]),
    )
    if trainer.accelerator.num_processes != settings.world:
        remedy = "GPU では accelerate launch、CPU では torchrun で始めてください。"
        raise SystemExit(f"プロセスが {settings.world} 個になりません。{remedy}")
    for weight in trainer.model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()  # over 4 bits SFTTrainer makes them bf16
    watcher = RunWatcher(trainer, train, test)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watcher)
    return trainer, watcher


def run_training(trainer: SFTTrainer, watcher: Watcher, resume: str | None) -> None:
    """Trains to the end; Ctrl-C saves first and then raises SystemExit."""
    from torch import OutOfMemoryError

    usual = {one: signal.signal(one, watcher.stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        trainer.train(resume_from_checkpoint=resume)
    except OutOfMemoryError:
        raise SystemExit(f"GPU のメモリが足りません。{LESS_MEMORY}") from None
    finally:
        watcher.bar.close()
        for number, handler in usual.items():
            signal.signal(number, handler)
    if watcher.stopped:
        raise SystemExit(f"止めました。{GO_ON}")


def main() -> None:
    """Reads, splits, loads, trains, saves, reports."""
    prepare_process()
    records, rejected = read_examples(DATA_FILE)
    base = choose_base()
    say(f"基礎モデル: {base.name}、{base.device}、{base.dtype}、attention は sdpa（{base.why}）")
    settings = choose_settings(base.rehearsal)
    arguments = training_arguments(base, settings)
    run = {name: getattr(settings, name) for name in DECIDING}
    run |= {"examples_per_step": settings.step, "base_model": base.name, "data": digest(records)}
    with output_held() if WRITER else contextlib.nullcontext():
        if is_finished(run):
            return
        resume = last_checkpoint(run)
        model, tokenizer = load_base(base.name, base.dtype, base.device)
        examples, rejected = leave_out_long(tokenize(tokenizer, records), records, rejected)
        train, test = split_examples(examples, settings.TEST_RATIO, settings.SEED)
        tell_data(tokenizer, train, test, rejected)
        trainer, watcher = make_trainer((model, tokenizer), settings, arguments, train, test)
        trainer.run = run
        trainable, total = trainer.model.get_nb_trainable_parameters()
        steps = math.ceil(settings.EPOCHS * math.ceil(len(train) / settings.step))
        weights = f"学習する重み {trainable:,} 個（{trainable / total:.2%}）"
        say(f"{settings.EPOCHS} エポック = {steps:,} ステップ、{weights}")
        run_training(trainer, watcher, resume)
        curve = [point for point in trainer.state.log_history if "test_set" in point]
        metrics = base._asdict() | {"run": run, "train": len(train), "test": len(test)}
        metrics |= {"rejected": Counter(reason for _, reason in rejected), "steps": steps}
        metrics |= {"weights": trainable, "curve": curve, "verdict": verdict(curve)}
        save_result(trainer, test, metrics)
        if MERGED_DIR and WRITER:
            save_merged(tokenizer)
    for key, label in (("train_set", "学習データ"), ("test_set", "テストデータ")):
        say(f"{label}の損失: 学習前 {curve[0][key]:.3f} → 学習後 {curve[-1][key]:.3f}")
    say(f"{verdict(curve)}\n{OUTPUT_DIR} に保存しました。次は python generate.py です。")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(f"止めました。{GO_ON}") from None
