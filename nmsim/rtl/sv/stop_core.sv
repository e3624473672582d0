// A core that trains a network of dense spiking layers with STOP: the stages, their shared multipliers, the memories.
module stop_core import stop_pkg::*; (
  input  logic               clk,
  input  logic               rst,
  input  logic               in_valid,       // input events: index, value; in_last ends the events of a time step
  output logic               in_ready,
  input  logic [IAB-1:0]     in_address,
  input  logic [XB-1:0]      in_value,
  input  logic               in_last,
  output logic               out_valid,      // spikes of the output layer: a mask of NL neurons
  output logic [NAB-1:0]     out_word,
  output logic [NL-1:0]      out_mask,
  input  logic               bus_select,
  input  logic               bus_write,
  input  logic [11:0]        bus_address,
  input  logic [31:0]        bus_wdata,
  output logic [31:0]        bus_rdata,
  output phase_t             phase,          // for observation: stage, layer and time step at work
  output logic [LB-1:0]      layer,
  output logic [STEP_AB-1:0] time_step
);
  // ---- control and bus
  logic                start, learn, last_of_batch, first_step, last_step, stage_busy, no_error;
  logic [PHASES-1:0]   go, busy;
  logic [LB-1:0]       next_layer, factor_layer;
  logic [LABEL-1:0]    label, fired;
  logic [MEMORIES-1:0] peek, poke;
  logic [MEM_AB-1:0]   mem_address;
  logic [MEM_BITS-1:0] mem_data, mem_q;
  logic                factor_poke;
  logic [TENSORS-1:0][LAYERS-1:0][COUNT_BITS-1:0] counts;
  logic [LAYERS-1:0][LAB-1:0] factors;
  logic [LAYERS-1:0][LGB-1:0] leak_gradients;
  logic signed [LX-1:0] factor;
  assign stage_busy = |busy;
  stop_control control (.*);
  stop_bus bus (.*, .idle(phase == IDLE), .status({8'(phase), 8'(layer), 8'(time_step), 7'd0, phase != IDLE}));
  wire unused_go = ^{go[IDLE], leak_gradients};
  assign busy[IDLE] = 1'b0;

  // ---- memory ports, joined from the stages by OR
  logic [K-1:0][WB-1:0]  weight_q;
  logic [K-1:0][GB-1:0]  gradient_q, gradient_data;
  logic [K-1:0][CB-1:0]  sum_q, sum_data;
  logic [NL-1:0][EB-1:0] error_q, error_data;
  logic [NL-1:0][NW-1:0] neuron_q, neu_data, thr_data;
  logic [NL-1:0][SB-1:0] threshold_q, threshold_data;
  logic [K-1:0][DB-1:0]  delta_q, delta_data, deltas;
  logic [NL-1:0][TB-1:0] trace_q, trace_data;
  logic [NL-1:0][XB-1:0] input_q, int_data;
  logic                  int_wread, pro_wread, upd_wread, upd_wwrite, acc_sread, acc_swrite, neu_sread, neu_sclear;
  logic [WAB-1:0]        int_waddr, pro_waddr, upd_waddr, row_base;
  logic [K-1:0][WB-1:0]  upd_wdata;
  logic [SAB-1:0]        acc_sra, acc_swa, neu_sra, neu_sca;
  logic                  neu_read, neu_write, tra_nread, del_nread, thr_nread, thr_nwrite;
  logic [NAB-1:0]        neu_ra, neu_wa, tra_nra, del_nra, thr_nra, thr_nwa;
  logic                  del_eread, pro_eread, pro_ewrite;
  logic [EAB-1:0]        del_era, pro_era, pro_ewa;
  logic                  g_read, g_write, g_clear, upd_gread;
  logic [WAB-1:0]        g_ra, g_wa, g_ca, upd_gra;
  logic [K-1:0][GB-1:0]  g_data;
  logic                  t_read, t_write;
  logic [NAB-1:0]        t_ra, t_wa;
  logic                  tra_tread, tra_twrite, walk_tread, upd_tread;
  logic [TAB-1:0]        tra_tra, tra_twa, walk_tword, walk_tra, upd_tra;
  logic                  tra_xread, tra_xclear;
  logic [XAB-1:0]        tra_xra, tra_xca, int_xwa;
  logic [NL-1:0]         int_xwrite;
  logic                  row_dread;
  logic [DAB-1:0]        row_dra, del_dwa;
  logic [PARTS-1:0]      del_dwrite;
  assign gradient_data = g_data;
  assign walk_tra = walk_tread ? TAB'(TBASE[layer]) + walk_tword : '0;
  stop_memories memories (.*,
    .weight_read(int_wread || pro_wread || upd_wread), .weight_write(upd_wwrite),
    .weight_address(int_waddr | pro_waddr | upd_waddr), .weight_data(upd_wdata),
    .gradient_read(g_read || upd_gread), .gradient_read_address(g_ra | upd_gra),
    .gradient_write(g_write || g_clear), .gradient_write_address(g_wa | g_ca),
    .sum_read(acc_sread || neu_sread), .sum_read_row(acc_sra | neu_sra),
    .sum_write(acc_swrite || neu_sclear), .sum_write_row(acc_swa | neu_sca),
    .error_read(del_eread || pro_eread), .error_read_word(del_era | pro_era),
    .error_write(pro_ewrite), .error_write_word(pro_ewa),
    .neuron_read(neu_read || tra_nread || del_nread || thr_nread), .neuron_read_word(neu_ra | tra_nra | del_nra | thr_nra),
    .neuron_write(neu_write || thr_nwrite), .neuron_write_word(neu_wa | thr_nwa), .neuron_data(neu_data | thr_data),
    .threshold_read(t_read), .threshold_read_word(t_ra), .threshold_write(t_write), .threshold_write_word(t_wa),
    .delta_read(row_dread), .delta_read_row(row_dra), .delta_write(del_dwrite), .delta_write_row(del_dwa),
    .trace_read(tra_tread || walk_tread || upd_tread), .trace_read_word(tra_tra | walk_tra | upd_tra),
    .trace_write(tra_twrite), .trace_write_word(tra_twa),
    .input_read(tra_xread), .input_read_word(tra_xra), .input_write(int_xwrite | {NL{tra_xclear}}),
    .input_write_word(int_xwa | tra_xca), .input_data(int_data));

  // ---- multipliers and draws
  logic [K-1:0][PROD-1:0]       product;
  logic                         sum_valid, pro_multiply, gra_multiply, upd_multiply;
  logic [SAB-1:0]               sum_row;
  logic signed [XX-1:0]         operand;
  logic [TB-1:0]                gra_trace, upd_trace;
  logic signed [NL-1:0][MA-1:0] neu_f0, neu_f1, neu_f2, tra_f0, del_f0, del_f1, del_f2;
  logic signed [NL-1:0][MB-1:0] del_phi, del_delta, alpha, alpha0;
  logic [NL-1:0][MA+MB-1:0]     p0, p1, p2;
  assign alpha = phase == DELTA ? '0 : {NL{MB'(factor)}};
  assign alpha0 = alpha;
  stop_products products (.clk, .layer, .weights(weight_q), .deltas, .trace(gra_trace | (upd_multiply ? upd_trace : '0)), .operand,
    .integrate(sum_valid), .propagate(pro_multiply), .gradient(gra_multiply || upd_multiply), .product,
    .a0(neu_f0 | tra_f0 | del_f0), .b0(alpha0 | del_phi), .p0,
    .a1(neu_f1 | del_f1), .b1(alpha | del_delta), .p1, .a2(neu_f2 | del_f2), .b2(alpha | del_delta), .p2);

  logic [K-1:0]        draws_w;
  logic [K-1:0][15:0]  of_weight;
  logic [NL-1:0][15:0] of_threshold, of_membrane, of_leak_trace, of_threshold_trace, of_trace, of_error, of_delta;
  logic                w_row_end, w_end, th_draws, th_end, n_draws, n_end, tr_draws, tr_end, e_draws, e_end, d_draws, d_end;
  stop_draws draws (.clk, .rst, .layer, .weight(draws_w), .weight_row_end(w_row_end), .weight_end(w_end),
    .threshold(th_draws), .threshold_end(th_end), .neuron(n_draws), .neuron_end(n_end), .trace(tr_draws), .trace_end(tr_end),
    .error(e_draws), .error_end(e_end), .delta(d_draws), .delta_end(d_end), .of_weight, .of_threshold, .of_membrane,
    .of_leak_trace, .of_threshold_trace, .of_trace, .of_error, .of_delta);

  // ---- forward: integrate, neuron, trace
  logic                   spk_push, spk_valid, spk_busy, spk_next, word_done, first_word;
  logic [NAB-1:0]         spk_word;
  logic [IAB-1:0]         spk_index;
  logic [NL-1:0]          spk_mask;
  logic [K-1:0]           over_sum;
  logic                   int_busy, tra_push;
  logic [TAB-1:0]         tra_word;
  logic [NL-1:0]          over_current, over_residual, over_leak, over_threshold, over_membrane, over_trace;
  stop_spikes spikes (.clk, .rst, .restart(go[NEURON]), .push(spk_push), .push_word(spk_word), .push_mask(spk_mask),
    .word_done, .first_word, .fired, .walk(go[INTEGRATE]), .valid(spk_valid), .busy(spk_busy), .index(spk_index),
    .next(spk_next));
  stop_integrate integrate (.clk, .rst, .layer, .start(go[INTEGRATE]), .busy(int_busy), .in_valid, .in_ready, .in_address,
    .in_value, .in_last, .spike_valid(spk_valid), .spike_pending(spk_busy), .spike_next(spk_next),
    .spike_index(spk_index), .weight_read(int_wread), .weight_address(int_waddr), .sum_valid,
    .sum_row, .operand, .input_write(int_xwrite), .input_word(int_xwa), .input_data(int_data));
  logic [K-1:0][CB-1:0] acc_data;
  assign sum_data = acc_data;
  stop_accumulate #(.TABLE(Q_CURRENT_ADD), .LANES(K), .BITS(CB), .WIDE(CX), .PB(PROD), .ADDRESS(SAB)) sums (.clk, .rst, .layer,
    .valid(sum_valid), .address(sum_row), .addend(product), .read(acc_sread), .read_address(acc_sra), .q(sum_q),
    .write(acc_swrite), .write_address(acc_swa), .data(acc_data), .over(over_sum));
  assign busy[INTEGRATE] = int_busy;

  stop_neuron neuron (.clk, .rst, .layer, .start(go[NEURON]), .first_step,
    .keep_sums(STATIC && layer == '0 && !last_step), .busy(busy[NEURON]), .neuron_read(neu_read), .neuron_read_word(neu_ra),
    .neuron_q, .neuron_write(neu_write), .neuron_write_word(neu_wa), .neuron_data(neu_data), .sum_read(neu_sread),
    .sum_read_row(neu_sra), .sum_q, .sum_clear(neu_sclear), .sum_clear_row(neu_sca), .factor_membrane(neu_f0),
    .factor_leak(neu_f1), .factor_threshold(neu_f2), .product_membrane(p0), .product_leak(p1), .product_threshold(p2),
    .draw_membrane(of_membrane), .draw_leak(of_leak_trace), .draw_threshold(of_threshold_trace), .draws(n_draws),
    .draws_end(n_end), .spikes(spk_push), .spike_word(spk_word), .spike_mask(spk_mask), .word_done, .first_word,
    .over_current, .over_residual, .over_leak, .over_threshold, .over_membrane);
  assign out_valid = spk_push && layer == LB'(LAYERS - 1);
  assign {out_word, out_mask} = {spk_word, spk_mask};
  logic [NL-1:0] spikes_below;
  always_comb for (int k = 0; k < NL; k++) spikes_below[k] = neuron_q[k][0];
  stop_trace trace (.clk, .rst, .layer, .start(go[TRACE]), .first_step, .keep_inputs(STATIC && !last_step),
    .busy(busy[TRACE]), .trace_read(tra_tread), .trace_read_word(tra_tra), .trace_q, .trace_write(tra_twrite),
    .trace_write_word(tra_twa), .trace_data, .input_read(tra_xread), .input_read_word(tra_xra), .input_q,
    .input_clear(tra_xclear), .input_clear_word(tra_xca), .neuron_read(tra_nread), .neuron_read_word(tra_nra),
    .spike_q(spikes_below), .factor(tra_f0), .product(p0), .draw(of_trace), .draws(tr_draws), .draws_end(tr_end),
    .push(tra_push), .push_word(tra_word), .over(over_trace));

  // ---- back: delta, rows of deltas, propagate
  logic                   row_push, row_lread, row_fetch, row_start, first_row, last_row, pro_done, gra_done, upd_done;
  logic                   rows_busy, pro_busy, thr_valid, leak_valid, leak_end;
  logic [RAB+WAB-1:0]     row_entry, row_q;
  logic [DAB-1:0]         row_position;
  logic [DAB:0]           row_count;
  logic [NAB-1:0]         thr_word;
  logic [NL-1:0]          over_error, over_error_end, over_delta, over_leak_sum, over_threshold_sum;
  logic [K-1:0]           over_error_sum;
  logic                   over_leak_end;
  stop_list #(.ENTRY(RAB + WAB), .DEPTH(DDEPTH), .ADDRESS(DAB), .BASE(RBASE)) row_list (.clk, .rst, .layer,
    .clear(go[DELTA]), .clear_layer(next_layer), .push(row_push), .entry(row_entry), .read(row_lread), .position(row_position),
    .q(row_q), .count(row_count));
  always_ff @(posedge clk) if (go[PROPAGATE]) no_error <= row_count == '0 && !row_push;
  stop_delta delta (.clk, .rst, .layer, .start(go[DELTA]), .label, .fired, .no_error, .busy(busy[DELTA]),
    .neuron_read(del_nread), .neuron_read_word(del_nra), .neuron_q, .error_read(del_eread), .error_read_word(del_era),
    .error_q, .delta_write(del_dwrite), .delta_write_row(del_dwa), .delta_data, .factor_error(del_f0),
    .factor_surrogate(del_phi), .product_delta(p0), .factor_leak(del_f1), .factor_threshold(del_f2), .factor_delta(del_delta),
    .product_leak(p1), .product_threshold(p2), .draw_error(of_error), .draw_delta(of_delta), .draws_error(e_draws),
    .draws_delta(d_draws), .draws_error_end(e_end), .draws_delta_end(d_end), .push(row_push), .push_row(row_entry),
    .threshold_valid(thr_valid), .threshold_word(thr_word), .leak_valid, .leak_end, .over_error, .over_error_end, .over_delta);
  stop_rows rows (.clk, .rst, .layer, .start(go[PROPAGATE] || go[GRADIENT] || go[UPDATE]), .all_rows(phase == UPDATE),
    .busy(rows_busy), .list_read(row_lread), .position(row_position), .list_q(row_q), .count(row_count),
    .delta_read(row_dread), .delta_read_row(row_dra), .delta_q, .deltas, .base(row_base), .fetch(row_fetch), .row_start,
    .first_row, .last_row, .row_done(pro_done || gra_done || upd_done));
  stop_propagate propagate (.clk, .rst, .layer, .row_start(row_start && phase == PROPAGATE), .first_row, .base(row_base),
    .row_done(pro_done), .busy(pro_busy), .weight_read(pro_wread), .weight_address(pro_waddr), .multiply(pro_multiply),
    .product, .error_read(pro_eread), .error_read_word(pro_era), .error_q, .error_write(pro_ewrite),
    .error_write_word(pro_ewa), .error_data, .over(over_error_sum));
  assign busy[PROPAGATE] = pro_busy || rows_busy;

  // ---- gradients
  logic                 list_read, trc_valid, trc_busy, trc_next, gra_busy, upd_busy;
  logic [TAB-1:0]       list_position, list_q, trc_word;
  logic [TAB:0]         list_count;
  logic [LANE_BITS-1:0] trc_lane;
  logic [TB-1:0]        trc_value;
  logic [WAB-1:0]       gra_address;
  logic [K-1:0]         over_gradient;
  logic [UL-1:0]        over_weight, over_used;
  logic [NL-1:0]        over_theta;
  logic [K-1:0][STEP_BITS-1:0] weight_step;
  stop_list #(.ENTRY(TAB), .DEPTH(TDEPTH), .ADDRESS(TAB), .BASE(TBASE)) trace_list (.clk, .rst, .layer, .clear(go[TRACE]),
    .clear_layer(next_layer), .push(tra_push), .entry(tra_word), .read(list_read), .position(list_position), .q(list_q),
    .count(list_count));
  stop_walk #(.LANES(NL), .BITS(TB), .WORD(TAB), .ADDRESS(TAB)) trace_walk (.clk, .rst,
    .start(row_fetch && phase == GRADIENT), .count(list_count), .list_read, .position(list_position), .list_q,
    .value_read(walk_tread), .value_word(walk_tword), .value_q(trace_q), .valid(trc_valid), .word(trc_word), .lane(trc_lane),
    .value(trc_value), .next(trc_next), .busy(trc_busy));
  stop_gradient gradient (.clk, .rst, .layer, .row_start(row_start && phase == GRADIENT), .base(row_base), .row_done(gra_done),
    .busy(gra_busy), .trace_valid(trc_valid), .trace_busy(trc_busy),
    .trace_index(IAB'(int'(trc_word) * NL + int'(trc_lane))), .trace_value(trc_value), .trace_next(trc_next),
    .multiply(gra_multiply), .trace(gra_trace), .address(gra_address));
  if (IN_PLACE) begin : g_in_place
    assign {g_read, g_ra, g_write, g_wa, g_data, over_gradient} = '0;
    assign weight_step = product;
    wire unused_gradient = ^{gradient_q, gra_address};
  end else begin : g_accumulate
    stop_accumulate #(.TABLE(Q_GRADIENT), .LANES(K), .BITS(GB), .WIDE(GX), .PB(PROD), .ADDRESS(WAB)) gradients (.clk, .rst,
      .layer, .valid(gra_multiply), .address(gra_address), .addend(product), .read(g_read), .read_address(g_ra),
      .q(gradient_q), .write(g_write), .write_address(g_wa), .data(g_data), .over(over_gradient));
    always_comb for (int k = 0; k < K; k++) weight_step[k] = STEP_BITS'($signed(GX'(gradient_q[k])));
  end
  assign busy[GRADIENT] = gra_busy || rows_busy;

  // ---- updates
  stop_update update (.clk, .rst, .layer, .row_start(row_start && phase == UPDATE), .last_row, .base(row_base),
    .row_done(upd_done), .busy(upd_busy), .weight_read(upd_wread), .weight_write(upd_wwrite), .weight_address(upd_waddr),
    .weight_q, .weight_data(upd_wdata), .gradient_read(upd_gread), .gradient_read_address(upd_gra), .step(weight_step),
    .gradient_clear(g_clear), .gradient_clear_address(g_ca), .trace_read(upd_tread), .trace_read_word(upd_tra), .trace_q,
    .trace(upd_trace), .multiply(upd_multiply), .draw(of_weight), .draws(draws_w), .draws_row_end(w_row_end),
    .draws_end(w_end), .over(over_weight), .over_used);
  assign busy[UPDATE] = upd_busy || rows_busy;
  stop_thresholds thresholds (.clk, .rst, .layer, .add(thr_valid), .add_word(thr_word), .product(p2), .start(go[THRESHOLD]),
    .busy(busy[THRESHOLD]), .gradient_read(t_read), .gradient_read_word(t_ra), .gradient_q(threshold_q),
    .gradient_write(t_write), .gradient_write_word(t_wa), .gradient_data(threshold_data), .neuron_read(thr_nread),
    .neuron_read_word(thr_nra), .neuron_q, .neuron_write(thr_nwrite), .neuron_write_word(thr_nwa), .neuron_data(thr_data),
    .draw(of_threshold), .draws(th_draws), .draws_end(th_end), .over_sum(over_threshold_sum), .over(over_theta));
  stop_leak leak (.clk, .rst, .layer, .add(leak_valid), .step_ends(leak_end), .product(p1), .start(go[LEAK]), .busy(busy[LEAK]),
    .poke(factor_poke), .poke_layer(factor_layer), .poke_data(bus_wdata[LAB-1:0]), .factors, .gradients(leak_gradients),
    .factor, .over(over_leak_sum), .over_end(over_leak_end));

  // ---- overflows
  stop_overflow overflow (.*, .error_sums_settle(phase == DELTA), .counts);
endmodule
