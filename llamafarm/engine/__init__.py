"""The engine that all faces share: one lane (chat), many lanes (compare), and what is measured."""
