// Feeds stop_quant and stop_draw from a file and prints what they answer.
module units_tb;
  import stop_pkg::*;
  int file, read;
  logic clk = 0, rst = 1, over, row_ends = 0, pass_ends = 0;
  logic [LB-1:0] layer = '0;
  logic signed [P-1:0] p = '0;
  logic signed [P-1:0] q = '0;
  logic [15:0] draw = '0;
  logic [OUT-1:0] y;
  logic [DRAW_LANES-1:0] step = '0;
  logic [DRAW_LANES-1:0][15:0] draws;
  logic [63:0] word;
  stop_quant #(.TABLE(Q), .PB(P), .QB(P), .OB(OUT)) quant (.*);
  stop_draw #(.LANES(DRAW_LANES), .FIRST(FIRST), .STEP(STEP), .ROW(ROW), .PASS(PASS)) register (.*, .draw(draws));
  always #1 clk = ~clk;
  initial begin
    file = $fopen("cases.hex", "r");
    for (int n = 0; n < CASES; n++) begin
      read = $fscanf(file, "%h", word); layer = LB'(word);
      read = $fscanf(file, "%h", word); p = P'(word);
      read = $fscanf(file, "%h", word); q = P'(word);
      read = $fscanf(file, "%h", word); draw = 16'(word);
      @(negedge clk);
      $display("%h %h", y, over);
    end
    rst = 0;
    step = '1;
    for (int n = 0; n < CASES; n++) begin
      read = $fscanf(file, "%h", word);
      layer = LB'(word[7:0]);
      {pass_ends, row_ends} = word[9:8];
      #0.1 $display("%h", draws);
      @(negedge clk);
    end
    $finish;
  end
endmodule
