// Neuron: R = Q(U - theta s), a~ = Q(alpha a~ + R), th~ = Q(alpha (th~ - s)), U = Q(alpha R + I), s = U >= theta.
// NL neurons per cycle: read, subtract, multiply, round and write. At the first time step the state counts as zero.
module stop_neuron import stop_pkg::*; (
  input  logic                            clk,
  input  logic                            rst,
  input  logic [LB-1:0]                   layer,
  input  logic                            start,
  input  logic                            first_step,
  input  logic                            keep_sums,     // a static input's currents serve every time step
  output logic                            busy,
  output logic                            neuron_read,
  output logic [NAB-1:0]                  neuron_read_word,
  input  logic [NL-1:0][NW-1:0]           neuron_q,
  output logic                            neuron_write,
  output logic [NAB-1:0]                  neuron_write_word,
  output logic [NL-1:0][NW-1:0]           neuron_data,
  output logic                            sum_read,
  output logic [SAB-1:0]                  sum_read_row,
  input  logic [K-1:0][CB-1:0]            sum_q,
  output logic                            sum_clear,
  output logic [SAB-1:0]                  sum_clear_row,
  output logic signed [NL-1:0][MA-1:0]    factor_membrane, factor_leak, factor_threshold,  // times alpha
  input  logic [NL-1:0][MA+MB-1:0]        product_membrane, product_leak, product_threshold,
  input  logic [NL-1:0][15:0]             draw_membrane, draw_leak, draw_threshold,
  output logic                            draws,
  output logic                            draws_end,
  output logic                            spikes,        // a word with spikes, for the layer above or outside
  output logic [NAB-1:0]                  spike_word,
  output logic [NL-1:0]                   spike_mask,
  output logic                            word_done,
  output logic                            first_word,
  output logic [NL-1:0]                   over_current, over_residual, over_leak, over_threshold, over_membrane
);
  logic                        active, last, v1, v2, v3, last1, last2, last3;
  logic [NAB-1:0]              word, word1, word2, word3;
  logic [PART_BITS-1:0]        part, part1;
  logic [RAB-1:0]              row, row1;
  logic [NL-1:0][UB-1:0]       r2, r3, theta2, theta3;
  logic [NL-1:0][CB-1:0]       i2, i3;
  logic [NL-1:0]               s3;
  wire unused_when_narrow = ^{row1, r3};

  stop_sweep #(.WORD(NAB)) sweep (.clk, .rst, .start, .words((NAB+1)'(NWORDS[layer])), .active, .word, .last, .part, .row);
  assign neuron_read = active;
  assign neuron_read_word = active ? NAB'(NBASE[layer]) + word : '0;
  assign sum_read = active;
  assign sum_read_row = active ? SAB'(SBASE[layer]) + SAB'(row) : '0;
  assign sum_clear = v1 && !keep_sums && (last1 || part1 == PART_BITS'(PARTS - 1));
  assign sum_clear_row = sum_clear ? SAB'(SBASE[layer]) + SAB'(row1) : '0;
  assign busy = active || v1 || v2;

  always_ff @(posedge clk) begin
    v1 <= active && !rst;
    v2 <= v1 && !rst;
    v3 <= v2 && !rst;
    {word1, word2, word3} <= {word, word1, word2};
    {last1, last2, last3} <= {last, last1, last2};
    part1 <= part;
    row1 <= row;
    r3 <= r2;
    theta3 <= theta2;
    i3 <= i2;
  end
  assign neuron_write = v3;
  assign neuron_write_word = v3 ? NAB'(NBASE[layer]) + word3 : '0;
  assign draws = v3;
  assign draws_end = last3;
  assign spike_word = word3;
  assign spike_mask = s3;
  assign spikes = v3 && s3 != '0;
  assign word_done = v3;
  assign first_word = v3 && word3 == '0;

  for (genvar k = 0; k < NL; k++) begin : g_lane
    logic [UB-1:0] u, theta, r, u_new;
    logic [CB-1:0] current;
    logic          s, over_u, over_r, over_i;
    assign u = first_step ? '0 : neuron_q[k][U_AT +: UB];
    assign theta = neuron_q[k][THETA_AT +: UB];
    assign s = !first_step && neuron_q[k][0];
    stop_quant #(.TABLE(Q_RESIDUAL), .PB(UX), .QB(UX + 1), .OB(UB)) subtract (
      .layer, .p($signed(UX'(u))), .q(s ? -(UX+1)'($signed(UX'(theta))) : '0), .draw('0), .y(r), .over(over_r));
    stop_quant #(.TABLE(Q_CURRENT_END), .PB(CX), .QB(1), .OB(CB)) settle (
      .layer, .p($signed(CX'(sum_q[(PARTS == 1 ? 0 : int'(part1)) * NL + k]))), .q('0), .draw('0), .y(current), .over(over_i));
    always_ff @(posedge clk) begin
      r2[k] <= r;
      theta2[k] <= theta;
      i2[k] <= current;
    end
    assign over_residual[k] = v1 && over_r;
    assign over_current[k] = v1 && over_i;
    assign factor_membrane[k] = v2 ? MA'($signed(UX'(r2[k]))) : '0;

    stop_quant #(.TABLE(Q_MEMBRANE), .PB(MA + MB), .QB(CX), .OB(UB)) membrane (
      .layer, .p($signed(product_membrane[k])), .q($signed(CX'(i3[k]))), .draw(draw_membrane[k]), .y(u_new), .over(over_u));
    assign over_membrane[k] = v3 && over_u;
    assign s3[k] = v3 && $signed(UX'(u_new)) >= $signed(UX'(theta3[k])) && int'(word3) * NL + k < NEURONS[layer];
    assign neuron_data[k][0] = s3[k];
    assign neuron_data[k][U_AT +: UB] = v3 ? u_new : '0;
    assign neuron_data[k][THETA_AT +: UB] = v3 ? theta3[k] : '0;

    if (LEARN_L) begin : g_leak
      logic [AB-1:0] a2, a_new;
      logic          over_a;
      always_ff @(posedge clk) a2 <= first_step ? '0 : neuron_q[k][A_AT +: AB];
      assign factor_leak[k] = v2 ? MA'($signed(AX'(a2))) : '0;
      stop_quant #(.TABLE(Q_LEAK_TRACE), .PB(MA + MB), .QB(UX), .OB(AB)) trace (
        .layer, .p($signed(product_leak[k])), .q($signed(UX'(r3[k]))), .draw(draw_leak[k]), .y(a_new), .over(over_a));
      assign neuron_data[k][A_AT +: AB] = v3 ? a_new : '0;
      assign over_leak[k] = v3 && over_a;
    end else begin : g_no_leak
      assign factor_leak[k] = '0;
      assign over_leak[k] = 1'b0;
      wire unused_leak = ^{product_leak[k], draw_leak[k]};
    end

    if (LEARN_T) begin : g_threshold
      logic [HB-1:0]        h_new;
      logic signed [HD-1:0] difference, difference2;
      logic                 over_h;
      stop_difference subtract_spike (
        .layer, .trace(first_step ? '0 : neuron_q[k][H_AT +: HB]), .one(s), .difference);
      always_ff @(posedge clk) difference2 <= difference;
      assign factor_threshold[k] = v2 ? MA'(difference2) : '0;
      stop_quant #(.TABLE(Q_THRESHOLD_TRACE), .PB(MA + MB), .QB(1), .OB(HB)) trace (
        .layer, .p($signed(product_threshold[k])), .q('0), .draw(draw_threshold[k]), .y(h_new), .over(over_h));
      assign neuron_data[k][H_AT +: HB] = v3 ? h_new : '0;
      assign over_threshold[k] = v3 && over_h;
    end else begin : g_no_threshold
      assign factor_threshold[k] = '0;
      assign over_threshold[k] = 1'b0;
      wire unused_threshold = ^{product_threshold[k], draw_threshold[k]};
    end
  end
endmodule
