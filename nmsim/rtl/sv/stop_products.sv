// The shared multipliers: K for synapses (integrate, propagate, gradient) and three per neuron lane (leak, traces, delta).
// Operands of stages that are not at work are zero, so they are joined by OR.
module stop_products import stop_pkg::*; (
  input  logic                          clk,
  input  logic [LB-1:0]                 layer,
  input  logic [K-1:0][WB-1:0]          weights,
  input  logic [K-1:0][DB-1:0]          deltas,
  input  logic [TB-1:0]                 trace,
  input  logic signed [XX-1:0]          operand,
  input  logic                          integrate, propagate, gradient,
  output logic [K-1:0][PROD-1:0]        product,
  input  logic signed [NL-1:0][MA-1:0]  a0, a1, a2,
  input  logic signed [NL-1:0][MB-1:0]  b0, b1, b2,
  output logic [NL-1:0][MA+MB-1:0]      p0, p1, p2
);
  logic signed [K-1:0][MACA-1:0] a;
  logic signed [K-1:0][MACB-1:0] b;
  logic [K-1:0][WUB-1:0] weights_used;    // floored to the narrower format of used weights, where there is one
  for (genvar k = 0; k < K; k++) begin : g_used
    if (USED) begin : g_floor
      logic unused_over;
      stop_quant #(.TABLE(Q_WEIGHT_USED), .PB(WX), .QB(1), .OB(WUB)) floor (
        .layer, .p($signed(WX'(weights[k]))), .q('0), .draw('0), .y(weights_used[k]), .over(unused_over));
    end else begin : g_stored
      assign weights_used[k] = weights[k];
    end
  end
  wire unused_layer = ^layer;
  always_comb for (int k = 0; k < K; k++) begin
    a[k] = gradient ? MACA'($signed(DX'(deltas[k]))) : integrate || propagate ? MACA'($signed(WUX'(weights_used[k]))) : '0;
    b[k] = gradient ? MACB'($signed(TX'(trace))) : propagate ? MACB'($signed(DX'(deltas[k]))) : MACB'(operand);
  end
  stop_multiply #(.LANES(K), .AB(MACA), .BB(MACB)) synapses (.clk, .a, .b, .product);
  stop_multiply #(.LANES(NL), .AB(MA), .BB(MB)) membrane (.clk, .a(a0), .b(b0), .product(p0));
  if (LEARN_L) begin : g_leak
    stop_multiply #(.LANES(NL), .AB(MA), .BB(MB)) leak (.clk, .a(a1), .b(b1), .product(p1));
  end else begin : g_no_leak
    assign p1 = '0;
    wire unused_leak = ^{a1, b1};
  end
  if (LEARN_T) begin : g_threshold
    stop_multiply #(.LANES(NL), .AB(MA), .BB(MB)) threshold (.clk, .a(a2), .b(b2), .product(p2));
  end else begin : g_no_threshold
    assign p2 = '0;
    wire unused_threshold = ^{a2, b2};
  end
endmodule
