"""One command of `lf` a module, or a folder where it is larger."""
