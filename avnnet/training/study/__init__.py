"""The cross-validated study: what it is to do, its folds, its minutes, and its record."""
