// th~ minus a spike (or minus 1) in the fraction bits in which both are exact.
module stop_difference import stop_pkg::*; (
  input  logic        [LB-1:0] layer,
  input  logic        [HB-1:0] trace,
  input  logic                 one,
  output logic signed [HD-1:0] difference
);
  logic signed [LAYERS-1:0][HD-1:0] each;
  for (genvar l = 0; l < LAYERS; l++) begin : g_layer
    localparam int LEFT_TRACE = int'(SPIKE_SHIFT[l].left_p);
    localparam int LEFT_ONE = int'(SPIKE_SHIFT[l].left_q);
    logic signed [HD-1:0] aligned;
    assign aligned = HD'($signed(HX'(trace))) <<< LEFT_TRACE;
    assign each[l] = aligned - (one ? HD'(1) <<< LEFT_ONE : HD'(0));
  end
  assign difference = each[layer];
endmodule
