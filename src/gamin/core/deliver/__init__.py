"""Who is told what, and how far each client is."""
