"""YAML to a trained model and a cross-validated study; the only package that knows Lightning."""
