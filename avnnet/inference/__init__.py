"""Trained networks on images: model and `Image` to `Segmentation`."""
