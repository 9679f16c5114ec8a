import assert from "node:assert/strict";
import type { Service } from "../../../components/cloudrun/api.ts";
import { type Split, splitOf, tagsOf, trafficFor } from "../../../components/cloudrun/traffic.ts";
import {
  addQuarantine,
  interruptionOf,
  isWatched,
  markRollout,
  quarantineOf,
  type Rollout,
  rolloutOf,
} from "../../../components/rollout/markers.ts";
import { isHeld, planEnd, planFallback, planShift, type Shift } from "../../../components/rollout/plan.ts";

const OLD = "svc-0000001";
const NEW = "svc-0000002";
const BOOTSTRAP = "svc-bootstrap";

function service(split: Split, annotations: Record<string, string> = {}): Service {
  const tags = [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const, revision: OLD, tag: "somebodys" }];
  return {
    name: "projects/p/locations/l/services/svc",
    traffic: trafficFor(split, tags),
    annotations,
    lastModifier: "ops@example.com",
    updateTime: "2026-01-01T00:00:00Z",
  } as unknown as Service;
}

const started: Omit<Rollout, "baseline" | "split"> = {
  id: "rollout-1",
  release: "0000002",
  revision: NEW,
  startedAt: "2026-01-01T00:00:00Z",
  expiresAt: "2026-01-01T00:02:00Z",
  by: "ada@laptop",
  host: "laptop",
  pid: 4711,
};
const shift = (change: Partial<Shift> = {}): Shift => ({
  percent: 100,
  rollout: started,
  liftQuarantine: false,
  isWatched: () => false,
  ...change,
});

/** The service as the API would answer after a change. */
function applied(before: Service, change: ReturnType<typeof planShift>): Service {
  return { ...before, ...change };
}

