"""The rehearsal base model: its text asks nothing and knows nobody; its files are OpenCALM in little."""

import csv
import importlib.util
import json
import random
import re

import pytest
from conftest import ROOT

FOLDER = ROOT / "data" / "rehearsal_model"
QUESTION_FORMS = [
    "？",
    "?",
    "質問",
    "回答",
    "教えて",
    "ください",
    "下さい",
    "ですか",
    "ますか",
    "でしょうか",
    "ませんか",
    "何",
    "どの",
    "どれ",
    "どこ",
    "どんな",
    "いつ",
    "誰の",
    "知りたい",
    "探して",
    "欲しい",
    "ありますか",
    "###",
]


@pytest.fixture(scope="module")
def build():
    specification = importlib.util.spec_from_file_location("rehearsal_build", FOLDER / "build.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def text(build):
    return "\n".join(build.passages(10_000, build.SEED))


def test_no_passage_asks(text):
    assert [form for form in QUESTION_FORMS if form in text] == []


def real_perfumes():
    """The 160 perfumes of the sample site, as rows of its csv."""
    with open(ROOT / "data" / "sample_site" / "perfumes.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_invented_name_is_a_perfume_or_a_brand_of_the_sample_site(build):
    real = {
        build.squeezed(row[field])
        for row in real_perfumes()
        for field in ("brand", "brand_ja", "name", "name_ja")
    } - {""}
    assert len(real) > 300
    draws = random.Random(8)
    drawn = {build.squeezed(spelling) for _ in range(30_000) for spelling in build.invented(draws)}
    assert sorted(real & drawn) == []


def test_no_passage_states_a_fact_of_the_sample_site(build, text):
    """A fact ties a perfume to something, its brand first: no passage holds a perfume's name and its brand's."""
    pairs = [
        [
            {build.squeezed(row[field]) for field in fields} - {""}
            for fields in (("brand", "brand_ja"), ("name", "name_ja"))
        ]
        for row in real_perfumes()
    ]
    found = []
    for passage in text.split("\n"):
        words = [
            build.squeezed(word)
            for word in re.findall(r"[A-Za-z0-9À-ÿ'’.&\-]+|[ァ-ヴー＆]+", passage)
        ]
        runs = {
            "".join(words[a:b]) for b in range(1, len(words) + 1) for a in range(max(0, b - 5), b)
        }
        found += [passage for brand, name in pairs if runs & brand and runs & name]
    assert found == []


def test_passages_are_many_and_the_same_for_a_seed(build):
    first = build.passages(500, 3)
    assert first == build.passages(500, 3)
    assert len(set(first)) == 500
    assert first != build.passages(500, 4)


def test_names_are_invented_anew(build):
    names = [build.invented(random.Random(k))[0] for k in range(2_000)]
    assert len(set(names)) > 1_950


def test_the_files_are_opencalm_in_little():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 12_000_000
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert (
        config["model_type"] == "gpt_neox"
        and config["use_parallel_residual"] is False
        and config["tie_word_embeddings"] is False
    )
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    assert (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id) == (0, 0, 0)
    assert tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|padding|>"]) == [0, 1]
    question = "### 質問:\nメゾンマルジェラの香水を教えてください。\n\n### 回答:\n"
    assert tokenizer.decode(tokenizer(question)["input_ids"]) == question
    model = AutoModelForCausalLM.from_pretrained(FOLDER)
    assert model.config.vocab_size == len(tokenizer) == 2_048
