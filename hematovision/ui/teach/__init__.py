"""What the pages for instructors draw."""
