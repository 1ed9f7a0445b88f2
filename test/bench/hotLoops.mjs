// Finds the innermost loops that multiply in what V8's --print-wasm-code says of a module, and counts their
// multiply-accumulates and instructions. Invariant: a loop is a branch back to an earlier instruction with
// no such branch, and no jump, in between: so neither an outer loop nor an iteration that V8 peeled off.

/**
 * Multiply-accumulates of one instruction. On x86 only the first that a loop has counts: a product of words
 * is pmulhw after pmullw, one of bytes is pmullw, and pmaddwd also ends what the others begin. A relaxed dot
 * multiplies sixteen, but eight-bit weights take two of them (`SEVEN_BITS` says which functions take one).
 */
const COUNTS = {
  arm64: [
    [/^(sdot|usdot)\s+v\d+\.4s/, 8],
    [/^(smull2?|smlal2?)\s+v\d+\.8h/, 8],
    [/^(smull2?|smlal2?)\s+v\d+\.4s/, 4],
  ],
  x64: [
    [/^vpdpbus/, 8],
    [/^vpmaddubsw/, 8],
    [/^vpmulhw/, 4],
    [/^vpmullw/, 8],
    [/^vpmaddwd/, 8],
  ],
};

/** The tiles for seven-bit weights, of which a dot does sixteen products. */
const SEVEN_BITS = /\/gemmSeven\//;
const DOTS = /^(sdot|usdot|vpdpbus)/;

/** Where an instruction branches to, as an offset in its function; undefined if it does not. */
const targets = {
  arm64(text, at) {
    const [, sign, distance] = /^(?:b|b\.\w+|cbn?z\s.*|tbn?z\s.*)\s+#?([+-])0x([0-9a-f]+) \(addr/.exec(text) ?? [];
    return distance && at + (sign === "-" ? -1 : 1) * Number.parseInt(distance, 16);
  },
  x64(text) {
    const [, offset] = /^j\w+ 0x[0-9a-f]+\s+<\+0x([0-9a-f]+)>/.exec(text) ?? [];
    return offset && Number.parseInt(offset, 16);
  },
};

const isJump = { arm64: (text) => /^b\s/.test(text), x64: (text) => text.startsWith("jmp") };

function functionsOf(listing) {
  const functions = [];
  for (const line of listing.split("\n")) {
    const name = /^name: (.*)/.exec(line)?.[1];
    if (name) functions.push({ name, code: [] });
    const [, offset, text] = /^0x[0-9a-f]+\s+([0-9a-f]+)\s+[0-9a-f]+\s+(?:REX\.W )?(\S.*)/.exec(line) ?? [];
    if (text) functions.at(-1)?.code.push({ at: Number.parseInt(offset, 16), text: text.trim() });
  }
  return functions;
}

function macsOf(machine, body, name) {
  if (SEVEN_BITS.test(name)) return body.filter(({ text }) => DOTS.test(text)).length * 16;
  const count = (pattern) => body.filter(({ text }) => pattern.test(text)).length;
  const counts = machine === "x64" ? COUNTS.x64.filter(([pattern]) => count(pattern) > 0).slice(0, 1) : COUNTS.arm64;
  return counts.reduce((sum, [pattern, macs]) => sum + count(pattern) * macs, 0);
}

/** [{ name, macs, instructions }] of the loops of `listing`; machine: "arm64" or "x64". */
export function hotLoops(machine, listing) {
  return functionsOf(listing).flatMap(({ name, code }) => {
    const index = new Map(code.map(({ at }, i) => [at, i]));
    const back = code.flatMap(({ at, text }, end) => {
      const start = index.get(targets[machine](text, at));
      return start !== undefined && start <= end ? [{ start, end }] : [];
    });
    return back
      .filter((loop) => !back.some((other) => other !== loop && other.start >= loop.start && other.end <= loop.end))
      .map(({ start, end }) => code.slice(start, end + 1))
      .filter((body) => !body.slice(0, -1).some(({ text }) => isJump[machine](text)))
      .map((body) => ({ name, macs: macsOf(machine, body, name), instructions: body.length }))
      .filter(({ macs }) => macs > 0);
  });
}
