"""The model card: every number read from the model's files, as words, tables and rows."""
