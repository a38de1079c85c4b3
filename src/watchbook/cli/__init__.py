"""The command line: one file per command, all doors to the same services."""
