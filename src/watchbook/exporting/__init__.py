"""From the store out, in forms that other programs read."""
