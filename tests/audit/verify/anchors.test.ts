import assert from "node:assert/strict";
import { type Anchor, judgeAnchors } from "../../../audit/verify/anchors.ts";
import type { ChainResult } from "../../../audit/verify/chain.ts";
import type { Item } from "../../../audit/verify/item.ts";

const items = ["1000000000000000001", "1000000000000000002", "1000000000000000003"].map((key, index) => ({
  key,
  facts: { recordId: `update-${index + 1}` },
})) as unknown as Item[];
const chain: ChainResult = {
  problems: [],
  head: { after: "1000000000000000003", count: 3, head: "h3" },
  heads: new Map([
    ["", "h0"],
    ["1000000000000000001", "h1"],
    ["1000000000000000002", "h2"],
    ["1000000000000000003", "h3"],
  ]),
  uncoveredFrom: 2,
};
const anchor = (changes: Partial<Anchor>): Anchor => ({
  source: "the service x",
  audit: "update-3",
  after: "1000000000000000002",
  count: 2,
  head: "h2",
  release: "abc1234",
  ended: "proven",
  ...changes,
});
const judge = (changes: Partial<Anchor>, known: string[] = [], claimed?: string) =>
  judgeAnchors(items, chain, [anchor(changes)], { known: new Set(known), claimed });
const kinds = (...given: Parameters<typeof judge>) => {
  const { problems, undecided } = judge(...given);
  return [...problems.map(({ kind }) => kind as string), ...undecided.map(() => "undecided")];
};

describe("judgeAnchors", () => {
  it("accepts the head that the newest deployment left on the service", () => assert.deepEqual(kinds({}), []));
  it("accepts an older head", () => assert.deepEqual(kinds({ after: "", head: "h0", audit: "update-1" }), []));
  it("misses the entry of the update that wrote it", () =>
    assert.deepEqual(kinds({ audit: "update-4" }), ["truncated"]));
  it("knows of updates that were killed", () => assert.deepEqual(kinds({ audit: "update-4" }, ["update-4"]), []));
  it("doesn't know whether an update was killed that only the back end takes for unfinished", () => {
    assert.deepEqual(kinds({ audit: "update-4" }, [], "update-4"), ["undecided"]);
    assert.deepEqual(kinds({ audit: "update-4" }, [], "update-5"), ["truncated"]);
  });
  it("believes a later record or the service, whatever the back end says", () =>
    assert.deepEqual(kinds({ audit: "update-4" }, ["update-4"], "update-4"), []));
  it("excuses nothing else", () => {
    const beyond = { audit: "update-4", after: "1000000000000000009", head: "h9" };
    assert.deepEqual(kinds(beyond, ["update-4"], "update-4"), ["truncated"]);
    assert.deepEqual(kinds({ audit: "update-4", head: "another" }, [], "update-4"), ["changed"]);
  });
  it("misses entries that it covers, at the end", () =>
    assert.deepEqual(kinds({ after: "1000000000000000009", head: "h9" }), ["truncated"]));
  it("misses entries that it covers, in between", () =>
    assert.deepEqual(kinds({ after: "1000000000000000000", head: "hx" }), ["removed"]));
  it("notices a history that was rewritten from its beginning", () =>
    assert.deepEqual(kinds({ head: "another" }), ["changed"]));
  it("takes a seal for what it is: it has no entry of its own", () =>
    assert.deepEqual(kinds({ ended: "sealed", audit: "", after: "1000000000000000003", head: "h3" }), []));
});
