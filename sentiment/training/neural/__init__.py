"""Training of the neural judge: weights, vocabulary, fine-tuning, distillation, export.

``python -m sentiment.training.neural --data ../shared/data/sentiment`` makes the shipped file.
"""
