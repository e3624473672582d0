// Register bus: 32-bit registers by word address; reads answer one cycle later. The map is in README.md and stop_pkg.
// Memories are read and written through a window of one word while the core is idle.
module stop_bus import stop_pkg::*; (
  input  logic                  clk,
  input  logic                  rst,
  input  logic                  bus_select,
  input  logic                  bus_write,
  input  logic [11:0]           bus_address,
  input  logic [31:0]           bus_wdata,
  output logic [31:0]           bus_rdata,
  output logic                  start,
  output logic                  learn,
  output logic                  last_of_batch,
  output logic [LABEL-1:0]      label,
  input  logic [31:0]           status,
  input  logic                  idle,
  output logic [MEMORIES-1:0]   peek,             // one bit per memory
  output logic [MEMORIES-1:0]   poke,
  output logic [MEM_AB-1:0]     mem_address,
  output logic [MEM_BITS-1:0]   mem_data,
  input  logic [MEM_BITS-1:0]   mem_q,            // of the memory that was read
  input  logic [TENSORS-1:0][LAYERS-1:0][COUNT_BITS-1:0] counts,
  input  logic [LAYERS-1:0][LAB-1:0] factors,
  output logic                  factor_poke,
  output logic [LB-1:0]         factor_layer
);
  localparam int CHUNKS = (MEM_BITS + 31) / 32;
  localparam int CHUNK_BITS = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  logic [MEM_SELECT-1:0]     selected;
  logic [2:1]                settings;
  logic [LAYERS-1:0][COUNT_BITS-1:0] of_tensor;
  logic [CHUNKS-1:0][31:0]   window;
  logic                      answered;
  logic                      write;
  logic [CHUNK_BITS-1:0]     chunk;
  logic [11:0]               count_place, factor_place;
  assign write = bus_select && bus_write;
  assign start = write && bus_address == REG_CONTROL && bus_wdata[0] && idle;
  assign last_of_batch = settings[1];
  assign learn = start ? bus_wdata[2] : settings[2];
  assign chunk = CHUNK_BITS'(bus_address - REG_WINDOW);
  assign count_place = bus_address - REG_COUNTS;
  assign factor_place = bus_address - REG_FACTORS;
  assign mem_data = MEM_BITS'(window);
  assign factor_poke = write && idle && bus_address >= REG_FACTORS && bus_address < REG_FACTORS + 12'(LAYERS);
  assign factor_layer = LB'(factor_place);
  wire unused_place = ^factor_place;
  assign of_tensor = counts[TENSOR_BITS'(count_place >> 4)];

  for (genvar m = 0; m < MEMORIES; m++) begin : g_memory
    assign peek[m] = write && idle && bus_address == REG_ACCESS && bus_wdata[1:0] == 2'd1 && selected == MEM_SELECT'(m);
    assign poke[m] = write && idle && bus_address == REG_ACCESS && bus_wdata[1:0] == 2'd2 && selected == MEM_SELECT'(m);
  end

  always_ff @(posedge clk) begin
    answered <= |peek && !rst;
    if (answered) window <= (CHUNKS*32)'(mem_q);
    if (write)
      if (bus_address == REG_CONTROL) begin
        settings <= bus_wdata[2:1];
        label <= bus_wdata[16 +: LABEL];
      end else if (bus_address == REG_SELECT) selected <= bus_wdata[MEM_SELECT-1:0];
      else if (bus_address == REG_ADDRESS) mem_address <= bus_wdata[MEM_AB-1:0];
      else if (bus_address >= REG_WINDOW && bus_address < REG_WINDOW + 12'(CHUNKS)) window[chunk] <= bus_wdata;
    if (bus_select && !bus_write)
      if (bus_address == REG_STATUS) bus_rdata <= status;
      else if (bus_address >= REG_WINDOW && bus_address < REG_WINDOW + 12'(CHUNKS)) bus_rdata <= window[chunk];
      else if (bus_address >= REG_FACTORS && bus_address < REG_FACTORS + 12'(LAYERS)) bus_rdata <= 32'(factors[LB'(factor_place)]);
      else if (bus_address >= REG_COUNTS) bus_rdata <= 32'(of_tensor[LB'(count_place)]);
      else bus_rdata <= '0;
    if (rst) settings <= '0;
  end
endmodule
