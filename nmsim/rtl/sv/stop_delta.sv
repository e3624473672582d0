// Delta: e from the error sums, or from a table in the output layer; delta = Q(e phi(|U - theta|)); then the gradients
// of thresholds, delta (th~ - 1), and of the leak factor, delta a~. NL neurons per cycle; rows of K deltas that are not
// all zero enter a list.
module stop_delta import stop_pkg::*; (
  input  logic                            clk,
  input  logic                            rst,
  input  logic [LB-1:0]                   layer,
  input  logic                            start,
  input  logic [LABEL-1:0]                label,
  input  logic [LABEL-1:0]                fired,          // spiking outputs of this time step
  input  logic                            no_error,       // no delta above, so every error sum is zero
  output logic                            busy,
  output logic                            neuron_read,
  output logic [NAB-1:0]                  neuron_read_word,
  input  logic [NL-1:0][NW-1:0]           neuron_q,
  output logic                            error_read,
  output logic [EAB-1:0]                  error_read_word,
  input  logic [NL-1:0][EB-1:0]           error_q,
  output logic [PARTS-1:0]                delta_write,
  output logic [DAB-1:0]                  delta_write_row,
  output logic [PARTS-1:0][NL-1:0][DB-1:0] delta_data,
  output logic signed [NL-1:0][MA-1:0]    factor_error,
  output logic signed [NL-1:0][MB-1:0]    factor_surrogate,
  input  logic [NL-1:0][MA+MB-1:0]        product_delta,
  output logic signed [NL-1:0][MA-1:0]    factor_leak, factor_threshold,
  output logic signed [NL-1:0][MB-1:0]    factor_delta,
  input  logic [NL-1:0][MA+MB-1:0]        product_leak, product_threshold,
  input  logic [NL-1:0][15:0]             draw_error, draw_delta,
  output logic                            draws_error, draws_delta, draws_error_end, draws_delta_end,
  output logic                            push,
  output logic [RAB+WAB-1:0]              push_row,       // {row, its first weight within the layer}
  output logic                            threshold_valid, // the word's threshold gradients grow
  output logic [NAB-1:0]                  threshold_word,
  output logic                            leak_valid,
  output logic                            leak_end,       // last word of the time step
  output logic [NL-1:0]                   over_error, over_error_end, over_delta
);
  logic                  active, last, v1, v2, v3, v4, v5, last1, last2, last3, last4, last5, output_layer, any;
  logic [NAB-1:0]        word, word1, word2, word3, word4;
  logic [PART_BITS-1:0]  part, part1, part2, part3;
  logic [RAB-1:0]        row, row1, row2, row3;
  logic [WAB-1:0]        base;
  logic [NL-1:0][DB-1:0] value, delta4;

  stop_sweep #(.WORD(NAB)) sweep (.clk, .rst, .start, .words((NAB+1)'(NWORDS[layer])), .active, .word, .last, .part, .row);
  assign output_layer = layer == LB'(LAYERS - 1);
  assign neuron_read = active;
  assign neuron_read_word = active ? NAB'(NBASE[layer]) + word : '0;
  assign error_read = active && !output_layer && !no_error;
  assign error_read_word = error_read ? EAB'(word) : '0;
  assign busy = active || v1 || v2 || (LEARNS_MORE && (v3 || v4));
  always_ff @(posedge clk) begin
    v1 <= active && !rst;
    v2 <= v1 && !rst;
    v3 <= v2 && !rst;
    v4 <= v3 && !rst;
    v5 <= v4 && !rst;
    {last1, last2, last3, last4, last5} <= {last, last1, last2, last3, last4};
    {word1, word2, word3, word4} <= {word, word1, word2, word3};
    {part1, part2, part3} <= {part, part1, part2};
    {row1, row2, row3} <= {row, row1, row2};
    delta4 <= value;
    if (start) begin
      any <= 1'b0;
      base <= '0;
    end else if (v3) begin
      any <= (part3 != PART_BITS'(PARTS - 1)) && (any || value != '0);
      if (part3 == PART_BITS'(PARTS - 1)) base <= base + WAB'(INPUTS[layer]);
    end
  end
  assign draws_error = v1 && !output_layer;
  assign draws_error_end = last1;
  assign draws_delta = v3;
  assign draws_delta_end = last3;
  assign delta_write_row = v3 ? DAB'(RBASE[layer]) + DAB'(row3) : '0;
  for (genvar p = 0; p < PARTS; p++) begin : g_part  // the parts after the last word hold no neurons: zero
    assign delta_write[p] = v3 && (part3 == PART_BITS'(p) || (last3 && int'(part3) < p));
    assign delta_data[p] = v3 && part3 == PART_BITS'(p) ? value : '0;
  end
  assign push = v3 && (last3 || part3 == PART_BITS'(PARTS - 1)) && (any || value != '0);
  assign push_row = {row3, base};
  assign threshold_valid = v4 && LEARN_T;
  assign threshold_word = threshold_valid ? NAB'(NBASE[layer]) + word4 : '0;
  assign leak_valid = v5 && LEARN_L;
  assign leak_end = last5;

  for (genvar k = 0; k < NL; k++) begin : g_lane
    logic [UB-1:0]        u, theta;
    logic                 s, present, over_sum, over_e, over_d, table_over;
    logic signed [UX:0]   distance;
    logic [UX:0]          magnitude;
    logic [LAYERS-1:0][FB-1:0] surrogate;
    logic [EB-1:0]        settled;
    logic [DB-1:0]        e_hidden, e_output, e2, d_new;
    logic [FB-1:0]        phi2;
    logic [ROM_BITS-1:0]  place;
    assign u = neuron_q[k][U_AT +: UB];
    assign theta = neuron_q[k][THETA_AT +: UB];
    assign s = neuron_q[k][0];
    assign present = int'(word1) * NL + k < NEURONS[layer];
    assign distance = (UX+1)'($signed(UX'(u))) - (UX+1)'($signed(UX'(theta)));
    assign magnitude = distance < 0 ? -distance : distance;
    for (genvar l = 0; l < LAYERS; l++) begin : g_table
      localparam int LEFT = int'(SURROGATE_SHIFT[l].left_p);
      localparam int RIGHT = int'(SURROGATE_SHIFT[l].down);
      localparam int INDEX = int'(SURROGATE_SHIFT[l].bits);   // log2 of the entries
      localparam int WIDE = UX + 1 + LEFT + INDEX;
      logic [WIDE-1:0] scaled;
      logic [ENTRY_BITS-1:0] entry;
      assign scaled = (WIDE'(magnitude) << LEFT) >> RIGHT;
      assign entry = (scaled >> INDEX) != '0 ? ENTRY_BITS'((1 << INDEX) - 1) : ENTRY_BITS'(scaled);
      assign surrogate[l] = SURROGATE[l][entry];
    end
    stop_quant #(.TABLE(Q_ERROR_END), .PB(EX), .QB(1), .OB(EB)) settle (
      .layer, .p($signed(EX'(no_error ? '0 : error_q[k]))), .q('0), .draw('0), .y(settled), .over(over_sum));
    stop_quant #(.TABLE(Q_ERROR), .PB(EX), .QB(1), .OB(DB)) error (
      .layer, .p($signed(EX'(settled))), .q('0), .draw(draw_error[k]), .y(e_hidden), .over(over_e));
    assign place = ROM_BITS'(CROSS_ENTROPY ? int'(fired) * 4 : 0) + ROM_BITS'({int'(word1) * NL + k == int'(label), s});
    assign {table_over, e_output} = ERROR_ROM[place];
    always_ff @(posedge clk) begin
      e2 <= !present ? '0 : output_layer ? e_output : e_hidden;
      phi2 <= surrogate[layer];
    end
    assign over_error[k] = v1 && present && (output_layer ? table_over : over_e);
    assign over_error_end[k] = v1 && present && !output_layer && over_sum;
    assign factor_error[k] = v2 ? MA'($signed(DX'(e2))) : '0;
    assign factor_surrogate[k] = v2 ? $signed(MB'(FX'(phi2))) : '0;
    stop_quant #(.TABLE(Q_DELTA), .PB(MA + MB), .QB(1), .OB(DB)) product (
      .layer, .p($signed(product_delta[k])), .q('0), .draw(draw_delta[k]), .y(d_new), .over(over_d));
    assign value[k] = v3 ? d_new : '0;
    assign over_delta[k] = v3 && over_d;
    assign factor_delta[k] = v4 ? MB'($signed(DX'(delta4[k]))) : '0;

    if (LEARN_L) begin : g_leak
      logic [AB-1:0] a2, a3, a4;
      always_ff @(posedge clk) {a2, a3, a4} <= {neuron_q[k][A_AT +: AB], a2, a3};
      assign factor_leak[k] = v4 ? MA'($signed(AX'(a4))) : '0;
    end else begin : g_no_leak
      assign factor_leak[k] = '0;
    end
    if (LEARN_T) begin : g_threshold
      logic signed [HD-1:0] difference, h2, h3, h4;
      stop_difference subtract_one (.layer, .trace(neuron_q[k][H_AT +: HB]), .one(1'b1), .difference);
      always_ff @(posedge clk) {h2, h3, h4} <= {difference, h2, h3};
      assign factor_threshold[k] = v4 ? MA'(h4) : '0;
    end else begin : g_no_threshold
      assign factor_threshold[k] = '0;
    end
    wire unused_products = ^{product_leak[k], product_threshold[k]};
  end
endmodule
