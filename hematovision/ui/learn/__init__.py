"""What the pages for learners draw."""
