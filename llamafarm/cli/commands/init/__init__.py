"""`lf init`: a project file to begin with."""
