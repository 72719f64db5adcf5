"""One module per command of the command line: its words to calls, and what it prints."""
