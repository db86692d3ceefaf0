"""From answers to findings: evidence, measures, intervals, bias, agreement, comprehension, published figures."""
