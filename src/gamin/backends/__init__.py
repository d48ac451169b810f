"""Ways of noticing changes, behind one interface (`base`)."""
