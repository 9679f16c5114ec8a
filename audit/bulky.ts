/**
 * Members of a resource that are large and that a listing doesn't need, each with what follows it: Pulumi writes members in the order of their
 * names, so that `revision` comes after `results`.
 */
const BULKY = [
  { begin: Buffer.from('"results":['), end: Buffer.from('],"revision":') },
  { begin: Buffer.from('"previous":{'), end: Buffer.from('},"release":') },
  // The provider's code, a text: it ends where another text follows.
  { begin: Buffer.from('"__provider":"exports.handler'), end: Buffer.from('","') },
];

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
  const cuts = BULKY.flatMap(({ begin, end }) => findCuts(json, begin, end)).sort((a, b) => a.from - b.from);
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

/** What lies between the two, for each time that they occur. In JSON a quote inside a text is escaped, so neither occurs in one. */
function findCuts(json: Buffer, begin: Buffer, end: Buffer): { from: number; to: number }[] {
  const cuts: { from: number; to: number }[] = [];
  let at = json.indexOf(begin);
  while (at !== -1) {
    const from = at + begin.length;
    const to = json.indexOf(end, from);
    if (to === -1) break;
    cuts.push({ from, to });
    at = json.indexOf(begin, to);
  }
  return cuts;
}
