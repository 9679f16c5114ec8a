import assert from "node:assert/strict";
import { maskPaths } from "../../../local/core/mask.ts";
import { createService, type ServiceBody, type WriteContext, writeService } from "../../../local/core/write.ts";
import type { ApiError } from "../../../local/errors.ts";
import type { StoredService } from "../../../local/model.ts";

const NAME = "projects/p/locations/l/services/opa";
const REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

function context(): WriteContext {
  let count = 0;
  return { now: "2030-01-01T00:00:00.000Z", uuid: () => `uid-${count++}`, random: () => 0, who: "me" };
}

function template(image: string, revision?: string) {
  return { containers: [{ image }], ...(revision !== undefined && { revision }) };
}

function create(body: ServiceBody): StoredService {
  return createService(NAME, body, maskPaths(undefined, body), context()).next;
}

function patch(current: StoredService, body: ServiceBody, mask?: string) {
  return writeService(current, body, maskPaths(mask, body), context());
}

describe("createService", () => {
  it("makes generation 1, reconciling, with a generated revision and all traffic to the latest", () => {
    const { service, revisions } = create({ template: template("a") });
    assert.equal(service.generation, "1");
    assert.equal(service.observedGeneration, "0");
    assert.equal(service.reconciling, true);
    assert.equal(service.terminalCondition.state, "CONDITION_RECONCILING");
    assert.deepEqual(Object.keys(revisions), ["opa-00001-bbb"]);
    assert.equal(service.latestCreatedRevision, `${NAME}/revisions/opa-00001-bbb`);
    assert.deepEqual(service.traffic, [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }]);
    assert.notEqual(service.etag, "");
  });

  it("needs a template", () => {
    assert.throws(() => create({ labels: { a: "b" } }), { status: "INVALID_ARGUMENT" });
  });
});

describe("writeService", () => {
  const current = create({ template: template("a", "opa-a"), labels: { team: "x" } });

  it("doesn't change what it is given", () => {
    const before = structuredClone(current);
    patch(current, { template: template("b", "opa-b"), labels: {} });
    assert.deepEqual(current, before);
  });

  it("raises the generation and changes the etag", () => {
    const { next, generation } = patch(current, { labels: { team: "y" } });
    assert.equal(generation, 2);
    assert.notEqual(next.service.etag, current.service.etag);
  });

  const noRevision: [string, ServiceBody, string | undefined][] = [
    ["labels", { labels: { a: "b" } }, undefined],
    ["annotations", { annotations: { a: "b" } }, "annotations"],
    ["traffic", { traffic: [{ type: REVISION, revision: "opa-a", percent: 100 }] }, "traffic"],
    ["the same template", { template: template("a", "opa-a") }, "template"],
  ];
  for (const [title, body, mask] of noRevision) {
    it(`makes no revision for ${title}`, () => {
      const write = patch(current, body, mask);
      assert.equal(write.revision, undefined);
      assert.deepEqual(Object.keys(write.next.revisions), ["opa-a"]);
    });
  }

  it("makes the named revision, and its traffic entry may be in the same write", () => {
    const traffic = [
      { type: REVISION, revision: "opa-a", percent: 100 },
      { type: REVISION, revision: "opa-b", percent: 0, tag: "vb" },
    ];
    const write = patch(current, { template: template("b", "opa-b"), traffic }, "template,traffic");
    assert.equal(write.revision, "opa-b");
    assert.deepEqual(write.traffic, [
      { type: REVISION, revision: "opa-a", percent: 100 },
      { type: REVISION, revision: "opa-b", tag: "vb" },
    ]);
    assert.deepEqual(write.next.service.labels, { team: "x" });
  });

  it("uses a revision of that name and configuration again", () => {
    const second = patch(current, { template: template("b", "opa-b") }).next;
    const write = patch(second, { template: { ...template("a", "opa-a"), labels: {}, timeout: undefined } });
    assert.equal(write.revision, "opa-a");
    assert.deepEqual(Object.keys(write.next.revisions), ["opa-a", "opa-b"]);
  });

  const refused: [string, ServiceBody, string | undefined, string, RegExp][] = [
    [
      "a taken revision name",
      { template: template("other", "opa-a") },
      undefined,
      "ALREADY_EXISTS",
      /^Revision named 'opa-a' with different configuration already exists\.$/,
    ],
    ["a stale etag", { etag: '"old"', labels: {} }, undefined, "ABORTED", /etag/],
    [
      "a revision name without the service",
      { template: template("b", "b-1") },
      undefined,
      "INVALID_ARGUMENT",
      /prefixed/,
    ],
    [
      "a revision name that is too long",
      { template: template("b", `opa-${"x".repeat(60)}`) },
      undefined,
      "INVALID_ARGUMENT",
      /63/,
    ],
    ["a template without image", { template: { containers: [{}] } }, undefined, "INVALID_ARGUMENT", /image/],
    [
      "two containers",
      { template: { containers: [{ image: "a" }, { image: "b" }] } },
      undefined,
      "INVALID_ARGUMENT",
      /exactly one/,
    ],
    ["a mask of an output", { labels: {} }, "etag", "INVALID_ARGUMENT", /update mask/],
    ["a bad sum", { traffic: [{ percent: 50 }] }, "traffic", "INVALID_ARGUMENT", /must be 100/],
  ];
  for (const [title, body, mask, status, message] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => patch(current, body, mask),
        (error: ApiError) => error.status === status && message.test(error.message),
      );
    });
  }

  for (const etag of [undefined, "", current.service.etag]) {
    it(`takes etag ${JSON.stringify(etag)}`, () => {
      assert.equal(patch(current, { etag, labels: {} }).generation, 2);
    });
  }

  it("a mask without its member in the body clears it", () => {
    assert.equal(patch(current, {}, "labels").next.service.labels, undefined);
  });

  it("a nested mask writes only that member", () => {
    const write = patch(
      current,
      { template: { labels: { a: "b" }, revision: "opa-c", containers: [] } },
      "template.labels,template.revision",
    );
    assert.deepEqual(write.next.service.template, {
      containers: [{ image: "a" }],
      revision: "opa-c",
      labels: { a: "b" },
    });
  });

  it("members that aren't in the mask are ignored", () => {
    const write = patch(current, { labels: { team: "z" }, template: template("b", "opa-b") }, "labels");
    assert.equal(write.next.service.template.revision, "opa-a");
  });
});
