"""loadModel.py on a tiny random GPT-NeoX: records, labels, the packed step, checkpoints, what is saved."""

import ast
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import loadModel

os.environ["HF_HUB_OFFLINE"] = (
    "1"  # before huggingface_hub is imported: a name that is no folder fails at once
)
ROOT = Path(__file__).resolve().parent.parent
SCENTS = [
    "ローズ",
    "ムスク",
    "ベルガモット",
    "バニラ",
    "サンダルウッド",
    "アンバー",
    "ジャスミン",
    "ネロリ",
]


def qa(count=72):
    """Synthetic questions and answers, all different."""
    return [
        {
            "instruction": f"{SCENTS[i % 8]}の{i}番の香水は？",
            "response": f"{SCENTS[i % 8]}でしたら、No.{i} がおすすめです。" * (1 + i % 3),
            "type": "note",
            "key": SCENTS[i % 8],
            "source": [f"https://example.com/{i}/"],
        }
        for i in range(count)
    ]


def make_base(folder, layers=2, hidden=32, pad=True, dtype="float16", normalizer=None, **saving):
    """A random GPT-NeoX with OpenCALM's flags and a byte-level BPE tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    specials = ["<|endoftext|>", "<|padding|>"][: 1 + pad]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(
        [r["response"] for r in qa()],
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=specials,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    special = {"eos_token": specials[0], "bos_token": specials[0], "unk_token": specials[0]}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **special,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=4 * hidden,
            rotary_pct=1.0,
            use_parallel_residual=False,
            max_position_embeddings=256,
            bos_token_id=0,
            eos_token_id=0,
            tie_word_embeddings=False,
        )
    )
    model.to(getattr(torch, dtype)).save_pretrained(folder, **saving)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("bases") / "base")


def prepare(patch, folder, base, records=None, **constants):
    """Constants for a short run in a folder; whatever is not named keeps the user's default."""
    patch.chdir(folder)
    Path("qa.json").write_text(
        json.dumps(qa() if records is None else records, ensure_ascii=False), encoding="utf-8"
    )
    short = {
        "REHEARSAL_MODEL": str(base),
        "DATA_FILE": "qa.json",
        "OUTPUT_DIR": "out",
        "EPOCHS": 2,
        "MAX_TOKENS": 200,
        "REHEARSAL_OVERRIDES": {"LEARNING_RATE": 2e-3, "TARGET_MODULES": "all-linear"},
    }
    for name, value in (short | constants).items():
        patch.setattr(loadModel, name, value)


def adapter(folder="out"):
    from safetensors.torch import load_file

    return load_file(Path(folder) / "adapter_model.safetensors")


def same(first, second):
    return first.keys() == second.keys() and all(first[name].equal(second[name]) for name in first)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, base):
    """(folder, what was printed, the trainer) of one undisturbed run with a flawed record of several kinds."""
    import io
    from contextlib import redirect_stdout

    folder, kept, printed = tmp_path_factory.mktemp("trained"), {}, io.StringIO()
    records = [
        *qa(),
        qa()[0],
        {"instruction": "長い？", "response": "長" * 300},
        {"instruction": 5, "response": "x"},
    ]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        prepare(patch, folder, base, records, MERGED_DIR="merged", LORA_DROPOUT=0.05)
        usual = loadModel.make_trainer

        def make(*arguments):
            kept["trainer"], watcher = usual(*arguments)
            return kept["trainer"], watcher

        patch.setattr(loadModel, "make_trainer", make)
        loadModel.main()
    return folder, printed.getvalue(), kept["trainer"]


# --- constants, records, split


def test_the_users_settings_are_the_constants():
    wanted = {
        "BASE_MODEL": "cyberagent/open-calm-3b",
        "REHEARSAL": None,
        "REHEARSAL_MODEL": "data/rehearsal_model",
        "DATA_FILE": "data/perfume_qa.json",
        "OUTPUT_DIR": "fine_tuned_open_calm",
        "TEST_RATIO": 0.1,
        "LORA_R": 16,
        "LORA_ALPHA": 32,
        "LORA_DROPOUT": 0.05,
        "TARGET_MODULES": "query_key_value",
        "BATCH_SIZE": 4,
        "GRADIENT_ACCUMULATION": 4,
        "LEARNING_RATE": 7e-6,
        "LR_SCHEDULER": "cosine_with_restarts",
        "WARMUP_RATIO": 0.1,
        "MAX_GRAD_NORM": 0.3,
        "WEIGHT_DECAY": 0.05,
        "EPOCHS": 4.5,
        "REPORT_TO": "none",
    }
    written = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse((ROOT / "loadModel.py").read_text("utf-8")).body
        if isinstance(node, ast.Assign) and node.targets[0].id in wanted
    }
    assert written == wanted


def test_importing_takes_no_torch():
    code = "import sys, loadModel; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_26075_records_are_split_as_in_the_reference():
    train, test = loadModel.split_examples(list(range(26075)), 0.1, 42)
    assert (len(train), len(test)) == (23467, 2608)
    assert sorted(train + test) == list(range(26075))
    assert loadModel.split_examples(list(range(26075)), 0.1, 42)[1] == test
    assert loadModel.split_examples(list(range(26075)), 0.1, 43)[1] != test


GOOD = '{"instruction": "春の香水は？", "response": "春でしたら、{A}, B がおすすめです。"}'
FLAWED = [
    ('{"instruction": "q"}', "response がない"),
    ('{"instruction": "q", "response": " 　"}', "response が空"),
    ('{"instruction": 3, "response": "r"}', "instruction が文字列でない"),
    ('{"instruction": null, "response": "r"}', "instruction がない"),
    ('{"instruction": "q", "response": "a\\u0007b"}', "response に制御文字か特殊トークンがある"),
    ('{"instruction": "q\\u202e", "response": "a"}', "instruction に制御文字か特殊トークンがある"),
    (
        '{"instruction": "q", "response": "a<|endoftext|>"}',
        "response に制御文字か特殊トークンがある",
    ),
    ('{"instruction": "q" "response": "a"}', "JSON として読めない"),
    ('{"instruction": "q", "response": "a', "JSON として読めない"),
    (GOOD, "質問も回答も前の記録と同じ"),
    (GOOD.replace("春の", " 春の"), "質問も回答も前の記録と同じ"),
]


