import { closeSync, openSync, readSync } from "node:fs";

const interpreterSegment = 3;

/**
 * @returns {boolean} whether a file is a 64-bit Linux program that needs no shared libraries (an ELF file without PT_INTERP), which
 *   is what runs in an image that holds nothing else
 */
export function isStatic(file) {
  const head = Buffer.alloc(64);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, head, 0, 64, 0);
    const is64BitElf = head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2;
    // Linux leaves the ABI byte at 0 (System V) or 3 (GNU/Linux).
    if (!is64BitElf || (head[7] !== 0 && head[7] !== 3)) return false;
    const offset = Number(head.readBigUInt64LE(32));
    const size = head.readUInt16LE(54);
    const count = head.readUInt16LE(56);
    const table = Buffer.alloc(size * count);
    readSync(descriptor, table, 0, table.length, offset);
    return !Array.from({ length: count }, (_, i) => table.readUInt32LE(i * size)).includes(interpreterSegment);
  } finally {
    closeSync(descriptor);
  }
}
