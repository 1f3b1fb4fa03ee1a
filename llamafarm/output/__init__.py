"""Records as files for people and programs: CSV, JSON Lines, Markdown. Pure, one comparison at a time."""
