// A dense layer with spiking inputs, replayed word for word from golden vectors in the default formats:
// current, residual, membrane and spike of one sample. Run in the folder that `nmsim export-vectors` wrote.
module membrane_tb;
  parameter LAYER = "1", T = 6, M = 256, N = 10;  // time steps, inputs, neurons: shapes in manifest.json
  localparam SAMPLE = {"sample0/layer", LAYER}, INITIAL = {"parameters/initial/layer", LAYER};

  reg        [0:0]  x     [0:T*M-1];
  reg signed [15:0] w     [0:N*M-1];  // s16.13
  reg signed [15:0] theta [0:N-1];    // s16.10
  reg        [15:0] alpha [0:0];      // u16.16
  reg signed [31:0] i_ref [0:T*N-1];
  reg signed [15:0] r_ref [0:T*N-1], u_ref [0:T*N-1];
  reg        [0:0]  s_ref [0:T*N-1];

  reg signed [15:0] u [0:N-1], r;     // s16.10
  reg               s [0:N-1];
  reg signed [31:0] current;          // s32.13: spikes u1.0 times weights s16.13
  reg signed [63:0] v;                // exact: alpha u16.16 times R s16.10 has 26 fraction bits
  integer t, n, m, spikes, errors;

  function signed [15:0] saturate(input signed [63:0] value);
    saturate = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
  endfunction

  initial begin
    $readmemh({SAMPLE, ".inputs.hex"}, x);
    $readmemh({INITIAL, ".weight.hex"}, w);
    $readmemh({INITIAL, ".threshold.hex"}, theta);
    $readmemh({INITIAL, ".leak_factor.hex"}, alpha);
    $readmemh({SAMPLE, ".current.hex"}, i_ref);
    $readmemh({SAMPLE, ".residual.hex"}, r_ref);
    $readmemh({SAMPLE, ".membrane.hex"}, u_ref);
    $readmemh({SAMPLE, ".spikes.hex"}, s_ref);
    spikes = 0;
    errors = 0;
    for (n = 0; n < N; n = n + 1) begin u[n] = 0; s[n] = 0; end
    for (t = 0; t < T; t = t + 1)
      for (n = 0; n < N; n = n + 1) begin
        r = saturate(s[n] ? u[n] - theta[n] : u[n]);
        current = 0;
        for (m = 0; m < M; m = m + 1)
          if (x[t*M + m]) current = current + w[n*M + m];
        v = $signed({1'b0, alpha[0]}) * r + (64'sd1 * current <<< 13);  // align s32.13 to 26 fraction bits
        u[n] = saturate((v + 32768) >>> 16);                            // nearest, 26 -> 10 fraction bits
        s[n] = u[n] >= theta[n];
        spikes = spikes + s[n];
        if (current !== i_ref[t*N + n] || r !== r_ref[t*N + n] || u[n] !== u_ref[t*N + n] || s[n] !== s_ref[t*N + n])
          errors = errors + 1;
      end
    $display("%0d neurons, %0d time steps, %0d spikes, %0d errors", N, T, spikes, errors);
    $finish;
  end
endmodule
