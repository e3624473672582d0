// A dense layer with spiking inputs, replayed word for word from golden vectors in the default formats:
// current, residual, membrane and spike of one sample, and the checksum of every time step's membranes.
// Shapes and formats come from vectors.vh. Run in the folder that `nmsim export-vectors` wrote; exit code 1 on a difference.
module membrane_tb;
  `include "vectors.vh"
  `include "crc32.vh"
  parameter LAYER = LAYERS - 1, SAMPLE = 0;
  localparam T = TIME_STEPS, M = layer_inputs(LAYER), N = layer_neurons(LAYER);
  localparam UF = membrane_fraction(LAYER), AF = leak_factor_fraction(LAYER), IF = current_fraction(LAYER);

  reg        [0:0]  x     [0:T*M-1];
  reg signed [15:0] w     [0:N*M-1];  // s16.13
  reg signed [15:0] theta [0:N-1];    // s16.10
  reg        [15:0] alpha [0:0];      // u16.16
  reg signed [31:0] i_ref [0:T*N-1];
  reg signed [15:0] r_ref [0:T*N-1], u_ref [0:T*N-1];
  reg        [0:0]  s_ref [0:T*N-1];
  reg        [31:0] crc_ref [0:T-1], crc;

  reg signed [15:0] u [0:N-1], r;
  reg               s [0:N-1];
  reg signed [31:0] current;
  reg signed [63:0] v;                // exact: AF + UF fraction bits
  string from, of;
  integer t, n, m, spikes, errors;

  function signed [15:0] saturate(input signed [63:0] value);
    saturate = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
  endfunction

  initial begin
    if (weight_bits(LAYER) != 16 || membrane_bits(LAYER) != 16 || leak_factor_bits(LAYER) != 16
        || current_bits(LAYER) != 32 || layer_input_bits(LAYER) != 1)
      $fatal(1, "this bench has registers for the default formats and spiking inputs only");
    of = $sformatf("sample%0d/layer%0d.", SAMPLE, LAYER);
    from = $sformatf("parameters/initial/layer%0d.", LAYER);
    $readmemh({of, "inputs.hex"}, x);
    $readmemh({from, "weight.hex"}, w);
    $readmemh({from, "threshold.hex"}, theta);
    $readmemh({from, "leak_factor.hex"}, alpha);
    $readmemh({of, "current.hex"}, i_ref);
    $readmemh({of, "residual.hex"}, r_ref);
    $readmemh({of, "membrane.hex"}, u_ref);
    $readmemh({of, "spikes.hex"}, s_ref);
    $readmemh({"checksums/", of, "membrane.hex"}, crc_ref);
    spikes = 0;
    errors = 0;
    for (n = 0; n < N; n = n + 1) begin u[n] = 0; s[n] = 0; end
    for (t = 0; t < T; t = t + 1) begin
      crc = 32'hffffffff;
      for (n = 0; n < N; n = n + 1) begin
        r = saturate(s[n] ? u[n] - theta[n] : u[n]);
        current = 0;
        for (m = 0; m < M; m = m + 1)
          if (x[t*M + m]) current = current + w[n*M + m];
        v = $signed({1'b0, alpha[0]}) * r + (64'sd1 * current <<< AF + UF - IF);  // aligned to AF + UF fraction bits
        u[n] = saturate((v + (64'sd1 <<< AF - 1)) >>> AF);                        // nearest, to UF fraction bits
        s[n] = u[n] >= theta[n];
        spikes = spikes + s[n];
        crc = crc32_byte(crc32_byte(crc, u[n][7:0]), u[n][15:8]);
        if (current !== i_ref[t*N + n] || r !== r_ref[t*N + n] || u[n] !== u_ref[t*N + n] || s[n] !== s_ref[t*N + n])
          errors = errors + 1;
      end
      if (~crc !== crc_ref[t]) errors = errors + 1;
    end
    $display("%0d neurons, %0d time steps, %0d spikes, %0d errors", N, T, spikes, errors);
    if (errors != 0) $fatal(1, "not the golden vectors");
    $finish;
  end
endmodule
