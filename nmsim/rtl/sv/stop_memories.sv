// Every memory of the core with its images, and the bus's way into them; stages that are not at work give zeros.
module stop_memories import stop_pkg::*; (
  input  logic                    clk,
  input  logic [MEMORIES-1:0]     peek,
  input  logic [MEMORIES-1:0]     poke,
  input  logic [MEM_AB-1:0]       mem_address,
  input  logic [MEM_BITS-1:0]     mem_data,
  output logic [MEM_BITS-1:0]     mem_q,
  input  logic                    weight_read, weight_write,
  input  logic [WAB-1:0]          weight_address,
  input  logic [K*WB-1:0]         weight_data,
  output logic [K*WB-1:0]         weight_q,
  input  logic                    gradient_read, gradient_write,
  input  logic [WAB-1:0]          gradient_read_address, gradient_write_address,
  input  logic [K*GB-1:0]         gradient_data,
  output logic [K*GB-1:0]         gradient_q,
  input  logic                    sum_read, sum_write,
  input  logic [SAB-1:0]          sum_read_row, sum_write_row,
  input  logic [K*CB-1:0]         sum_data,
  output logic [K*CB-1:0]         sum_q,
  input  logic                    error_read, error_write,
  input  logic [EAB-1:0]          error_read_word, error_write_word,
  input  logic [NL*EB-1:0]        error_data,
  output logic [NL*EB-1:0]        error_q,
  input  logic                    neuron_read, neuron_write,
  input  logic [NAB-1:0]          neuron_read_word, neuron_write_word,
  input  logic [NL*NW-1:0]        neuron_data,
  output logic [NL*NW-1:0]        neuron_q,
  input  logic                    threshold_read, threshold_write,
  input  logic [NAB-1:0]          threshold_read_word, threshold_write_word,
  input  logic [NL*SB-1:0]        threshold_data,
  output logic [NL*SB-1:0]        threshold_q,
  input  logic                    delta_read,
  input  logic [PARTS-1:0]        delta_write,
  input  logic [DAB-1:0]          delta_read_row, delta_write_row,
  input  logic [K*DB-1:0]         delta_data,
  output logic [K*DB-1:0]         delta_q,
  input  logic                    trace_read, trace_write,
  input  logic [TAB-1:0]          trace_read_word, trace_write_word,
  input  logic [NL*TB-1:0]        trace_data,
  output logic [NL*TB-1:0]        trace_q,
  input  logic                    input_read,
  input  logic [NL-1:0]           input_write,
  input  logic [XAB-1:0]          input_read_word, input_write_word,
  input  logic [NL*XB-1:0]        input_data,
  output logic [NL*XB-1:0]        input_q
);
  logic [MEMORIES-1:0][MEM_BITS-1:0] each;
  logic [MEMORIES-1:0]               chosen;
  always_ff @(posedge clk) if (|peek) chosen <= peek;
  always_comb begin
    mem_q = '0;
    for (int m = 0; m < MEMORIES; m++) if (chosen[m]) mem_q |= each[m];
  end
  assign each[M_WEIGHT] = MEM_BITS'(weight_q);
  assign each[M_SUM] = MEM_BITS'(sum_q);
  assign each[M_ERROR] = MEM_BITS'(error_q);
  assign each[M_NEURON] = MEM_BITS'(neuron_q);
  assign each[M_DELTA] = MEM_BITS'(delta_q);
  assign each[M_TRACE] = MEM_BITS'(trace_q);
  assign each[M_INPUT] = MEM_BITS'(input_q);

  logic weight_peek, weight_poke;
  assign {weight_peek, weight_poke} = {peek[M_WEIGHT], poke[M_WEIGHT]};
  ram_1rw #(.WIDTH(K*WB), .DEPTH(WDEPTH), .ADDRESS(WAB), .IMAGE(IMAGE_WEIGHT)) weights (
    .clk, .enable(weight_read || weight_write || weight_peek || weight_poke), .write(weight_write || weight_poke),
    .address(weight_peek || weight_poke ? WAB'(mem_address) : weight_address),
    .data(weight_poke ? mem_data[K*WB-1:0] : weight_data), .q(weight_q));

  `define STOP_MEMORY(name, which, width, depth, ab, parts, image, rd, ra, wr, wa, d, out) \
    ram_1r1w #(.WIDTH(width), .DEPTH(depth), .ADDRESS(ab), .PARTS(parts), .IMAGE(image)) name ( \
      .clk, .read(rd || peek[which]), .read_address(peek[which] ? ab'(mem_address) : ra), .q(out), \
      .write(wr | {parts{poke[which]}}), .write_address(poke[which] ? ab'(mem_address) : wa), \
      .data(poke[which] ? mem_data[width-1:0] : d));
  `STOP_MEMORY(sums, M_SUM, K*CB, SDEPTH, SAB, 1, "", sum_read, sum_read_row, sum_write, sum_write_row, sum_data, sum_q)
  `STOP_MEMORY(errors, M_ERROR, NL*EB, EDEPTH, EAB, 1, "", error_read, error_read_word, error_write, error_write_word,
               error_data, error_q)
  `STOP_MEMORY(neurons, M_NEURON, NL*NW, NDEPTH, NAB, 1, IMAGE_NEURON, neuron_read, neuron_read_word, neuron_write,
               neuron_write_word, neuron_data, neuron_q)
  `STOP_MEMORY(deltas, M_DELTA, K*DB, DDEPTH, DAB, PARTS, "", delta_read, delta_read_row, delta_write, delta_write_row,
               delta_data, delta_q)
  `STOP_MEMORY(traces, M_TRACE, NL*TB, TDEPTH, TAB, 1, "", trace_read, trace_read_word, trace_write, trace_write_word,
               trace_data, trace_q)
  `STOP_MEMORY(inputs, M_INPUT, NL*XB, XDEPTH, XAB, NL, "", input_read, input_read_word, input_write, input_write_word,
               input_data, input_q)

  if (!IN_PLACE) begin : g_gradients
    `STOP_MEMORY(gradients, M_GRADIENT, K*GB, WDEPTH, WAB, 1, "", gradient_read, gradient_read_address, gradient_write,
                 gradient_write_address, gradient_data, gradient_q)
    assign each[M_GRADIENT] = MEM_BITS'(gradient_q);
  end else begin : g_no_gradients
    assign gradient_q = '0;
    assign each[M_GRADIENT] = '0;
    wire unused_gradient = ^{gradient_read, gradient_write, gradient_read_address, gradient_write_address, gradient_data,
                             peek[M_GRADIENT], poke[M_GRADIENT]};
  end
  if (LEARN_T) begin : g_thresholds
    `STOP_MEMORY(thresholds, M_THRESHOLD, NL*SB, NDEPTH, NAB, 1, "", threshold_read, threshold_read_word, threshold_write,
                 threshold_write_word, threshold_data, threshold_q)
    assign each[M_THRESHOLD] = MEM_BITS'(threshold_q);
  end else begin : g_no_thresholds
    assign threshold_q = '0;
    assign each[M_THRESHOLD] = '0;
    wire unused_threshold = ^{threshold_read, threshold_write, threshold_read_word, threshold_write_word, threshold_data,
                              peek[M_THRESHOLD], poke[M_THRESHOLD]};
  end
  `undef STOP_MEMORY
endmodule
