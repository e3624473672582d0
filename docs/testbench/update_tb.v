// The stochastically rounded weight update after one sample, replayed word for word from golden vectors in the
// default formats. MANTISSA and SHIFT are learning.weight of manifest.json; the register that draws is built here.
module update_tb;
  parameter LAYER = "0", W = 200704, MANTISSA = 154, SHIFT = 9;  // weights of the layer, learning rate
  parameter OFFSET = 0;      // (40503*(seed + 1) + 7919*16*layer) mod 65535: role 0 is the weight's
  localparam DOWN = 22 + SHIFT - 13;                             // from the product's fraction bits to s16.13

  reg signed [15:0] w [0:W-1], w_ref [0:W-1];  // s16.13
  reg signed [31:0] g [0:W-1];                 // s32.22: delta s16.14 times weight trace u12.8
  reg        [15:0] draw_ref [0:W-1], table_l [0:65534], state;
  reg signed [63:0] v;
  integer e, j, k, errors, moved;

  function signed [15:0] saturate(input signed [63:0] value);
    saturate = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
  endfunction

  initial begin
    $readmemh({"parameters/initial/layer", LAYER, ".weight.hex"}, w);
    $readmemh({"sample0/layer", LAYER, ".weight_gradient.hex"}, g);
    $readmemh({"draws/update0/layer", LAYER, ".weight.hex"}, draw_ref);
    $readmemh({"parameters/update0/layer", LAYER, ".weight.hex"}, w_ref);
    state = 16'hACE1;
    for (j = 0; j < 65535; j = j + 1) begin
      for (k = 0; k < 16; k = k + 1)
        state = {state[0] ^ state[2] ^ state[3] ^ state[5], state[15:1]};
      table_l[j] = state;
    end
    errors = 0;
    moved = 0;
    for (e = 0; e < W; e = e + 1) begin
      state = table_l[(OFFSET + e) % 65535];
      v = (64'sd1 * w[e] <<< DOWN) - MANTISSA * (64'sd1 * g[e]);
      v = v + (DOWN > 16 ? {48'd0, state} << (DOWN - 16) : {48'd0, state} >> (16 - DOWN));
      v = saturate(v >>> DOWN);
      if (v !== w[e]) moved = moved + 1;
      if (state !== draw_ref[e] || v[15:0] !== w_ref[e]) errors = errors + 1;
    end
    $display("%0d weights, %0d moved, %0d errors", W, moved, errors);
    $finish;
  end
endmodule
