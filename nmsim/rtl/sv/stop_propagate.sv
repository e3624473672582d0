// Propagate: error sum of every input += sum over the K neurons of a row of w * delta, one input per cycle.
module stop_propagate import stop_pkg::*; (
  input  logic                     clk,
  input  logic                     rst,
  input  logic [LB-1:0]            layer,
  input  logic                     row_start,
  input  logic                     first_row,
  input  logic [WAB-1:0]           base,
  output logic                     row_done,
  output logic                     busy,
  output logic                     weight_read,
  output logic [WAB-1:0]           weight_address,
  output logic                     multiply,          // one cycle later: weights times deltas
  input  logic [K-1:0][PROD-1:0]   product,
  output logic                     error_read,
  output logic [EAB-1:0]           error_read_word,
  input  logic [NL-1:0][EB-1:0]    error_q,
  output logic                     error_write,
  output logic [EAB-1:0]           error_write_word,
  output logic [NL-1:0][EB-1:0]    error_data,
  output logic [K-1:0]             over
);
  logic                 active, ends, v1, v2, ends1, ends2, full, fresh;   // fresh: nothing to add to yet
  logic [IAB-1:0]       index, index1, index2;
  logic [WAB-1:0]       address;
  logic [LANE_BITS-1:0] lane2;
  logic [EB-1:0]        held, sum;
  logic [K-1:0]         over_sum;

  assign ends = active && index == IAB'(INPUTS[layer] - 1);
  assign weight_read = active;
  assign weight_address = active ? address : '0;
  assign row_done = ends;
  assign multiply = v1;
  assign error_read = v1 && !fresh;
  assign error_read_word = error_read ? EAB'(int'(index1) >> LANE_SHIFT) : '0;
  assign busy = active || v1 || v2;
  assign lane2 = NL == 1 ? '0 : index2[LANE_BITS-1:0];
  assign held = fresh ? '0 : error_q[lane2];
  assign over = v2 ? over_sum : '0;
  stop_reduce #(.TABLE(Q_ERROR_ADD), .CHAIN(ERROR_CHAIN), .LANES(K), .BITS(EB), .WIDE(EX), .PB(PROD)) reduce (
    .layer, .held, .addend(product), .sum, .over(over_sum));

  always_ff @(posedge clk) begin
    if (active) begin
      index <= index + 1'b1;
      address <= address + 1'b1;
      active <= !ends;
    end
    if (row_start) begin
      active <= 1'b1;
      index <= '0;
      address <= WAB'(WBASE[layer]) + base;
      fresh <= first_row;
    end
    v1 <= active;
    v2 <= v1;
    {index1, index2} <= {index, index1};
    {ends1, ends2} <= {ends, ends1};
    full <= v2 && (lane2 == LANE_BITS'(NL - 1) || ends2);
    if (v2) begin
      if (lane2 == '0) error_data <= '0;
      error_data[lane2] <= sum;
      error_write_word <= EAB'(int'(index2) >> LANE_SHIFT);
    end
    if (rst) {active, v1, v2, full} <= '0;
  end
  assign error_write = full;
endmodule
