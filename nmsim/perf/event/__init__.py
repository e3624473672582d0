"""The event-driven model: every stage, packet, memory access and stall, one after the other."""
