"""Start the playground's page: `uv run app.py`, then open http://127.0.0.1:7860. Takes the options of `lf serve`."""

import sys

from llamafarm.cli import main

PORT = 7860  # what hosts of Gradio apps expect

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]], defaults={"serve": {"port": PORT}})
