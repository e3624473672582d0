// CRC-32 of IEEE 802.3 over words in bytes, the lowest byte first, as `checksums/` holds it: start from 32'hffffffff,
// take crc32_byte of every byte, and invert the result.
function [31:0] crc32_byte(input [31:0] crc, input [7:0] data);
  integer i;
  begin
    crc32_byte = crc ^ data;
    for (i = 0; i < 8; i = i + 1)
      crc32_byte = crc32_byte[0] ? (crc32_byte >> 1) ^ 32'hedb88320 : crc32_byte >> 1;
  end
endfunction
