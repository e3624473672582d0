"""What can happen: kinds of events, each with the number of what it happens to."""

CHAIN_STARTS, STAGE_STARTS, ROW_STARTS, PORT_STARTS, TRANSFER_STARTS = range(5)
"""A chain of a slot, a stage, a core in a stage (a row), a sender at a port, the transfers of a stage."""
INJECTS = 5
"""A sender has waited for its injection port."""
ARRIVES = 6
"""The head of a burst is at its target."""
RECEIVED = 7
"""A row has received its last packet."""
ROW_DONE = 8
"""A row has worked and filled its pipeline."""
TRANSFERRED = 9
"""The transfers of a stage are done."""
PART_ENDED, STAGE_ENDED, CHAIN_ENDED = 10, 11, 12
"""One of the processes of a stage; a stage; a chain."""
PARTS_ENDED, STAGES_ENDED, CHAINS_ENDED = 13, 14, 15
"""All processes of a stage, all stages of a chain's turn, all chains of the slot."""
TURN_PASSED, SLOT_PASSED, TICK_PASSED = 16, 17, 18
"""The barrier behind a turn, the one behind a slot, the tick."""
