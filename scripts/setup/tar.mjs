const block = 512;

/** @returns {Buffer} a tar archive (ustar) of one program, owned by root, that everyone may run */
export function tarOf(name, content, modifiedMilliseconds = 0) {
  const header = Buffer.alloc(block);
  const octal = (value, width) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  const fields = [
    [0, name],
    [100, octal(0o755, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(Math.floor(modifiedMilliseconds / 1000), 12)],
    // The checksum counts its own field as spaces.
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\x0000"],
  ];
  for (const [offset, text] of fields) header.write(text, offset, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)} `, 148, "latin1");
  const padding = (block - (content.length % block)) % block;
  // Two empty blocks end an archive.
  return Buffer.concat([header, content, Buffer.alloc(padding + 2 * block)]);
}
