"""What a reader sees: a document, made once from a derivation, and the renderers that write it."""
