import assert from "node:assert/strict";
import { buildRoutes, chooseRevision, routeKey } from "../../../local/front/routes.ts";
import type { ServingTarget, StoredService } from "../../../local/model.ts";

function stored(name: string, serving: Partial<ServingTarget>[]): StoredService {
  return { service: { name, createTime: name }, serving } as unknown as StoredService;
}

describe("buildRoutes", () => {
  const opa = "projects/p/locations/l/services/opa";
  const routes = buildRoutes([
    stored(opa, [
      { revision: "opa-a", percent: 90 },
      { revision: "opa-b", percent: 10, tag: "vb" },
      { revision: "opa-c", tag: "vc" },
    ]),
  ]);

  it("knows the service and its tags, with and without the location", () => {
    assert.deepEqual([...routes.keys()].sort(), [
      "opa.l.localhost",
      "opa.localhost",
      "vb---opa.l.localhost",
      "vb---opa.localhost",
      "vc---opa.l.localhost",
      "vc---opa.localhost",
    ]);
  });

  it("sends a service's requests by weight and a tag's to its revision", () => {
    assert.deepEqual(routes.get("opa.l.localhost")?.targets, [
      { revision: `${opa}/revisions/opa-a`, weight: 90 },
      { revision: `${opa}/revisions/opa-b`, weight: 10 },
    ]);
    assert.deepEqual(routes.get("vc---opa.l.localhost")?.targets, [
      { revision: `${opa}/revisions/opa-c`, weight: 100 },
    ]);
  });

  it("doesn't guess between two locations", () => {
    const two = buildRoutes([
      stored("projects/p/locations/l/services/opa", []),
      stored("projects/p/locations/m/services/opa", []),
    ]);
    assert.deepEqual([...two.keys()], ["opa.l.localhost", "opa.m.localhost"]);
  });
});

describe("chooseRevision", () => {
  const route = {
    service: "s",
    targets: [
      { revision: "a", weight: 90 },
      { revision: "b", weight: 10 },
    ],
  };
  const cases: [number, string][] = [
    [0, "a"],
    [0.8999, "a"],
    [0.9001, "b"],
    [0.9999, "b"],
  ];
  for (const [random, expected] of cases) {
    it(`${random} is ${expected}`, () => assert.equal(chooseRevision(route, random), expected));
  }
  it("is undefined when nothing serves", () =>
    assert.equal(chooseRevision({ service: "s", targets: [] }, 0), undefined));
});

describe("routeKey", () => {
  const cases: [string, string][] = [
    ["OPA.L.localhost:8480", "opa.l.localhost"],
    ["opa.l.localhost.", "opa.l.localhost"],
    ["opa.l.localhost", "opa.l.localhost"],
    ["[::1]:8480", "[::1]"],
    ["", ""],
  ];
  for (const [host, expected] of cases)
    it(`${JSON.stringify(host)} is ${expected}`, () => assert.equal(routeKey(host), expected));
});
