// Overflows of one tensor, counted per layer; a full counter stays full.
module stop_counter import stop_pkg::*; #(
  parameter int LANES = 4,
  parameter logic [LAYERS-1:0] KNOWN = '1    // layers whose overflow mode can be counted here
) (
  input  logic                             clk,
  input  logic                             rst,
  input  logic [LB-1:0]                    layer,
  input  logic [LANES-1:0]                 over,
  output logic [LAYERS-1:0][COUNT_BITS-1:0] counts
);
  logic [COUNT_BITS:0] sum;
  always_comb begin
    sum = (COUNT_BITS+1)'(counts[layer]);
    for (int k = 0; k < LANES; k++) sum += (COUNT_BITS+1)'(over[k]);
  end
  for (genvar l = 0; l < LAYERS; l++) begin : g_layer
    always_ff @(posedge clk)
      if (rst) counts[l] <= '0;
      else if (KNOWN[l] && over != '0 && layer == LB'(l)) counts[l] <= sum[COUNT_BITS] ? '1 : sum[COUNT_BITS-1:0];
  end
endmodule
