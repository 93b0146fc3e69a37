"""What is differentiated: activations, losses, layers, networks, and the files that describe them."""
