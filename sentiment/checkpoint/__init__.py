"""Any Hugging Face sequence-classification checkpoint as a judge of sentiment (needs torch)."""
