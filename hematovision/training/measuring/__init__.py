"""What a trained model is worth, and how far it can be trusted."""
