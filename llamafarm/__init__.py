"""LlamaFarm Playground: one prompt, every named model of a llamafarm.yaml, side by side."""

__version__ = "0.1.0"