@pytest.mark.parametrize("joined", ["[\n{}\n]", "[{}]", "lines", "bom"])
@pytest.mark.parametrize(("record", "reason"), FLAWED)
def test_a_flawed_record_is_left_out_with_its_number(tmp_path, record, reason, joined):
    other = GOOD.replace("春", "秋")
    text = (
        "\n".join([GOOD, record, other])
        if joined in ("lines", "bom")
        else joined.replace("{}", ", ".join([GOOD, record, other]))
    )
    (tmp_path / "qa.json").write_text(text, encoding="utf-8-sig" if joined == "bom" else "utf-8")
    examples, rejected = loadModel.read_examples(tmp_path / "qa.json")
    assert [e["instruction"] for e in examples] == ["春の香水は？", "秋の香水は？"]
    assert rejected == [(2, reason)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "がありません"),
        ("", "は空です"),
        (" \n", "は空です"),
        ("<!DOCTYPE html><html></html>", "instruction"),
        ('["a", "b"]', "instruction"),
        ("[]", "instruction"),
        ('{"a": 1}', "instruction"),
        ("3", "instruction"),
        (b"\x82\xa0\x82\xa2", "instruction"),
        ("folder", "はファイルではありません"),
    ],
)
def test_a_wrong_file_gets_one_line(tmp_path, content, words):
    path = tmp_path / "qa.json"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SystemExit, match=words) as stop:
        loadModel.read_examples(path)
    assert (
        "\n" not in stop.value.code
        and "arrangeData.py" in stop.value.code
        and str(path) in stop.value.code
    )


@pytest.mark.parametrize(
    ("constants", "records", "words"),
    [
        ({"TEST_RATIO": 1}, None, "TEST_RATIO = 1 "),
        ({"WARMUP_RATIO": 1.0}, None, "WARMUP_RATIO = 1.0"),
        ({"BATCH_SIZE": 0}, None, "BATCH_SIZE = 0 "),
        ({"EPOCHS": "3"}, None, "EPOCHS = '3'"),
        ({"LORA_R": 1.5}, None, "LORA_R = 1.5"),
        ({"SEED": 0.5}, None, "SEED = 0.5"),
        ({"LR_SCHEDULER": "cosinus"}, None, "cosinus"),
        ({"REPORT_TO": "nobody"}, None, "REPORT_TO = 'nobody'"),
        ({"REHEARSAL_OVERRIDES": {"TARGET_MODULES": "q_proj"}}, None, "TARGET_MODULES = 'q_proj'"),
        ({}, qa(4), "4 件だけ"),
        ({"REHEARSAL_MODEL": "no/such"}, None, "no/such を読み込めません"),
        (
            {"REHEARSAL": False, "BASE_MODEL": "no/such"},
            None,
            "no/such を読み込めません.*REHEARSAL = True",
        ),
    ],
)
def test_mistakes_get_one_line(tmp_path, monkeypatch, base, constants, records, words):
    prepare(monkeypatch, tmp_path, base, records, **constants)
    with pytest.raises(SystemExit, match=words) as stop:
        loadModel.main()
    assert "\n" not in stop.value.code
    assert not Path("out").exists()


def test_accumulation_follows_the_number_of_processes_or_says_why_not(tmp_path, monkeypatch, base):
    prepare(monkeypatch, tmp_path, base)
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(SystemExit, match="16 はプロセス数 3 の倍数"):
        loadModel.main()


# --- template and labels


@pytest.fixture(scope="module")
def loaded(base):
    return loadModel.load_base(str(base), "float32")


def test_template(loaded):
    _, tokenizer = loaded
    assert loadModel.prompt_of(tokenizer, "春は？") == "### 質問:\n春は？\n\n### 回答:\n"
    dialogue = [{"role": "user", "content": "春は？"}, {"role": "assistant", "content": "A です。"}]
    assert (
        tokenizer.apply_chat_template(dialogue, tokenize=False)
        == "### 質問:\n春は？\n\n### 回答:\nA です。<|endoftext|>"
    )


def test_eos_is_learned_exactly_once_and_last_and_the_prompt_never(loaded):
    _, tokenizer = loaded
    for record, one in zip(qa(), loadModel.tokenize(tokenizer, qa()), strict=True):
        prompt = tokenizer(loadModel.prompt_of(tokenizer, record["instruction"]))["input_ids"]
        assert one["input_ids"][: len(prompt)] == prompt and set(one["labels"][: len(prompt)]) == {
            -100
        }
        assert one["input_ids"].count(tokenizer.eos_token_id) == 1
        assert (
            one["labels"][len(prompt) :] == one["input_ids"][len(prompt) :]
            and one["labels"][-1] == tokenizer.eos_token_id
        )
        assert tokenizer.decode(one["input_ids"][len(prompt) : -1]) == record["response"]
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


