"""The page, in Gradio: a folder a tab."""
