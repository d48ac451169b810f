"""What is reported later, and as what difference."""
