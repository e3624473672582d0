// Leak factors and their gradients, a register of each per layer: dAlpha += delta a~ of every neuron in ascending order;
// alpha = min(max(Q(alpha - m * dAlpha * 2^-shift), 0), alpha_max).
module stop_leak import stop_pkg::*; (
  input  logic                            clk,
  input  logic                            rst,
  input  logic [LB-1:0]                   layer,
  input  logic                            add,
  input  logic                            step_ends,
  input  logic [NL-1:0][MA+MB-1:0]        product,
  input  logic                            start,          // of an update
  output logic                            busy,
  input  logic                            poke,
  input  logic [LB-1:0]                   poke_layer,
  input  logic [LAB-1:0]                  poke_data,
  output logic [LAYERS-1:0][LAB-1:0]      factors,
  output logic [LAYERS-1:0][LGB-1:0]      gradients,
  output logic signed [LX-1:0]            factor,
  output logic [NL-1:0]                   over,
  output logic                            over_end
);
  assign factor = $signed(LX'(factors[layer]));
  if (LEARN_L) begin : g_learned
    localparam int PRODUCT = LGX + RATE;
    logic [LGB-1:0]      sum, settled;
    logic [NL-1:0]       over_sum;
    logic                over_settled, v0, v1, unused_over;
    logic [PRODUCT-1:0]  scaled;
    logic [0:0][15:0]    draw;
    logic [LEAK_Q-1:0]   moved;
    logic [LAB-1:0]      clipped;
    stop_reduce #(.TABLE(Q_LEAK_ADD), .CHAIN(LEAK_CHAIN), .LANES(NL), .BITS(LGB), .WIDE(LGX), .PB(MA + MB)) reduce (
      .layer, .held(gradients[layer]), .addend(product), .sum, .over(over_sum));
    stop_quant #(.TABLE(Q_LEAK_END), .PB(LGX), .QB(1), .OB(LGB)) settle (
      .layer, .p($signed(LGX'(sum))), .q('0), .draw('0), .y(settled), .over(over_settled));
    assign over = add ? over_sum : '0;
    assign over_end = add && step_ends && over_settled;

    stop_multiply #(.LANES(1), .AB(LGX), .BB(RATE)) scale (
      .clk, .a(LGX'(gradients[layer])), .b(RATE'(RATE_LEAK[layer])), .product(scaled));
    if (DRAWS_LEAK_FACTOR) begin : g_draw
      stop_draw #(.LANES(1), .FIRST(FIRST_LEAK_FACTOR), .STEP(PASS_LEAK_FACTOR), .ROW(PASS_LEAK_FACTOR), .PASS(PASS_LEAK_FACTOR))
        draws (.clk, .rst, .layer, .step(v1), .row_ends(1'b0), .pass_ends(1'b1), .draw);
    end else begin : g_no_draw
      assign draw = '0;
    end
    stop_quant #(.TABLE(Q_LEAK_FACTOR), .PB(LX), .QB(PRODUCT + 1), .OB(LEAK_Q)) subtract (
      .layer, .p(factor), .q(-(PRODUCT+1)'($signed(scaled))), .draw(draw[0]), .y(moved), .over(unused_over));
    assign clipped = $signed(moved) < 0 ? '0
                   : $signed(moved) > $signed(LEAK_Q'(LEAK_MAX[layer])) ? LAB'(LEAK_MAX[layer]) : moved[LAB-1:0];
    assign busy = v0;
    always_ff @(posedge clk) begin
      v0 <= start && !rst;
      v1 <= v0 && !rst;
      if (add) gradients[layer] <= step_ends ? settled : sum;
      if (v1) begin
        factors[layer] <= clipped;
        gradients[layer] <= '0;
      end
      if (poke) factors[poke_layer] <= poke_data;
      if (rst) begin
        factors <= FIRST_FACTORS;
        gradients <= '0;
      end
    end
  end else begin : g_fixed
    assign over = '0;
    assign over_end = 1'b0;
    assign busy = 1'b0;
    assign gradients = '0;
    wire unused_inputs = ^{add, step_ends, product, start};
    always_ff @(posedge clk)
      if (rst) factors <= FIRST_FACTORS;
      else if (poke) factors[poke_layer] <= poke_data;
  end
endmodule
