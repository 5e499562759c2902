"""Fine-tunes OpenCALM with LoRA on the perfume questions and answers.

Run:    python loadModel.py   (several GPUs: accelerate launch loadModel.py)
Reads:  data/perfume_qa.json, the base model
Writes: fine_tuned_open_calm/ (adapter, tokenizer with its template, test.json, metrics.json, loss.png, README.md)
Prints: the base model and why, what is left out, losses and sample answers on the way, losses before and after
Run again, it goes on from the last checkpoint; a finished run is left as it is.
"""

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
from pathlib import Path

from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
BASE_MODEL = "cyberagent/open-calm-3b"  # Hub id or local folder of a GPT-NeoX: open-calm-small, -medium, -large, -1b, -7b
REHEARSAL = None                        # None: the rehearsal model when there is no CUDA GPU; True: always; False: never
REHEARSAL_MODEL = "data/rehearsal_model"  # a base small enough for a CPU, to try everything out
DATA_FILE = "data/perfume_qa.json"      # JSON array or JSON Lines of records with instruction and response
OUTPUT_DIR = "fine_tuned_open_calm"     # what generate.py needs, and checkpoints; rename it to keep it and start anew
TEST_RATIO = 0.1                        # above 0, below 1: share of the records kept back to judge the answers
SEED = 42                               # any number: split, order, first adapter weights, dropout
MAX_TOKENS = 512                        # tokens of a question with its answer; longer records are left out
LORA_R = 16                             # 8–64: rank of the adapter; higher learns more and takes more memory
LORA_ALPHA = 32                         # weight of the adapter; usually twice LORA_R
LORA_DROPOUT = 0.05                     # 0–1: share of adapter inputs dropped while training, against over-fitting
TARGET_MODULES = "query_key_value"      # "all-linear": adapters in the MLPs too; learns more and takes more memory
BATCH_SIZE = 4                          # examples that must fit into memory side by side; 1 or 2 when it is short
GRADIENT_ACCUMULATION = 4               # times BATCH_SIZE = examples a step; 16 with BATCH_SIZE 1 learns the same
LEARNING_RATE = 7e-6                    # peak; public LoRA runs on OpenCALM used up to 5e-4: raise if little is learned
LR_SCHEDULER = "cosine_with_restarts"   # one cycle: the same as "cosine"; "linear", "constant_with_warmup" …
WARMUP_RATIO = 0.1                      # 0 to below 1: share of the steps in which the rate climbs
MAX_GRAD_NORM = 0.3                     # longer gradients are cut to this length; 1.0 is common
WEIGHT_DECAY = 0.05                     # 0–1: pull of adapter weights towards zero
EPOCHS = 4.5                            # times that each record is seen
GRADIENT_CHECKPOINTING = False          # True: far less memory for activations, about half as slow again
LOAD_IN_4BIT = False                    # True: for a GPU of 8 GB, with GRADIENT_CHECKPOINTING; pip install bitsandbytes
SAVE_MINUTES = 10                       # minutes between checkpoints; the last two are kept
EVAL_EXAMPLES = 200                     # train and test records whose loss is measured every half epoch, at most
REPORT_TO = "none"                      # "tensorboard", "wandb", "trackio": once that is installed
MERGED_DIR = None                       # "merged_open_calm": a 16-bit model with the adapter inside too, for vLLM etc.
REHEARSAL_OVERRIDES = {                 # what so small a model needs and a full one does not; printed when used
    "LEARNING_RATE": 2e-3,
    "TARGET_MODULES": "all-linear",
}
# ----------------------------------------------------------------------------------------------------------------------

LEARNED_WITH = ("TEST_RATIO SEED MAX_TOKENS LORA_R LORA_ALPHA LORA_DROPOUT TARGET_MODULES LEARNING_RATE LR_SCHEDULER "
                "WARMUP_RATIO MAX_GRAD_NORM WEIGHT_DECAY EPOCHS LOAD_IN_4BIT").split()
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '### 質問:\\n' + message['content'] + '\\n\\n' }}"
    "{% else %}{{ '### 回答:\\n' + message['content'] + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### 回答:\\n' }}{% endif %}"
)
ANEW = "フォルダ名を変えてから python loadModel.py を実行すると、最初から学習します。"


