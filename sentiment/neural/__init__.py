"""The neural judge: a multilingual encoder in int8 on onnxruntime; no torch."""
