"""What is remembered of watched trees when no server runs."""
