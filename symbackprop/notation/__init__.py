"""How formulas are written and read: the notation as a value, LaTeX out, LaTeX in."""
