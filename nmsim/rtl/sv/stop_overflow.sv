// Overflow counters of every tensor and layer. An error sum belongs to the layer above, whose weights formed it.
module stop_overflow import stop_pkg::*; (
  input  logic          clk,
  input  logic          rst,
  input  logic [LB-1:0] layer,
  input  logic          error_sums_settle,
  input  logic [NL-1:0] over_trace, over_current, over_residual, over_leak, over_threshold, over_membrane,
  input  logic [NL-1:0] over_error, over_error_end, over_delta, over_leak_sum, over_threshold_sum, over_theta,
  input  logic [K-1:0]  over_sum, over_error_sum, over_gradient,
  input  logic [UL-1:0] over_weight, over_used,
  input  logic          over_leak_end,
  output logic [TENSORS-1:0][LAYERS-1:0][COUNT_BITS-1:0] counts
);
  logic [LB-1:0] sum_layer;
  assign sum_layer = error_sums_settle ? layer + LB'(LAYERS > 1) : layer;
  `define STOP_COUNT(name, tensor, lanes, which, events) \
    stop_counter #(.LANES(lanes), .KNOWN(COUNTED[tensor])) name (.clk, .rst, .layer(which), .over(events), .counts(counts[tensor]));
  `STOP_COUNT(count_trace, T_WEIGHT_TRACE, NL, layer, over_trace)
  `STOP_COUNT(count_current, T_CURRENT, K + NL, layer, {over_current, over_sum})
  `STOP_COUNT(count_residual, T_RESIDUAL, NL, layer, over_residual)
  `STOP_COUNT(count_leak_trace, T_LEAK_TRACE, NL, layer, over_leak)
  `STOP_COUNT(count_threshold_trace, T_THRESHOLD_TRACE, NL, layer, over_threshold)
  `STOP_COUNT(count_membrane, T_MEMBRANE, NL, layer, over_membrane)
  `STOP_COUNT(count_error, T_ERROR, NL, layer, over_error)
  `STOP_COUNT(count_delta, T_DELTA, NL, layer, over_delta)
  `STOP_COUNT(count_error_sum, T_ERROR_SUM, K + NL, sum_layer, {over_error_end, over_error_sum})
  `STOP_COUNT(count_gradient, T_WEIGHT_GRADIENT, K, layer, over_gradient)
  `STOP_COUNT(count_threshold_gradient, T_THRESHOLD_GRADIENT, NL, layer, over_threshold_sum)
  `STOP_COUNT(count_leak_gradient, T_LEAK_GRADIENT, NL + 1, layer, {over_leak_end, over_leak_sum})
  `STOP_COUNT(count_weight, T_WEIGHT, UL, layer, over_weight)
  `STOP_COUNT(count_weight_used, T_WEIGHT_USED, UL, layer, over_used)
  `STOP_COUNT(count_threshold, T_THRESHOLD, NL, layer, over_theta)
  `undef STOP_COUNT
endmodule
