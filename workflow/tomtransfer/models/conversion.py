"""Writing model directories: a GGUF file as safetensors, and a tiny model with random weights."""

import logging
import shutil
import string
from pathlib import Path
from typing import Any

from tomtransfer.models.registry import Random

logger = logging.getLogger(__name__)

_END = "<|end|>"
_PADDING = "<|padding|>"


def convert(gguf: Path, directory: Path) -> None:
    """Write the model and the tokenizer in the file `gguf` into `directory`, its weights as float32 safetensors.

    transformers reads GGUF files slowly, so this is done once. Takes up to twice the memory of the float32 weights.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    logger.info("Reading the tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    logger.info("Converting the weights to float32")
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # The weights are plain numbers now; what is left of the quantiser would keep them from being saved.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    _save(model, tokenizer, directory)


def write_random(source: Random, directory: Path) -> None:
    """Write an untrained Llama and its tokenizer into `directory`; the same settings give the same files."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    tokenizer = train_tokenizer(source.corpus, source.vocabulary_size)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=source.hidden_size,
        intermediate_size=4 * source.hidden_size,
        num_hidden_layers=source.layers,
        num_attention_heads=source.heads,
        num_key_value_heads=source.heads,
        max_position_embeddings=4096,
        initializer_range=source.deviation,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(source.seed)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    _save(model, tokenizer, directory)


def train_tokenizer(corpus: str, vocabulary_size: int) -> Any:
    """Return a byte-pair tokenizer for any text; a capital letter or digit is one token, with or without a space."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[_END, _PADDING],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # Said as often as the corpus has characters, no other pair is more frequent: the labels are merged first.
    labels = "".join(f" {label}" for label in string.ascii_uppercase + string.digits)
    tokenizer.train_from_iterator([corpus, *[labels] * len(corpus)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_END, pad_token=_PADDING)


def _save(model: Any, tokenizer: Any, directory: Path) -> None:
    """Write a model and its tokenizer, readable by whoever may read any of the files."""
    logger.info("Writing the model")
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    for weights in directory.glob("*.safetensors"):  # written for their owner alone
        shutil.copymode(directory / "config.json", weights)
