"""Host memory of the whole way with OpenCALM-3B's shape: random weights in the published layout.

Run:    python tests/benchmarks/real_shape.py                  11 GB of disk, 17 GB of memory on a CPU
        python tests/benchmarks/real_shape.py layers=4         a smaller one, to try it out
Prints: seconds and peak memory (all of it, and without pages of mapped files) of making the
        weights, of loading them as onto a GPU, of a training step, of answering and of MERGED_DIR

The weights are fp16 in .bin shards with the old name of the head (embed_out). Each part runs in a
process of its own. On a CPU training is in float32; on a GPU its figures are those of the GPU too.
Loading "as onto a GPU" is for machines without one: each weight is moved into a mapped file as soon
as it is converted, so that what is left without mapped files is what stays in the host's memory.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

SHARDS = 3
LAYERS, HIDDEN, HEADS, VOCABULARY = 32, 2560, 32, 52096
CPU_STEP, GPU_STEP, TEST_EXAMPLES = 4, 16, 1  # examples of the one step, and those kept back
GIB = 2**30
WATCH_SECONDS = 0.05


def status(name: str) -> float:
    """GiB that the kernel gives for this process under a name of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 2**20


class Peak(threading.Thread):
    """Watches how much memory of its own this process holds, mapped files not counted."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = 0.0

    def run(self) -> None:
        while True:
            self.own = max(self.own, status("RssAnon"))
            time.sleep(WATCH_SECONDS)


def make_records(count: int) -> list[dict]:
    """Questions and answers: what is needed for one step, and for a test split."""
    return [
        {
            "instruction": f"{number}番の香水は何の香りですか？",
            "response": f"{number}番の香水は、ベルガモットとローズとムスクの香りです。",
            "type": "notes",
            "key": str(number),
            "source": [f"https://example.com/{number}/"],
        }
        for number in range(count + TEST_EXAMPLES)
    ]


def make_tokenizer(folder: Path) -> None:
    """Byte-level BPE with OpenCALM's special tokens, as large as what it is trained on allows."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        special_tokens=["<|endoftext|>", "<|padding|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        [record["response"] for record in make_records(GPU_STEP)], trainer
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
    ).save_pretrained(folder)


def make_base(folder: Path, layers: int) -> None:
    """Random weights of the shape in shards, one shard in memory at a time."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        intermediate_size=4 * HIDDEN,
        rotary_pct=1.0,
        use_parallel_residual=False,
        max_position_embeddings=2048,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=False,
        dtype="float16",
        architectures=["GPTNeoXForCausalLM"],
    )
    config.save_pretrained(folder)
    make_tokenizer(folder)
    with torch.device("meta"):
        shapes = {name: one.shape for name, one in GPTNeoXForCausalLM(config).named_parameters()}
    names, shard_of = list(shapes), {}
    torch.manual_seed(0)
    for number in range(SHARDS):
        shard = {}
        for name in names[number * len(names) // SHARDS : (number + 1) * len(names) // SHARDS]:
            if name.endswith("norm.weight"):
                weight = torch.ones(shapes[name], dtype=torch.float16)
            elif name.endswith("bias"):
                weight = torch.zeros(shapes[name], dtype=torch.float16)
            else:
                weight = torch.randn(shapes[name], dtype=torch.float16).mul_(0.02)
            shard[name.replace("lm_head", "embed_out")] = weight
        file = f"pytorch_model-{number + 1:05}-of-{SHARDS:05}.bin"
        torch.save(shard, folder / file)
        shard_of |= dict.fromkeys(shard, file)
    index = {"metadata": {}, "weight_map": shard_of}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")


def load() -> None:
    """The base as loadModel.py loads it for a GPU, its weights moved out of this process's memory."""
    import torch
    from transformers import core_model_loading

    import loadModel

    convert = core_model_loading._materialize_copy
    numbers = itertools.count()

    def moved(weight: torch.Tensor, device: object = None, dtype: object = None) -> torch.Tensor:
        converted = convert(weight, device, dtype)
        file, size = f"gpu/{next(numbers)}", converted.numel()
        place = torch.from_file(file, shared=True, size=size, dtype=converted.dtype)
        return place.view(converted.shape).copy_(converted)

    Path("gpu").mkdir(exist_ok=True)
    core_model_loading._materialize_copy = moved
    model, _ = loadModel.load_base("base", "bfloat16")
    weights = sum(weight.nbytes for weight in model.parameters())
    print(f"  {weights / GIB:.1f} GiB of weights, {next(numbers)} of them moved")
    shutil.rmtree("gpu")


