"""A table of 271 answers with the facts and amounts that docs/coverage.md makes of them, without the project's own reader."""
