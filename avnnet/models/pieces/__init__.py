"""What fills the slots of a U-Net: blocks, norms, activations, and the joints between the stages."""
