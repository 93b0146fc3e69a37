"""How derivatives are made: one pullback rule per node, the reverse sweep, closed forms, and the reasons entry by entry."""
