"""What is believed of the disk, and since when."""
