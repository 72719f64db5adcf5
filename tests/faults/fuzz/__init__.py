"""Sound files, changed at random but by number: each must be read, or refused by name, soon and in little memory."""
