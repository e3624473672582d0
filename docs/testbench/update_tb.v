// The stochastically rounded weight update after one batch, replayed word for word from golden vectors in the default
// formats (momentum and centralized gradients left aside). Shapes, formats, the learning rate and the state of the draw
// register come from vectors.vh. Run in the folder that `nmsim export-vectors` wrote; exit code 1 on a difference.
module update_tb;
  `include "vectors.vh"
  parameter LAYER = 0;
  localparam W = layer_weights(LAYER), LAST = BATCH - 1;  // the gradient after the batch's last sample is that of the batch
  localparam DOWN = weight_gradient_fraction(LAYER) + WEIGHT_SHIFT - weight_fraction(LAYER);

  reg signed [15:0] w [0:W-1], w_ref [0:W-1];  // s16
  reg signed [31:0] g [0:W-1];                 // s32
  reg        [15:0] draw_ref [0:W-1], state;
  reg signed [63:0] v;
  string name;
  integer e, errors, moved;

  function signed [15:0] saturate(input signed [63:0] value);
    saturate = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
  endfunction

  initial begin
    if (weight_bits(LAYER) != 16 || weight_gradient_bits(LAYER) != 32)
      $fatal(1, "this bench has registers for the default formats only");
    name = $sformatf("parameters/initial/layer%0d.weight.hex", LAYER);
    $readmemh(name, w);
    name = $sformatf("sample%0d/layer%0d.weight_gradient.hex", LAST, LAYER);
    $readmemh(name, g);
    name = $sformatf("draws/update0/layer%0d.weight.hex", LAYER);
    $readmemh(name, draw_ref);
    name = $sformatf("parameters/update0/layer%0d.weight.hex", LAYER);
    $readmemh(name, w_ref);
    errors = 0;
    moved = 0;
    state = weight_draw_state(LAYER);
    for (e = 0; e < W; e = e + 1) begin
      state = next_draw(state);
      v = (64'sd1 * w[e] <<< DOWN) - WEIGHT_MANTISSA * (64'sd1 * g[e]);
      v = v + (DOWN > 16 ? {48'd0, state} << (DOWN - 16) : {48'd0, state} >> (16 - DOWN));
      v = saturate(v >>> DOWN);
      if (v !== w[e]) moved = moved + 1;
      if (state !== draw_ref[e] || v[15:0] !== w_ref[e]) errors = errors + 1;
    end
    $display("%0d weights, %0d moved, %0d errors", W, moved, errors);
    if (errors != 0) $fatal(1, "not the golden vectors");
    $finish;
  end
endmodule
