"""The project: opening, editing, trusting and probing it."""
