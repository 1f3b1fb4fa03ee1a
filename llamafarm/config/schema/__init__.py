"""The JSON Schema of a project file, made of the shapes and tables that validate one.

It says what a schema can say, and nothing that `load` would let pass: an editor's mark is an error of `lf validate`,
or a number that stands as true or false. What hangs together by names (duplicates, models to fall back to, prompt
sets), and what is unknown and merely ignored, it leaves to that. Draft 7, which editors speak.
"""
