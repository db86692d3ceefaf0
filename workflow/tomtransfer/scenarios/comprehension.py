"""Does a model know what it plays for? Questions about a two-action game whose answers are known from its payoffs."""

from tomtransfer.experiment.config import Experiment
from tomtransfer.scenarios.questions import Query, content_hash
from tomtransfer.scenarios.rendering import Sources, outcomes, render, scaled_payoffs


def action_comprehension(experiment: Experiment, game_name: str, context_name: str, sources: Sources) -> list[Query]:
    """Return the questions about one game in one context, in the scored frame: points of each outcome, the best one.

    The candidates for points are every number of points that the game has, those for an option both labels. The
    questions about the best outcome are left out when two outcomes are equally good.
    """
    context, frame_name = sources.contexts[context_name], experiment.scored_frame
    frame = experiment.frames[frame_name].drawn_for(f"{game_name} {context_name}")
    queries = []
    for split_name, split in experiment.splits.items():
        if context_name not in split.contexts or game_name not in experiment.games_of(split_name):
            continue
        payoffs = scaled_payoffs(sources.games[game_name], game_name, split, split_name)
        known = outcomes(payoffs, frame)
        points = tuple(dict.fromkeys(outcome.own_points for outcome in known))
        asked = [("points", points, outcome.own_points, outcome) for outcome in known]
        best = max(known, key=lambda outcome: float(outcome.own_points))
        if [outcome.own_points for outcome in known].count(best.own_points) == 1:
            asked += [
                ("best_own", frame.options, best.own, best),
                ("best_coplayer", frame.options, best.coplayer, best),
            ]
        for question, candidates, right, outcome in asked:
            system, user = render(sources.templates, context, payoffs, frame, question, outcome)
            name = f"points_{outcome.own}_{outcome.coplayer}" if question == "points" else question
            place = (split_name, game_name, context_name, frame_name, name)
            digest = content_hash([system, user, *candidates])
            unit = sources.templates.words.points.plural if question == "points" else ""
            said = (system, user, digest, unit, sources.templates.words.phrases)
            queries.append(Query(*place, candidates, right, payoffs.model_dump(), *said))
    return queries
