"""Archives: backup files that are whole, say what is in them, and open without this program."""