def is_writer() -> bool:
    """Whether this process prints and writes: one does when there are several."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str):
    """Print a line above the progress bar, from one process only."""
    if is_writer():
        tqdm.write(text)


def digest(data) -> str:
    """Short fingerprint of bytes or of anything that JSON can hold."""
    return hashlib.sha256(data if isinstance(data, bytes) else json.dumps(data).encode()).hexdigest()[:16]


# --- records ----------------------------------------------------------------------------------------------------------


def parse_records(text: str) -> list:
    """The elements of a JSON array or of JSON Lines, None for each broken one."""
    with contextlib.suppress(ValueError):
        whole = json.loads(text)
        return whole if isinstance(whole, list) else [whole]
    records, decoder = [], json.JSONDecoder()
    for piece in re.split(r"[\[,\n]\s*(?=\{)", text[1:]) if text.startswith("[") else text.splitlines():
        try:
            records += [decoder.raw_decode(piece.strip())[0]] if piece.strip() else []
        except ValueError:
            records.append(None)
    return records


def flaw(record) -> str | None:
    """Why nothing can be learned from this record, or None."""
    if not isinstance(record, dict):
        return "JSON として読めない" if record is None else "項目名のある記録でない"
    for field in ("instruction", "response"):
        value = record.get(field)
        if not isinstance(value, str) or not value.strip():
            return f"{field} が{'ない' if value is None else '空' if isinstance(value, str) else '文字列でない'}"
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]|<\|\w+\|>", value):
            return f"{field} に制御文字か特殊トークンがある"
    return None


def read_examples(path) -> tuple[list, list]:
    """(examples, rejected): usable records, and (number, reason) of each one left out; SystemExit for a wrong file."""
    path = Path(path)
    if not path.is_file():
        trouble = "はファイルではありません" if path.exists() else "がありません"
        raise SystemExit(f"{path} {trouble}。先に python arrangeData.py を実行してください。")
    text = path.read_text(encoding="utf-8-sig", errors="replace").strip()
    records = parse_records(text)
    if not any(isinstance(record, dict) and {"instruction", "response"} & record.keys() for record in records):
        trouble = "には質問（instruction）と回答（response）の記録がありません" if text else "は空です"
        raise SystemExit(f"{path} {trouble}。python arrangeData.py で作り直してください。")
    examples, rejected, seen = [], [], set()
    for number, record in enumerate(records, 1):
        reason = flaw(record)
        if not reason:
            record = record | {field: record[field].strip() for field in ("instruction", "response")}
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


# --- the base model, its tokenizer and the prompt ---------------------------------------------------------------------


def choose_base() -> tuple:
    """(model, is it the rehearsal, device, dtype, why)."""
    import torch

    gpu = torch.cuda.is_available()
    rehearsal = not gpu if REHEARSAL is None else REHEARSAL
    name = REHEARSAL_MODEL if rehearsal else BASE_MODEL
    if not gpu:
        return name, rehearsal, "cpu", torch.float32, "CUDA の GPU がないため"
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    capability = torch.cuda.get_device_capability()  # is_bf16_supported() says yes where bf16 is only emulated
    dtype = torch.bfloat16 if capability >= (8, 0) else torch.float16
    return name, rehearsal, "cuda", dtype, "{}、compute capability {}.{}".format(torch.cuda.get_device_name(), *capability)


def load_base(name: str, dtype):
    """(model, tokenizer) with a pad token that is not eos; a row is added only if the tokenizer needs one more."""
    from transformers import AttentionInterface, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    AttentionInterface.register("packed", packed_attention)
    options = {"quantization_config": BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)} if LOAD_IN_4BIT else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, pad_token="<|padding|>")
        model, loading = AutoModelForCausalLM.from_pretrained(
            name, dtype=dtype, attn_implementation="packed", output_loading_info=True, **options)
    except (OSError, ValueError, ImportError) as error:
        raise SystemExit(f"基礎モデル {name} を読み込めません（{str(error).strip().splitlines()[0]}）。ネットワークと名前を確かめるか、"
                         "BASE_MODEL に手元のフォルダを書くか、REHEARSAL = True で試してください。") from None
    if lacking := sorted(loading["missing_keys"] | loading["mismatched_keys"]):
        raise SystemExit(f"{name} には重みが {len(lacking)} 個足りません（{lacking[0]} など）。取得し直してください。")
    tokenizer.chat_template = CHAT_TEMPLATE
    sample = prompt_of(tokenizer, "「香水」のトップノートは？ Maison Margiela №5・ガイアック（100％）")
    if tokenizer.decode(tokenizer(sample)["input_ids"]) != sample:
        raise SystemExit(f"{name} のトークナイザーが文字を変えてしまいます。pip install -r requirements.txt で版を揃えてください。")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    for config in (model.config, model.generation_config):
        for token in ("pad_token_id", "eos_token_id", "bos_token_id"):
            setattr(config, token, getattr(tokenizer, token))
    return model, tokenizer


def prompt_of(tokenizer, question: str) -> str:
    """The text that stands before the answer."""
    return tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True)


def tokenize(tokenizer, examples: list) -> list:
    """input_ids and labels of each example: prompt, answer, one eos; the prompt is not learned."""
    prompts = tokenizer([prompt_of(tokenizer, example["instruction"]) for example in examples])["input_ids"]
    answers = tokenizer([example["response"] + tokenizer.eos_token for example in examples])["input_ids"]
    return [{"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}
            for prompt, answer in zip(prompts, answers, strict=True)]


# --- a step without padding and without stored logits: the numbers of SFTTrainer in less time and memory --------------


def pack(examples: list) -> dict:
    """Examples side by side in one row; `learned` are the positions whose next token, in `targets`, is learned."""
    import torch

    lengths = [len(example["input_ids"]) for example in examples]
    following = [label for example in examples for label in [*example["labels"][1:], -100]]
    learned = [position for position, label in enumerate(following) if label != -100]
    return {"input_ids": torch.tensor([[token for example in examples for token in example["input_ids"]]]),
            "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
            "lengths": lengths, "learned": torch.tensor(learned),
            "targets": torch.tensor([following[position] for position in learned])}


def packed_attention(module, query, key, value, attention_mask, lengths=None, **kwargs):
    """Causal attention of each packed sequence by itself; without lengths the usual one."""
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if lengths is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    attend = torch.nn.functional.scaled_dot_product_attention
    rows = [attend(*row, is_causal=True, dropout_p=kwargs["dropout"], scale=kwargs["scaling"])
            for row in zip(*(states.split(lengths, 2) for states in (query, key, value)), strict=True)]
    return torch.cat(rows, 2).transpose(1, 2), None


def frozen_head_loss(hidden, weight, targets):
    """Summed cross-entropy of hidden @ weight.T; weight is frozen, so the slope is formed at once and no logits kept."""
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


def packed_trainer(pass_size: int, run: dict, **kwargs):
    """SFTTrainer whose steps go through their examples in packed passes of pass_size, and whose checkpoints are sealed."""
    import torch
    from trl import SFTTrainer

    class PackedTrainer(SFTTrainer):
        def training_step(self, model, inputs, num_items_in_batch=None):
            losses = []
            for number, examples in enumerate(inputs["passes"], 1):
                joint = number == len(inputs["passes"])
                with contextlib.nullcontext() if joint else self.accelerator.no_sync(model):
                    losses.append(super().training_step(model, examples, num_items_in_batch))
            loss = torch.stack(losses).sum()
            if not torch.isfinite(loss):
                raise SystemExit(f"ステップ {self.state.global_step + 1} で損失が {loss.item()} になり、止めました。最後のチェックポイント"
                                 f"は無事です。LEARNING_RATE を下げ、{OUTPUT_DIR} の{ANEW}")
            return loss

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            return model(**inputs) * (self.accelerator.num_processes / num_items_in_batch)

        def _save(self, output_dir=None, state_dict=None):  # save_embedding_layers="auto" would ask the Hub
            self.model.save_pretrained(output_dir, state_dict=state_dict, save_embedding_layers=False,
                                       is_main_process=self.args.should_save)

        def _save_checkpoint(self, model, trial):
            folder = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
            with told_when_saving_fails(folder):
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()
                if is_writer():  # the seal comes last: a checkpoint without it is half written
                    files = {path.name: digest(path.read_bytes()) for path in folder.iterdir()}
                    Path(folder, "complete.json").write_text(json.dumps({"run": run, "files": files}), encoding="utf-8")

    def collate(examples):
        passes = [pack(examples[start:start + pass_size]) for start in range(0, len(examples), pass_size)]
        targets = torch.cat([one["targets"] for one in passes])
        return {"passes": passes, "labels": targets, "shift_labels": targets}

    trainer = PackedTrainer(data_collator=collate, **kwargs)
    trainer.create_model_card = trainer.floating_point_ops = lambda *args, **kwargs: 0
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # also under 4 bits, where SFTTrainer makes them bf16
    add_loss_head(trainer.model.get_base_model())
    return trainer


# --- checkpoints ------------------------------------------------------------------------------------------------------


def describe_run(name: str, settings: dict, examples: list) -> dict:
    """All that decides the result: two runs with the same description give the same adapter."""
    weights = [path for path in sorted(Path(name).glob("*")) if path.suffix in (".safetensors", ".bin")]
    sizes = [[path.name, path.stat().st_size, path.stat().st_size < 1e8 and digest(path.read_bytes())] for path in weights]
    return settings | {"examples_per_step": BATCH_SIZE * GRADIENT_ACCUMULATION, "base_model": name,
                       "base_weights": digest(sizes), "data": digest([[e["instruction"], e["response"]] for e in examples])}


def refuse_changes(before: dict, run: dict, what):
    """SystemExit that names what has changed since `what` was saved, if anything has."""
    if changed := [f"{key} が {before.get(key)} から {run[key]}" for key in run if before.get(key) != run[key]]:
        raise SystemExit(f"{what} を保存した後に、{'、'.join(changed)} に変わっています。元に戻すか、{OUTPUT_DIR} の{ANEW}")


def last_checkpoint(run: dict) -> str | None:
    """Newest checkpoint that is whole; half-written ones are named and removed."""
    folders = Path(OUTPUT_DIR, "checkpoints").glob("checkpoint-*")
    for folder in sorted(folders, key=lambda path: int(path.name.split("-")[1]), reverse=True):
        with contextlib.suppress(OSError, ValueError):
            sealed = json.loads(Path(folder, "complete.json").read_text(encoding="utf-8"))
            if all(digest(Path(folder, name).read_bytes()) == value for name, value in sealed["files"].items()):
                refuse_changes(sealed["run"], run, folder)
                return str(folder)
        say(f"{folder} は書きかけなので使いません。")
        if is_writer():
            shutil.rmtree(folder, ignore_errors=True)
    return None


@contextlib.contextmanager
def told_when_saving_fails(folder: Path):
    """Turn a failed save (full disk …) into a message; what was half written is removed."""
    try:
        yield
    except Exception as error:  # OSError, torch's RuntimeError or SafetensorError, whichever library was writing
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit(f"{folder} に保存できません（{error}）。前のチェックポイントは無事です。ディスクの空きを増やして"
                         " python loadModel.py を実行すると、そこから続きます。") from error


# --- watching ---------------------------------------------------------------------------------------------------------


def mean_loss(trainer, examples: list) -> float:
    """Loss per learned token without dropout, in passes no larger than those of training."""
    ones = [trainer._prepare_inputs(pack(examples[i:i + BATCH_SIZE])) for i in range(0, len(examples), BATCH_SIZE)]
    return sum(trainer.model(**one).item() for one in ones) / sum(len(one["targets"]) for one in ones)


def sample_answer(trainer, tokenizer, question: str) -> str:
    """The start of the likeliest answer."""
    prompt = trainer._prepare_inputs(tokenizer(prompt_of(tokenizer, question), return_tensors="pt"))
    output = trainer.model.generate(input_ids=prompt["input_ids"], attention_mask=prompt["attention_mask"],
                                    do_sample=False, max_new_tokens=40)
    return tokenizer.decode(output[0, prompt["input_ids"].shape[1]:], skip_special_tokens=True)


def make_watcher(trainer, tokenizer, train: list, test: list, questions: list):
    """Callback: progress bar, losses and answers every half epoch, checkpoints every SAVE_MINUTES, Ctrl-C."""
    import torch
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        stopped = False

        def on_train_begin(self, args, state, control, **kwargs):
            self.saved, self.size = time.monotonic(), BATCH_SIZE * GRADIENT_ACCUMULATION
            self.bar = tqdm(total=state.max_steps * self.size, initial=state.global_step * self.size, desc="学習", unit="件",
                            disable=None if is_writer() else True)
            if state.global_step == 0:
                self.measure(state)

        def on_step_end(self, args, state, control, **kwargs):
            self.bar.update(self.size)
            if state.global_step % math.ceil(state.max_steps / EPOCHS / 2) == 0 or state.global_step == state.max_steps:
                self.measure(state)
            wishes = torch.tensor([self.stopped, time.monotonic() - self.saved >= 60 * SAVE_MINUTES], device=args.device).int()
            if trainer.accelerator.num_processes > 1:  # all processes save and stop at the same step
                wishes = trainer.accelerator.reduce(wishes)
            control.should_training_stop |= bool(wishes[0])
            if wishes.any():
                control.should_save, self.saved = True, time.monotonic()

        def on_log(self, args, state, control, logs, **kwargs):
            if "loss" in logs:
                self.bar.set_postfix_str(f"損失 {logs['loss']:.3f}")

        def on_train_end(self, args, state, control, **kwargs):
            self.bar.close()

        def measure(self, state):
            trainer.model.eval()
            with torch.no_grad(), trainer.compute_loss_context_manager():
                losses = {"train_set": mean_loss(trainer, train), "test_set": mean_loss(trainer, test)}
                answers = [f"    {question} → {sample_answer(trainer, tokenizer, question)}" for question in questions]
            trainer.model.train()
            trainer.log(losses)
            say(f"{state.epoch or 0:.1f} エポック  損失: 学習 {losses['train_set']:.3f}  テスト {losses['test_set']:.3f}")
            say("\n".join(answers))

        def stop(self, number, frame):
            self.stopped = True
            signal.signal(number, signal.default_int_handler)
            say("このステップを終えたら保存して止まります。もう一度押すと、保存せずに止まります。")

    return Watcher()


# --- the result -------------------------------------------------------------------------------------------------------


def verdict(curve: list) -> str:
    """One sentence on what the test losses say: learned little, over-fits, or neither."""
    first, last, best = curve[0], curve[-1], min(curve, key=lambda point: point["test_set"])
    if last["test_set"] > 0.98 * first["test_set"]:
        return "ほとんど学習していません: テストの損失が 2 % も下がっていません。LEARNING_RATE か EPOCHS を上げてください。"
    if last["test_set"] > 1.02 * best["test_set"]:
        return (f"過学習しています: テストの損失は {best['epoch']:.1f} エポックの {best['test_set']:.3f} が最小で、"
                f"最後は {last['test_set']:.3f} です。EPOCHS か LEARNING_RATE を下げてください。")
    return f"過学習はしていません: テストの損失は {first['test_set']:.3f} から {last['test_set']:.3f} に下がり、最後まで上がっていません。"


def draw_losses(path: Path, history: list, curve: list):
    """Save the picture of the losses over the epochs."""
    import matplotlib_fontja  # noqa: F401  importing it gives matplotlib a Japanese font
    from matplotlib.figure import Figure

    axes = Figure(figsize=(8, 5), layout="constrained").add_subplot(
        xlabel="エポック", ylabel="損失（回答の 1 トークンあたり）", title="学習の進み方")
    steps = [point for point in history if "loss" in point]
    axes.plot([point["epoch"] for point in steps], [point["loss"] for point in steps], alpha=0.4, label="学習中の各ステップ")
    for key, label in (("train_set", "学習データ"), ("test_set", "テストデータ")):
        axes.plot([point["epoch"] for point in curve], [point[key] for point in curve], marker="o", label=label)
    axes.legend()
    axes.figure.savefig(path, dpi=120)


def check_adapter(path: Path):
    """SystemExit unless the saved weights are finite and have learned something."""
    from safetensors.torch import load_file

    weights = load_file(path)
    learned = any(weight.any() for name, weight in weights.items() if "lora_B" in name)
    if not learned or not all(weight.isfinite().all() for weight in weights.values()):
        raise SystemExit(f"保存したアダプターが{'壊れています' if learned else '空です（lora_B がすべて 0）'}。LEARNING_RATE を確かめ、"
                         f"{OUTPUT_DIR} の{ANEW}")


def model_card(metrics: dict) -> str:
    """README.md of the adapter folder."""
    first, last = metrics["curve"][0], metrics["curve"][-1]
    name = metrics["run"]["base_model"]
    settings = "\n".join(f"| {key} | {value} |" for key, value in metrics["run"].items())
    return f"""---
