"""A tiny Llama 2: the way of its tokenizer and its chat template, with pieces and weights of its own."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tomtransfer.models.registry import CORPUS

SPECIAL = ("<unk>", "<s>", "</s>")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))

TEMPLATE = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
"""The chat template of Llama 2 Chat."""


def sentence_pieces(vocabulary: int = 700) -> Any:
    """Return a tokenizer as Llama 2 has it: pieces that begin with a space, single bytes for what is no piece."""
    trained = Tokenizer(models.BPE(unk_token=SPECIAL[0]))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    alphabet = ["▁", *(chr(code) for code in range(33, 127))]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(BYTES), special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    letters = " ".join(chr(code) for code in range(ord("A"), ord("Z") + 1))
    # Line breaks are none of Llama 2's pieces.
    trained.train_from_iterator([f" {' '.join(CORPUS.split())}", *[f" {letters}"] * len(CORPUS)], trainer)
    learnt = json.loads(trained.to_str())["model"]
    pieces = [piece for piece, _ in sorted(learnt["vocab"].items(), key=lambda item: item[1])]
    known = {piece: number for number, piece in enumerate([*SPECIAL, *BYTES, *pieces[len(SPECIAL) :]])}
    merges = [tuple(pair) for pair in learnt["merges"]]
    whole = Tokenizer(models.BPE(known, merges, byte_fallback=True, unk_token=SPECIAL[0], fuse_unk=True))
    whole.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    whole.decoder = decoders.Sequence(steps)
    names = dict(zip(("unk_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=whole, chat_template=TEMPLATE, **names)


def write_llama2(folder: Path, seed: int) -> None:
    """Write a tiny Llama with random weights, and its tokenizer."""
    tokenizer = sentence_pieces()
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(tokenizer), initializer_range=0.3, bos_token_id=1, eos_token_id=2, **shape)
    torch.manual_seed(seed)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
