"""Price: what one action costs, from a table of constants with sources, for one chip; and what a count of actions costs."""
