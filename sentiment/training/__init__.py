"""Training of the shipped judges; needs the extra ``train`` and is never imported at run time."""
