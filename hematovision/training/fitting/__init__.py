"""Pictures, network and steps: from records to a trained model, and its files."""