describe("planShift", () => {
  it("moves everything, remembers what served, keeps tags", () => {
    const after = applied(service({ [OLD]: 100 }), planShift(service({ [OLD]: 100 }), shift()));
    assert.deepEqual(splitOf(after), { [NEW]: 100 });
    assert.deepEqual(rolloutOf(after)?.baseline, { [OLD]: 100 });
    assert.deepEqual(tagsOf(after), { somebodys: OLD });
  });

  it("keeps annotations that aren't its own", () => {
    const change = planShift(service({ [OLD]: 100 }, { "example.com/owner": "iam" }), shift());
    assert.equal(change?.annotations?.["example.com/owner"], "iam");
  });

  it("has nothing to do when its own write has taken effect (the reply was lost)", () => {
    const before = service({ [OLD]: 100 });
    assert.equal(planShift(applied(before, planShift(before, shift())), shift()), undefined);
  });

  it("refuses while somebody watches over another rollout", () => {
    const other: Rollout = { ...started, id: "other", release: "0000009", baseline: { [OLD]: 100 }, split: { x: 100 } };
    const live = service({ x: 100 }, markRollout({}, other));
    assert.throws(
      () => planShift(live, shift({ isWatched: () => true })),
      /rollout of 0000009 by ada@laptop is under way/,
    );
  });

  it("goes back past a rollout that nobody watches any more: its release isn't tested", () => {
    const left: Rollout = {
      ...started,
      id: "left",
      revision: "svc-untested",
      baseline: { [OLD]: 100 },
      split: { "svc-untested": 100 },
    };
    const change = planShift(service({ "svc-untested": 100 }, markRollout({}, left)), shift());
    assert.deepEqual(rolloutOf({ annotations: change?.annotations })?.baseline, { [OLD]: 100 });
  });

  it("falls back to the bootstrap revision where nothing else is known to have served", () => {
    const change = planShift(service({ [NEW]: 100 }), shift());
    assert.deepEqual(rolloutOf({ annotations: change?.annotations })?.baseline, { [BOOTSTRAP]: 100 });
  });

  it("goes back to nothing that the release itself has: when it fails it would get more than it had", () => {
    const baselineOf = (before: Split) =>
      rolloutOf(applied(service(before), planShift(service(before), shift())))?.baseline;
    assert.deepEqual(baselineOf({ [OLD]: 50, [NEW]: 50 }), { [OLD]: 100 });
    assert.deepEqual(baselineOf({ [OLD]: 20, other: 60, [NEW]: 20 }), { [OLD]: 25, other: 75 });
  });

  it("takes no traffic from a release that has all of it already, in no step", () => {
    const before = service({ [NEW]: 100 });
    const first = applied(before, planShift(before, shift({ percent: 10 })));
    assert.deepEqual(splitOf(first), { [NEW]: 100 });
    assert.equal(planShift(first, shift({ percent: 10 })), undefined, "the reply was lost");
    const second = applied(first, planShift(first, shift({ percent: 50, continues: started.id })));
    assert.deepEqual(splitOf(second), { [NEW]: 100 });
    assert.deepEqual(rolloutOf(second)?.baseline, { [BOOTSTRAP]: 100 });
  });

  it("takes it from one that an interrupted rollout has left with all: it isn't tested", () => {
    const left: Rollout = { ...started, id: "left", baseline: { [OLD]: 100 }, split: { [NEW]: 100 } };
    const live = service({ [NEW]: 100 }, markRollout({}, left));
    assert.deepEqual(splitOf(applied(live, planShift(live, shift({ percent: 10 })))), { [NEW]: 10, [OLD]: 90 });
  });

  it("continues its own rollout from step to step with the first baseline", () => {
    const before = service({ [OLD]: 100 });
    const canary = applied(before, planShift(before, shift({ percent: 10 })));
    assert.deepEqual(splitOf(canary), { [NEW]: 10, [OLD]: 90 });
    const all = applied(canary, planShift(canary, shift({ continues: started.id })));
    assert.deepEqual(splitOf(all), { [NEW]: 100 });
    assert.deepEqual(rolloutOf(all)?.baseline, { [OLD]: 100 });
  });

  it("stops where its rollout was ended by somebody", () => {
    assert.throws(() => planShift(service({ [OLD]: 100 }), shift({ continues: started.id })), /ended by somebody else/);
  });

  it("stops where somebody moved the traffic between two steps", () => {
    const before = service({ [OLD]: 100 });
    const canary = applied(before, planShift(before, shift({ percent: 10 })));
    const moved = { ...canary, traffic: trafficFor({ [OLD]: 100 }, []) };
    assert.throws(() => planShift(moved, shift({ continues: started.id })), /ops@example.com moved the traffic/);
  });

  it("lifts a quarantine only when that was asked for", () => {
    const entry = { revision: NEW, at: "2026-01-01T00:00:00Z", reason: "broken", by: "ada" };
    const live = service({ [OLD]: 100 }, addQuarantine({}, "0000002", entry));
    const kept = planShift(live, shift());
    const lifted = planShift(live, shift({ liftQuarantine: true }));
    assert.deepEqual(quarantineOf({ annotations: kept?.annotations }), { "0000002": entry });
    assert.deepEqual(quarantineOf({ annotations: lifted?.annotations }), {});
  });
});

