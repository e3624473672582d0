// Gradient: for every non-zero trace, the row's K gradients += delta * trace, one trace per cycle.
module stop_gradient import stop_pkg::*; (
  input  logic                 clk,
  input  logic                 rst,
  input  logic [LB-1:0]        layer,
  input  logic                 row_start,
  input  logic [WAB-1:0]       base,
  output logic                 row_done,
  output logic                 busy,
  input  logic                 trace_valid,
  input  logic                 trace_busy,
  input  logic [IAB-1:0]       trace_index,
  input  logic [TB-1:0]        trace_value,
  output logic                 trace_next,
  output logic                 multiply,        // one cycle later: deltas times the trace
  output logic [TB-1:0]        trace,
  output logic [WAB-1:0]       address          // of the gradients, in the cycle of `multiply`
);
  logic           working;
  logic [WAB-1:0] first;
  assign trace_next = working && trace_valid;
  assign row_done = working && !trace_busy;
  assign busy = multiply;
  always_ff @(posedge clk) begin
    multiply <= trace_next && !rst;
    address <= trace_next ? first + WAB'(trace_index) : '0;
    trace <= trace_next ? trace_value : '0;
    if (rst || row_done) working <= 1'b0;
    if (row_start) begin
      working <= 1'b1;
      first <= WAB'(WBASE[layer]) + base;
    end
  end
endmodule