language: ja
license: cc-by-sa-4.0
library_name: peft
pipeline_tag: text-generation
tags: [lora, gpt_neox, perfume]{"" if Path(name).exists() else f"{chr(10)}base_model: {name}"}
---

# 香水の質問に答える LoRA アダプター

{"**リハーサル: 手順を試すための小さなモデルです。答えの質は OpenCALM-3B のものではありません。**" if metrics["rehearsal"] else ""}

- 基礎モデル: `{name}`。OpenCALM は CyberAgent, Inc. の作品で CC BY-SA 4.0 です。このアダプターも同じ条件で使ってください。
- データ: 香水の店のページから作った質問と回答。学習 {metrics["train"]:,} 件、テスト {metrics["test"]:,} 件（`test.json`）
- 学習: {metrics["steps"]:,} ステップ、{metrics["device"]}、{metrics["dtype"]}、学習したパラメータ {metrics["trainable_parameters"]:,} 個

| 損失 | 学習前 | 学習後 |
|---|---|---|
| 学習データ | {first["train_set"]:.3f} | {last["train_set"]:.3f} |
| テストデータ | {first["test_set"]:.3f} | {last["test_set"]:.3f} |

{metrics["verdict"]}

![損失](loss.png)

## 使い方

```python
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained("{OUTPUT_DIR}")
tokenizer = AutoTokenizer.from_pretrained("{OUTPUT_DIR}")
messages = [{{"role": "user", "content": "春に相応しい香水を教えてください。"}}]
prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
output = model.generate(**prompt, max_new_tokens=256)
print(tokenizer.decode(output[0, prompt["input_ids"].shape[1]:], skip_special_tokens=True))
```

