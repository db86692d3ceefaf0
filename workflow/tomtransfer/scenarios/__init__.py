"""Games, contexts and frames, and the prompts and questions that are made of them."""