def plain_trainer(loaded, model, records, folder, **arguments):
    """SFTTrainer as its users write it: prompt and completion columns, 4 x 4, padded."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTTrainer

    table = [
        {"prompt": loadModel.prompt_of(loaded[1], r["instruction"]), "completion": r["response"]}
        for r in records
    ]
    return SFTTrainer(
        model=model,
        processing_class=loaded[1],
        train_dataset=Dataset.from_list(table),
        args=config(
            folder, per_device_train_batch_size=4, gradient_accumulation_steps=4, **arguments
        ),
        peft_config=LoraConfig(
            r=16,
            lora_alpha=32,
            lora_dropout=0.0,
            target_modules=["query_key_value"],
            task_type="CAUSAL_LM",
        ),
    )


def config(folder, **arguments):
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(folder),
        max_length=None,
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        max_grad_norm=0.3,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        learning_rate=1e-2,
        seed=42,
        disable_tqdm=True,
        **arguments,
    )


def fast(loaded, model, records, folder, dropout=0.0, pass_size=4, **arguments):
    """(trainer, watcher) of the same run by loadModel.py; the watcher's test set is the first ten."""
    settings = SimpleNamespace(
        TARGET_MODULES="query_key_value",
        LORA_R=16,
        LORA_ALPHA=32,
        LORA_DROPOUT=dropout,
        BATCH_SIZE=pass_size,
        step=16,
        world=1,
    )
    tokens = loadModel.tokenize(loaded[1], records)
    examples = [loadModel.Example(*pair) for pair in zip(records, tokens, strict=True)]
    arguments = config(folder, padding_free=True, **arguments)
    base = model, loaded[1]
    trainer, watcher = loadModel.make_trainer(base, settings, arguments, examples, examples[:10])
    assert trainer.args.per_device_train_batch_size == pass_size
    assert trainer.args.gradient_accumulation_steps == 16 // pass_size
    return trainer, watcher


def collated(loaded, records):
    """The records as a batch of TRL's padding-free collator."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    collate = DataCollatorForLanguageModeling(loaded[1].pad_token_id, padding_free=True)
    return collate(loadModel.tokenize(loaded[1], records))


def weights(trainer):
    import torch

    return torch.cat([p.detach().flatten() for p in trainer.model.parameters() if p.requires_grad])


def fresh(base, dtype="float32"):
    return loadModel.load_base(str(base), dtype)[0]


@pytest.mark.parametrize("pass_size", [4, 16, 2])
def test_the_step_trains_the_numbers_of_sfttrainer(loaded, base, tmp_path, pass_size):
    """70 records: steps of 16 and a ragged last one of 6, over 5 steps."""
    records = random.Random(1).sample(qa(), 70)
    plain = plain_trainer(loaded, fresh(base), records, tmp_path, max_steps=5)
    ours, watcher = fast(loaded, fresh(base), records, tmp_path, max_steps=5, pass_size=pass_size)
    assert ours.train_dataset["input_ids"] == plain.train_dataset["input_ids"]
    assert ours.train_dataset["labels"] == plain.train_dataset["labels"]
    start = weights(ours)
    assert start.equal(weights(plain))
    ours.remove_callback(watcher)
    plain.train()
    ours.train()
    losses = [
        [log["loss"] for log in trainer.state.log_history if "loss" in log]
        for trainer in (plain, ours)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5) and len(losses[0]) == 5
    assert (weights(ours) - start).norm() > 0.01
    assert (weights(ours) - weights(plain)).norm() / weights(plain).norm() <= 1e-5


@pytest.mark.parametrize("fused", [False, True])  # True: TRL's head, as on a GPU
def test_the_loss_is_cross_entropy_of_what_is_learned_with_its_gradient(
    loaded, base, tmp_path, fused
):
    import torch

    trainer, _ = fast(loaded, fresh(base), qa(16), tmp_path, max_steps=1)
    batch, weight = collated(loaded, qa(6)), next(trainer.model.parameters())
    weight.requires_grad_(True)
    logits = [
        trainer.model(input_ids=torch.tensor([one["input_ids"]])).logits[0, :-1]
        for one in loadModel.tokenize(loaded[1], qa(6))
    ]
    labels = [torch.tensor(one["labels"][1:]) for one in loadModel.tokenize(loaded[1], qa(6))]
    wanted = torch.nn.functional.cross_entropy(
        torch.cat(logits), torch.cat(labels), reduction="sum"
    )
    (slope,) = torch.autograd.grad(wanted, weight)

    class OnGpu(torch.Tensor):
        is_cuda = True

    if fused:
        batch["labels"] = batch["labels"].as_subclass(OnGpu)
    with loadModel.by_sequence(trainer.model.get_base_model()):
        loss = trainer.summed_loss(trainer.model, batch)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert torch.allclose(torch.autograd.grad(loss, weight)[0], slope, rtol=1e-4, atol=1e-5)


def test_sequences_in_one_row_do_not_see_each_other(loaded, base, tmp_path):
    import torch

    trainer, _ = fast(loaded, fresh(base), qa(16), tmp_path, max_steps=1)
    model, batch = trainer.model.get_base_model(), collated(loaded, qa(5))
    lengths = batch["cu_seq_lens_q"].diff().tolist()
    model.eval()
    with torch.no_grad(), loadModel.by_sequence(model):
        together = model.gpt_neox(
            batch["input_ids"], position_ids=batch["position_ids"], lengths=lengths
        ).last_hidden_state[0]
        alone = [
            model.gpt_neox(torch.tensor([one["input_ids"]])).last_hidden_state[0]
            for one in loadModel.tokenize(loaded[1], qa(5))
        ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_only_ids_and_positions_reach_the_model(loaded, base, tmp_path, monkeypatch):
    trainer, _ = fast(loaded, fresh(base), qa(16), tmp_path, max_steps=1)
    seen, model = set(), trainer.model.get_base_model()
    model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.update(kwargs), with_kwargs=True
    )
    assert "token_type_ids" in loaded[1]("a")
    trainer.train()
    assert {"input_ids", "position_ids"} < seen and "token_type_ids" not in seen


def test_dropout_is_on_in_training_and_off_when_measured_and_the_random_state_stays(
    loaded, base, tmp_path
):
    import torch

    trainer, watcher = fast(loaded, fresh(base), qa(16), tmp_path, dropout=0.5, max_steps=3)
    trainer.train()
    one = collated(loaded, qa()[:4])
    trainer.model.train()
    with loadModel.by_sequence(trainer.model.get_base_model()):
        losses = {trainer.summed_loss(trainer.model, one).item() for _ in range(2)}
    assert len(losses) == 2
    state = torch.get_rng_state(), random.getstate()
    with loadModel.by_sequence(trainer.model.get_base_model()):
        watcher.measure()
        watcher.measure()
    first, second = [log for log in trainer.state.log_history if "test_set" in log][-2:]
    assert first["test_set"] == second["test_set"]
    assert torch.get_rng_state().equal(state[0]) and random.getstate() == state[1]
    assert trainer.model.training


def test_the_measured_loss_is_that_of_a_learned_token(loaded, base, tmp_path):
    import torch

    trainer, watcher = fast(loaded, fresh(base), qa(16), tmp_path, max_steps=1)
    trainer.train()
    trainer.model.eval()
    losses = []
    for one in loadModel.tokenize(loaded[1], qa(16)):
        logits = trainer.model(input_ids=torch.tensor([one["input_ids"]])).logits[0, :-1]
        labels = torch.tensor(one["labels"][1:])
        losses += torch.nn.functional.cross_entropy(logits, labels, reduction="none")[
            labels != -100
        ].tolist()
    wanted = sum(losses) / len(losses)
    with loadModel.by_sequence(trainer.model.get_base_model()):
        assert watcher.mean_loss(watcher.sets["train_set"]) == pytest.approx(wanted, rel=1e-5)


def test_no_logits_are_formed_but_those_of_learned_tokens_and_no_larger_passes(
    loaded, base, tmp_path
):
    trainer, watcher = fast(loaded, fresh(base), qa(16), tmp_path, max_steps=1)
    formed, passes = [], []
    examples = loadModel.tokenize(loaded[1], qa(16))
    learned = sum(len(one["labels"]) - one["labels"].count(-100) for one in examples)
    trainer.model.get_base_model().lm_head.register_forward_hook(
        lambda module, inputs, output: formed.append(output.shape.numel() // output.shape[-1])
    )
    trainer.model.get_base_model().register_forward_pre_hook(
        lambda module, args, kwargs: passes.append(len(kwargs["lengths"])), with_kwargs=True
    )
    trainer.model.eval()
    with loadModel.by_sequence(trainer.model.get_base_model()):
        watcher.mean_loss(watcher.sets["train_set"])
    assert sum(formed) == learned and set(passes) == {loadModel.BATCH_SIZE}


@pytest.mark.parametrize("constants", [{"GRADIENT_CHECKPOINTING": True}, {"bf16": True}])
def test_gradients_reach_the_adapter_under_checkpointing_and_in_16_bits(
    tmp_path, monkeypatch, base, constants
):
    prepare(
        monkeypatch,
        tmp_path,
        base,
        qa(24),
        EPOCHS=1,
        **{k: v for k, v in constants.items() if k.isupper()},
    )
    if "bf16" in constants:
        monkeypatch.setattr(
            loadModel,
            "choose_base",
            lambda: loadModel.Base(str(base), True, "cpu", "bfloat16", "test"),
        )
    loadModel.main()
    saved = adapter()
    assert {str(tensor.dtype) for tensor in saved.values()} == {"torch.float32"}
    assert all(tensor.any() for name, tensor in saved.items() if "lora_B" in name)


# --- the device


@pytest.mark.parametrize(
    ("capability", "dtype"), [((7, 5), "float16"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")]
)
def test_bf16_only_where_the_gpu_computes_in_it(monkeypatch, capability, dtype):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "GPU")
    assert loadModel.choose_base()[:4] == ("cyberagent/open-calm-3b", False, "cuda", dtype)
    monkeypatch.setattr(loadModel, "REHEARSAL", True)
    assert loadModel.choose_base()[:2] == ("data/rehearsal_model", True)


@pytest.fixture(scope="module")
def shape_3b():
    """OpenCALM-3B's shape without its weights."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    with torch.device("meta"):
        return GPTNeoXForCausalLM(
            GPTNeoXConfig(
                vocab_size=52096,
                hidden_size=2560,
                num_hidden_layers=32,
                num_attention_heads=32,
                intermediate_size=10240,
                tie_word_embeddings=False,
            )
        ).bfloat16()


