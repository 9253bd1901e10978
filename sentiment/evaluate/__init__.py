"""How well a judge does: figures on labelled texts, for `goodname evaluate` and the model cards."""
