// A sum and the addends of all lanes: an adder tree, or, where a layer saturates after every addition, a chain of clips
// in ascending order of lanes (docs/arithmetic.md, "Accumulators").
module stop_reduce import stop_pkg::*; #(
  parameter quant_t [LAYERS-1:0] TABLE = '0,
  parameter bit CHAIN = 1'b0,
  parameter int LANES = 4,
  parameter int BITS = 32,
  parameter int WIDE = 32,
  parameter int PB = 32
) (
  input  logic [LB-1:0]            layer,
  input  logic [BITS-1:0]          held,
  input  logic [LANES-1:0][PB-1:0] addend,
  output logic [BITS-1:0]          sum,
  output logic [LANES-1:0]         over
);
  if (CHAIN) begin : g_chain
    logic [LANES:0][BITS-1:0] partial;
    assign partial[0] = held;
    for (genvar k = 0; k < LANES; k++) begin : g_lane
      stop_quant #(.TABLE(TABLE), .PB(WIDE), .QB(PB), .OB(BITS)) add (
        .layer, .p($signed(WIDE'(partial[k]))), .q($signed(addend[k])), .draw('0), .y(partial[k+1]), .over(over[k]));
    end
    assign sum = partial[LANES];
  end else begin : g_tree
    localparam int TOTAL = PB + $clog2(LANES);
    logic signed [TOTAL-1:0] total;
    always_comb begin
      total = '0;
      for (int k = 0; k < LANES; k++) total += TOTAL'($signed(addend[k]));
    end
    logic any_over;
    stop_quant #(.TABLE(TABLE), .PB(WIDE), .QB(TOTAL), .OB(BITS)) add (
      .layer, .p($signed(WIDE'(held))), .q(total), .draw('0), .y(sum), .over(any_over));
    assign over = LANES'(any_over);
  end
endmodule
