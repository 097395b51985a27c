"""Build, fit, export, measure. The only place beside `vision/gradients.py` that uses TensorFlow."""
