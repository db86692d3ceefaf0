"""What can be told of a training before any model is loaded: whether the student can learn what it is to be taught."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.experiment.records import file_hash
from tomtransfer.experiment.software import model_software
from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.asking import Asking, read_questions_of
from tomtransfer.respondents.checking import noted_checks
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.protocol import Respondent
from tomtransfer.scenarios.questions import Prompt, read_prompts


@dataclass(frozen=True)
class Plan:
    """What is to be asked of a teacher and of a student, and what the student is to be taught."""

    prompts: Sequence[Path]
    """The prompts of every game."""
    models: Mapping[str, Any]
    """By role, what tells its model from any other: revision, precision, variables of the chat template."""
    teacher: Asking
    student: Asking
    frames: Sequence[str]
    """The frames that are trained on."""
    targets: Sequence[str]
    """Names of the layers that are adapted."""

    def about(self, role: str) -> dict[str, Any]:
        """Return what the check of a role depends on besides the name of its model."""
        lessons = {
            "question": self.teacher.question,
            "frames": list(self.frames),
            "longest_lesson": self.longest_lesson,
            "targets": list(self.targets),
        }
        return {
            "role": role,
            "respondent": self.models.get(role),
            "asking": asdict(self.teacher if role == "teacher" else self.student),
            "prompts": [file_hash(path) for path in self.prompts],
            "software": model_software(),
            **(lessons if role == "student" else {}),
        }

    @property
    def taught(self) -> list[Prompt]:
        """The prompts that the student is trained on."""
        prompts = read_prompts(self.prompts, self.teacher.question)
        return [prompt for prompt in prompts if prompt.split == TRAINED_SPLIT and prompt.frame in self.frames]

    @property
    def longest_lesson(self) -> int:
        """How many tokens of the teacher's an answer to be learnt may have."""
        return self.teacher.motivation_tokens if self.teacher.exact else self.teacher.longest


def check_models(plan: Plan, teacher: Respondent, student: LocalModel, folder: Path) -> dict[str, Mapping[str, Any]]:
    """Return what is known of teacher and student before either is loaded, by role; it is noted in `folder`.

    Raises InputError with a line for each that cannot do what is planned.
    """

    def check_student() -> dict[str, Any]:
        asked = student.check(read_questions_of(plan.prompts, plan.student), plan.student)
        return {**asked, **check_training(student, plan.taught, plan.longest_lesson, plan.targets)}

    def check_teacher() -> Mapping[str, Any]:
        return teacher.check(read_questions_of(plan.prompts, plan.teacher), plan.teacher)

    checks = {"teacher": (teacher, check_teacher), "student": (student, check_student)}
    return noted_checks({role: (plan.about(role), *check) for role, check in checks.items()}, folder)


def check_training(student: LocalModel, prompts: Sequence[Prompt], room: int, targets: Sequence[str]) -> dict[str, Any]:
    """Return how many layers of the student are adapted, by name.

    It is to be trained on answers to `prompts`, each of up to `room` tokens of the teacher's: of about as many of its
    own. Raises InputError when it has no layer of a name in `targets`, when an answer does not fit, or when it always
    thinks and is to learn answers that come first.
    """
    from tomtransfer.inference.chat import chat_of
    from tomtransfer.inference.encoding import label_tokens, longest_encoded

    thinks = chat_of(student.tokenizer, student.variables, may_think=True).thinks
    if thinks and any(prompt.question != "reason_first" for prompt in prompts):
        raise InputError(
            f"{student.name}: its chat template always leads it to think before it answers, so that it can learn "
            "answers alone whose reasons come first; set teacher.question: reason_first"
        )
    labels = dict.fromkeys(label for prompt in prompts for label in prompt.labels)
    label_tokens(student.tokenizer, labels, student.name, student.variables)
    longest_encoded(student.tokenizer, prompts, student.directory, room, student.variables)
    layers = student.anatomy["linear_layers"]
    require_targets(targets, layers)
    return {"adapted_layers": {target: layers[target] for target in targets}}


def require_targets(targets: Collection[str], layers: Mapping[str, int] | Collection[str]) -> None:
    """Raise InputError when a model that has linear `layers` of these names has none of a name in `targets`."""
    if unknown := sorted(set(targets) - set(layers)):
        raise InputError(
            f"training.lora.targets: no layer is called {', '.join(unknown)}; allowed: {', '.join(sorted(layers))}"
        )
