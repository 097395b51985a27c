"""What the pages for exploring cells draw."""
