"""Notes files: where their formulas stand, what they declare, how a whole file is judged and how that is told."""