describe("planEnd", () => {
  const rollout = { id: started.id, release: started.release, revision: NEW, baseline: { [OLD]: 100 } };
  const under = (): Service => applied(service({ [OLD]: 100 }), planShift(service({ [OLD]: 100 }), shift()));
  const rolledBack = { kind: "rolled-back" as const, reason: "wrong answer", by: "ada", at: "2026-01-01T00:00:10Z" };

  it("proven: the mark goes, the traffic isn't written", () => {
    const { change, overtaken } = planEnd(under(), rollout, { kind: "proven" });
    assert.equal(change?.traffic, undefined);
    assert.equal(rolloutOf({ annotations: change?.annotations }), undefined);
    assert.equal(overtaken, false);
  });

  it("rolled back: the split before and the quarantine are one write", () => {
    const { change, overtaken } = planEnd(under(), rollout, rolledBack);
    assert.deepEqual(splitOf({ traffic: change?.traffic ?? [] }), { [OLD]: 100 });
    assert.deepEqual(quarantineOf({ annotations: change?.annotations }), {
      "0000002": { revision: NEW, at: rolledBack.at, reason: "wrong answer", by: "ada" },
    });
    assert.equal(rolloutOf({ annotations: change?.annotations }), undefined);
    assert.equal(overtaken, false);
  });

  it("interrupted: the split before comes back without a quarantine, marked so that it is done again", () => {
    const { change } = planEnd(under(), rollout, { kind: "interrupted", by: "ada", at: "2026-01-01T00:00:10Z" });
    assert.deepEqual(splitOf({ traffic: change?.traffic ?? [] }), { [OLD]: 100 });
    assert.deepEqual(quarantineOf({ annotations: change?.annotations }), {});
    assert.equal(interruptionOf({ annotations: change?.annotations })?.id, started.id);
  });

  it("interrupted where somebody has moved the traffic away: that stays, and nothing is marked to be done again", () => {
    const moved = { ...under(), traffic: trafficFor({ [OLD]: 100 }, []) };
    assert.equal(isHeld(moved, rollout), false, "its rollout is still to be ended");
    const ending = { kind: "interrupted", by: "recover", at: "2026-01-01T00:00:09Z" } as const;
    const { change, overtaken } = planEnd(moved, rollout, ending);
    assert.deepEqual([change?.traffic, overtaken], [undefined, true]);
    const after = applied(moved, change);
    assert.deepEqual([rolloutOf(after), interruptionOf(after)], [undefined, undefined]);
    assert.equal(isHeld(after, rollout), true);
  });

  it("traffic that somebody moved wholly away stays where they put it; the quarantine is written all the same", () => {
    const moved = { ...under(), traffic: trafficFor({ "svc-elsewhere": 100 }, []) };
    const { change, overtaken } = planEnd(moved, rollout, rolledBack);
    assert.equal(change?.traffic, undefined);
    assert.ok(quarantineOf({ annotations: change?.annotations })["0000002"]);
    assert.equal(overtaken, true);
  });

  it("a failed release keeps no share of a split that somebody made by hand", () => {
    const moved = { ...under(), traffic: trafficFor({ [NEW]: 50, [OLD]: 50 }, []) };
    const { change } = planEnd(moved, rollout, rolledBack);
    assert.deepEqual(splitOf({ traffic: change?.traffic ?? [] }), { [OLD]: 100 });
  });

  it("a rollout that somebody else ended isn't touched", () => {
    const ended = service({ [OLD]: 100 });
    assert.deepEqual(planEnd(ended, rollout, rolledBack), { overtaken: true });
  });

  it("drilled: the split before comes back, and nothing is held against the release", () => {
    const { change } = planEnd(under(), rollout, { kind: "drilled" });
    assert.deepEqual(splitOf({ traffic: change?.traffic ?? [] }), { [OLD]: 100 });
    assert.deepEqual(quarantineOf({ annotations: change?.annotations }), {});
    assert.equal(interruptionOf({ annotations: change?.annotations }), undefined);
    assert.equal(rolloutOf({ annotations: change?.annotations }), undefined);
  });

  it("a drill leaves the mark of an earlier interruption: the steps that were undone have still to be done again", () => {
    const undone = applied(under(), planEnd(under(), rollout, { kind: "interrupted", by: "ada", at: "t" }).change);
    const again = { ...started, id: "drill-1" };
    const drilling = applied(undone, planShift(undone, shift({ rollout: again })));
    const { change } = planEnd(drilling, { ...rollout, id: "drill-1" }, { kind: "drilled" });
    assert.equal(interruptionOf({ annotations: change?.annotations })?.id, started.id);
    const proving = applied(drilling, change);
    const last = applied(proving, planShift(proving, shift({ rollout: { ...started, id: "again-1" } })));
    const proven = planEnd(last, { ...rollout, id: "again-1" }, { kind: "proven" });
    assert.equal(interruptionOf({ annotations: proven.change?.annotations }), undefined);
  });

  describe("when the split before could not be restored", () => {
    const fallback = { [BOOTSTRAP]: 100 };

    it("everything goes to the fallback, whether the failed write removed the mark or not", () => {
      const marked = under();
      const accepted = applied(marked, planEnd(marked, rollout, rolledBack).change);
      for (const live of [marked, accepted]) {
        const { change, overtaken } = planFallback(live, rollout, rolledBack, fallback);
        assert.deepEqual(splitOf({ traffic: change?.traffic ?? [] }), fallback);
        assert.ok(quarantineOf({ annotations: change?.annotations ?? live.annotations })["0000002"]);
        assert.equal(overtaken, false);
        assert.deepEqual(planFallback(applied(live, change), rollout, rolledBack, fallback), { overtaken: false });
      }
    });

    it("what somebody else did meanwhile stays", () => {
      assert.deepEqual(planFallback(service({ [OLD]: 100 }), rollout, rolledBack, fallback), { overtaken: true });
    });
  });

  it("knows its own write again when the reply was lost", () => {
    for (const ending of [
      rolledBack,
      { kind: "proven" as const },
      { kind: "interrupted" as const, by: "a", at: "t" },
    ]) {
      const after = applied(under(), planEnd(under(), rollout, ending).change);
      assert.deepEqual(planEnd(after, rollout, ending), { overtaken: false }, ending.kind);
    }
  });
});

