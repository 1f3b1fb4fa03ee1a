"""The tables: their columns, what made them, and the words that are searched for."""
