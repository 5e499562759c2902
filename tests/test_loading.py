"""How a model is loaded to answer, and merged: precision, what the merged weights are, memory held."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import generate
import loadModel

ROOT = Path(__file__).resolve().parent.parent


def make_adapter(folder, layers=2, hidden=64, heads=2):
    """A folder with base/ in the published layout (fp16 .bin shards, old head name) and adapter/."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    base, adapter = folder / "base", folder / "adapter"
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: i for i, word in enumerate(["<|endoftext|>", "<|padding|>", *characters])}
    tokenizer = Tokenizer(models.BPE(words, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = dict.fromkeys(("eos_token", "bos_token", "unk_token"), "<|endoftext|>")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<|padding|>", **special
    )
    tokenizer.save_pretrained(base)
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        rotary_pct=1.0,
        use_parallel_residual=False,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=False,
        dtype="float16",
    )
    config.save_pretrained(base)
    model = GPTNeoXForCausalLM(config).half()
    state = {name.replace("lm_head", "embed_out"): w for name, w in model.state_dict().items()}
    names, shard_of = sorted(state), {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        shard = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({name: state[name] for name in part}, base / shard)
        shard_of |= dict.fromkeys(part, shard)
    index = json.dumps({"metadata": {}, "weight_map": shard_of})
    (base / "pytorch_model.bin.index.json").write_text(index)
    model.name_or_path = str(base)
    lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model.float(), lora)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn_like(weight) * 0.02
    model.save_pretrained(adapter, save_embedding_layers=False)
    tokenizer.chat_template = loadModel.CHAT_TEMPLATE
    tokenizer.save_pretrained(adapter)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_adapter(tmp_path_factory.mktemp("loading"))


def merged_in_float32(folder, adapted=True):
    """{name: weight} of a merge that is float32 throughout."""
    from peft import AutoPeftModelForCausalLM

    model = AutoPeftModelForCausalLM.from_pretrained(folder / "adapter", dtype="float32")
    return (model.merge_and_unload() if adapted else model.unload()).state_dict()


@pytest.mark.parametrize("adapted", [True, False])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_merged_weights_are_a_float32_merge_rounded_once(folder, monkeypatch, dtype, adapted):
    import torch

    kind = getattr(torch, dtype)
    monkeypatch.setattr(generate, "choose_device", lambda size: ("cpu", kind))
    model, _ = generate.load(str(folder / "adapter"), adapted)
    wanted = merged_in_float32(folder, adapted)
    weights = model.state_dict()
    assert weights.keys() == wanted.keys()
    assert {weight.dtype for weight in model.parameters()} == {kind}
    for name, weight in weights.items():
        assert weight.equal(wanted[name].to(kind)), name
    assert not any("lora" in name for name, _ in model.named_modules())


def test_a_merged_dir_is_a_float32_merge_rounded_once(folder, tmp_path, monkeypatch):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setattr(loadModel, "OUTPUT_DIR", str(folder / "adapter"))
    monkeypatch.setattr(loadModel, "MERGED_DIR", str(tmp_path / "merged"))
    loadModel.save_merged(AutoTokenizer.from_pretrained(folder / "adapter"))
    weights = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").state_dict()
    for name, weight in merged_in_float32(folder).items():
        assert weights[name].dtype == torch.float16 and weights[name].equal(weight.half()), name


def test_precision_follows_size_and_device(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert generate.choose_device(2_500_000) == ("cpu", torch.float32)
    assert generate.choose_device(2_800_000_000) == ("cpu", torch.bfloat16)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for capability, dtype in (((7, 5), torch.float16), ((8, 0), torch.bfloat16)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda one=capability: one)
        assert generate.choose_device(2_800_000_000) == ("cuda", dtype)


def in_a_process(code, *options):
    """What a Python process prints."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import generate\n{code}"
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "1000000"},  # what is freed goes back at once
    )


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_model_is_held_once_while_it_is_loaded(folder, tmp_path):
    """200 MB of weights in 16 bits: stored, converted and merged they never take twice that."""
    make_adapter(tmp_path, layers=8, hidden=1024, heads=8)
    size = sum(file.stat().st_size for file in (tmp_path / "base").glob("*.bin"))
    code = f"""
import threading
from pathlib import Path
def own():  # kibibytes, without the pages of mapped files, which the system may take back
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('RssAnon'))
generate.SMALL_BYTES = 0
generate.load({str(folder / "adapter")!r})  # what the libraries take is taken now
before, peak, ended = own(), 0, threading.Event()
def watch():
    global peak
    while not ended.wait(0.002):
        peak = max(peak, own())
watcher = threading.Thread(target=watch)
watcher.start()
model, _ = generate.load({str(tmp_path / "adapter")!r})
ended.set()
watcher.join()
print(peak - before, model.dtype)
"""
    run = in_a_process(code)
    taken, dtype = run.stdout.split()
    assert dtype == "torch.bfloat16", run.stderr
    assert size > 190e6 and int(taken) * 1024 < 1.7 * size


def test_a_zeroed_adapter_is_refused_without_assertions_too(folder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(folder / "adapter", tmp_path / "adapter")
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    save_file({name: weight * 0 for name, weight in load_file(file).items()}, file)
    run = in_a_process(f"generate.load({str(tmp_path / 'adapter')!r})", "-O")
    assert run.returncode == 1 and "中身が空です" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
