"""Which frames are looked at together: views, whose choices are averaged, and designs, which tell choice from habit."""

from collections.abc import Mapping

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.sections import Frame


def views(experiment: Experiment) -> dict[str, list[str]]:
    """Return the frames of each view by its name: the scored frame alone, all that are trained on, all held out."""
    trained, held_out = list(experiment.trained_frames), list(experiment.held_out_frames)
    found = {experiment.scored_frame: [experiment.scored_frame]}
    if len(trained) > 1:
        found["counterbalanced"] = trained
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
