"""Files to images, images to tensors, and back: `path` to `Image` to `Tensor`."""
