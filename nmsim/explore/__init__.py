"""Design spaces: axes, samples, searches, fronts."""
