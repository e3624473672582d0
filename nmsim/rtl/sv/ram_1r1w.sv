// Memory with one read and one write port; a read of the word that is being written returns the old word.
// Data comes one cycle after the address and is held while no read is asked for. PARTS slices have write enables.
module ram_1r1w #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 16,
  parameter int ADDRESS = 4,
  parameter int PARTS = 1,
  parameter     IMAGE = ""
) (
  input  logic               clk,
  input  logic               read,
  input  logic [ADDRESS-1:0] read_address,
  output logic [WIDTH-1:0]   q,
  input  logic [PARTS-1:0]   write,
  input  logic [ADDRESS-1:0] write_address,
  input  logic [WIDTH-1:0]   data
);
  localparam int PART = WIDTH / PARTS;
  logic [WIDTH-1:0] mem [DEPTH];

`ifndef SYNTHESIS
  initial begin
    for (int word = 0; word < DEPTH; word++) mem[word] = '0;
    if (IMAGE != "") $readmemh(IMAGE, mem);
  end
`endif

  always_ff @(posedge clk) begin
    if (read) q <= mem[read_address];
    for (int part = 0; part < PARTS; part++)
      if (write[part]) mem[write_address][part*PART +: PART] <= data[part*PART +: PART];
  end
endmodule
