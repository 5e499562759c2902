"""Fine-tune OpenCALM with LoRA on the perfume questions and answers.

Command: python loadModel.py            (several GPUs: accelerate launch loadModel.py)
Reads:   DATA_FILE (made by arrangeData.py) and the base model
Writes:  OUTPUT_DIR: the adapter, the tokenizer with its prompt template, test.json, metrics.json, loss.png, README.md
Prints:  the base model and why, the records left out, losses and sample answers on the way, a table at the end

Run again it goes on from the last checkpoint; a finished run is left alone.
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
from collections import Counter
from pathlib import Path

from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
BASE_MODEL = "cyberagent/open-calm-3b"  # Hub id or local folder of any GPT-NeoX; open-calm-1b, -large, -small are smaller
REHEARSAL = None  # None: the rehearsal model when there is no CUDA GPU; True: always; False: never
REHEARSAL_MODEL = "data/rehearsal_model"  # small model for trying everything out on a CPU
DATA_FILE = "data/perfume_qa.json"  # JSON array or JSON Lines with instruction and response
OUTPUT_DIR = "fine_tuned_open_calm"  # everything that generate.py needs is written here
TEST_RATIO = 0.1  # share of the records kept back to judge the answers, 0 < ratio < 1
SEED = 42  # split, order of the examples, adapter start and dropout; another number is another run
MAX_TOKENS = 512  # longest question and answer in tokens; longer records are left out, raise it if many are
LORA_R = 16  # rank of the adapter; larger learns more and takes more memory
LORA_ALPHA = 32  # adapter scale, usually twice LORA_R
LORA_DROPOUT = 0.05  # share of adapter inputs dropped in training; 0 learns (and over-fits) faster
TARGET_MODULES = "query_key_value"  # "all-linear" adapts the MLP too: learns more, about a third slower
BATCH_SIZE = 4  # examples that must fit on the GPU at once; 1 or 2 when memory is short
GRADIENT_ACCUMULATION = 4  # times BATCH_SIZE = examples an optimizer step; 8 with BATCH_SIZE 2 learns the same
LEARNING_RATE = 7e-6  # peak; public OpenCALM LoRA runs use up to 5e-4 and learn faster
LR_SCHEDULER = "cosine_with_restarts"  # with one cycle it equals "cosine"; "linear", "constant" are others
WARMUP_RATIO = 0.1  # share of the steps in which the rate climbs, 0 <= ratio < 1
MAX_GRAD_NORM = 0.3  # longer gradients are shortened to this
WEIGHT_DECAY = 0.05  # pull of the adapter weights towards zero
EPOCHS = 4.5  # times each training record is seen
GRADIENT_CHECKPOINTING = False  # True: less memory, about half again as slow
LOAD_IN_4BIT = False  # True: 4-bit base for GPUs of 8 GB; needs pip install bitsandbytes
SAVE_MINUTES = 10  # minutes between checkpoints, the last two are kept
EVAL_EXAMPLES = 200  # train and test records whose loss is measured each half epoch; fewer when records are few
REPORT_TO = "none"  # "tensorboard", "wandb" or "trackio", once installed
MERGED_DIR = ""  # e.g. "merged_open_calm": also a 16-bit model with the adapter merged in, for vLLM or llama.cpp
REHEARSAL_OVERRIDES = {  # what a model this small needs and a full-size one does not
    "LEARNING_RATE": 2e-3,
    "TARGET_MODULES": "all-linear",
}
# ----------------------------------------------------------------------------------------------------------------------

LEARNED_SETTINGS = ("TEST_RATIO SEED MAX_TOKENS LORA_R LORA_ALPHA LORA_DROPOUT TARGET_MODULES LEARNING_RATE LR_SCHEDULER"
                    " WARMUP_RATIO MAX_GRAD_NORM WEIGHT_DECAY EPOCHS LOAD_IN_4BIT").split()
PAD_TOKEN = "<|padding|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '### 質問:\\n' + message['content'] + '\\n\\n' }}"
    "{% else %}{{ '### 回答:\\n' + message['content'] + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### 回答:\\n' }}{% endif %}"
)
UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]")
RESTART = "最初からやり直すには、フォルダ {} を別の名前に変えてから python loadModel.py を実行してください。"


def is_writer():
    """Whether this process is the one that prints and writes files."""
    return os.environ.get("RANK", "0") == "0"


def say(text=""):
    """Print from one process only, above the progress bar."""
    if is_writer():
        tqdm.write(str(text))


# --- records ----------------------------------------------------------------------------------------------------------
def parse_records(text):
    """Records of a JSON array or of JSON Lines, None for each one that is broken."""
    with contextlib.suppress(ValueError):
        whole = json.loads(text)
        return whole if isinstance(whole, list) else [whole]
    records, decoder, position = [], json.JSONDecoder(), 0
    starts = re.compile(r"^\s*(?=\{)" if text[0] != "[" else r"[\[,\n]\s*(?=\{)", re.M)
    while start := starts.search(text, position):
        try:
            record, position = decoder.raw_decode(text, start.end())
        except ValueError:
            record, position = None, start.end() + 1
        records.append(record)
    return records


def flaw(record):
    """Why this record cannot be learned from, or None."""
    if not isinstance(record, dict):
        return "JSON として読めない" if record is None else "{} の形でない"
    for field in ("instruction", "response"):
        value = record.get(field)
        if not isinstance(value, str):
            return f"{field} がない" if value is None else f"{field} が文字列でない"
        if not value.strip():
            return f"{field} が空"
        if UNWANTED.search(value):
            return f"{field} に制御文字がある"
        if re.search(r"<\|\w+\|>", value):
            return f"{field} に特殊トークンがある"
    return None


def read_examples(path):
    """(examples, rejected): the usable records, and (number, reason) of each one left out."""
    path, cause = Path(path), None
    if not path.exists():
        cause = "がありません"
    elif not path.is_file():
        cause = "はファイルではありません"
    else:
        text = path.read_text(encoding="utf-8-sig", errors="replace").strip()
        records = parse_records(text) if text else []
        if not text:
            cause = "は空です"
        elif not any(isinstance(record, dict) and {"instruction", "response"} & record.keys() for record in records):
            cause = "は質問（instruction）と回答（response）の一覧ではありません"
    if cause:
        raise SystemExit(f"{path} {cause}。先に python arrangeData.py を実行してください。")
    examples, rejected, seen = [], [], set()
    for number, record in enumerate(records, 1):
        reason = flaw(record)
        if not reason:
            record |= {field: record[field].strip() for field in ("instruction", "response")}
            pair = record["instruction"], record["response"]
            reason = "重複" if pair in seen else None
            seen.add(pair)
        if reason:
            rejected.append((number, reason))
        else:
            examples.append(record)
    return examples, rejected


def report_rejected(rejected):
    """Print how many records were left out, by reason, with the number of the first one."""
    for reason, count in Counter(reason for _, reason in rejected).most_common():
        first = next(number for number, why in rejected if why == reason)
        say(f"  除外: {reason}: {count:,} 件（最初は {first} 件目）")


def split_examples(examples, ratio, seed):
    """(train, test), shuffled; the test share is rounded up."""
    shuffled = random.Random(seed).sample(examples, len(examples))
    size = math.ceil(len(examples) * ratio - 1e-9)
    return shuffled[size:], shuffled[:size]


# --- prompt and labels ------------------------------------------------------------------------------------------------
def prompt_of(tokenizer, question):
    """The text before the answer."""
    return tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True, tokenize=False)


def tokenized(tokenizer, examples):
    """Token ids and labels of each example: only the answer is learned, and it ends in eos."""
    prompts = [prompt_of(tokenizer, example["instruction"]) for example in examples]
    prompts = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    answers = tokenizer([example["response"] for example in examples], add_special_tokens=False)["input_ids"]
    eos = tokenizer.eos_token_id
    return [{"input_ids": prompt + answer + [eos], "labels": [-100] * len(prompt) + answer + [eos]}
            for prompt, answer in zip(prompts, answers, strict=True)]


def load_tokenizer(name):
    """The base model's tokenizer with a pad token that is not eos, and the prompt template."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name)
    if PAD_TOKEN not in tokenizer.get_vocab():
        tokenizer.add_special_tokens({"pad_token": PAD_TOKEN})
    tokenizer.pad_token = PAD_TOKEN
    tokenizer.chat_template = CHAT_TEMPLATE
    sample = "### 質問:\n1900年、「香水」のトップノートは？ Dior & CHANEL №5（オードトワレ）\n\n### 回答:\n"
    if tokenizer.decode(tokenizer(sample)["input_ids"]) != sample:
        raise SystemExit(f"{name} のトークナイザーは日本語を元に戻せません。BASE_MODEL を確かめてください。")
    return tokenizer


