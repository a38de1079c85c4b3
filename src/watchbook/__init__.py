"""Watchbook keeps, publishes and shows one person's Trakt history."""
