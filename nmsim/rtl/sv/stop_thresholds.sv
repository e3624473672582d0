// Thresholds: their gradients grow by delta (th~ - 1) in the delta stage, and move them in an update. Nothing if not learned.
module stop_thresholds import stop_pkg::*; (
  input  logic                     clk,
  input  logic                     rst,
  input  logic [LB-1:0]            layer,
  input  logic                     add,            // a word of products
  input  logic [NAB-1:0]           add_word,
  input  logic [NL-1:0][MA+MB-1:0] product,
  input  logic                     start,          // of an update
  output logic                     busy,
  output logic                     gradient_read,
  output logic [NAB-1:0]           gradient_read_word,
  input  logic [NL-1:0][SB-1:0]    gradient_q,
  output logic                     gradient_write,
  output logic [NAB-1:0]           gradient_write_word,
  output logic [NL-1:0][SB-1:0]    gradient_data,
  output logic                     neuron_read,
  output logic [NAB-1:0]           neuron_read_word,
  input  logic [NL-1:0][NW-1:0]    neuron_q,
  output logic                     neuron_write,
  output logic [NAB-1:0]           neuron_write_word,
  output logic [NL-1:0][NW-1:0]    neuron_data,
  input  logic [NL-1:0][15:0]      draw,
  output logic                     draws,
  output logic                     draws_end,
  output logic [NL-1:0]            over_sum, over
);
  if (LEARN_T) begin : g_learned
    logic           sum_read, sum_write, use_read, use_clear;
    logic [NAB-1:0] sum_read_word, sum_write_word, use_read_word, use_clear_word;
    assign gradient_read = sum_read || use_read;
    assign gradient_read_word = sum_read_word | use_read_word;
    assign gradient_write = sum_write || use_clear;
    assign gradient_write_word = sum_write_word | use_clear_word;
    stop_accumulate #(.TABLE(Q_THRESHOLD_ADD), .LANES(NL), .BITS(SB), .WIDE(SX), .PB(MA + MB), .ADDRESS(NAB)) gradients (
      .clk, .rst, .layer, .valid(add), .address(add_word), .addend(product), .read(sum_read), .read_address(sum_read_word),
      .q(gradient_q), .write(sum_write), .write_address(sum_write_word), .data(gradient_data), .over(over_sum));
    stop_update_thresholds update_thresholds (.clk, .rst, .layer, .start, .busy, .neuron_read, .neuron_read_word, .neuron_q,
      .neuron_write, .neuron_write_word, .neuron_data, .gradient_read(use_read), .gradient_read_word(use_read_word),
      .gradient_q, .gradient_clear(use_clear), .gradient_clear_word(use_clear_word), .draw, .draws, .draws_end, .over);
  end else begin : g_fixed
    assign {busy, gradient_read, gradient_read_word, gradient_write, gradient_write_word, gradient_data} = '0;
    assign {neuron_read, neuron_read_word, neuron_write, neuron_write_word, neuron_data} = '0;
    assign {draws, draws_end, over_sum, over} = '0;
    wire unused_inputs = ^{clk, rst, layer, add, add_word, product, start, gradient_q, neuron_q, draw};
  end
endmodule
