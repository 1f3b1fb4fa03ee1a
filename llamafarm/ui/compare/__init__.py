"""The Compare tab: lanes, the live table, a run, and what may be set for one."""
