import assert from "node:assert/strict";
import { Tally } from "../../../components/diff/tally.ts";

const words = new Set(["visitor", "context", "principal", "persona_title", "n"]);
const by = (persona: string, n = 0) => ({ n, context: { principal: { persona_title: persona } } });
const denied = (code: string) => ({ allow: false, reasons: [code] });
const allowed = { allow: true, reasons: [] };

describe("Tally", () => {
  it("groups by class, reason and persona, largest first, and names no persona that the policies don't know", () => {
    const tally = new Tally([], words);
    for (let i = 0; i < 3; i++) {
      tally.add({ class: "deny-to-allow", input: by("visitor"), from: denied("a"), to: allowed, source: "f:1" });
    }
    tally.add({ class: "deny-to-allow", input: by("olivia"), from: denied("b"), to: allowed, source: "f:2" });
    assert.deepEqual(tally.groups, [
      { class: "deny-to-allow", reason: "a", persona: "visitor", count: 3 },
      { class: "deny-to-allow", reason: "b", persona: "(unknown)", count: 1 },
    ]);
  });

  it("keeps 20 examples: the gravest class first, and of every kind one before a second", () => {
    const tally = new Tally([], words);
    for (let n = 0; n < 100; n++) {
      tally.add({
        class: "reasons-changed",
        input: by("visitor", n),
        from: denied("a"),
        to: denied("b"),
        source: `f:${n}`,
      });
    }
    for (let n = 0; n < 30; n++) {
      tally.add({
        class: "deny-to-allow",
        input: by("visitor", n),
        from: denied(`code ${n % 5}`),
        to: allowed,
        source: `f:${n}`,
      });
    }
    assert.equal(tally.examples.length, 20);
    const kinds = new Set(tally.examples.map(({ kind }) => kind));
    assert.equal(kinds.size, 6);
    assert.equal(tally.counts["reasons-changed"], 100);
  });

  it("has bounded memory however many groups there are", () => {
    const tally = new Tally([], words);
    for (let n = 0; n < 2_000; n++) {
      tally.add({ class: "deny-to-allow", input: by("visitor"), from: denied(`code ${n}`), to: allowed, source: "f" });
    }
    assert.ok(tally.groups.length <= 501);
    assert.equal(
      tally.groups.reduce((sum, { count }) => sum + count, 0),
      2_000,
    );
  });

  it("counts what is declared, by the first declaration that fits", () => {
    const why = "Because it is so.";
    const tally = new Tally(
      [
        { class: "deny-to-allow", reason: "a", limit: 1, why },
        { class: "deny-to-allow", input: { "context.principal.persona_title": "visitor" }, limit: 1, why },
      ],
      words,
    );
    for (const code of ["a", "b", "a"]) {
      tally.add({ class: "deny-to-allow", input: by("visitor"), from: denied(code), to: allowed, source: "f" });
    }
    assert.deepEqual(tally.matched, [2, 1]);
    assert.equal(tally.declared["deny-to-allow"], 3);
  });
});
