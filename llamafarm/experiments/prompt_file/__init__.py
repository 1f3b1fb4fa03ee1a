"""Files of prompts: one reader for sweeps, batches and the page, whatever form and encoding they have."""
