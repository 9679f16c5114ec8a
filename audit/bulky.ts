/**
 * Members of a resource that are large and that a listing doesn't need, each with what follows it: Pulumi writes members in the order of their
 * names, so that `revision` comes after `results`.
 */
const BULKY = [
  { begin: '"results":[', ends: ['],"revision":'] },
  { begin: '"previous":{', ends: ['},"release":'] },
  { begin: '"examples":[', ends: ['],"groups":', '],"inputs":'] },
  // The provider's code, a text: it ends where another text follows.
  { begin: '"__provider":"exports.handler', ends: ['","'] },
].map(({ begin, ends }) => ({ begin: Buffer.from(begin), ends: ends.map((end) => Buffer.from(end)) }));

/**
 * A state as a value, without the bulk of its test results: many times faster than to parse all of it. Where leaving them out doesn't leave
 * JSON, all of it is parsed. @throws a SyntaxError for what isn't JSON
 */
export function parseWithoutBulk(json: Buffer): unknown {
  const pieces = withoutBulk(json);
  if (pieces.length > 1) {
    try {
      return JSON.parse(pieces.join(""));
    } catch {
      // Laid out in another way than Pulumi does: then it takes its time.
    }
  }
  return JSON.parse(json.toString());
}

function withoutBulk(json: Buffer): string[] {
  const cuts = BULKY.flatMap(({ begin, ends }) => findCuts(json, begin, ends)).sort((a, b) => a.from - b.from);
  const pieces: string[] = [];
  let at = 0;
  for (const { from, to } of cuts) {
    if (from < at) continue;
    pieces.push(json.toString("utf8", at, from));
    at = to;
  }
  pieces.push(json.toString("utf8", at));
  return pieces;
}

/** What lies between a beginning and the next end, for each time that they occur. In JSON a quote inside a text is escaped, so neither occurs in one. */
function findCuts(json: Buffer, begin: Buffer, ends: Buffer[]): { from: number; to: number }[] {
  const cuts: { from: number; to: number }[] = [];
  let at = json.indexOf(begin);
  while (at !== -1) {
    const from = at + begin.length;
    const found = ends.map((end) => json.indexOf(end, from)).filter((end) => end !== -1);
    if (found.length === 0) break;
    const to = Math.min(...found);
    cuts.push({ from, to });
    at = json.indexOf(begin, to);
  }
  return cuts;
}
