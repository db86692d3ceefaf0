"""What each measure is, for readers of the report; the formulas stand with the functions in `measures`."""

DEFINITIONS = {
    "gap_closed": (
        "1 - sum|tuned - teacher| / sum|base - teacher|, over scenarios and frames. 100 % is indistinguishable from "
        "the teacher, 0 % no nearer than before training; there is no lower bound. A ratio of sums in place of a mean "
        "of ratios (Cochran 1977, Sampling Techniques, chapter 6): no scenario in which base and teacher nearly agree "
        "can dominate. Undefined where base and teacher differ by less than a percentage point, or no more than their "
        "counted answers would by chance."
    ),
    "gap_closed_of_frame_averages": (
        "The gap closed of rates that are averaged over frames before distances are taken. Errors of mirrored frames "
        "cancel in it: 100 % in one frame and 0 % in its mirror count as 50 %. The gap closed itself is taken per "
        "scenario and frame."
    ),
    "improvement": (
        "The mean over scenarios of (tuned - base) / (teacher - base), which passes 100 % on overshooting: the measure"
        " of Lorè, Ilami and Heydari (2024), arXiv 2408.05241. Scenarios in which base equals teacher are left out."
    ),
    "bridging": (
        "The mean over scenarios of 1 - |tuned - teacher| / |base - teacher|: the improvement, but overshooting counts "
        "against. Scenarios in which base equals teacher are left out."
    ),
    "total_variation": (
        "Half the sum of |difference| over the outcomes cooperate, defect and other, averaged over scenarios (Levin, "
        "Peres and Wilmer 2009, Markov Chains and Mixing Times, proposition 4.2). 0 is equal, 1 is nothing in common."
    ),
    "jensen_shannon": (
        "The Jensen-Shannon divergence in bits, averaged over scenarios (Lin 1991, IEEE Trans. Inform. Theory 37(1)). "
        "0 is equal, 1 is nothing in common."
    ),
    "pearson": (
        "Pearson's product-moment correlation over scenarios. Undefined with fewer than two scenarios, and where "
        "teacher or student is constant."
    ),
    "spearman": "Spearman's rank correlation over scenarios; ties share their mean rank. Undefined as Pearson's.",
    "concordance": (
        "Lin's concordance correlation (Lin 1989, Biometrics 45(1)): 2 covariance / (variances + squared difference of "
        "means). Unlike Pearson's it counts a shift in level. From -1 to 1."
    ),
    "calibration_slope": (
        "The slope of the least-squares line of the teacher on the student (Mincer and Zarnowitz 1969). 1 is "
        "calibrated; below 1 the student's scenarios differ more than the teacher's, above 1 less."
    ),
    "root_mean_square_error": "The root of the mean squared difference in cooperation rate over scenarios.",
    "advantage": (
        "The gap closed beyond what the best constant policy closes. Above 0 only by telling scenarios apart as the "
        "teacher does."
    ),
}
