"""One self-contained HTML file of a run or a comparison, for people who were not there."""
