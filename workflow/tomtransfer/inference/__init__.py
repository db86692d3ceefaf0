"""What a model that runs here is asked: exact choices, drawn texts and candidate answers, each token computed once."""
