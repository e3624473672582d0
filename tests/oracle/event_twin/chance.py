"""Chance: repeatable draws for what the model does not know, such as the bank at which a burst starts."""

from math import sqrt

SEED = 0x2545F4914F6CDD1D
MANY = 24
"""Above this number of bursts their starts are drawn in equal lots."""


class Chance:
    """A 64-bit xorshift generator: the same work always meets the same luck."""

    def __init__(self) -> None:
        self.state = SEED

    def below(self, bound: int) -> int:
        """A number in `0 .. bound-1`."""
        state = self.state
        state ^= state >> 12
        state ^= (state << 25) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 27
        self.state = state
        return ((state * SEED) & 0xFFFFFFFFFFFFFFFF) * bound >> 64

    def starts(self, bursts: int, banks: int) -> list[tuple[int, float]]:
        """Start banks of some bursts with how many bursts start there.

        Of many bursts, most start evenly; a remainder with the right variance is drawn.
        """
        if bursts <= MANY:
            return [(self.below(banks), 1.0) for _ in range(bursts)]
        # n even starts plus m lots of size sqrt(n/m) have the variance of n single ones
        lots = MANY // 2
        size = sqrt(bursts / lots)
        even = (bursts - lots * size) / banks
        return [(bank, even) for bank in range(banks)] + [(self.below(banks), size) for _ in range(lots)]
