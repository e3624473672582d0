"""Checks of the simulator itself: number formats, models of time, prices, and golden vectors for hardware."""
