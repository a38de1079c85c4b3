"""What lies in every archive for whoever opens it without Watchbook."""
