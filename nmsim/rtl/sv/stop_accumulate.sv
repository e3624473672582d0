// Read, add, write back: one accumulator word of LANES values per cycle, at full rate even on one address.
// In the cycle of `valid` the address is given; the addends follow one cycle later.
module stop_accumulate import stop_pkg::*; #(
  parameter quant_t [LAYERS-1:0] TABLE = '0,
  parameter int LANES = 4,
  parameter int BITS = 32,      // of a value in the memory
  parameter int WIDE = 32,      // of the same value, signed
  parameter int PB = 32,        // of an addend
  parameter int ADDRESS = 4
) (
  input  logic                       clk,
  input  logic                       rst,
  input  logic [LB-1:0]              layer,
  input  logic                       valid,
  input  logic [ADDRESS-1:0]         address,
  input  logic [LANES-1:0][PB-1:0]   addend,
  output logic                       read,
  output logic [ADDRESS-1:0]         read_address,
  input  logic [LANES-1:0][BITS-1:0] q,
  output logic                       write,
  output logic [ADDRESS-1:0]         write_address,
  output logic [LANES-1:0][BITS-1:0] data,
  output logic [LANES-1:0]           over
);
  logic                       again;      // the word read last is the one written in the same cycle
  logic [LANES-1:0][BITS-1:0] written;
  assign read = valid;
  assign read_address = valid ? address : '0;

  always_ff @(posedge clk) begin
    write <= valid && !rst;
    write_address <= valid ? address : '0;
    again <= valid && write && address == write_address;
    written <= data;
  end

  for (genvar k = 0; k < LANES; k++) begin : g_lane
    logic [BITS-1:0] held, sum;
    logic            out_of_range;
    assign held = again ? written[k] : q[k];
    stop_quant #(.TABLE(TABLE), .PB(WIDE), .QB(PB), .OB(BITS)) add (
      .layer, .p($signed(WIDE'(held))), .q($signed(addend[k])), .draw('0), .y(sum), .over(out_of_range));
    assign data[k] = write ? sum : '0;
    assign over[k] = write && out_of_range;
  end
endmodule
