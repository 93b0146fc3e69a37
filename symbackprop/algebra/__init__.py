"""The two languages, formulas and index form, the bridge between them, and SymPy in and out."""
