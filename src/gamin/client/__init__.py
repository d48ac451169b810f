"""The faces for programs: they start the daemon and move bytes."""
