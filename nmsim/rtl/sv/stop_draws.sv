// The draw registers of every tensor that rounds stochastically in some layer.
module stop_draws import stop_pkg::*; (
  input  logic                clk,
  input  logic                rst,
  input  logic [LB-1:0]       layer,
  input  logic [K-1:0]        weight,
  input  logic                weight_row_end, weight_end,
  input  logic                threshold, threshold_end,
  input  logic                neuron, neuron_end,
  input  logic                trace, trace_end,
  input  logic                error, error_end,
  input  logic                delta, delta_end,
  output logic [K-1:0][15:0]  of_weight,
  output logic [NL-1:0][15:0] of_threshold, of_membrane, of_leak_trace, of_threshold_trace, of_trace, of_error, of_delta
);
  wire unused_when_none = ^{clk, rst, layer};
  if (DRAWS_WEIGHT) begin : g_weight
    stop_draw #(.LANES(K), .FIRST(FIRST_WEIGHT), .STEP(STEP_WEIGHT), .ROW(ROW_WEIGHT), .PASS(PASS_WEIGHT)) draws (
      .clk, .rst, .layer, .step(weight), .row_ends(weight_row_end), .pass_ends(weight_end), .draw(of_weight));
  end else begin : g_no_weight
    assign of_weight = '0;
    wire unused_weight = ^{weight, weight_row_end, weight_end};
  end
  `define STOP_NEURON_DRAWS(flag, name, used, ends, result) \
    if (DRAWS_``flag) begin : g_``name \
      stop_draw #(.LANES(NL), .FIRST(FIRST_``flag), .STEP(STEP_NEURON), .ROW(STEP_NEURON), .PASS(PASS_``flag)) draws ( \
        .clk, .rst, .layer, .step({NL{used}}), .row_ends(1'b0), .pass_ends(ends), .draw(result)); \
    end else begin : g_no_``name \
      assign result = '0; \
      wire unused_``name = used ^ ends; \
    end
  `STOP_NEURON_DRAWS(THRESHOLD, threshold, threshold, threshold_end, of_threshold)
  `STOP_NEURON_DRAWS(MEMBRANE, membrane, neuron, neuron_end, of_membrane)
  `STOP_NEURON_DRAWS(LEAK_TRACE, leak_trace, neuron, neuron_end, of_leak_trace)
  `STOP_NEURON_DRAWS(THRESHOLD_TRACE, threshold_trace, neuron, neuron_end, of_threshold_trace)
  `STOP_NEURON_DRAWS(TRACE, trace, trace, trace_end, of_trace)
  `STOP_NEURON_DRAWS(ERROR, error, error, error_end, of_error)
  `STOP_NEURON_DRAWS(DELTA, delta, delta, delta_end, of_delta)
  `undef STOP_NEURON_DRAWS
endmodule
