"""The Batch tab: every prompt of a file to many models."""
