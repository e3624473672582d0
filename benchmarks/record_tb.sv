// Bench of a core's RTL that writes to vectors.txt, before every edge of the clock, its inputs and all that its memories
// give and are asked (`record.svh`, written by rtl_energy.py). +samples=N stops after N samples of events.hex.
module record_tb;
  import stop_pkg::*;
  logic clk = 0, rst = 1, in_valid = 0, in_ready, in_last = 0, out_valid, bus_select = 0, bus_write = 0;
  logic [IAB-1:0] in_address = '0;
  logic [XB-1:0] in_value = '0;
  logic [NAB-1:0] out_word;
  logic [NL-1:0] out_mask;
  logic [11:0] bus_address = '0;
  logic [31:0] bus_wdata = '0, bus_rdata;
  phase_t phase;
  logic [LB-1:0] layer;
  logic [STEP_AB-1:0] time_step;
  stop_core dut (.*);
  always #1 clk = ~clk;
  logic accepted;
  always @(posedge clk) accepted <= in_valid && in_ready;
  int events, vectors, sample = 0, limit = 0, read_items;
  logic [63:0] item;
  `include "record.svh"

  task automatic write_register(input logic [11:0] address, input logic [31:0] value);
    bus_select = 1; bus_write = 1; bus_address = address; bus_wdata = value;
    @(negedge clk);
    bus_select = 0; bus_write = 0;
  endtask
  initial begin
    if (!$value$plusargs("samples=%d", limit)) limit = 0;
    vectors = $fopen("vectors.txt", "w");
    events = $fopen("events.hex", "r");
    repeat (4) @(negedge clk);
    rst = 0;
    @(negedge clk);
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
    $finish;
  end
endmodule
