"""RTL of a STOP core: SystemVerilog modules, one generated package, images, a bench, and the comparison with the engine."""
