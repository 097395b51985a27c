"""HematoVision: learn to tell blood cells apart."""

__version__ = "0.1.0"
