// Update of weights: w = Q(w - m * step * 2^-shift), step the accumulated gradient or (IN_PLACE) delta * trace of this time
// step. A word of K weights takes PERIOD cycles: its read, its write, and SLICES slices of UL lanes in between.
module stop_update import stop_pkg::*; (
  input  logic                        clk,
  input  logic                        rst,
  input  logic [LB-1:0]               layer,
  input  logic                        row_start,
  input  logic                        last_row,
  input  logic [WAB-1:0]              base,
  output logic                        row_done,
  output logic                        busy,
  output logic                        weight_read,
  output logic                        weight_write,
  output logic [WAB-1:0]              weight_address,
  input  logic [K-1:0][WB-1:0]        weight_q,
  output logic [K-1:0][WB-1:0]        weight_data,
  output logic                        gradient_read,      // one cycle after the weights
  output logic [WAB-1:0]              gradient_read_address,
  input  logic [K-1:0][STEP_BITS-1:0] step,               // one more cycle later: gradient or product
  output logic                        gradient_clear,
  output logic [WAB-1:0]              gradient_clear_address,
  output logic                        trace_read,
  output logic [TAB-1:0]              trace_read_word,
  input  logic [NL-1:0][TB-1:0]       trace_q,
  output logic [TB-1:0]               trace,
  output logic                        multiply,
  input  logic [K-1:0][15:0]          draw,
  output logic [K-1:0]                draws,
  output logic                        draws_row_end,
  output logic                        draws_end,
  output logic [UL-1:0]               over, over_used
);
  localparam int SLICES = K / UL;
  localparam int PERIOD = SLICES > 2 ? SLICES : 2;
  localparam int BEAT = $clog2(PERIOD) + 1;
  localparam bit LATE = SLICES == 2;               // its write would meet the next read
  localparam int STEP_PRODUCT = STEP_BITS + RATE;

  logic                                active, ends, v1, v2, v3, done, ends1, ends2, ends3;
  logic [BEAT-1:0]                     beat, beat1, beat2, beat3;
  logic [IAB-1:0]                      index;
  logic [LANE_BITS-1:0]                lane1;
  logic [WAB-1:0]                      address, address1, address2, address3, write_address;
  logic [K-1:0][WB-1:0]                stored, updated_word;
  logic [UL-1:0][WB-1:0]               slice, updated;
  logic [UL-1:0][STEP_BITS-1:0]        step_slice;
  logic [UL-1:0][RATE-1:0]             rate;
  logic [UL-1:0][STEP_PRODUCT-1:0]     product;

  assign ends = index == IAB'(INPUTS[layer] - 1);
  assign weight_read = active && beat == '0;
  assign weight_address = weight_read ? address : weight_write ? write_address : '0;
  assign gradient_read = v1 && beat1 == '0 && !IN_PLACE;
  assign gradient_read_address = gradient_read ? address1 : '0;
  assign gradient_clear = v2 && beat2 == '0 && !IN_PLACE;
  assign gradient_clear_address = gradient_clear ? address2 : '0;
  assign trace_read = IN_PLACE && weight_read;
  assign trace_read_word = trace_read ? TAB'(TBASE[layer]) + TAB'(int'(index) >> LANE_SHIFT) : '0;
  assign trace = trace_q[lane1];
  assign multiply = IN_PLACE && v1;
  assign busy = active || v1 || v2 || v3 || weight_write;
  assign row_done = done && !busy;

  always_ff @(posedge clk) begin
    if (active) begin
      beat <= beat == BEAT'(PERIOD - 1) ? '0 : beat + 1'b1;
      if (beat == BEAT'(PERIOD - 1)) begin
        index <= index + 1'b1;
        address <= address + 1'b1;
        active <= !ends;
        done <= ends;
      end
    end
    if (row_done) done <= 1'b0;
    if (row_start) begin
      active <= 1'b1;
      beat <= '0;
      index <= '0;
      address <= WAB'(WBASE[layer]) + base;
    end
    {v1, v2, v3} <= {active, v1, v2};
    {beat1, beat2, beat3} <= {beat, beat1, beat2};
    {ends1, ends2, ends3} <= {ends, ends1, ends2};
    lane1 <= NL == 1 ? '0 : LANE_BITS'(index);
    address1 <= address;
    if (beat1 == '0) address2 <= address1;
    if (beat2 == '0) begin
      address3 <= address2;
      stored <= weight_q;
    end
    if (rst) {active, done, v1, v2, v3} <= '0;
  end

  wire unused_when_late = ^updated_word;
  assign rate = {UL{RATE'(RATE_WEIGHT)}};
  always_comb for (int k = 0; k < UL; k++) begin
    step_slice[k] = step[(int'(beat2) * UL + k) % K];
    slice[k] = stored[(int'(beat3) * UL + k) % K];
  end
  stop_multiply #(.LANES(UL), .AB(STEP_BITS), .BB(RATE)) scale (.clk, .a(step_slice), .b(rate), .product);
  for (genvar k = 0; k < UL; k++) begin : g_lane
    logic out_of_range, used_out_of_range;
    logic [WUB-1:0] unused_value;
    stop_quant #(.TABLE(Q_WEIGHT), .PB(WX), .QB(STEP_PRODUCT + 1), .OB(WB)) subtract (
      .layer, .p($signed(WX'(slice[k]))), .q(-(STEP_PRODUCT+1)'($signed(product[k]))),
      .draw(draw[(int'(beat3) * UL + k) % K]), .y(updated[k]), .over(out_of_range));
    stop_quant #(.TABLE(Q_WEIGHT_USED), .PB(WX), .QB(1), .OB(WUB)) used (
      .layer, .p($signed(WX'(slice[k]))), .q('0), .draw('0), .y(unused_value), .over(used_out_of_range));
    assign over[k] = v3 && beat3 < BEAT'(SLICES) && out_of_range;
    assign over_used[k] = v3 && beat3 < BEAT'(SLICES) && used_out_of_range;
  end
  for (genvar k = 0; k < K; k++) begin : g_draws
    assign draws[k] = v3 && beat3 == BEAT'(k / UL);
  end
  assign draws_row_end = ends3;
  assign draws_end = ends3 && last_row;

  logic [K-1:0][WB-1:0] collected;
  for (genvar s = 0; s < SLICES; s++) begin : g_slice
    always_ff @(posedge clk) if (v3 && beat3 == BEAT'(s)) collected[s*UL +: UL] <= updated;
    assign updated_word[s*UL +: UL] = s == SLICES - 1 ? updated : collected[s*UL +: UL];
  end
  if (LATE) begin : g_late
    always_ff @(posedge clk) begin
      weight_write <= v3 && beat3 == BEAT'(SLICES - 1) && !rst;
      write_address <= address3;
    end
    assign weight_data = weight_write ? collected : '0;
  end else begin : g_now
    assign weight_write = v3 && beat3 == BEAT'(SLICES - 1);
    assign write_address = address3;
    assign weight_data = weight_write ? updated_word : '0;
  end
endmodule
