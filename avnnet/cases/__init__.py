"""One loop over many cases: images to masks and to the two tidy tables."""
