// Memory with one port: a read or a write per cycle, data one cycle after the address, output held while idle.
// Replace by a macro of the same behaviour for silicon; this file and ram_1r1w.sv are the only ones to replace.
module ram_1rw #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 16,
  parameter int ADDRESS = 4,
  parameter     IMAGE = ""
) (
  input  logic               clk,
  input  logic               enable,
  input  logic               write,
  input  logic [ADDRESS-1:0] address,
  input  logic [WIDTH-1:0]   data,
  output logic [WIDTH-1:0]   q
);
  logic [WIDTH-1:0] mem [DEPTH];

`ifndef SYNTHESIS
  initial begin
    for (int word = 0; word < DEPTH; word++) mem[word] = '0;
    if (IMAGE != "") $readmemh(IMAGE, mem);
  end
`endif

  always_ff @(posedge clk)
    if (enable) begin
      if (write) mem[address] <= data;
      else q <= mem[address];
    end
endmodule
