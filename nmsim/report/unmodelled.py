"""What is not modelled, in short; docs/limits.md says why, and what follows."""

NOT_MODELLED = (
    "Process, voltage and temperature variation, ageing and faults: one nominal corner.",
    "Control and queues in detail: one factor on the energy of on-chip actions; the clock tree: one on its flip-flops.",
    "Switching that depends on the data: prices hold for random data.",
    "Wires inside a core; analogue and in-memory computing: cores are digital and clocked, or priced by whole events.",
    "DRAM refresh, pages and bank conflicts: DRAM is bandwidth, latency, burst and energy per bit.",
    "Power gating, and voltage or frequency scaling over time.",
    "Host, sensors, power supply, pads and packaging: a sample enters at the edge of the mesh, or from DRAM.",
    "Exact cycles: the analytic model estimates, the event-driven model simulates; both are cycle-approximate.",
    "Overlap between samples: they run one after the other.",
    "Batch normalisation, biases and recurrent connections: the networks have none.",
)
