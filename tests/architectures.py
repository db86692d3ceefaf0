"""A tiny model of every architecture: its configuration made small by the names that its settings have.

python tests/architectures.py [NAME ...]      # builds them and prints what each may share
"""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

ARCHITECTURES = sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)

VOCABULARY, WIDTH, HEADS, HEAD_SIZE, ROTARY = 320, 64, 4, 16, 8

SMALL: tuple[tuple[str, int], ...] = (
    (r"(padded_)?vocab_size\w*|n_vocab|\w*_vocab", VOCABULARY),
    (r"(decoder_|encoder_)?layers|(num_)?(hidden_|decoder_|encoder_)?layers|n_layers?|num_mtp_modules", 2),
    (r"\w*hidden_size\w*|n_embd|d_model|embedding_size|model_dim|emb_dim|dim|width|d_embed|word_embed_proj_dim", WIDTH),
    (r"(num_|n_)?(decoder_|encoder_|linear_|ssm_)?(attention_)?(value_|key_)?heads?|n_head|num_mem_heads", HEADS),
    (r"num_(decoder|encoder)_attention_heads|(decoder|encoder)_attention_heads|mamba_(num|n)_heads", HEADS),
    (r"num_(global_)?key_value_heads|num_kv_heads|n_kv_heads|multi_query_group_num|mamba_n_groups|n_groups", 2),
    (
        r"(global_|attention_|linear_|index_|swa_)*(value_|key_)?head_dim|d_kv|kv_channels|attention_head_size",
        HEAD_SIZE,
    ),
    (r"mamba_d_head|mamba_head_dim|mamba_headdim|ssm_head_dim|v_head_dim|qk_nope_head_dim|index_head_dim", HEAD_SIZE),
    (r"qk_rope_head_dim|rotary_dim", ROTARY),
    (r"(kv|q|o)_lora_rank|\w*lora_rank|\w*_rank|time_step_rank", 2 * HEAD_SIZE),
    (r"\w*intermediate_size\w*|\w*ffn_dim|ffn_hidden_size|n_inner|d_ff|dim_ff|feed_forward_size", 2 * WIDTH),
    (r"(num_|n_)(local_|routed_)?experts|moe_num_experts|num_global_experts", 4),
    (r"num_experts_per_tok(en)?|moe_top_?k|moe_k|top_k|topk|num_selected_experts|experts_per_token", 2),
    (r"(num_|n_)shared_experts|n_group|topk_group|num_expert_group|first_k_dense_replace|num_dense_layers", 1),
    (r"\w*sliding_window\w*|attention_window|window_size|attention_window_size|attention_chunk_size", 8),
    (r"mamba_chunk_size|chunk_size|block_size|mamba_d_state|ssm_state_size|state_size|mamba_d_conv_size|d_state", 16),
    (r"\w*_interval|\w*_period|\w*_every_n_layers|\w*_frequency|interleave_moe_layer_step", 2),
    (r"\w*_offset|num_kv_shared_layers", 1),
    (r"mamba_d_ssm", WIDTH),
)
"""What settings are called, and what they become; those with the same meaning have many names."""

TOKENS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}

SHAPES: tuple[Mapping[str, Any], ...] = (
    {},
    {"num_key_value_heads": HEADS},
    {"head_dim": ROTARY},
    {"num_key_value_heads": HEADS, "head_dim": ROTARY},
    {"head_dim": None},
    {"num_key_value_heads": HEADS, "head_dim": None, "v_head_dim": HEAD_SIZE, "qk_rope_head_dim": HEAD_SIZE},
    {"num_key_value_heads": 1},
    {"num_key_value_heads": HEADS, "head_dim": HEAD_SIZE + ROTARY},
)
"""What settings of an architecture have to agree upon differs: these are tried one after the other."""

