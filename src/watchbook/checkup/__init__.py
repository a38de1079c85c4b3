"""The doctor: small checks, each with what to do, none of which changes anything."""
