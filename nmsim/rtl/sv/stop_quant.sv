// Q of one tensor in every layer's format: one rounding unit per layer (equal ones merge in synthesis), chosen by layer.
module stop_quant import stop_pkg::*; #(
  parameter quant_t [LAYERS-1:0] TABLE = '0,
  parameter int PB = 16,
  parameter int QB = 16,
  parameter int OB = 16
) (
  input  logic        [LB-1:0] layer,
  input  logic signed [PB-1:0] p,
  input  logic signed [QB-1:0] q,
  input  logic        [15:0]   draw,
  output logic        [OB-1:0] y,
  output logic                 over
);
  logic [LAYERS-1:0][OB-1:0] each;
  logic [LAYERS-1:0]         each_over;
  for (genvar l = 0; l < LAYERS; l++) begin : g_layer
    stop_round #(.C(TABLE[l]), .PB(PB), .QB(QB), .OB(OB)) round (.p, .q, .draw, .y(each[l]), .over(each_over[l]));
  end
  assign y = each[layer];
  assign over = each_over[layer];
endmodule
