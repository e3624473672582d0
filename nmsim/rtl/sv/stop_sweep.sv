// A sweep over the words 0 .. words-1 of a layer, one word per cycle, with the row of K values that each word is part of.
module stop_sweep import stop_pkg::*; #(
  parameter int WORD = 8
) (
  input  logic            clk,
  input  logic            rst,
  input  logic            start,
  input  logic [WORD:0]   words,
  output logic            active,
  output logic [WORD-1:0] word,
  output logic            last,
  output logic [PART_BITS-1:0] part,     // of the row
  output logic [RAB-1:0]  row
);
  assign last = active && (WORD+1)'(word) + 1'b1 == words;
  always_ff @(posedge clk)
    if (rst) active <= 1'b0;
    else if (start) begin
      active <= 1'b1;
      word <= '0;
      part <= '0;
      row <= '0;
    end else if (active) begin
      active <= !last;
      word <= word + 1'b1;
      part <= part == PART_BITS'(PARTS - 1) ? '0 : part + 1'b1;
      if (part == PART_BITS'(PARTS - 1)) row <= row + 1'b1;
    end
endmodule
