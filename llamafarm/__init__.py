"""LlamaFarm Playground: one prompt, every named model of a llamafarm.yaml, side by side."""

import os

# Numpy reads it once, whoever loads it first: a second thread of linear algebra costs more than it wins at the sizes
# here, and would take a core from lanes that are timed.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
