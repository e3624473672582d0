// Order of the stages: per time step forward through the layers, back through them, then gradients; after a batch,
// updates. A stage starts in the cycle after the one before has done its last work.
module stop_control import stop_pkg::*; (
  input  logic               clk,
  input  logic               rst,
  input  logic               start,
  input  logic               learn,
  input  logic               last_of_batch,
  input  logic               stage_busy,
  output phase_t             phase,
  output logic [LB-1:0]      layer,
  output logic [STEP_AB-1:0] time_step,
  output logic               first_step,
  output logic               last_step,
  output logic [PHASES-1:0]  go,           // start of a stage, one bit each, in the cycle before its first
  output logic [LB-1:0]      next_layer
);
  localparam phase_t FIRST_UPDATE = !IN_PLACE ? UPDATE : LEARN_T ? THRESHOLD : LEARN_L ? LEAK : IDLE;
  localparam phase_t AFTER_WEIGHTS = LEARN_T ? THRESHOLD : LEARN_L ? LEAK : IDLE;
  phase_t             next_phase;
  logic               learning, leave, top, above, step_ends, layer_updated;
  logic [STEP_AB-1:0] next_step;
  assign first_step = time_step == '0;
  assign last_step = time_step == STEP_AB'(STEPS - 1);
  assign top = layer == LB'(LAYERS - 1);
  assign leave = phase == IDLE ? start : !stage_busy;

  always_comb begin
    next_phase = phase;
    next_step = time_step;
    above = 1'b0;           // go on in the layer above
    step_ends = 1'b0;
    layer_updated = 1'b0;
    case (phase)
      IDLE: begin
        next_phase = INTEGRATE;
        next_step = '0;
      end
      INTEGRATE: next_phase = NEURON;
      NEURON, TRACE:
        if (phase == NEURON && learning) next_phase = TRACE;
        else if (!top) begin
          next_phase = INTEGRATE;
          above = 1'b1;
        end else if (learning) next_phase = DELTA;
        else step_ends = 1'b1;
      DELTA: next_phase = layer != '0 ? PROPAGATE : IN_PLACE ? UPDATE : GRADIENT;
      PROPAGATE: next_phase = DELTA;
      GRADIENT: {above, step_ends} = {!top, top};
      UPDATE:
        if (IN_PLACE) {above, step_ends} = {!top, top};
        else if (AFTER_WEIGHTS != IDLE) next_phase = AFTER_WEIGHTS;
        else layer_updated = 1'b1;
      THRESHOLD:
        if (LEARN_L) next_phase = LEAK;
        else layer_updated = 1'b1;
      default: layer_updated = 1'b1;
    endcase

    next_layer = phase == PROPAGATE ? layer - 1'b1 : above ? layer + 1'b1 : layer;
    if (step_ends) begin
      next_layer = '0;
      next_step = last_step ? '0 : time_step + 1'b1;
      next_phase = !last_step ? (STATIC ? NEURON : INTEGRATE) : learning && last_of_batch ? FIRST_UPDATE : IDLE;
    end
    if (layer_updated) begin
      next_layer = top ? '0 : layer + 1'b1;
      next_phase = top ? IDLE : FIRST_UPDATE;
    end
    go = '0;
    if (leave && !rst) go[next_phase] = 1'b1;
  end

  always_ff @(posedge clk)
    if (rst) begin
      phase <= IDLE;
      layer <= '0;
      time_step <= '0;
      learning <= 1'b0;
    end else if (leave) begin
      phase <= next_phase;
      layer <= phase == IDLE ? '0 : next_layer;
      time_step <= next_step;
      if (phase == IDLE) learning <= learn;
    end
endmodule
