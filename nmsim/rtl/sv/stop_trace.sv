// Weight traces: w~ = Q(alpha w~ + x) of NL inputs per cycle, and the list of words that are not all zero.
module stop_trace import stop_pkg::*; (
  input  logic                         clk,
  input  logic                         rst,
  input  logic [LB-1:0]                layer,
  input  logic                         start,
  input  logic                         first_step,
  input  logic                         keep_inputs,    // a static input serves every time step
  output logic                         busy,
  output logic                         trace_read,
  output logic [TAB-1:0]               trace_read_word,
  input  logic [NL-1:0][TB-1:0]        trace_q,
  output logic                         trace_write,
  output logic [TAB-1:0]               trace_write_word,
  output logic [NL-1:0][TB-1:0]        trace_data,
  output logic                         input_read,
  output logic [XAB-1:0]               input_read_word,
  input  logic [NL-1:0][XB-1:0]        input_q,
  output logic                         input_clear,
  output logic [XAB-1:0]               input_clear_word,
  output logic                         neuron_read,    // spikes of the layer below
  output logic [NAB-1:0]               neuron_read_word,
  input  logic [NL-1:0]                spike_q,
  output logic signed [NL-1:0][MA-1:0] factor,         // times alpha
  input  logic [NL-1:0][MA+MB-1:0]     product,
  input  logic [NL-1:0][15:0]          draw,
  output logic                         draws,
  output logic                         draws_end,
  output logic                         push,
  output logic [TAB-1:0]               push_word,      // within the layer
  output logic [NL-1:0]                over
);
  logic                 active, last, v1, v2, last1, last2, outside;
  logic [TAB-1:0]       word, word1, word2;
  logic [PART_BITS-1:0] unused_part;
  logic [RAB-1:0]       unused_row;
  logic [NL-1:0][XX-1:0] x2;

  stop_sweep #(.WORD(TAB)) sweep (.clk, .rst, .start, .words((TAB+1)'(IWORDS[layer])), .active, .word, .last,
                                  .part(unused_part), .row(unused_row));
  assign outside = layer == '0;
  assign trace_read = active;
  assign trace_read_word = active ? TAB'(TBASE[layer]) + word : '0;
  assign input_read = active && outside;
  assign input_read_word = input_read ? XAB'(word) : '0;
  assign input_clear = v1 && outside && !keep_inputs;
  assign input_clear_word = input_clear ? XAB'(word1) : '0;
  assign neuron_read = active && !outside;
  assign neuron_read_word = neuron_read ? NAB'(NBELOW[layer]) + NAB'(word) : '0;
  assign busy = active || v1;
  always_ff @(posedge clk) begin
    v1 <= active && !rst;
    v2 <= v1 && !rst;
    {word1, word2} <= {word, word1};
    {last1, last2} <= {last, last1};
  end
  assign trace_write = v2;
  assign trace_write_word = v2 ? TAB'(TBASE[layer]) + word2 : '0;
  assign draws = v2;
  assign draws_end = last2;
  assign push = v2 && trace_data != '0;
  assign push_word = word2;
  for (genvar k = 0; k < NL; k++) begin : g_lane
    logic [TB-1:0] updated;
    logic          out_of_range;
    assign factor[k] = v1 && !first_step ? MA'($signed(TX'(trace_q[k]))) : '0;
    always_ff @(posedge clk) x2[k] <= outside ? XX'(input_q[k]) : XX'(spike_q[k]);
    stop_quant #(.TABLE(Q_WEIGHT_TRACE), .PB(MA + MB), .QB(XX), .OB(TB)) trace (
      .layer, .p($signed(product[k])), .q($signed(x2[k])), .draw(draw[k]), .y(updated), .over(out_of_range));
    assign trace_data[k] = v2 ? updated : '0;
    assign over[k] = v2 && out_of_range;
  end
endmodule
