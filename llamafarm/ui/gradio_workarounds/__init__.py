"""What Gradio does otherwise than the page needs, and how it is brought to do it."""
