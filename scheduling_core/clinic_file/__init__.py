"""The clinic file: its schema, reading it, checking it, and bringing the database in line with it."""
