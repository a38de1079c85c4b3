"""What is shown over HTTP."""
