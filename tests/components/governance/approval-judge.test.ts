import assert from "node:assert/strict";
import { type Rules, tally, type Vote } from "../../../components/governance/approval-judge.ts";
import type { Statement } from "../../../components/governance/approval-statement.ts";

const COMMIT = "a".repeat(40);
const EVIDENCE = "e".repeat(64);
const HOUR = 3_600_000;
const NOW = new Date("2026-06-10T12:00:00Z");
const statement: Statement = { decision: "approve", commit: COMMIT, service: "projects/p/s", evidence: EVIDENCE };
const rules: Rules = {
  expected: { decision: "approve", commit: COMMIT, service: "projects/p/s", evidence: EVIDENCE },
  approvers: [
    { email: "grace@example.com", logins: ["grace-gh"] },
    { email: "heidi@example.com", logins: [] },
    { email: "ada@example.com", logins: [] },
  ],
  hours: 72,
  now: NOW,
  excluded: [
    { name: "ada@example.com", why: "wrote the change" },
    { name: "deployer@example.com", why: "deploys it" },
  ],
};

function vote(who: string, change: Partial<Statement> = {}, more: Partial<Vote> = {}): Vote {
  const signer = { method: "ssh" as const, key: `SHA256:${who}`, emails: [`${who}@example.com`] };
  return {
    tag: `tag-${who}`,
    statement: { ...statement, ...change },
    signer,
    at: new Date(NOW.getTime() - HOUR),
    ...more,
  };
}

const why = (votes: Vote[], change: Partial<Rules> = {}) =>
  tally(votes, { ...rules, ...change }).refused.map((one) => one.why);

describe("counting approvals", () => {
  it("counts somebody allowed who approves exactly this", () => {
    const { counted, refused } = tally([vote("grace", { reason: "fine" })], rules);
    assert.deepEqual(refused, []);
    assert.deepEqual(counted, [
      {
        tag: "tag-grace",
        by: "grace@example.com",
        key: "SHA256:grace",
        at: "2026-06-10T11:00:00.000Z",
        reason: "fine",
      },
    ]);
  });

  it("counts each person once, and each key once", () => {
    const second = vote(
      "grace",
      {},
      { tag: "again", signer: { method: "gpg", key: "OTHER", emails: ["grace@example.com"] } },
    );
    const shared = vote("heidi", {}, { signer: { method: "ssh", key: "SHA256:grace", emails: ["heidi@example.com"] } });
    const { counted, refused } = tally([vote("grace"), second, shared], rules);
    assert.equal(counted.length, 1);
    assert.deepEqual(
      refused.map((one) => one.why.replace(/^\S+/, "X")),
      ["X has decided already, and counts once", "X has decided already, and counts once"],
    );
  });

  const cases: [string, Vote, RegExp, Partial<Rules>?][] = [
    ["another commit", vote("grace", { commit: "b".repeat(40) }), /is about commit b{40}/],
    ["another stack", vote("grace", { service: "projects/q/s" }), /is about projects\/q\/s/],
    ["other evidence", vote("grace", { evidence: "f".repeat(64) }), /other evidence .*something has changed since/],
    ["a rejection passed off as an approval", vote("grace", { decision: "reject" }), /decides "reject"/],
    ["one that has expired", vote("grace", {}, { at: new Date(NOW.getTime() - 72 * HOUR) }), /expired: .*72 hours/],
    ["one from the future", vote("grace", {}, { at: new Date(NOW.getTime() + HOUR) }), /in the future/],
    ["somebody who isn't an approver", vote("mallory"), /mallory@example\.com, who is not among the approvers/],
    ["the author", vote("ada"), /ada@example\.com, who wrote the change/],
    [
      "the author under a second address of the same key",
      vote("grace", {}, { signer: { method: "gpg", key: "K", emails: ["grace@example.com", "ada@example.com"] } }),
      /who wrote the change/,
    ],
    [
      "the one who deploys, known by login",
      vote("grace"),
      /who deploys it/,
      { excluded: [{ name: "grace-gh", why: "deploys it" }] },
    ],
    [
      "the key that signed the commit",
      vote("grace"),
      /who signed/,
      { excluded: [{ name: "SHA256:grace", why: "signed commit x" }] },
    ],
  ];
  for (const [name, one, expected, change] of cases) {
    it(`refuses ${name}`, () => {
      const [first = ""] = why([one], change);
      assert.match(first, expected);
    });
  }

  it("takes an approval up to the last moment", () => {
    assert.deepEqual(why([vote("grace", {}, { at: new Date(NOW.getTime() - 72 * HOUR + 1) })]), []);
  });

  it("lets a rejection stand for good, whatever the evidence, and by the author too", () => {
    const rejection = vote("ada", { decision: "reject", evidence: "f".repeat(64) }, { at: new Date(0) });
    const expected = { decision: "reject" as const, commit: COMMIT, service: "projects/p/s" };
    const { counted } = tally([rejection], { ...rules, expected, hours: undefined, excluded: [] });
    assert.equal(counted.length, 1);
  });
});
