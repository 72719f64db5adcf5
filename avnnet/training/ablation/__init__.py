"""An ablation: variants of one network, trained on the same folds and seeds, and a table of what each changes."""
