"""From a cohort to the topology of a network, its patch and its batch, by nnU-Net's rules. No torch."""
