"""A respondent that is a model run here, with or without an adapter, loaded when it is first needed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from tomtransfer.experiment.software import model_software
from tomtransfer.experiment.store import digest_of
from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.scenarios.beginnings import Spellings
from tomtransfer.scenarios.languages import phrases_in
from tomtransfer.scenarios.questions import Prompt, Query
from tomtransfer.scenarios.spelling import spellings_of


@dataclass(frozen=True)
class LocalModel:
    """A model at a revision, the precision of its weights, the adapter on it, and the temperature of its answers.

    `stage_revision` is raised by hand to have every answer computed again.
    """

    directory: Path
    model_revision: str
    quantization: str
    temperature: float
    stage_revision: int
    device: str
    tokens_per_batch: int
    adapter: Path | None = None
    adapter_key: str = ""
    chat: Mapping[str, Any] = field(default_factory=dict)
    """Variables of its chat template."""
    examinations: Path | None = None
    """The folder where it is noted what models were found to be; None to find out each time."""
    checks: Path | None = None
    """The same for what is found before they are loaded."""

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return self.directory.name

    @property
    def identity(self) -> dict[str, Any]:
        """What an answer depends on besides its prompt."""
        return {
            "model": self.name,
            "model_revision": self.model_revision,
            "quantization": self.quantization,
            "adapter": self.adapter_key,
            "temperature": self.temperature,
            "stage_revision": self.stage_revision,
        }

    def asked(self, prompt: Prompt | Query) -> dict[str, Any]:
        """Return the hash of a prompt, of which a model gets the text alone, and what its chat template is told."""
        return {"prompt": prompt.sha256, **({"chat": dict(self.chat)} if self.chat else {})}

    @property
    def variables(self) -> tuple[tuple[str, Any], ...]:
        """The variables of its chat template, by name."""
        return tuple(sorted(self.chat.items()))

    @cached_property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        from tomtransfer.inference.loading import load_tokenizer

        return load_tokenizer(self.directory)

    @cached_property
    def loaded(self) -> Any:
        """The model, on its device."""
        from tomtransfer.inference.loading import choose_device, load_model

        return load_model(self.directory, self.quantization, choose_device(self.device), self.adapter)

    @cached_property
    def anatomy(self) -> Mapping[str, Any]:
        """What it is made of, by `inference.skeleton.anatomy`.

        It is noted, since it does not depend on what the model is asked.
        """
        from tomtransfer.respondents.checking import noted_check

        def find() -> dict[str, Any]:
            from tomtransfer.inference.skeleton import anatomy

            return {**about, **anatomy(self.directory, self.quantization)}

        about = {name: self.identity[name] for name in ("model", "model_revision", "quantization")}
        if self.checks is None or not self.model_revision:
            return find()
        return noted_check({**about, "what": "anatomy", "software": model_software()}, self.checks, find)

    @cached_property
    def examination(self) -> Any:
        """What it was found to be, in this version of the libraries; it is loaded where that is not known yet."""
        from tomtransfer.inference.examination import examine_model, place_of
        from tomtransfer.inference.loading import choose_device

        about = {
            **{name: self.identity[name] for name in ("model", "model_revision", "quantization")},
            "device": choose_device(self.device).type,
            "software": model_software(),
        }
        place = place_of(digest_of(about), self.examinations) if self.examinations and self.model_revision else None
        return examine_model(lambda: self.loaded, self.directory, place, about)

    @property
    def examined(self) -> str:
        """The key of its examination; see `Respondent`."""
        return str(self.examination.key)

    def known(self, questions: Questions) -> Questions:
        """Return all questions; see `Respondent`."""
        return questions

    def evidence(self, prompt: Prompt | Query) -> str:
        """Exact: what is read of a model are probabilities; see `Respondent`."""
        return "exact"

    def check(self, questions: Questions, asking: Asking) -> dict[str, Any]:
        """Return what is known of it without its weights; see `Respondent`."""
        from tomtransfer.respondents.checking import check_model

        return check_model(self, questions, asking)

    @property
    def sharing(self) -> Any:
        """What its prompts and completions may share."""
        return self.examination.sharing

    @cached_property
    def vocabulary(self) -> Any:
        """What each of its tokens writes."""
        from tomtransfer.inference.sampling import end_tokens
        from tomtransfer.inference.vocabulary import Vocabulary

        known = self.loaded.get_input_embeddings().weight.shape[0]
        return Vocabulary(self.tokenizer, end_tokens(self.loaded, self.tokenizer, self.variables), known)

    @cached_property
    def prefixes(self) -> Any:
        """What is kept of prompts that were computed, by their tokens: none to begin with."""
        return {}

    def choose(
        self, prompts: Sequence[Prompt], room: int, drawn_after: Collection[str] = ()
    ) -> list[ChoiceDistribution]:
        """Return the exact choice distribution of each prompt; see `Respondent`.

        What is kept of prompts for later draws stays within the tokens of a batch, over all calls.
        """
        from tomtransfer.inference.encoding import encode_prompts, label_tokens

        written = label_tokens(
            self.tokenizer, (label for prompt in prompts for label in prompt.labels), self.name, self.variables
        )
        longest = max(map(len, written.values()), default=1)
        encoded = encode_prompts(self.tokenizer, prompts, self.directory, max(room, longest), self.variables)
        numbers = [number for number, prompt in enumerate(prompts) if prompt.sha256 in drawn_after]
        left = self.tokens_per_batch - sum(map(len, self.prefixes))
        tokens = accumulate(len(encoded[number]) for number in numbers)
        kept = [number for number, total in zip(numbers, tokens, strict=True) if total <= left]
        # In one order, so that frames which swap their labels are read by one record of them.
        labels = [tuple(sorted(prompt.labels)) for prompt in prompts]
        spellings = [
            spellings_of(each, "", phrases_in(prompt.phrases)) for each, prompt in zip(labels, prompts, strict=True)
        ]
        found = self._read(encoded, spellings, kept)
        shares = [dict(zip(each, read.candidates, strict=True)) for each, read in zip(labels, found, strict=True)]
        return [
            ChoiceDistribution(share[prompt.cooperate], share[prompt.defect], read.other)
            for prompt, share, read in zip(prompts, shares, found, strict=True)
        ]

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> list[DrawnText]:
        """Return sampled reasons for each choice in `wanted`; see `Respondent`."""
        from tomtransfer.inference.encoding import encode_prompts, label_tokens
        from tomtransfer.inference.sampling import Draw, draw_texts

        prompts, numbers = _each_once([each.prompt for each in wanted])
        labels = [f"{getattr(each.prompt, each.choice)}\n" for each in wanted]
        written = label_tokens(self.tokenizer, labels, self.name, self.variables)
        room = longest + max(map(len, written.values()), default=0)
        return draw_texts(
            self.loaded,
            self.tokenizer,
            encode_prompts(self.tokenizer, prompts, self.directory, room, self.variables),
            [
                Draw(number, written[label], each.key)
                for number, label, each in zip(numbers, labels, wanted, strict=True)
            ],
            self.temperature,
            longest,
            self.tokens_per_batch,
            prefixes=self.prefixes,
            sharing=self.sharing,
            chat=self.variables,
        )

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> list[DrawnText]:
        """Return a sampled answer to each prompt in `wanted`; see `Respondent`."""
        from tomtransfer.inference.encoding import encode_prompts
        from tomtransfer.inference.sampling import Draw, draw_texts

        prompts, numbers = _each_once([each.prompt for each in wanted])
        return draw_texts(
            self.loaded,
            self.tokenizer,
            encode_prompts(self.tokenizer, prompts, self.directory, asking.longest, self.variables),
            [Draw(number, None, each.key) for number, each in zip(numbers, wanted, strict=True)],
            self.temperature,
            asking.longest,
            self.tokens_per_batch,
            asking.one_line,
            self.prefixes,
            self.sharing,
            self.variables,
        )

    def read(self, queries: Sequence[Query]) -> list[CandidateDistribution]:
        """Return the exact distribution over the candidates of each query; see `Respondent`."""
        from tomtransfer.inference.encoding import encode_prompts

        candidates = [spellings_of(query.candidates, query.unit, phrases_in(query.phrases)) for query in queries]
        texts = {text for query in queries for text in query.candidates}
        longest = max((len(self.tokenizer.encode(text, add_special_tokens=False)) for text in texts), default=1)
        encoded = encode_prompts(self.tokenizer, queries, self.directory, longest, self.variables)
        return self._read(encoded, candidates)

    def _read(
        self, encoded: Sequence[Sequence[int]], candidates: Sequence[Spellings], kept: Collection[int] = ()
    ) -> list[CandidateDistribution]:
        from tomtransfer.inference.token_tree import candidate_distributions

        return candidate_distributions(
            self.loaded,
            self.vocabulary,
            encoded,
            candidates,
            self.temperature,
            self.tokens_per_batch,
            kept,
            self.prefixes,
            self.sharing,
        )


def _each_once(prompts: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Return each prompt once, and for every one given its number among them."""
    numbers: dict[str, int] = {}
    once: list[Any] = []
    for prompt in prompts:
        if prompt.sha256 not in numbers:
            numbers[prompt.sha256] = len(once)
            once.append(prompt)
    return once, [numbers[prompt.sha256] for prompt in prompts]