自由に生成させた答えは事実と違うことがあります。generate.py は既知の回答の中から選ぶので、作り話をしません。

## 設定

| 設定 | 値 |
|---|---|
{settings}
"""


def save_result(trainer, tokenizer, test: list, metrics: dict):
    """Write all that inference needs into OUTPUT_DIR; metrics.json comes last and marks the run as finished."""
    part = Path(OUTPUT_DIR, "checkpoints", "result")
    with told_when_saving_fails(part):
        trainer.save_model(str(part))
        if is_writer():
            check_adapter(part / "adapter_model.safetensors")
            tokenizer.save_pretrained(part)
            draw_losses(part / "loss.png", trainer.state.log_history, metrics["curve"])
            for name, content in (("test.json", test), ("metrics.json", metrics)):
                Path(part, name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
            Path(part, "README.md").write_text(model_card(metrics), encoding="utf-8")
            for path in sorted(part.iterdir(), key=lambda path: path.name == "metrics.json"):
                os.replace(path, Path(OUTPUT_DIR, path.name))
            part.rmdir()
            if MERGED_DIR:
                save_merged(tokenizer)


def save_merged(tokenizer):
    """Write MERGED_DIR: the base in its own 16 bits with the adapter added in."""
    from peft import AutoPeftModelForCausalLM

    AutoPeftModelForCausalLM.from_pretrained(OUTPUT_DIR, dtype="auto").merge_and_unload().save_pretrained(MERGED_DIR)
    tokenizer.save_pretrained(MERGED_DIR)
    say(f"アダプターを合わせた 16 ビットのモデル: {MERGED_DIR}")


# --- the run ----------------------------------------------------------------------------------------------------------


def check_constants():
    """SystemExit for a value that cannot work."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    wrong = [text for text, bad in (
        (f"TEST_RATIO = {TEST_RATIO} は 0 より大きく 1 より小さい数に", not 0 < TEST_RATIO < 1),
        (f"WARMUP_RATIO = {WARMUP_RATIO} は 0 以上 1 未満の割合に", not 0 <= WARMUP_RATIO < 1),
        (f"BATCH_SIZE × GRADIENT_ACCUMULATION = {BATCH_SIZE} × {GRADIENT_ACCUMULATION} は 1 以上で、プロセス数 {world} で割り切れる数に",
         BATCH_SIZE * GRADIENT_ACCUMULATION < 1 or BATCH_SIZE * GRADIENT_ACCUMULATION % world)) if bad]
    if wrong:
        raise SystemExit(f"{wrong[0]}してください（loadModel.py の設定）。")
    return world


