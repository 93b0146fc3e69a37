"""Marking a page of notes: formulas read, each equality judged, what is not declared inferred from the whole page."""

from symbackprop.marking.infer import infer
from symbackprop.marking.page import Page, Reading

__all__ = ["Page", "Reading", "infer"]
