"""Which frames are looked at together: views, whose choices are averaged, and designs, which tell choice from habit."""

from collections.abc import Collection, Mapping

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Frame


def views(experiment: Experiment, answered: Collection[str] | None = None) -> dict[str, list[str]]:
    """Return the frames of each view by its name: the scored frame alone, counterbalanced, and held out.

    Counterbalanced are the four frames of the scored frame's labels, whether or not all are trained on; without all
    four, the frames that are trained on. Held out are the frames that are kept from training and not among these. Where
    the teacher has answers in the frames `answered` alone, nothing can be compared in the others, and no view has them.
    """
    frames = {name: frame for name, frame in experiment.ordered_frames.items() if answered is None or name in answered}
    balanced = next(
        (four for four in designs(frames).values() if experiment.scored_frame in four),
        [name for name in experiment.trained_frames if name in frames],
    )
    held_out = [name for name in experiment.held_out_frames if name in frames and name not in balanced]
    found = {experiment.scored_frame: [experiment.scored_frame]}
    if len(balanced) > 1:
        found["counterbalanced"] = balanced
    if held_out:
        found["held_out_frames"] = held_out
    return found


def designs(frames: Mapping[str, Frame]) -> dict[str, list[str]]:
    """Return for each pair of labels that is fully crossed with order its four frames.

    In the order of `bias.contrasts`: cooperation named first, with the labels of the pair's first frame and swapped;
    the same two with defection named first.
    """
    named: dict[tuple[str, str, str], str] = {
        (frame.cooperate, frame.defect, frame.first): name for name, frame in frames.items()
    }
    found: dict[str, list[str]] = {}
    for cooperate, defect, _ in named:
        settings = [
            (*labels, first)
            for first in ("cooperate", "defect")
            for labels in ((cooperate, defect), (defect, cooperate))
        ]
        if all(setting in named for setting in settings) and f"{defect}/{cooperate}" not in found:
            found[f"{cooperate}/{defect}"] = [named[setting] for setting in settings]
    return found
