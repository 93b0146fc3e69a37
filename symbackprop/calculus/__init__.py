"""How derivatives are made: one pullback rule a node, the reverse sweep, closed forms, reasons entry by entry."""
