// Q of one format: aligns two exact operands, adds them, rounds once, brings the result into range.
//   exact = (p * 2^left_p + q * 2^left_q) * 2^up;  y = range(round(exact * 2^-down))
module stop_round import stop_pkg::*; #(
  parameter quant_t C  = '0,
  parameter int     PB = 16,
  parameter int     QB = 16,
  parameter int     OB = 16
) (
  input  logic signed [PB-1:0] p,
  input  logic signed [QB-1:0] q,
  input  logic        [15:0]   draw,
  output logic        [OB-1:0] y,
  output logic                 over
);
  localparam int LP = int'(C.left_p);
  localparam int LQ = int'(C.left_q);
  localparam int UP = int'(C.up);
  localparam int DOWN = int'(C.down);
  localparam int BITS = int'(C.bits);
  localparam int SUM = ((PB + LP > QB + LQ) ? PB + LP : QB + LQ) + 1 + UP;
  localparam int WIDE = (SUM > DOWN + 1) ? SUM : DOWN + 1;
  localparam int W = ((WIDE > BITS) ? WIDE : BITS) + 1;

  logic signed [W-1:0] exact, added, rounded, ranged;
  assign exact = ((W'(p) <<< LP) + (W'(q) <<< LQ)) <<< UP;
  wire unused_draw = ^draw;

  if (DOWN == 0 || C.rounding == FLOOR) begin : g_floor
    assign added = '0;
  end else if (C.rounding == NEAREST) begin : g_nearest
    assign added = W'(1) <<< (DOWN - 1);
  end else if (C.rounding == NEAREST_EVEN) begin : g_even
    assign added = (W'(1) <<< (DOWN - 1)) - W'(1) + W'({1'b0, exact[DOWN]});
  end else if (C.rounding == TOWARD_ZERO) begin : g_zero
    assign added = exact[W-1] ? (W'(1) <<< DOWN) - W'(1) : '0;
  end else if (DOWN <= 16) begin : g_draw
    assign added = W'({1'b0, draw >> (16 - DOWN)});
  end else begin : g_long_draw
    assign added = W'({1'b0, draw}) <<< (DOWN - 16);
  end
  assign rounded = (exact + added) >>> DOWN;

  if (C.is_signed) begin : g_signed
    assign over = rounded[W-1:BITS-1] != '0 && rounded[W-1:BITS-1] != '1;
    if (C.wrap) begin : g_wrap
      assign ranged = W'($signed(rounded[BITS-1:0]));
    end else begin : g_saturate
      assign ranged = !over ? rounded : rounded[W-1] ? -(W'(1) <<< (BITS - 1)) : (W'(1) <<< (BITS - 1)) - W'(1);
    end
  end else begin : g_unsigned
    assign over = rounded[W-1:BITS] != '0;
    if (C.wrap) begin : g_wrap
      assign ranged = W'({1'b0, rounded[BITS-1:0]});
    end else begin : g_saturate
      assign ranged = !over ? rounded : rounded[W-1] ? '0 : (W'(1) <<< BITS) - W'(1);
    end
  end

  wire unused_range = ^ranged;
  if (OB <= W) begin : g_narrow
    assign y = ranged[OB-1:0];
  end else begin : g_extend
    assign y = OB'(ranged);
  end
endmodule
