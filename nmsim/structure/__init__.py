"""Structure learning: which synapses exist, when that changes, and by which ranking (docs/structure.md)."""
