// Integrate: for every input event, the rows of its weights one per cycle, to be multiplied and added to the sums.
// Layer 0 takes events from outside, the other layers the spikes of the layer below.
module stop_integrate import stop_pkg::*; (
  input  logic                     clk,
  input  logic                     rst,
  input  logic [LB-1:0]            layer,
  input  logic                     start,
  output logic                     busy,
  input  logic                     in_valid,       // event: input index and value; in_last ends the time step
  output logic                     in_ready,
  input  logic [IAB-1:0]           in_address,
  input  logic [XB-1:0]            in_value,
  input  logic                     in_last,
  input  logic                     spike_valid,
  input  logic                     spike_pending,
  output logic                     spike_next,
  input  logic [IAB-1:0]           spike_index,
  output logic                     weight_read,
  output logic [WAB-1:0]           weight_address,
  output logic                     sum_valid,      // one cycle later: the row whose sums grow, and the operand
  output logic [SAB-1:0]           sum_row,
  output logic signed [XX-1:0]     operand,
  output logic [NL-1:0]            input_write,    // the value is kept for the traces
  output logic [XAB-1:0]           input_word,
  output logic [NL-1:0][XB-1:0]    input_data
);
  logic           active, outside, has, row_ends;
  logic [RAB-1:0] row;
  logic [WAB-1:0] first, following;
  logic [IAB-1:0] index;

  assign outside = layer == '0;
  assign has = active && (outside ? in_valid : spike_valid);
  assign index = outside ? in_address : spike_index;
  assign first = WAB'(WBASE[layer]) + WAB'(index);
  assign row_ends = row == RAB'(ROWS[layer] - 1);
  assign weight_read = has;
  assign weight_address = !has ? '0 : row == '0 ? first : following;
  assign in_ready = has && outside && row_ends;
  assign spike_next = has && !outside && row_ends;
  assign input_word = in_ready ? XAB'(int'(in_address) >> LANE_SHIFT) : '0;
  for (genvar k = 0; k < NL; k++) begin : g_lane
    assign input_write[k] = in_ready && in_address[LANE_BITS-1:0] == LANE_BITS'(k) || in_ready && NL == 1;
    assign input_data[k] = in_ready ? in_value : '0;
  end
  assign busy = active || sum_valid;

  always_ff @(posedge clk) begin
    if (has) begin
      row <= row_ends ? '0 : row + 1'b1;
      following <= weight_address + WAB'(INPUTS[layer]);
    end
    sum_valid <= has && !rst;
    sum_row <= has ? SAB'(SBASE[layer]) + SAB'(row) : '0;
    operand <= !has ? '0 : outside ? $signed(XX'(in_value)) : XX'(1);
    if (rst || (outside ? in_ready && in_last : active && !spike_pending)) active <= 1'b0;
    if (start) begin
      active <= 1'b1;
      row <= '0;
    end
  end
endmodule