WIDE_STATE = {
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads", "n_mamba_heads", "num_heads"), 2 * HEADS),
    **dict.fromkeys(("mamba_d_ssm", "attention_hidden_size"), 2 * WIDTH),
    "attention_head_dim": 2 * HEAD_SIZE,
    "attn_layer_indices": [1],
}
EXPERTS = {
    **{"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1},
    **{"indexer_n_heads": HEADS, "indexer_kv_heads": 1, "indexer_head_dim": HEAD_SIZE, "indexer_budget": 8},
    **{"indexer_compress_ratio": 2, "output_gate_type": "sigmoid", "num_experts": 4, "moe_intermediate_size": WIDTH},
}

ROTATION = {"rope_type": "default", "rope_theta": 10_000.0}

LEFT_OPEN: tuple[Mapping[str, Any], ...] = (
    {},
    WIDE_STATE,
    EXPERTS,
    {"attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10_000.0}},
    {"rope_parameters": dict.fromkeys(("full_attention", "sliding_attention"), ROTATION)},
    {"hidden_size_per_layer_input": 0},
)
"""What default settings leave open, or get wrong for a model of this width: tried with each of the above."""

MIXED: tuple[Mapping[str, Any], ...] = tuple(
    {"layer_types": [kind, "full_attention"]} for kind in ("conv", "linear_attention", "mamba", "sliding_attention")
)
"""Where default settings have layers of one kind alone, or do not say: two kinds, as released models have them."""

VARIANTS = tuple({**shape, **more} for more in LEFT_OPEN for shape in SHAPES)


LAYERS = ("num_hidden_layers", "n_layer", "num_layers")
"""What the number of layers is called."""

REPEATED = r"block_types|block_pattern|layer_pattern"
"""What lists of kinds are called that are repeated over the layers."""

AT_RANDOM = r"\w*(dropout|pdrop|drop_rate|layerdrop|jitter_noise)\w*"
"""What settings are called that change answers at random in training."""


class NotBuiltError(Exception):
    """No tiny model of an architecture could be built; the message says why."""


def small(settings: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of an architecture's default settings that have to be changed to make it small."""
    layers = next((settings[name] for name in LAYERS if name in settings), 0)
    kept = layers_of_each_kind(settings, layers)
    changed: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and name.endswith("_config") and "model_type" in value:
            changed[name] = {**value, **small(value, variant)}
        elif isinstance(value, list) and kept and len(value) == layers:
            changed[name] = [_smaller(name, value[number]) for number in kept]
        elif kept and isinstance(value, dict) and _by_layer(value):
            by_layer = {int(key): {**each, **small(each, variant)} for key, each in value.items()}
            changed[name] = {place: by_layer[number] for place, number in enumerate(kept) if number in by_layer}
        elif isinstance(value, int) and not isinstance(value, bool):
            if (wanted := _smaller(name, value)) != value:
                changed[name] = wanted
            if name in LAYERS:
                changed[name] = len(kept) or max(changed.get(name, value), _repeated(settings))
        elif isinstance(value, float) and re.fullmatch(AT_RANDOM, name):
            changed[name] = 0.0
    changed |= {name: value for name, value in variant.items() if name in settings}
    return changed | {name: value for name, value in TOKENS.items() if name in settings}


def _by_layer(value: Mapping[Any, Any]) -> bool:
    """Tell whether settings are those of single layers, by their numbers."""
    return bool(value) and all(str(key).isdigit() and isinstance(each, dict) for key, each in value.items())


def _smaller(name: str, value: Any) -> Any:
    """Return what a setting becomes, or its value as it is."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    wanted = next((wanted for pattern, wanted in SMALL if re.fullmatch(pattern, name)), value)
    return min(value, wanted) if wanted < WIDTH else wanted


def _repeated(settings: Mapping[str, Any]) -> int:
    """Return how many layers it takes to have each of a list of kinds that is repeated."""
    return max((len(value) for name, value in settings.items() if re.fullmatch(REPEATED, name) and value), default=0)


def layers_of_each_kind(settings: Mapping[str, Any], layers: int) -> list[int]:
    """Return numbers of layers, the last one among them, so that each kind that lists of the settings name is there."""
    lists = [list(map(repr, value)) for value in settings.values() if isinstance(value, list) and len(value) == layers]
    # What differs in every layer, such as its number, is no kind.
    lists = [each for each in lists if len(set(each)) < max(layers, 2)]
    if not layers or not lists:
        return []
    kinds = [repr([each[number] for each in lists]) for number in range(layers)]
    first = {kind: number for number, kind in reversed(list(enumerate(kinds)))}
    chosen = sorted({*first.values(), layers - 1})
    return chosen if len(chosen) > 1 else [0, layers - 1]


def build(architecture: str) -> Any:
    """Return a tiny model of an architecture with random weights, in which every kind of layer has an effect.

    Raises NotBuiltError with the reason.
    """
    reasons: list[str] = []
    tried: list[dict[str, Any]] = []
    for variant in _variants(architecture):
        try:
            settings = small(AutoConfig.for_model(architecture).to_dict(), variant)
            if settings in tried:
                continue
            tried.append(settings)
            config = AutoConfig.for_model(architecture, **settings)
            _require_small(config)
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(config).eval()
            _let_everything_count(model)
            with torch.no_grad():
                model(input_ids=torch.randint(40, 300, (1, 20)))
        except Exception as error:
            reasons.append(f"{type(error).__name__}: {str(error).strip()[:160]}")
        else:
            return model
    raise NotBuiltError(reasons[0] if reasons else "its default settings cannot be read")


def _variants(architecture: str) -> Iterator[Mapping[str, Any]]:
    """Yield what may be tried: first with layers of two kinds, where its default settings have one."""
    try:
        kinds = AutoConfig.for_model(architecture).to_dict().get("layer_types", ["one", "another"])
    except Exception:  # its default settings cannot be read, which `build` reports
        kinds = []
    for mixed in MIXED if not kinds or len(set(kinds)) == 1 else ():
        yield from ({**variant, **mixed} for variant in VARIANTS)
    yield from VARIANTS


LARGEST = 50_000_000
"""Weights of a tiny model, at most."""


def _require_small(config: Any) -> None:
    """Raise NotBuiltError for a model that would be large, which is told without giving it any memory."""
    with torch.device("meta"):
        weights = sum(each.numel() for each in AutoModelForCausalLM.from_config(config).parameters())
    if weights > LARGEST:
        raise NotBuiltError(f"it has {weights / 1e6:.0f} million weights, whatever is made small")


def _let_everything_count(model: Any) -> None:
    """Draw weights anew, large enough for every part of a model to be seen in its answers."""
    for name, value in model.named_parameters():
        if "sink" in name:
            torch.nn.init.constant_(value, 2.0)
        elif value.ndim == 1 and not value.any() and "bias" not in name:
            torch.nn.init.normal_(value, 0, 0.1)
        elif value.ndim in {2, 3} and "embed" not in name and "conv" not in name:
            torch.nn.init.normal_(value, 0, value.shape[-1] ** -0.5)


def _lines(names: list[str]) -> Iterator[str]:
    """Yield for each architecture what it may share, or why it may not be used."""
    from tomtransfer.inference.proof import prove

    for name in names:
        try:
            sharing, differences = prove(build(name), VOCABULARY)
            yield f"{name:26} {sharing} {differences}"
        except NotBuiltError as error:
            yield f"{name:26} not built: {error}"
        except Exception as error:
            yield f"{name:26} {type(error).__name__}: {str(error)[:300]}"


if __name__ == "__main__":
    for line in _lines(sys.argv[1:] or ARCHITECTURES):
        print(line, flush=True)
