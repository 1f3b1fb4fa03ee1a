"""The Lab tab: which temperature suits a task."""