describe("markers", () => {
  it("are read from what they write", () => {
    const value: Rollout = { ...started, baseline: { [OLD]: 100 }, split: { [NEW]: 100 } };
    assert.deepEqual(rolloutOf({ annotations: markRollout({}, value) }), value);
  });

  it("that can't be read count as none", () => {
    for (const text of ["", "null", "{", "[]", '{"id":1}']) {
      assert.equal(rolloutOf({ annotations: { "flowpilot.dev/rollout": text } }), undefined, text);
    }
  });

  it("keep the newest quarantine entries, with reasons of bounded length", () => {
    let annotations: Record<string, string> = {};
    for (let index = 0; index < 80; index++) {
      // A hash of digits alone would come first in an object, as if it were the oldest.
      const hash = index === 79 ? "1234567" : `a${index}`;
      const at = new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString();
      annotations = addQuarantine(annotations, hash, { revision: "r", at, reason: "x".repeat(9999), by: "b" });
    }
    const kept = quarantineOf({ annotations });
    assert.equal(Object.keys(kept).length, 50);
    assert.ok(kept["1234567"] !== undefined && kept.a30 !== undefined && kept.a29 === undefined);
    assert.ok(Buffer.byteLength(annotations["flowpilot.dev/quarantine"] ?? "") < 100_000);
  });

  it("a hash of digits isn't dropped as the oldest", () => {
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
    let annotations: Record<string, string> = {};
    for (let index = 0; index < 50; index++) {
      annotations = addQuarantine(annotations, `a${index}`, { revision: "r", at: at(index), reason: "x", by: "b" });
    }
    annotations = addQuarantine(annotations, "1234567", { revision: "r", at: at(50), reason: "x", by: "b" });
    annotations = addQuarantine(annotations, "bbbbbbb", { revision: "r", at: at(51), reason: "x", by: "b" });
    assert.ok(quarantineOf({ annotations })["1234567"]);
    assert.equal(quarantineOf({ annotations }).a1, undefined);
  });

  const watched: [string, Date, string, boolean, boolean][] = [
    ["alive on this host", new Date("2026-01-01T00:01:00Z"), "laptop", true, true],
    ["ended on this host", new Date("2026-01-01T00:01:00Z"), "laptop", false, false],
    ["on another host, within its time", new Date("2026-01-01T00:01:00Z"), "ci", false, true],
    ["on another host, past its time", new Date("2026-01-01T00:02:00Z"), "ci", false, false],
    ["alive, but past its time", new Date("2026-01-01T00:02:01Z"), "laptop", true, false],
  ];
  for (const [name, now, host, alive, expected] of watched) {
    it(`a rollout whose process is ${name} is ${expected ? "" : "not "}watched`, () => {
      const value: Rollout = { ...started, baseline: {}, split: {} };
      assert.equal(
        isWatched(value, now, host, () => alive),
        expected,
      );
    });
  }
});