@pytest.mark.parametrize(
    ("free", "checkpointing", "size", "warned"),
    [
        (140, False, 16, False),
        (10, False, 4, False),
        (16, False, 8, False),
        (6, False, 4, True),
        (9, True, 16, False),
    ],
)
def test_passes_grow_where_memory_allows_and_the_need_is_told(
    shape_3b, monkeypatch, capsys, free, checkpointing, size, warned
):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free * 2**30, free * 2**30))
    settings = SimpleNamespace(
        TARGET_MODULES="query_key_value",
        BATCH_SIZE=4,
        step=16,
        world=1,
    )
    monkeypatch.setattr(loadModel, "GRADIENT_CHECKPOINTING", checkpointing)
    assert loadModel.choose_pass(shape_3b, settings, [200] * 100, gpu=True) == size
    printed = capsys.readouterr().out
    assert f"空き {free:.1f} GiB" in printed and ("LOAD_IN_4BIT" in printed) == warned


def test_one_gpu_unless_started_by_accelerate(tmp_path, monkeypatch, base):
    prepare(monkeypatch, tmp_path, base, DATA_FILE="absent.json")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    with pytest.raises(SystemExit):
        loadModel.main()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit):
        loadModel.main()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,3"


# --- base models of other makes


def test_the_published_layout_fp16_bin_shards(tmp_path, monkeypatch):
    import torch

    folder = make_base(tmp_path / "published")
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    assert (
        "embed_out.weight" in state
    )  # the published name of what transformers 5.14 renamed to lm_head
    (folder / "model.safetensors").unlink()
    names, shards = sorted(state), {}
    for number, part in enumerate((names[:9], names[9:]), 1):
        shard = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({name: state[name] for name in part}, folder / shard)
        shards |= dict.fromkeys(part, shard)
    (folder / "pytorch_model.bin.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": shards})
    )
    prepare(
        monkeypatch, tmp_path, folder, REHEARSAL=False, BASE_MODEL=str(folder), LEARNING_RATE=1e-3
    )
    loadModel.main()
    assert any(tensor.any() for name, tensor in adapter().items() if "lora_B" in name)
    assert {name.split(".")[-3] for name in adapter()} == {"query_key_value"}
    assert "base_model" in json.loads(Path("out/metrics.json").read_text("utf-8"))["run"]


