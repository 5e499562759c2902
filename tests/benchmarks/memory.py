"""Peak GPU memory of loadModel.py's training step on OpenCALM-3B's shape: random weights, 16 examples of 200 tokens a step.

Run:    python tests/benchmarks/memory.py
Prints: a table by settings. On a CUDA GPU it is measured; without one it is computed: the tensors that a pass keeps for
        the backward pass are counted on blocks of the real width, with 1 and with 2 of them, and carried on to 32.
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
warnings.filterwarnings("ignore")

import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AttentionInterface, GPTNeoXConfig, GPTNeoXForCausalLM  # noqa: E402
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling  # noqa: E402
from trl.trainer.utils import add_fused_lm_head  # noqa: E402

import loadModel  # noqa: E402

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
LAYERS, HIDDEN, HEADS, VOCABULARY, TOKENS = 32, 2560, 32, 52096, 200
CONTEXT = 0.6  # GiB, in computed rows: what CUDA and its libraries take before the first tensor
GIB = 2**30


def layer_norm_as_on_cuda(self, states):
    """LayerNorm in float32: CUDA's autocast runs it so, that of the CPU does not."""
    with torch.autocast(DEVICE, enabled=False):
        weight, bias = self.weight.float(), self.bias.float()
        return torch.nn.functional.layer_norm(
            states.float(), self.normalized_shape, weight, bias, self.eps
        )


def make_model(layers, vocabulary, targets, checkpointing):
    """The shape in bf16 with a float32 adapter and loadModel.py's loss."""
    config = GPTNeoXConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        intermediate_size=4 * HIDDEN,
        rotary_pct=1.0,
        use_parallel_residual=False,
        tie_word_embeddings=False,
        attn_implementation="by_sequence",
    )
    with torch.device(DEVICE):
        model = GPTNeoXForCausalLM(config).bfloat16()
    lora = LoraConfig(
        r=16,
        lora_alpha=32,
        lora_dropout=0.05,
        task_type="CAUSAL_LM",
        target_modules=targets if targets == "all-linear" else [targets],
    )
    model = get_peft_model(model, lora)
    if checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    add_fused_lm_head(model.get_base_model(), outputs=("log_probs", "entropy", "is_top1"))
    return model.train()


def make_pass(size):
    """One packed pass of so many examples, a quarter of each the question."""
    ids = list(range(2, 2 + TOKENS))
    one = {"input_ids": ids, "labels": [-100] * (TOKENS // 4) + ids[TOKENS // 4 :]}
    batch = DataCollatorForLanguageModeling(1, padding_free=True)([one] * size)
    return {
        name: value.to(DEVICE) if torch.is_tensor(value) else value for name, value in batch.items()
    }


def measured(targets, checkpointing, size):
    """GiB at the peak of two optimizer steps on the GPU, with what CUDA itself holds."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    model = make_model(LAYERS, VOCABULARY, targets, checkpointing)
    optimizer = torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad], fused=True
    )
    for _ in range(2):
        for _ in range(16 // size):
            with torch.autocast(DEVICE, dtype=torch.bfloat16):
                loss = loadModel.LearnedLoss.summed_loss(None, model, make_pass(size))
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    free, total = torch.cuda.mem_get_info()
    return (torch.cuda.max_memory_allocated() + total - free - torch.cuda.memory_reserved()) / GIB


def kept_bytes(layers, targets, checkpointing):
    """Bytes that a pass of one example keeps for its backward pass, beside the weights."""
    model = make_model(layers, 512, targets, checkpointing)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            masks = (
                tensor.dtype == torch.float32 and tensor.unique().numel() <= 2
            )  # CUDA keeps dropout's mask as bytes
            kept[storage.data_ptr()] = storage.nbytes() // (4 if masks else 1), tensor
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast(DEVICE, dtype=torch.bfloat16),
    ):
        loadModel.LearnedLoss.summed_loss(None, model, make_pass(1))
    return sum(size for size, _ in kept.values())


def computed(targets, checkpointing, size):
    """GiB by counting: weights, adapter with its gradients and moments, kept tensors, one chunk of logits."""
    one, two = (kept_bytes(layers, targets, False) for layers in (1, 2))
    layer = two - one
    boundary = 2 * HIDDEN * TOKENS
    kept = size * (LAYERS * boundary + layer if checkpointing else LAYERS * layer)
    with torch.device("meta"):
        config = GPTNeoXConfig(
            vocab_size=VOCABULARY,
            hidden_size=HIDDEN,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=4 * HIDDEN,
            tie_word_embeddings=False,
        )
        weights = 2 * sum(
            parameter.numel() for parameter in GPTNeoXForCausalLM(config).parameters()
        )
    adapter = 16 * 16 * LAYERS * HIDDEN * (16 if targets == "all-linear" else 4)
    return (weights + adapter + kept + 2048 * VOCABULARY) / GIB + CONTEXT


def main():
    AttentionInterface.register("by_sequence", loadModel.attention_by_sequence)
    if not GPU:
        torch.nn.LayerNorm.forward = layer_norm_as_on_cuda
    print(
        f"3B shape, bf16, 16 examples of {TOKENS} tokens a step; "
        + (f"measured on {torch.cuda.get_device_name()}" if GPU else "computed: no CUDA GPU here")
    )
    print(
        "| TARGET_MODULES | GRADIENT_CHECKPOINTING | BATCH_SIZE × GRADIENT_ACCUMULATION | GiB |\n|---|---|---|---|"
    )
    for targets in ("query_key_value", "all-linear"):
        for checkpointing in (False, True):
            for size in (1, 4, 16):
                need = (measured if GPU else computed)(targets, checkpointing, size)
                print(
                    f"| {targets} | {checkpointing} | {size} × {16 // size} | {need:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
