// Walks the non-zero values of a list of words, one value per cycle: list entry, then (VALUES) the word itself, then its
// non-zero lanes in ascending order. `next` takes the present value. The stages hold while those below are full.
module stop_walk import stop_pkg::*; #(
  parameter bit VALUES = 1'b1,   // entries are word addresses; otherwise they carry the mask {mask, word}
  parameter int LANES = 4,
  parameter int BITS = 12,       // of a value
  parameter int WORD = 8,        // bits of a word's number
  parameter int ADDRESS = 8      // bits of a position in the list
) (
  input  logic                              clk,
  input  logic                              rst,
  input  logic                              start,
  input  logic [ADDRESS:0]                  count,
  output logic                              list_read,
  output logic [ADDRESS-1:0]                position,
  input  logic [(VALUES ? 0 : LANES)+WORD-1:0] list_q,
  output logic                              value_read,
  output logic [WORD-1:0]                   value_word,
  input  logic [LANES-1:0][BITS-1:0]        value_q,
  output logic                              valid,
  output logic [WORD-1:0]                   word,
  output logic [LANE_BITS-1:0]              lane,
  output logic [BITS-1:0]                   value,
  input  logic                              next,
  output logic                              busy
);
  logic                       walking, have_entry, have_word, take, fetch, only;
  logic [ADDRESS:0]           index;
  logic [WORD-1:0]            word_q;
  logic [LANES-1:0]           mask_q, left;
  logic [LANES-1:0][BITS-1:0] values;

  assign list_read = walking && index != count && (!have_entry || fetch);
  assign position = list_read ? index[ADDRESS-1:0] : '0;
  assign only = (left & (left - 1'b1)) == '0;
  assign valid = left != '0;
  assign take = have_word && (!valid || (next && only));
  if (VALUES) begin : g_values
    logic [WORD-1:0] fetched;
    assign fetch = have_entry && (!have_word || take);
    assign value_read = fetch;
    assign value_word = fetch ? list_q : '0;
    always_ff @(posedge clk) begin
      if (fetch) fetched <= list_q;
      if (rst || start) have_word <= 1'b0;
      else if (fetch || take) have_word <= fetch;
    end
    assign word_q = fetched;
    always_comb for (int k = 0; k < LANES; k++) mask_q[k] = value_q[k] != '0;
  end else begin : g_masks
    assign fetch = take;
    assign have_word = have_entry;
    assign value_read = 1'b0;
    assign value_word = '0;
    assign {mask_q, word_q} = list_q;
  end

  always_comb begin
    lane = '0;
    for (int k = LANES - 1; k >= 0; k--) if (left[k]) lane = LANE_BITS'(k);
  end
  assign value = values[lane];
  assign busy = (walking && index != count) || have_entry || have_word || valid;

  always_ff @(posedge clk) begin
    if (take) begin
      left <= mask_q;
      word <= word_q;
      values <= value_q;
    end else if (next) left <= left & (left - 1'b1);
    if (list_read) index <= index + 1'b1;
    if (index == count) walking <= 1'b0;      // the list may grow again before the next walk
    if (list_read || fetch) have_entry <= list_read;
    if (start) begin
      walking <= 1'b1;
      index <= '0;
    end
    if (rst || start) begin
      have_entry <= 1'b0;
      left <= '0;
    end
    if (rst) walking <= 1'b0;
  end
endmodule