class Evil:
    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_weights_that_run_code_are_refused(tmp_path, monkeypatch):
    import torch

    folder = make_base(tmp_path / "evil")
    (folder / "model.safetensors").unlink()
    torch.save({"x": Evil()}, folder / "pytorch_model.bin")
    prepare(monkeypatch, tmp_path, folder)
    with pytest.raises(SystemExit, match="読み込めません"):
        loadModel.main()
    assert not Path("unpickled").exists()


def test_missing_weights_are_an_error(tmp_path, monkeypatch):
    from safetensors.torch import load_file, save_file

    folder = make_base(tmp_path / "partial")
    state = load_file(folder / "model.safetensors")
    state.pop("gpt_neox.layers.1.attention.dense.weight")
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    prepare(monkeypatch, tmp_path, folder)
    with pytest.raises(
        SystemExit, match=r"重みが 1 個足りません（gpt_neox.layers.1.attention.dense.weight"
    ):
        loadModel.main()


def test_a_tokenizer_that_changes_text_is_refused(tmp_path, monkeypatch):
    from tokenizers import normalizers

    prepare(monkeypatch, tmp_path, make_base(tmp_path / "nfkc", normalizer=normalizers.NFKC()))
    with pytest.raises(SystemExit, match="文字を変えます"):
        loadModel.main()


def test_a_pad_row_is_added_only_where_it_is_lacking_and_the_adapter_loads(
    tmp_path, monkeypatch, base
):
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer

    assert loadModel.load_base(str(base), None)[0].get_input_embeddings().num_embeddings == 400
    folder = make_base(tmp_path / "no_pad", pad=False)
    prepare(monkeypatch, tmp_path, folder, EPOCHS=1)
    loadModel.main()
    tokenizer = AutoTokenizer.from_pretrained("out")
    assert tokenizer.pad_token == "<|padding|>" and tokenizer.pad_token_id == 400
    model = AutoPeftModelForCausalLM.from_pretrained("out")
    assert model.get_input_embeddings().num_embeddings == 401
    prompts = tokenizer(
        ["春は？", "秋の香水を教えて？"], padding=True, padding_side="left", return_tensors="pt"
    )
    assert (
        model.generate(
            input_ids=prompts["input_ids"],
            attention_mask=prompts["attention_mask"],
            max_new_tokens=3,
        ).shape[0]
        == 2
    )


# --- a finished run


def test_what_is_printed(trained):
    _, printed, trainer = trained
    assert printed.index("基礎モデル") < printed.index("学習 64 件、テスト 8 件")
    for words in (
        "cpu、float32",
        "CUDA の GPU がないため",
        "LEARNING_RATE': 0.002",
        "質問も回答も前の記録と同じ: 1 件（最初は 73 件目）",
        "200 トークンより長い: 1 件（最初は 74 件目）",
        "instruction が文字列でない: 1 件（最初は 75 件目）",
        "学習データが少ない",
        "テストのうち 0 件",
        "<|endoftext|>】",
        "2 エポック = 8 ステップ",
        "過学習",
    ):
        assert words in printed, words
    trainable = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    assert f"学習する重み {trainable:,} 個" in printed and trainable > 0
    assert printed.count(" → ") >= 2 * 5  # two questions at the start and every half epoch


def test_no_tracker_unless_named(trained):
    names = {type(callback).__name__ for callback in trained[2].callback_handler.callbacks}
    assert not any("Wandb" in name or "Tensor" in name or "Trackio" in name for name in names), (
        names
    )