def main():
    """Read, split, load, train, save, report."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_SAFETENSORS_CONVERSION": "1", "TOKENIZERS_PARALLELISM": "true"}
    world = check_constants()
    examples, rejected = read_examples(DATA_FILE)
    name, rehearsal, device, dtype, why = choose_base()
    settings = {key: globals()[key] for key in LEARNED_WITH} | (REHEARSAL_OVERRIDES if rehearsal else {})
    say(f"基礎モデル: {name}{'（リハーサル: 小さなモデルで手順を試します）' if rehearsal else ''}")
    say(f"計算: {device}、{str(dtype).removeprefix('torch.')}、attention は sdpa（{why}）")
    if rehearsal:
        say("リハーサル用の設定: " + "、".join(f"{key} = {value}" for key, value in REHEARSAL_OVERRIDES.items()))
    run = describe_run(name, settings, examples)
    metrics_file = Path(OUTPUT_DIR, "metrics.json")
    if metrics_file.exists():
        refuse_changes(json.loads(metrics_file.read_text(encoding="utf-8"))["run"], run, OUTPUT_DIR)
        return say(f"{OUTPUT_DIR} はこのデータと設定で学習済みです。次は python generate.py です。{OUTPUT_DIR} の{ANEW}")
    resume = last_checkpoint(run)

    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback
    from transformers.utils import logging
    from trl import SFTConfig

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    model, tokenizer = load_base(name, dtype)
    encoded = tokenize(tokenizer, examples)
    rejected += [(number, "トークンが MAX_TOKENS を超える") for number, one in enumerate(encoded, 1) if len(one["input_ids"]) > MAX_TOKENS]
    keep = [number for number, one in enumerate(encoded) if len(one["input_ids"]) <= MAX_TOKENS]
    train, test = split_examples(keep, TEST_RATIO, SEED)
    first = {reason: number for number, reason in reversed(rejected)}
    say(f"{DATA_FILE}: {len(keep) + len(rejected):,} 件のうち学習 {len(train):,} 件、テスト {len(test):,} 件")
    for reason, count in Counter(reason for _, reason in rejected).most_common():
        say(f"  除外 {count:,} 件: {reason}（最初は {first[reason]:,} 件目）")
    if len(train) < 4:
        raise SystemExit(f"{DATA_FILE} に使える記録が {len(keep)} 件しかありません。python arrangeData.py で作り直してください。")
    asked = {examples[number]["instruction"] for number in train}
    repeated = sum(examples[number]["instruction"] in asked for number in test)
    say(f"テストの質問のうち {repeated:,} 件は、同じ文面の質問が学習データにもあります。")
    if len(train) < 500:
        say("学習データが少ないので、丸暗記になりがちです。")
    shown = examples[train[0]]
    say(f"最初の例（【】の中を学習します）: {prompt_of(tokenizer, shown['instruction'])}【{shown['response']}{tokenizer.eos_token}】")

    share = BATCH_SIZE * GRADIENT_ACCUMULATION // world
    arguments = SFTConfig(
        output_dir=str(Path(OUTPUT_DIR, "checkpoints")), max_length=None, per_device_train_batch_size=share,
        num_train_epochs=EPOCHS, learning_rate=settings["LEARNING_RATE"], lr_scheduler_type=LR_SCHEDULER,
        warmup_steps=WARMUP_RATIO, max_grad_norm=MAX_GRAD_NORM, weight_decay=WEIGHT_DECAY, seed=SEED,
        bf16=dtype == torch.bfloat16, fp16=dtype == torch.float16, use_cpu=device == "cpu",
        gradient_checkpointing=GRADIENT_CHECKPOINTING, logging_steps=0.01, logging_nan_inf_filter=False,
        save_strategy="no", save_total_limit=2, report_to=REPORT_TO, disable_tqdm=True)
    targets = settings["TARGET_MODULES"]
    lora = LoraConfig(r=LORA_R, lora_alpha=LORA_ALPHA, lora_dropout=LORA_DROPOUT, task_type="CAUSAL_LM",
                      target_modules=targets if targets == "all-linear" else targets.split())
    trainer = packed_trainer(
        min(BATCH_SIZE, share), run, model=model, args=arguments, processing_class=tokenizer, peft_config=lora,
        train_dataset=Dataset.from_list([encoded[number] for number in train]))
    assert trainer.accelerator.num_processes == world, f"{trainer.accelerator.num_processes} processes, not {world}"
    trainer.remove_callback(PrinterCallback)
    trainable, total = trainer.model.get_nb_trainable_parameters()
    say(f"学習するパラメータ {trainable:,} 個（全体 {total:,} 個の {trainable / total:.2%}）")
    size = max(20, min(EVAL_EXAMPLES, len(train) // 50))
    watcher = make_watcher(trainer, tokenizer, [encoded[n] for n in train[:size]], [encoded[n] for n in test[:size]],
                           [examples[n]["instruction"] for n in test[:2]])
    trainer.add_callback(watcher)
    usual = {number: signal.signal(number, watcher.stop) for number in (signal.SIGINT, signal.SIGTERM)}
    started = time.monotonic()
    try:
        trainer.train(resume_from_checkpoint=resume)
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    if watcher.stopped:
        raise SystemExit("止めました。python loadModel.py を実行すると、続きから学習します。")
    seconds = time.monotonic() - started
    curve = [point for point in trainer.state.log_history if "test_set" in point]
    metrics = {"run": run, "rehearsal": rehearsal, "device": device, "dtype": str(dtype).removeprefix("torch."),
               "train": len(train), "test": len(test), "rejected": Counter(reason for _, reason in rejected),
               "repeated_questions": repeated, "trainable_parameters": trainable, "steps": trainer.state.global_step,
               "seconds": seconds, "curve": curve, "verdict": verdict(curve)}
    save_result(trainer, tokenizer, [examples[number] for number in test], metrics)
    say(f"          学習前  学習後\n学習データ  {curve[0]['train_set']:.3f}   {curve[-1]['train_set']:.3f}\n"
        f"テスト    {curve[0]['test_set']:.3f}   {curve[-1]['test_set']:.3f}\n{metrics['verdict']}")
    say(f"{OUTPUT_DIR} に保存しました（{seconds:,.0f} 秒）。次は python generate.py です。")


if __name__ == "__main__":
    main()
