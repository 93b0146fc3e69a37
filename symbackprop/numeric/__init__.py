"""How it is evaluated: points of a network, and the values of formulas there."""