def test_what_is_saved(trained):
    folder = trained[0] / "out"
    metrics, test = (
        json.loads((folder / name).read_text("utf-8")) for name in ("metrics.json", "test.json")
    )
    assert (metrics["train"], metrics["test"], metrics["steps"]) == (64, 8, 8)
    assert sum(metrics["rejected"].values()) == 3
    assert len(test) == 8 and all(record in qa() for record in test)
    assert [point["epoch"] for point in metrics["curve"]] == [0, 0.5, 1.0, 1.5, 2.0]
    assert metrics["curve"][-1]["test_set"] < metrics["curve"][0]["test_set"]
    assert not list(folder.glob("checkpoints/result"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    assert (
        tokenizer["padding"] is None and tokenizer["truncation"] is None
    )  # who loads it gets the tokens that were learned


def test_the_adapter_answers_without_our_code(trained, monkeypatch):
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer

    monkeypatch.chdir(trained[0])
    model, tokenizer = (
        AutoPeftModelForCausalLM.from_pretrained("out"),
        AutoTokenizer.from_pretrained("out"),
    )
    saved = adapter("out")
    assert all(tensor.isfinite().all() for tensor in saved.values()) and any(
        t.any() for n, t in saved.items() if "lora_B" in n
    )
    assert (
        tokenizer.pad_token == "<|padding|>"
        and json.loads(Path("out/adapter_config.json").read_text())["base_model_name_or_path"]
    )
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "春は？"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    assert tokenizer.decode(prompt["input_ids"][0]) == "### 質問:\n春は？\n\n### 回答:\n"
    answer = model.generate(
        input_ids=prompt["input_ids"],
        attention_mask=prompt["attention_mask"],
        max_new_tokens=8,
        do_sample=False,
    )
    with model.disable_adapter(), torch.no_grad():
        plain = model(input_ids=answer).logits
    with torch.no_grad():
        assert not torch.allclose(model(input_ids=answer).logits, plain, atol=1e-3)


def test_the_merged_model_gives_the_adapters_answers(trained, base, monkeypatch):
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.chdir(trained[0])
    merged, whole = (
        AutoModelForCausalLM.from_pretrained("merged"),
        AutoPeftModelForCausalLM.from_pretrained("out", dtype="float32"),
    )
    before = AutoModelForCausalLM.from_pretrained(base).state_dict()
    assert {p.dtype for p in merged.parameters()} == {torch.float16}
    changed = [
        name for name, weight in merged.state_dict().items() if not weight.equal(before[name])
    ]
    assert len(changed) == 2 * 4  # the four linear layers of each of the two blocks, nothing else
    tokenizer = AutoTokenizer.from_pretrained("merged")
    assert tokenizer.chat_template == loadModel.CHAT_TEMPLATE
    ids = tokenizer(loadModel.prompt_of(tokenizer, "ローズの1番の香水は？"), return_tensors="pt")[
        "input_ids"
    ]
    answers = [
        model.float().generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
        )
        for model in (merged, whole)
    ]
    assert answers[0].equal(answers[1])


def test_the_model_card(trained):
    text = (trained[0] / "out" / "README.md").read_text("utf-8")
    head = yaml.safe_load(text.split("---")[1])
    assert (
        head["license"] == "cc-by-sa-4.0"
        and head["language"] == "ja"
        and head["library_name"] == "peft"
    )
    assert "More Information Needed" not in text and "リハーサル" in text
    for words in (
        "学習 64 件",
        "テスト 8 件",
        "CC BY-SA 4.0",
        '"LORA_R": 16',
        "AutoPeftModelForCausalLM",
        "loss.png",
    ):
        assert words in text, words


def test_the_loss_picture_has_its_japanese_labels(trained, tmp_path):
    assert (trained[0] / "out" / "loss.png").read_bytes().startswith(b"\x89PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of each glyph that its font lacks
        loadModel.draw_losses(tmp_path / "loss.png", trained[2].state.log_history)
    assert (tmp_path / "loss.png").stat().st_size > 10_000


def test_a_finished_run_is_left_alone_and_another_is_refused(trained, base, monkeypatch, capsys):
    folder = trained[0]
    before = {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*")}
    records = json.loads((folder / "qa.json").read_text("utf-8"))
    prepare(monkeypatch, folder, base, records, MERGED_DIR="merged", LORA_DROPOUT=0.05)
    loadModel.main()
    assert "学習済み" in capsys.readouterr().out
    monkeypatch.setattr(loadModel, "BATCH_SIZE", 2)
    monkeypatch.setattr(loadModel, "GRADIENT_ACCUMULATION", 8)  # the same 16 examples a step
    loadModel.main()
    monkeypatch.setattr(loadModel, "SEED", 43)
    with pytest.raises(SystemExit, match="SEED（42 → 43）"):
        loadModel.main()
    monkeypatch.setattr(loadModel, "SEED", 42)
    prepare(monkeypatch, folder, base, records[1:], MERGED_DIR="merged", LORA_DROPOUT=0.05)
    with pytest.raises(SystemExit, match="data（"):
        loadModel.main()
    (folder / "qa.json").write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    assert {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*")} == before


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([3.0, 2.0, 1.0], "過学習はしていません"),
        ([3.0, 2.0, 2.03], "過学習はしていません"),
        ([3.0, 1.0, 1.5], "過学習しています"),
        ([3.0, 2.99, 2.98], "ほとんど学習していません"),
        ([3.0, 4.0, 5.0], "ほとんど学習していません"),
    ],
)
def test_verdict(losses, words):
    curve = [
        {"epoch": number / 2, "test_set": loss, "train_set": loss}
        for number, loss in enumerate(losses)
    ]
    assert loadModel.verdict(curve).startswith(words)


# --- interruptions


def interrupt(patch, step, act=lambda: signal.raise_signal(signal.SIGINT)):
    """Let something happen at the end of a step."""
    usual = loadModel.Watcher.on_step_end

    def on_step_end(watcher, *arguments, **more):
        if watcher.trainer.state.global_step == step:
            act()
        usual(watcher, *arguments, **more)

    patch.setattr(loadModel.Watcher, "on_step_end", on_step_end)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, base):
    """The adapter of a run of 8 steps that nothing disturbed, dropout on."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("undisturbed")
        prepare(patch, folder, base)
        loadModel.main()
        return adapter(folder / "out")


@pytest.mark.parametrize("step", [3, 4])  # within an epoch, and at its end
def test_ctrl_c_saves_and_the_next_start_ends_like_an_undisturbed_run(
    tmp_path, monkeypatch, base, undisturbed, capsys, step
):
    prepare(monkeypatch, tmp_path, base)
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        interrupt(patch, step)
        with pytest.raises(SystemExit, match="続きから"):
            loadModel.main()
    assert signal.getsignal(signal.SIGINT) is handler
    assert [path.name for path in Path("out/checkpoints").iterdir()] == [f"checkpoint-{step}"]
    assert not Path("out/adapter_model.safetensors").exists()
    capsys.readouterr()
    loadModel.main()
    assert "0.0 エポック" not in capsys.readouterr().out
    assert same(adapter(), undisturbed)
    curve = json.loads(Path("out/metrics.json").read_text("utf-8"))["curve"]
    assert curve[0]["epoch"] == 0 and len(curve) == 5


def test_half_written_checkpoints_are_passed_over(tmp_path, monkeypatch, base, undisturbed, capsys):
    prepare(monkeypatch, tmp_path, base, SAVE_MINUTES=0)
    with monkeypatch.context() as patch:
        interrupt(patch, 7)
        with pytest.raises(SystemExit, match="続きから"):
            loadModel.main()
    assert sorted(path.name for path in Path("out/checkpoints").iterdir()) == [
        "checkpoint-6",
        "checkpoint-7",
    ]
    optimizer = Path("out/checkpoints/checkpoint-7/optimizer.pt")
    optimizer.write_bytes(optimizer.read_bytes()[: optimizer.stat().st_size // 2])
    shutil.copytree("out/checkpoints/checkpoint-6", "out/checkpoints/checkpoint-8")
    Path("out/checkpoints/checkpoint-8/seal.json").unlink()
    capsys.readouterr()
    loadModel.main()
    printed = capsys.readouterr().out
    assert "checkpoint-7 は書きかけ" in printed and "checkpoint-8 は書きかけ" in printed
    assert same(adapter(), undisturbed)


def test_a_change_since_the_checkpoint_is_named_and_refused(tmp_path, monkeypatch, base):
    prepare(monkeypatch, tmp_path, base)
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(SystemExit, match="続きから"):
            loadModel.main()
    for name, value, words in (
        ("EPOCHS", 3, "EPOCHS（2 → 3）"),
        ("LORA_R", 8, "LORA_R（16 → 8）"),
        ("GRADIENT_ACCUMULATION", 2, "examples_per_step（16 → 8）"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(loadModel, name, value)
            with pytest.raises(SystemExit, match=words):
                loadModel.main()
    prepare(monkeypatch, tmp_path, base, qa()[:-1])
    with pytest.raises(SystemExit, match="data（"):
        loadModel.main()


def test_a_non_finite_loss_stops_the_run_and_keeps_the_checkpoint(tmp_path, monkeypatch, base):
    prepare(monkeypatch, tmp_path, base, SAVE_MINUTES=0)
    usual, calls = loadModel.LearnedLoss.summed_loss, []

    def loss(trainer, model, batch):
        calls.extend([1] * model.training)
        broken = len(calls) > 13  # from the fourth step on
        return usual(trainer, model, batch) * (float("nan") if broken else 1)

    monkeypatch.setattr(loadModel.LearnedLoss, "summed_loss", loss)
    with pytest.raises(SystemExit, match="ステップ 4 で損失が nan"):
        loadModel.main()
    assert sorted(path.name for path in Path("out/checkpoints").iterdir()) == [
        "checkpoint-2",
        "checkpoint-3",
    ]
    assert not Path("out/adapter_model.safetensors").exists()
    assert all(
        tensor.isfinite().all() for tensor in adapter("out/checkpoints/checkpoint-3").values()
    )


def test_a_full_disk_stops_the_run_and_keeps_the_checkpoint(
    tmp_path, monkeypatch, base, undisturbed
):
    """Files may not grow beyond 16 kB from step 3 on, so that torch and safetensors fail as they do on a full disk."""
    prepare(monkeypatch, tmp_path, base, SAVE_MINUTES=0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with monkeypatch.context() as patch:
        interrupt(patch, 3, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, limits[1])))
        try:
            with pytest.raises(SystemExit, match="checkpoint-3 に保存できません"):
                loadModel.main()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in Path("out/checkpoints").iterdir()) == [
        "checkpoint-1",
        "checkpoint-2",
    ]
    loadModel.main()
    assert same(adapter(), undisturbed)


def test_too_little_gpu_memory_is_told_with_what_to_change(tmp_path, monkeypatch, base):
    import torch

    def loss(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    prepare(monkeypatch, tmp_path, base)
    monkeypatch.setattr(loadModel.LearnedLoss, "compute_loss", loss)
    with pytest.raises(SystemExit, match=r"メモリが足りません.*GRADIENT_CHECKPOINTING = True"):
        loadModel.main()


# --- what users do


START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import loadModel\n"


def started(folder, base, code="loadModel.main()", options=(), **more):
    """A finished process of a short run in a folder."""
    (folder / "qa.json").write_text(json.dumps(qa(24), ensure_ascii=False), encoding="utf-8")
    constants = {
        "REHEARSAL_MODEL": str(base),
        "DATA_FILE": "qa.json",
        "OUTPUT_DIR": "out",
        "EPOCHS": 1,
        "REHEARSAL_OVERRIDES": {"LEARNING_RATE": 2e-3},
    }
    setting = "".join(f"loadModel.{name} = {value!r}\n" for name, value in constants.items())
    command = [sys.executable, *options, "-c", START + setting + code]
    return subprocess.run(
        command, cwd=folder, stderr=subprocess.PIPE, encoding="utf-8", errors="replace", **more
    )


def test_checkpoints_with_other_names_are_left_alone(tmp_path, monkeypatch, base, undisturbed):
    prepare(monkeypatch, tmp_path, base, SAVE_MINUTES=0)
    with monkeypatch.context() as patch:
        interrupt(patch, 3)
        with pytest.raises(SystemExit, match="続きから"):
            loadModel.main()
    copies = ["checkpoint-3 (1)", "checkpoint-3のコピー", "checkpoint-", "checkpoint-٣"]
    for name in copies:
        shutil.copytree("out/checkpoints/checkpoint-3", f"out/checkpoints/{name}")
    loadModel.main()
    assert same(adapter(), undisturbed)
    kept = {path.name for path in Path("out/checkpoints").iterdir()}
    assert kept == {*copies, "checkpoint-7", "checkpoint-8"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run": 5}', '{"run": {"a": 1}}', "\x00"])
def test_a_foreign_metrics_file_is_no_finished_run(tmp_path, monkeypatch, capsys, content):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loadModel, "OUTPUT_DIR", "out")
    Path("out").mkdir()
    Path("out/metrics.json").write_text(content)
    Path("out/adapter_model.safetensors").write_text("")
    assert not loadModel.is_finished({"LORA_R": 16})
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("name", ["seal.json", "adapter_model.safetensors", "rng_state.pth"])
@pytest.mark.parametrize("cut", ["half", "gone", "foreign"])
def test_a_checkpoint_with_a_damaged_file_is_passed_over(
    tmp_path, monkeypatch, base, capsys, name, cut
):
    prepare(monkeypatch, tmp_path, base, SAVE_MINUTES=0)
    run = {"LORA_R": 16}
    for step in (1, 2):
        folder = Path(f"out/checkpoints/checkpoint-{step}")
        folder.mkdir(parents=True)
        for file in ("adapter_model.safetensors", "rng_state.pth", "trainer_state.json"):
            Path(folder, file).write_text(file * step)
        seal = {"run": run, "files": loadModel.fingerprints(folder)}
        Path(folder, "seal.json").write_text(json.dumps(seal))
    damaged = Path("out/checkpoints/checkpoint-2", name)
    if cut == "half":
        damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    elif cut == "gone":
        damaged.unlink()
    else:
        damaged.write_text('{"files": 5}')
    assert loadModel.last_checkpoint(run) == "out/checkpoints/checkpoint-1"
    assert "checkpoint-2 は書きかけ" in capsys.readouterr().out


def test_an_output_folder_that_cannot_be_written_is_found_before_the_model_is_loaded(
    tmp_path, monkeypatch, base
):
    prepare(monkeypatch, tmp_path, base, OUTPUT_DIR="qa.json/out")
    monkeypatch.setattr(loadModel, "load_base", lambda *arguments: pytest.fail("loaded"))
    with pytest.raises(SystemExit, match=r"qa.json/out に書けません.*OUTPUT_DIR") as stop:
        loadModel.main()
    assert "\n" not in stop.value.code


def test_the_second_of_two_runs_says_that_one_is_running(tmp_path, monkeypatch, base):
    prepare(monkeypatch, tmp_path, base)
    with loadModel.output_held():
        second = started(tmp_path, base, stdout=subprocess.PIPE)
    assert second.returncode == 1
    assert "別の python loadModel.py が学習しています" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert not Path("out").exists()


def test_a_reader_that_leaves_does_not_end_the_training(tmp_path, base):
    reader, writer = os.pipe()
    os.close(reader)
    run = started(tmp_path, base, stdout=writer)
    os.close(writer)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr and (tmp_path / "out/metrics.json").exists()


STREAMS = {
    "closed": "import os; os.close(1); sys.stdout = None; sys.stderr = None\n",
    "shut": "sys.stdout.close()\n",
    "of a notebook": (
        "class Stream:\n"
        "    closed = False\n"
        "    def write(self, text): open('said', 'a', encoding='utf-8').write(text)\n"
        "    def flush(self): pass\n"
        "    def isatty(self): return False\n"
        "sys.stdout = sys.stderr = Stream()\n"
    ),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_streams_that_are_no_terminal(tmp_path, monkeypatch, base, kind):
    monkeypatch.setenv("MPLBACKEND", "of_another_python")  # as a notebook may name
    run = started(tmp_path, base, STREAMS[kind] + "loadModel.main()", stdout=subprocess.PIPE)
    assert run.returncode == 0 and "Traceback" not in run.stderr, run.stderr
    assert (tmp_path / "out/metrics.json").exists()
    if kind == "of a notebook":
        assert "に保存しました" in (tmp_path / "said").read_text("utf-8")


def test_without_assertions_input_is_checked_all_the_same(tmp_path, base):
    code = "loadModel.REHEARSAL_OVERRIDES = {'LEARNING_RATE': 0.0}\nloadModel.main()"
    run = started(tmp_path, base, code, options=["-O"], stdout=subprocess.PIPE)
    assert run.returncode == 1 and "学習した重みが空です" in run.stderr
    assert "assert " not in (ROOT / "loadModel.py").read_text("utf-8")


def test_a_record_with_a_lone_surrogate_is_left_out_and_named(tmp_path, monkeypatch, base, capsys):
    broken = qa()[0] | {"response": "\ud800香水", "instruction": "何？"}
    prepare(monkeypatch, tmp_path, base, None, EPOCHS=1)
    Path("qa.json").write_text(json.dumps([*qa(), broken, qa(80)[79] | {"key": "\udfff"}]))
    loadModel.main()
    printed = capsys.readouterr().out
    assert "response に制御文字か特殊トークンがある: 1 件（最初は 73 件目）" in printed
    assert "文字として書けない文字がある: 1 件（最初は 74 件目）" in printed


def test_an_adapter_that_learned_nothing_is_not_saved(tmp_path, monkeypatch, base):
    prepare(monkeypatch, tmp_path, base, REHEARSAL_OVERRIDES={"LEARNING_RATE": 0.0}, EPOCHS=1)
    with pytest.raises(SystemExit, match="空です"):
        loadModel.main()
    assert (
        not Path("out/adapter_model.safetensors").exists() and not Path("out/metrics.json").exists()
    )


# --- several processes


def test_two_processes_train_what_one_trains(tmp_path, monkeypatch, base):
    """Dropout off, 64 records in steps of 16, up to the last full step of an epoch: losses agree, one writer."""
    records = qa(71)  # 63 of them train: 3 full steps and one of 15, in which two processes differ
    script = (
        f"import json, sys; sys.path.insert(0, {str(ROOT)!r}); import loadModel\n"
        "for name, value in json.loads(sys.argv[1]).items(): setattr(loadModel, name, value)\n"
        "loadModel.main()"
    )
    (tmp_path / "start.py").write_text(script)
    prepare(monkeypatch, tmp_path, base, records)
    losses = {}
    for processes in (1, 2):
        constants = {
            "REHEARSAL_MODEL": str(base),
            "DATA_FILE": "qa.json",
            "OUTPUT_DIR": f"out{processes}",
            "EPOCHS": 0.75,
            "MAX_TOKENS": 200,
            "LORA_DROPOUT": 0.0,
            "REHEARSAL_OVERRIDES": {"LEARNING_RATE": 2e-3, "TARGET_MODULES": "all-linear"},
        }
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "torch.distributed.run",
                "--nproc_per_node",
                str(processes),
                "--master_port",
                "29517",
                "start.py",
                json.dumps(constants),
            ],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            encoding="utf-8",
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout.count("基礎モデル") == 1 and run.stdout.count("に保存しました") == 1
        metrics = json.loads(Path(f"out{processes}/metrics.json").read_text("utf-8"))
        assert metrics["steps"] == 3
        losses[processes] = [point["test_set"] for point in metrics["curve"]]
    assert losses[2] == pytest.approx(losses[1], rel=1e-5)
    one, two = adapter("out1"), adapter("out2")
    assert all((one[name] - two[name]).norm() <= 1e-4 * one[name].norm() for name in one)
