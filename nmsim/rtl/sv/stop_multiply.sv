// Registered products of signed operands, one per lane; the only multipliers of the datapath are instances of this.
module stop_multiply #(
  parameter int LANES = 4,
  parameter int AB = 16,
  parameter int BB = 16
) (
  input  logic                           clk,
  input  logic signed [LANES-1:0][AB-1:0] a,
  input  logic signed [LANES-1:0][BB-1:0] b,
  output logic [LANES-1:0][AB+BB-1:0]     product
);
  localparam int PB = AB + BB;
  for (genvar k = 0; k < LANES; k++) begin : g_lane
    logic signed [AB-1:0] left;
    logic signed [BB-1:0] right;
    assign left = a[k];
    assign right = b[k];
    always_ff @(posedge clk) product[k] <= PB'(left) * PB'(right);
  end
endmodule
