// Random draws of one tensor: every lane holds a state of the 16-bit register and leaps to its next element by a
// constant matrix over GF(2). STEP: next element of the lane; ROW: first element of the lane's next row; PASS: its
// first element of the next requantization of the tensor (docs/arithmetic.md, "Random bits").
module stop_draw import stop_pkg::*; #(
  parameter int LANES = 4,
  parameter logic [LAYERS-1:0][LANES-1:0][15:0] FIRST = '0,
  parameter jump_t [LAYERS-1:0] STEP = '0,
  parameter jump_t [LAYERS-1:0] ROW = '0,
  parameter jump_t [LAYERS-1:0] PASS = '0
) (
  input  logic                   clk,
  input  logic                   rst,
  input  logic [LB-1:0]          layer,
  input  logic [LANES-1:0]       step,      // the lane's draw is used in this cycle
  input  logic                   row_ends,
  input  logic                   pass_ends,
  output logic [LANES-1:0][15:0] draw
);
  function automatic logic [15:0] leap(input jump_t matrix, input logic [15:0] state);
    for (int b = 0; b < 16; b++) leap[b] = ^(matrix[b] & state);
  endfunction

  logic [LAYERS-1:0][LANES-1:0][15:0] state;
  assign draw = state[layer];
  for (genvar l = 0; l < LAYERS; l++) begin : g_layer
    for (genvar k = 0; k < LANES; k++) begin : g_lane
      always_ff @(posedge clk)
        if (rst) state[l][k] <= FIRST[l][k];
        else if (step[k] && layer == LB'(l))
          state[l][k] <= pass_ends ? leap(PASS[l], state[l][k])
                       : row_ends ? leap(ROW[l], state[l][k]) : leap(STEP[l], state[l][k]);
    end
  end
endmodule