def train() -> None:
    """One step of loadModel.py as a user runs it, on the real base."""
    import torch

    import loadModel

    count = GPU_STEP if torch.cuda.is_available() else CPU_STEP
    Path("perfume_qa.json").write_text(json.dumps(make_records(count)), encoding="utf-8")
    loadModel.BATCH_SIZE, loadModel.GRADIENT_ACCUMULATION = 4, count // 4
    loadModel.TEST_RATIO = TEST_EXAMPLES / (count + TEST_EXAMPLES)
    loadModel.REHEARSAL, loadModel.BASE_MODEL = False, str(Path("base").resolve())
    loadModel.DATA_FILE, loadModel.OUTPUT_DIR = "perfume_qa.json", "adapter"
    loadModel.LEARNING_RATE, loadModel.WARMUP_RATIO, loadModel.EPOCHS = 1e-3, 0, 1
    loadModel.main()


def answer() -> None:
    """One question to generate.py's model, under its constraint."""
    import generate

    model, tokenizer = generate.load("adapter")
    print(f"  {model.device}, {model.dtype}")
    records = make_records(CPU_STEP)
    perfumes = [
        {"brand": "例", "name": f"{record['key']}番", "url": record["source"][0]}
        for record in records
    ]
    clerk = generate.Clerk(perfumes, records)
    assistant = generate.Assistant(model, tokenizer, clerk)
    claim = assistant.choose(records[0]["instruction"], clerk.claims)
    print(f"  {claim.record['response']}")


def merge() -> None:
    """MERGED_DIR of an adapter that is there."""
    from transformers import AutoTokenizer

    import loadModel

    loadModel.OUTPUT_DIR, loadModel.MERGED_DIR = "adapter", "merged"
    loadModel.save_merged(AutoTokenizer.from_pretrained("adapter"))


def run_part(part: str, layers: int) -> None:
    """One part in this process, and what it took."""
    peak, began = Peak(), time.monotonic()
    peak.start()
    if part == "make":
        make_base(Path("base"), layers)
    elif part == "load":
        load()
    elif part == "train":
        train()
    elif part == "answer":
        answer()
    else:
        merge()
    seconds = time.monotonic() - began
    print(
        f"{part}: {seconds:.0f} s, peak {status('VmHWM'):.1f} GiB of host memory, "
        f"{max(peak.own, status('RssAnon')):.1f} without mapped files",
        flush=True,
    )
    if part == "train":
        import torch

        if torch.cuda.is_available():
            print(f"  GPU: {torch.cuda.max_memory_allocated() / GIB:.1f} GiB")


def main() -> None:
    """Runs each part in a process of its own, in a folder that is removed at the end."""
    arguments = dict(argument.split("=") for argument in sys.argv[1:])
    layers = int(arguments.get("layers", LAYERS))
    if "part" in arguments:
        run_part(arguments["part"], layers)
        return
    folder = Path(arguments.get("folder") or tempfile.mkdtemp())
    try:
        for part in ("make", "load", "train", "answer", "merge"):
            command = [sys.executable, str(Path(__file__).resolve()), f"part={part}"]
            subprocess.run([*command, f"layers={layers}"], cwd=folder, check=True)
    finally:
        if "folder" not in arguments:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
