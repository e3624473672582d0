// Bench: feeds the samples of events.hex, writes every memory word to trace.hex as its stage ends, and cycles to cycles.txt.
// +final writes only the parameters after the last update; +samples=N stops after N samples. Compiled with +define+RECORD it
// includes record.svh, in which whoever wants more of the run says what (benchmarks/rtl_energy.py: what a netlist is given).
module stop_tb;
  import stop_pkg::*;
  logic clk = 0, rst = 1, in_valid = 0, in_ready, in_last = 0, out_valid, bus_select = 0, bus_write = 0;
  logic [IAB-1:0] in_address = '0;
  logic [XB-1:0] in_value = '0;
  logic [NAB-1:0] out_word;
  logic [NL-1:0] out_mask;
  logic [11:0] bus_address = '0;
  logic [31:0] bus_wdata = '0, bus_rdata;
  phase_t phase, phase_before = IDLE;
  logic [LB-1:0] layer, layer_before = '0;
  logic [STEP_AB-1:0] time_step, step_before = '0;
  stop_core dut (.*);
  always #1 clk = ~clk;
  logic accepted;
  always @(posedge clk) accepted <= in_valid && in_ready;

  int trace, timing, events, sample = 0, limit = 0, done_samples = 0, read_items;
  bit only_final;
  longint stage_cycles [PHASES][LAYERS];
  logic [63:0] item;

  task automatic write_register(input logic [11:0] address, input logic [31:0] value);
    bus_select = 1; bus_write = 1; bus_address = address; bus_wdata = value;
    @(negedge clk);
    bus_select = 0; bus_write = 0;
  endtask
  task automatic read_register(input logic [11:0] address, output logic [31:0] value);
    bus_select = 1; bus_write = 0; bus_address = address;
    @(negedge clk);
    bus_select = 0;
    value = bus_rdata;
  endtask

  // ---- the bus: words of every memory are read, written over, read again and put back; leak factors likewise
  localparam int CHUNKS = (MEM_BITS + 31) / 32;
  typedef logic [CHUNKS-1:0][31:0] window_t;
  int bus_words = 0;
  task automatic access_memory(input int memory, input int word, input logic [1:0] what);
    write_register(REG_SELECT, 32'(memory));
    write_register(REG_ADDRESS, 32'(word));
    write_register(REG_ACCESS, 32'(what));
    repeat (2) @(negedge clk);
  endtask
  task automatic fill_window(input window_t value);
    for (int c = 0; c < CHUNKS; c++) write_register(REG_WINDOW + 12'(c), value[c]);
  endtask
  task automatic peek(input int memory, input int word, output window_t value);
    for (int c = 0; c < CHUNKS; c++) write_register(REG_WINDOW + 12'(c), 32'hdeadbeef);
    access_memory(memory, word, 2'd1);
    for (int c = 0; c < CHUNKS; c++) read_register(REG_WINDOW + 12'(c), value[c]);
  endtask
  task automatic poke(input int memory, input int word, input window_t value);
    fill_window(value);
    access_memory(memory, word, 2'd2);
  endtask
  task automatic try_memory(input int memory, input int words, input int width);
    window_t kept, pattern, found, next_kept, next_found;
    for (int word = 0; word < words; word += words > 16 ? words / 16 : 1) begin
      peek(memory, word, kept);
      peek(memory, (word + 1) % words, next_kept);
      for (int c = 0; c < CHUNKS; c++) pattern[c] = $urandom;
      for (int b = width; b < CHUNKS * 32; b++) pattern[b / 32][b % 32] = 1'b0;
      poke(memory, word, pattern);
      peek(memory, word, found);
      peek(memory, (word + 1) % words, next_found);
      poke(memory, word, kept);
      if (found != pattern) $fatal(1, "bus: memory %0d, word %0d: wrote %h, read %h", memory, word, pattern, found);
      if (words > 1 && next_found != next_kept) $fatal(1, "bus: memory %0d: a write of word %0d changed the next", memory, word);
      bus_words++;
    end
  endtask
  task automatic try_bus;
    logic [31:0] factor, found;
    try_memory(M_WEIGHT, WDEPTH, K*WB);
    if (!IN_PLACE) try_memory(M_GRADIENT, WDEPTH, K*GB);
    try_memory(M_SUM, SDEPTH, K*CB);
    try_memory(M_ERROR, EDEPTH, NL*EB);
    try_memory(M_NEURON, NDEPTH, NL*NW);
    if (LEARN_T) try_memory(M_THRESHOLD, NDEPTH, NL*SB);
    try_memory(M_DELTA, DDEPTH, K*DB);
    try_memory(M_TRACE, TDEPTH, NL*TB);
    try_memory(M_INPUT, XDEPTH, NL*XB);
    for (int m = 0; m < LAYERS; m++) begin
      read_register(REG_FACTORS + 12'(m), factor);
      write_register(REG_FACTORS + 12'(m), ~factor);
      read_register(REG_FACTORS + 12'(m), found);
      write_register(REG_FACTORS + 12'(m), factor);
      if (found != 32'(LAB'(~factor))) $fatal(1, "bus: leak factor %0d: wrote %h, read %h", m, LAB'(~factor), found);
    end
    read_register(REG_STATUS, found);
    if (found[0]) $fatal(1, "bus: the core is busy before its first sample");
    $display("%0d words through the bus", bus_words);
  endtask

`ifdef RECORD
  `include "record.svh"
`endif
  task automatic title(input string what);
    $fdisplay(trace, "# %s %0d %0d %0d", what, sample, step_before, layer_before);
  endtask
  `define DUMP(instance, first, count) \
    for (int word = first; word < first + count; word++) $fdisplay(trace, "%h", dut.memories.instance.mem[word]);
  int l;
  task automatic parameters;
    title("weights"); `DUMP(weights, 0, WDEPTH)
    title("thresholds"); `DUMP(neurons, 0, NDEPTH)
    title("factors");
    for (int m = 0; m < LAYERS; m++) $fdisplay(trace, "%h", dut.factors[m]);
  endtask

  always @(negedge clk) if (!rst) begin
    if (phase != phase_before || layer != layer_before) begin
      l = int'(layer_before);
      if (!only_final)
        case (phase_before)
          INTEGRATE: begin title("sums"); `DUMP(sums, int'(SBASE[l]), int'(ROWS[l])) end
          NEURON: begin title("neurons"); `DUMP(neurons, int'(NBASE[l]), int'(NWORDS[l])) end
          TRACE: begin title("traces"); `DUMP(traces, int'(TBASE[l]), int'(IWORDS[l])) end
          DELTA: begin title("deltas"); `DUMP(deltas, int'(RBASE[l]), int'(ROWS[l])) end
          PROPAGATE: begin
            title("errors");
            for (int word = 0; word < int'(IWORDS[l]); word++)
              $fdisplay(trace, "%h", dut.no_error ? (NL*EB)'(0) : dut.memories.errors.mem[word]);
          end
          default: ;
        endcase
      if (!only_final && l == LAYERS - 1 && (phase_before == GRADIENT || (IN_PLACE && phase_before == UPDATE))) begin
        if (IN_PLACE) begin title("weights"); `DUMP(weights, 0, WDEPTH) end
        if (step_before == STEP_AB'(STEPS - 1)) gradients();
      end
      if (phase_before != IDLE && phase == IDLE && dut.last_of_batch && (!only_final || sample == limit - 1)) parameters();
    end
    if (phase_before != IDLE && phase == IDLE) begin
      for (int p = 0; p < PHASES; p++) for (int m = 0; m < LAYERS; m++)
        if (stage_cycles[p][m] != 0) begin
          $fdisplay(timing, "%0d %0d %0d %0d", sample, p, m, stage_cycles[p][m]);
          stage_cycles[p][m] = 0;
        end
    end
    if (phase != IDLE) stage_cycles[phase][layer]++;
    phase_before = phase;
    layer_before = layer;
    step_before = time_step;
  end

  // memories that some cores lack
  if (!IN_PLACE) begin : g_gradients
    task automatic dump;
      title("gradients"); `DUMP(g_gradients.gradients, 0, WDEPTH)
    endtask
  end else begin : g_gradients
    task automatic dump;
    endtask
  end
  if (LEARN_T) begin : g_thresholds
    task automatic dump;
      title("threshold_gradients"); `DUMP(g_thresholds.thresholds, 0, NDEPTH)
    endtask
  end else begin : g_thresholds
    task automatic dump;
    endtask
  end
  task automatic gradients;
    g_gradients.dump();
    g_thresholds.dump();
    leak_gradients();
  endtask
  task automatic leak_gradients;
    if (LEARN_L) begin
      title("leak_gradients");
      for (int m = 0; m < LAYERS; m++) $fdisplay(trace, "%h", dut.leak_gradients[m]);
    end
  endtask

  initial begin
    logic [31:0] value;
    only_final = $test$plusargs("final") != 0;
    if (!$value$plusargs("samples=%d", limit)) limit = 0;
    for (int p = 0; p < PHASES; p++) for (int m = 0; m < LAYERS; m++) stage_cycles[p][m] = 0;
    trace = $fopen("trace.hex", "w");
    timing = $fopen("cycles.txt", "w");
    events = $fopen("events.hex", "r");
    repeat (4) @(negedge clk);
    rst = 0;
    @(negedge clk);
    if (!only_final) try_bus();
    read_items = $fscanf(events, "%h", item);
    while (read_items == 1 && (limit == 0 || sample < limit)) begin
      write_register(REG_CONTROL, {16'(item[15:0]), 13'd0, 1'b1, item[32], 1'b1});
      for (int step = 0; step < (STATIC ? 1 : STEPS); step++) begin
        in_last = 0;
        while (!in_last) begin
          read_items = $fscanf(events, "%h", item);
          in_valid = 1;
          in_address = IAB'(item[31:0]);
          in_value = XB'(item[62:32]);
          in_last = item[63];
          do @(negedge clk); while (!accepted);
        end
        in_valid = 0;
      end
      while (phase != IDLE) @(negedge clk);
      @(negedge clk);
      sample++;
      read_items = $fscanf(events, "%h", item);
    end
    for (int t = 0; t < TENSORS; t++) for (int m = 0; m < LAYERS; m++) begin
      read_register(REG_COUNTS + 12'(t * 16 + m), value);
      $fdisplay(timing, "overflow %0d %0d %0d", t, m, value);
    end
    $display("%0d samples", sample);
    $finish;
  end
endmodule
