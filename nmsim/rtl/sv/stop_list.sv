// A list of non-zero words per layer, appended in the order of a sweep and read by position; `count` entries.
module stop_list import stop_pkg::*; #(
  parameter int ENTRY = 8,
  parameter int DEPTH = 16,
  parameter int ADDRESS = 4,
  parameter table_t BASE = '0
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [LB-1:0]      layer,
  input  logic               clear,
  input  logic [LB-1:0]      clear_layer,
  input  logic               push,
  input  logic [ENTRY-1:0]   entry,
  input  logic               read,
  input  logic [ADDRESS-1:0] position,
  output logic [ENTRY-1:0]   q,
  output logic [ADDRESS:0]   count
);
  logic [LAYERS-1:0][ADDRESS:0] counts;
  logic [ADDRESS-1:0] base;
  assign base = ADDRESS'(BASE[layer]);
  assign count = counts[layer];
  always_ff @(posedge clk)
    if (rst) counts <= '0;
    else if (clear) counts[clear_layer] <= '0;
    else if (push) counts[layer] <= counts[layer] + 1'b1;
  ram_1r1w #(.WIDTH(ENTRY), .DEPTH(DEPTH), .ADDRESS(ADDRESS)) entries (
    .clk, .read, .read_address(base + position), .q,
    .write(push), .write_address(base + ADDRESS'(counts[layer])), .data(entry));
endmodule
