"""What is wanted and decided, remembered in SQL."""
