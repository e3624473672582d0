"""Time: the work that an activity makes on a mapped chip, and the two models that say how long it takes."""
