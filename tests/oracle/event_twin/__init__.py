"""The slow, obvious twin of the event-driven model: SimPy processes that send, receive, work and wait, one class a part."""
