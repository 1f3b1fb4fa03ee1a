"""Start the playground's page: `uv run app.py`, then open http://127.0.0.1:7860."""

from llamafarm.cli import main

if __name__ == "__main__":
    main(["serve", "--port", "7860"])
