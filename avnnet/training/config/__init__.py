"""What a config says: read, checked, explained, and made into objects."""
