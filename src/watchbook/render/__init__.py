"""What is shown, drawn and told: pure functions of plays and pictures, without a database."""
