// Update of thresholds: theta = max(Q(theta - m * dTheta * 2^-shift), theta_min), NL neurons per cycle; dTheta is cleared.
module stop_update_thresholds import stop_pkg::*; (
  input  logic                   clk,
  input  logic                   rst,
  input  logic [LB-1:0]          layer,
  input  logic                   start,
  output logic                   busy,
  output logic                   neuron_read,
  output logic [NAB-1:0]         neuron_read_word,
  input  logic [NL-1:0][NW-1:0]  neuron_q,
  output logic                   neuron_write,
  output logic [NAB-1:0]         neuron_write_word,
  output logic [NL-1:0][NW-1:0]  neuron_data,
  output logic                   gradient_read,
  output logic [NAB-1:0]         gradient_read_word,
  input  logic [NL-1:0][SB-1:0]  gradient_q,
  output logic                   gradient_clear,
  output logic [NAB-1:0]         gradient_clear_word,
  input  logic [NL-1:0][15:0]    draw,
  output logic                   draws,
  output logic                   draws_end,
  output logic [NL-1:0]          over
);
  localparam int PRODUCT = SX + RATE;
  logic                          active, last, v1, v2, last1, last2;
  logic [NAB-1:0]                word, word1, word2;
  logic [PART_BITS-1:0]          unused_part;
  logic [RAB-1:0]                unused_row;
  logic [NL-1:0][NW-1:0]         neuron2;
  logic [NL-1:0][SX-1:0]         sums;
  logic [NL-1:0][RATE-1:0]       rate;
  logic [NL-1:0][PRODUCT-1:0]    product;

  stop_sweep #(.WORD(NAB)) sweep (.clk, .rst, .start, .words((NAB+1)'(NWORDS[layer])), .active, .word, .last,
                                  .part(unused_part), .row(unused_row));
  assign neuron_read = active;
  assign neuron_read_word = active ? NAB'(NBASE[layer]) + word : '0;
  assign gradient_read = active;
  assign gradient_read_word = neuron_read_word;
  assign gradient_clear = v1;
  assign gradient_clear_word = v1 ? NAB'(NBASE[layer]) + word1 : '0;
  assign neuron_write = v2;
  assign neuron_write_word = v2 ? NAB'(NBASE[layer]) + word2 : '0;
  assign draws = v2;
  assign draws_end = last2;
  assign busy = active || v1;
  always_ff @(posedge clk) begin
    v1 <= active && !rst;
    v2 <= v1 && !rst;
    {word1, word2} <= {word, word1};
    {last1, last2} <= {last, last1};
    neuron2 <= neuron_q;
  end
  assign rate = {NL{RATE'(RATE_THRESHOLD)}};
  always_comb for (int k = 0; k < NL; k++) sums[k] = SX'(gradient_q[k]);
  stop_multiply #(.LANES(NL), .AB(SX), .BB(RATE)) scale (.clk, .a(sums), .b(rate), .product);
  for (genvar k = 0; k < NL; k++) begin : g_lane
    logic [UB-1:0] moved, floor;
    logic          out_of_range, present;
    assign present = int'(word2) * NL + k < NEURONS[layer];
    stop_quant #(.TABLE(Q_THRESHOLD), .PB(UX), .QB(PRODUCT + 1), .OB(UB)) subtract (
      .layer, .p($signed(UX'(neuron2[k][THETA_AT +: UB]))), .q(-(PRODUCT+1)'($signed(product[k]))), .draw(draw[k]),
      .y(moved), .over(out_of_range));
    assign floor = UB'(THETA_MIN[layer]);
    always_comb begin
      neuron_data[k] = v2 ? neuron2[k] : '0;
      if (v2)
        neuron_data[k][THETA_AT +: UB] = !present ? '0 : $signed(UX'(moved)) < $signed(UX'(floor)) ? floor : moved;
    end
    assign over[k] = v2 && present && out_of_range;
  end
endmodule