# --- model ------------------------------------------------------------------------------------------------------------
def choose_base():
    """(model name, is it a rehearsal, device, dtype, why)."""
    import torch

    gpu = torch.cuda.is_available()
    rehearsal = not gpu if REHEARSAL is None else REHEARSAL
    if not gpu:
        return (REHEARSAL_MODEL if rehearsal else BASE_MODEL), rehearsal, "cpu", torch.float32, "CUDA の GPU がないため"
    capability = torch.cuda.get_device_capability()
    dtype = torch.bfloat16 if capability >= (8, 0) else torch.float16
    why = f"{torch.cuda.get_device_name()}、compute capability {capability[0]}.{capability[1]}"
    return (REHEARSAL_MODEL if rehearsal else BASE_MODEL), rehearsal, "cuda", dtype, why


def load_base(name, dtype, tokenizer):
    """The frozen base model, grown by a row only if the tokenizer needs it."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, attn_implementation="packed")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    return model


# --- a faster step with the same numbers: no padding, no logits kept --------------------------------------------------
def make_trainer_class():
    """SFTTrainer whose step cuts its examples into unpadded passes and scores only what is learned."""
    import torch
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from trl import SFTTrainer

    def packed_attention(module, query, key, value, attention_mask, slots=None, rectangle=None, **kwargs):
        """Causal attention within each packed sequence: tokens are laid out as a rectangle only here."""
        if slots is None:
            return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        heads, size = query.shape[1], query.shape[3]
        spread = [torch.zeros(rectangle[0] * rectangle[1], heads, size, dtype=value.dtype, device=value.device)
                  .index_copy(0, slots, states[0].transpose(0, 1).to(value.dtype)).view(*rectangle, heads, size).transpose(1, 2)
                  for states in (query, key, value)]
        mixed = torch.nn.functional.scaled_dot_product_attention(
            *spread, is_causal=True, scale=kwargs["scaling"], dropout_p=kwargs["dropout"])
        return mixed.transpose(1, 2).reshape(-1, heads, size).index_select(0, slots)[None], None

    AttentionInterface.register("packed", packed_attention)

    class FrozenHeadLoss(torch.autograd.Function):
        """Summed cross-entropy under a frozen head; d(loss)/d(hidden) is formed on the way, so no logits are stored."""

        @staticmethod
        def forward(ctx, hidden, weight, targets):
            total, slope = hidden.new_zeros((), dtype=torch.float32), torch.empty_like(hidden)
            for start in range(0, len(targets), 256):
                part = slice(start, start + 256)
                logits = (hidden[part].to(weight.dtype) @ weight.T).float()
                logits -= logits.logsumexp(-1, keepdim=True)
                total -= logits.gather(1, targets[part, None]).sum()
                probabilities = logits.exp_()
                probabilities.scatter_add_(1, targets[part, None], -torch.ones_like(targets[part, None], dtype=torch.float32))
                slope[part] = (probabilities.to(weight.dtype) @ weight).to(hidden.dtype)
            ctx.save_for_backward(slope)
            return total

        @staticmethod
        def backward(ctx, grad):
            return ctx.saved_tensors[0] * grad, None, None

    def add_loss_head(model):
        """Make model(..., learned=, targets=) return the summed loss at the learned positions."""
        original = model.forward

        def forward(*args, learned=None, targets=None, **kwargs):
            if targets is None:
                return original(*args, **kwargs)
            hidden = model.base_model(*args, use_cache=False, **kwargs).last_hidden_state[0, learned]
            return FrozenHeadLoss.apply(hidden, model.get_output_embeddings().weight, targets)

        model.forward = forward

    def one_pass(examples):
        """Examples side by side in one row, with the index of each token in the attention rectangle."""
        lengths = [len(example["input_ids"]) for example in examples]
        longest = max(lengths)
        ids = [token for example in examples for token in example["input_ids"]]
        labels = [label for example in examples for label in [*example["labels"][1:], -100]]
        learned = [index for index, label in enumerate(labels) if label != -100]
        return {
            "input_ids": torch.tensor([ids]),
            "position_ids": torch.tensor([[index for length in lengths for index in range(length)]]),
            "slots": torch.tensor([row * longest + index for row, length in enumerate(lengths) for index in range(length)]),
            "rectangle": (len(examples), longest),
            "learned": torch.tensor(learned),
            "targets": torch.tensor([labels[index] for index in learned]),
        }

    class PackedTrainer(SFTTrainer):
        """Same examples, order, loss and gradient as SFTTrainer with BATCH_SIZE x GRADIENT_ACCUMULATION."""

        def __init__(self, *args, pass_size, **kwargs):
            self.pass_size = pass_size
            super().__init__(*args, data_collator=self.collate, **kwargs)
            add_loss_head(self.model.get_base_model())

        def collate(self, examples):
            passes = [one_pass(examples[start:start + self.pass_size])
                      for start in range(0, len(examples), self.pass_size)]
            targets = torch.cat([piece["targets"] for piece in passes])
            return {"passes": passes, "labels": targets, "shift_labels": targets}

        def training_step(self, model, inputs, num_items_in_batch=None):
            total = 0.0
            for number, piece in enumerate(inputs["passes"], 1):
                joint = number == len(inputs["passes"])
                with contextlib.nullcontext() if joint else self.accelerator.no_sync(model):
                    total += super().training_step(model, piece, num_items_in_batch)
            if not torch.isfinite(total):
                raise SystemExit(f"ステップ {self.state.global_step + 1} の損失が {total.item()} になったため止めました。"
                                 " LEARNING_RATE を下げて python loadModel.py を実行してください。")
            return total

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            return model(**inputs) / num_items_in_batch * self.accelerator.num_processes

        def floating_point_ops(self, inputs):
            return 0

        def mean_loss(self, examples):
            """Loss per learned token, without dropout and without touching the random state."""
            self.model.eval()
            total = count = 0
            with torch.no_grad(), self.compute_loss_context_manager():
                for start in range(0, len(examples), BATCH_SIZE):
                    piece = self._prepare_inputs(one_pass(examples[start:start + BATCH_SIZE]))
                    total, count = total + self.model(**piece).item(), count + len(piece["targets"])
            self.model.train()
            return total / count

        def answer(self, question, limit=40):
            """Greedy answer to one question."""
            ids = self.processing_class(prompt_of(self.processing_class, question), return_tensors="pt").to(self.args.device)
            self.model.eval()
            with torch.no_grad(), self.compute_loss_context_manager():
                output = self.model.generate(input_ids=ids["input_ids"], attention_mask=ids["attention_mask"],
                                             do_sample=False, max_new_tokens=limit)
            self.model.train()
            return self.processing_class.decode(output[0, ids["input_ids"].shape[1]:], skip_special_tokens=True)

        def _save(self, output_dir=None, state_dict=None):
            if self.args.should_save:
                self.model.save_pretrained(output_dir, state_dict=state_dict, save_embedding_layers=False)

    return PackedTrainer


def make_watcher(trainer, train, test, questions):
    """Callback that shows progress, measures losses each half epoch, answers questions and saves every SAVE_MINUTES."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        stopped = False

        def on_train_begin(self, args, state, control, **kwargs):
            self.saved_at = time.monotonic()
            self.bar = tqdm(total=state.max_steps * args.train_batch_size, initial=state.global_step * args.train_batch_size,
                            unit="件", desc="学習", disable=None if is_writer() else True)
            if state.global_step == 0:
                self.measure(state)

        def on_step_end(self, args, state, control, **kwargs):
            self.bar.update(args.train_batch_size)
            half = math.ceil(state.max_steps / (2 * state.num_train_epochs)) or 1
            if state.global_step % half == 0 or state.global_step == state.max_steps:
                self.measure(state)
            if self.stopped or time.monotonic() - self.saved_at > 60 * SAVE_MINUTES:
                control.should_save, self.saved_at = True, time.monotonic()
            if self.stopped:
                control.should_training_stop = True
            return control

        def on_log(self, args, state, control, logs=None, **kwargs):
            if "loss" in logs:
                self.bar.set_postfix(loss=f"{logs['loss']:.3f}")

        def on_train_end(self, args, state, control, **kwargs):
            self.bar.close()

        def measure(self, state):
            losses = {"train_set_loss": trainer.mean_loss(train), "test_set_loss": trainer.mean_loss(test)}
            trainer.log(losses)
            say(f"{state.epoch or 0:.1f} エポック: 学習データの損失 {losses['train_set_loss']:.3f}、"
                f"テストデータの損失 {losses['test_set_loss']:.3f}")
            for question in questions:
                say(f"  問: {question}\n  答: {trainer.answer(question)}")

    return Watcher()


