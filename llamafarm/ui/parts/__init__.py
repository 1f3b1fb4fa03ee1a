"""Parts that several tabs show: markup, words, cards, Markdown, files."""
