// Rows of K deltas in turn: those of the list, or (all_rows) every row of the layer. Each is loaded, announced by
// `row_start`, and replaced by the next when the stage that works on it says `row_done`.
module stop_rows import stop_pkg::*; (
  input  logic                    clk,
  input  logic                    rst,
  input  logic [LB-1:0]           layer,
  input  logic                    start,
  input  logic                    all_rows,
  output logic                    busy,
  output logic                    list_read,
  output logic [DAB-1:0]          position,
  input  logic [RAB+WAB-1:0]      list_q,
  input  logic [DAB:0]            count,
  output logic                    delta_read,
  output logic [DAB-1:0]          delta_read_row,
  input  logic [K-1:0][DB-1:0]    delta_q,
  output logic [K-1:0][DB-1:0]    deltas,
  output logic [WAB-1:0]          base,        // first weight of the row within the layer
  output logic                    fetch,       // one cycle before row_start
  output logic                    row_start,
  output logic                    first_row,
  output logic                    last_row,
  input  logic                    row_done
);
  typedef enum logic [2:0] {NONE, LIST, ENTRY, LOAD, WORK} state_t;
  state_t           state;
  logic [DAB:0]     index, total;
  logic [RAB-1:0]   row;
  logic             ends;
  assign total = all_rows ? (DAB+1)'(ROWS[layer]) : count;
  assign ends = index == total;
  assign list_read = !all_rows && (state == LIST || state == LOAD) && !ends;
  assign position = list_read ? index[DAB-1:0] : '0;
  assign fetch = state == ENTRY;
  assign row = all_rows ? RAB'(index) - RAB'(1) : list_q[WAB +: RAB];
  wire unused_when_narrow = ^row;
  assign delta_read = fetch;
  assign delta_read_row = fetch ? DAB'(RBASE[layer]) + DAB'(row) : '0;
  assign row_start = state == LOAD;
  assign busy = state != NONE;

  always_ff @(posedge clk) begin
    case (state)
      LIST: state <= ends ? NONE : ENTRY;
      ENTRY: begin
        state <= LOAD;
        base <= !all_rows ? list_q[WAB-1:0] : first_row ? '0 : base + WAB'(INPUTS[layer]);
      end
      LOAD: state <= WORK;
      WORK: if (row_done) begin
        state <= last_row ? NONE : ENTRY;
        first_row <= 1'b0;
        if (all_rows) index <= index + 1'b1;
      end
      default: state <= NONE;
    endcase
    if (state == LIST && !ends || list_read) index <= index + 1'b1;
    if (row_start) begin
      deltas <= delta_q;
      last_row <= ends;
    end
    if (start) begin
      state <= LIST;
      index <= '0;
      first_row <= 1'b1;
    end
    if (rst) state <= NONE;
  end
endmodule