def save_all(trainer, tokenizer, test_examples, metrics):
    """Write everything that inference needs into OUTPUT_DIR, metrics.json last."""
    output = Path(OUTPUT_DIR)
    trainer.model.save_pretrained(output, save_embedding_layers=False)
    tokenizer.save_pretrained(output)
    write_text(output / "test.json", json.dumps(test_examples, ensure_ascii=False, indent=1))
    write_text(output / "README.md", model_card(metrics))
    write_text(output / "metrics.json", json.dumps(metrics, ensure_ascii=False, indent=1))


def write_text(path, text):
    """Write a file beside its name, then move it into place."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def model_card(metrics):
    """Model card in Markdown with its YAML head."""
    return f"""---
language: ja
license: cc-by-sa-4.0
library_name: peft
base_model: {metrics['base_model']}
tags: [lora, perfume, question-answering]
---

# 香水の質問に答える OpenCALM アダプター
"""


def main():
    """Read, split, load, train, save."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    examples, rejected = read_examples(DATA_FILE)
    say(f"{DATA_FILE}: {len(examples):,} 件")
    train_examples, test_examples = split_examples(examples, TEST_RATIO, SEED)
    os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", DISABLE_SAFETENSORS_CONVERSION="1")
    name, rehearsal, device, dtype, why = choose_base()
    settings = {key: globals()[key] for key in LEARNED_SETTINGS} | (REHEARSAL_OVERRIDES if rehearsal else {})
    say(f"基礎モデル: {name}、{device}、{str(dtype).removeprefix('torch.')}（{why}）")
    report_rejected(rejected)
    tokenizer = load_tokenizer(name)
    train, test = tokenized(tokenizer, train_examples), tokenized(tokenizer, test_examples)

    from datasets import Dataset
    from peft import LoraConfig
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig

    trainer_class = make_trainer_class()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    arguments = SFTConfig(
        output_dir=str(Path(OUTPUT_DIR) / "checkpoints"), max_length=None,
        per_device_train_batch_size=BATCH_SIZE * GRADIENT_ACCUMULATION // world, gradient_accumulation_steps=1,
        num_train_epochs=settings["EPOCHS"], learning_rate=settings["LEARNING_RATE"],
        lr_scheduler_type=settings["LR_SCHEDULER"], warmup_steps=settings["WARMUP_RATIO"],
        max_grad_norm=settings["MAX_GRAD_NORM"], weight_decay=settings["WEIGHT_DECAY"], seed=settings["SEED"],
        bf16=str(dtype) == "torch.bfloat16", fp16=str(dtype) == "torch.float16", use_cpu=device == "cpu",
        gradient_checkpointing=GRADIENT_CHECKPOINTING, logging_steps=10, logging_nan_inf_filter=False,
        save_strategy="no", save_total_limit=2, report_to=REPORT_TO, disable_tqdm=True,
    )
    lora = LoraConfig(r=settings["LORA_R"], lora_alpha=settings["LORA_ALPHA"], lora_dropout=settings["LORA_DROPOUT"],
                      target_modules=settings["TARGET_MODULES"] if settings["TARGET_MODULES"] == "all-linear"
                      else [settings["TARGET_MODULES"]], task_type="CAUSAL_LM")
    trainer = trainer_class(model=load_base(name, dtype, tokenizer), args=arguments, train_dataset=Dataset.from_list(train),
                            processing_class=tokenizer, peft_config=lora, pass_size=BATCH_SIZE)
    trainer.remove_callback(PrinterCallback)
    size = max(20, min(EVAL_EXAMPLES, len(train) // 50))
    trainer.add_callback(make_watcher(trainer, train[:size], test[:size], [e["instruction"] for e in test_examples[:2]]))
    trainer.train()
    save_all(trainer, tokenizer, test_examples, {"base_model": name, "rehearsal": rehearsal, "settings": settings,
                                                 "history": trainer.state.log_history})
    say(f"保存しました: {OUTPUT_DIR}。次は python generate.py です。")


if __name__ == "__main__":
    main()
