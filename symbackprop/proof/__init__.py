"""Whether it is true: normal form, refutation, verdicts."""
