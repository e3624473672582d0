// Spikes of the layer that fired last: a list of words and masks, walked neuron by neuron by the layer above, and the
// number of neurons that fired, which the softmax of the output layer needs.
module stop_spikes import stop_pkg::*; (
  input  logic             clk,
  input  logic             rst,
  input  logic             restart,
  input  logic             push,
  input  logic [NAB-1:0]   push_word,
  input  logic [NL-1:0]    push_mask,
  input  logic             word_done,
  input  logic             first_word,
  output logic [LABEL-1:0] fired,
  input  logic             walk,
  output logic             valid,
  output logic             busy,
  output logic [IAB-1:0]   index,
  input  logic             next
);
  logic                 read, unused_read;
  logic [NAB-1:0]       word, position, unused_word;
  logic [NL+NAB-1:0]    q;
  logic [NAB:0]         count;
  logic [LANE_BITS-1:0] lane;
  logic [0:0]           unused_value;
  logic [LABEL-1:0]     spiking;
  stop_list #(.ENTRY(NL + NAB), .DEPTH(NDEPTH), .ADDRESS(NAB)) list (.clk, .rst, .layer('0), .clear(restart),
    .clear_layer('0), .push, .entry({push_mask, push_word}), .read, .position, .q, .count);
  stop_walk #(.VALUES(1'b0), .LANES(NL), .BITS(1), .WORD(NAB), .ADDRESS(NAB)) walker (.clk, .rst, .start(walk), .count,
    .list_read(read), .position, .list_q(q), .value_read(unused_read), .value_word(unused_word), .value_q('0), .valid,
    .word, .lane, .value(unused_value), .next, .busy);
  assign index = IAB'(int'(word) * NL + int'(lane));
  always_comb begin
    spiking = '0;
    for (int k = 0; k < NL; k++) spiking += LABEL'(push_mask[k]);
  end
  always_ff @(posedge clk) if (word_done) fired <= first_word ? spiking : fired + spiking;
endmodule
