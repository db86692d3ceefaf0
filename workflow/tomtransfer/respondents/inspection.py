"""Looking at a model as the experiment sees it: what it gets, how its answers begin and end, what was found out."""

from dataclasses import replace

from tomtransfer.models.integrity import model_files
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.scenarios.questions import Prompt


def inspection_page(model: LocalModel, prompt: Prompt) -> str:
    """Return what a person may want to know of a model before it is asked, in Markdown.

    Loads the model if it has not been examined before. Raises InputError for a model that cannot be used.
    """
    from tomtransfer.inference.chat import chat_of
    from tomtransfer.inference.encoding import encode_prompts, label_tokens

    chat = chat_of(model.tokenizer, model.variables, may_think=True)
    asked = replace(prompt, question="reason_first") if chat.thinks else prompt
    (tokens,) = encode_prompts(model.tokenizer, [asked], model.directory, 1, model.variables)
    written = label_tokens(model.tokenizer, [f"{label}\n" for label in prompt.labels], model.name, model.variables)
    examined = model.examination
    parameters = sum(each.numel() for each in model.skeleton.parameters())
    disk = sum(file.stat().st_size for file in model_files(model.directory) if file.suffix == ".safetensors")
    thoughts = ["- it always thinks first: its choices can be drawn after its thoughts alone"] if chat.thinks else []
    differences = [f"- {name}: {_said(found)}" for name, found in examined.differences.items()]
    return "\n".join(
        [
            f"# {model.name}",
            "",
            f"- architecture: {examined.architecture}",
            f"- {parameters:,} parameters in {disk / 1e9:.1f} GB",
            f"- weights stored as {examined.weights}, loaded {model.quantization}",
            f"- {examined.said}",
            f"- labels: {'; '.join(f'{label.strip()} as {_shown(model, found)}' for label, found in written.items())}",
            f"- an answer ends with {_shown(model, list(chat.end))}",
            *thoughts,
            "",
            "Largest differences from plain passes, in standard deviations of the logits:",
            "",
            *differences,
            "",
            f"What it gets in {prompt.game}, {prompt.context}, {len(tokens)} tokens:",
            "",
            "```",
            model.tokenizer.decode(tokens, skip_special_tokens=False),
            "```",
        ]
    )


def _said(found: float | str) -> str:
    return found if isinstance(found, str) else f"{found:.1e}"


def _shown(model: LocalModel, tokens: list[int]) -> str:
    return " ".join(f"`{token!r}`" for token in model.tokenizer.convert_ids_to_tokens(tokens))
