import assert from "node:assert/strict";
import { parseAdminPath } from "../../../local/admin/path.ts";
import { readServiceBody } from "../../../local/admin/schema.ts";
import type { ApiError } from "../../../local/errors.ts";

describe("readServiceBody", () => {
  it("drops null members and reads numbers that are strings", () => {
    const body = readServiceBody({
      labels: null,
      template: {
        scaling: { maxInstanceCount: "3" },
        containers: [{ image: "i", startupProbe: { grpc: null, tcpSocket: null } }],
      },
    });
    assert.deepEqual(body, {
      template: { scaling: { maxInstanceCount: 3 }, containers: [{ image: "i", startupProbe: {} }] },
    });
  });

  it("takes a service as it was read", () => {
    const outputs = {
      name: "n",
      uid: "u",
      generation: "1",
      trafficStatuses: [],
      terminalCondition: { type: "Ready" },
      reconciling: false,
    };
    assert.deepEqual(readServiceBody({ ...outputs, etag: "e" }), { ...outputs, etag: "e" });
  });

  const refused: [string, unknown, string][] = [
    ["at the top", { x: 1 }, `Invalid JSON payload received. Unknown name "x" at 'service': Cannot find field.`],
    [
      "deep inside",
      { template: { containers: [{ image: "i", prots: [] }] } },
      `Invalid JSON payload received. Unknown name "prots" at 'service.template.containers.0': Cannot find field.`,
    ],
    [
      "in traffic",
      { traffic: [{ percentage: 5 }] },
      `Invalid JSON payload received. Unknown name "percentage" at 'service.traffic.0': Cannot find field.`,
    ],
  ];
  for (const [where, body, message] of refused) {
    it(`refuses an unknown member ${where}`, () => {
      assert.throws(
        () => readServiceBody(body),
        (error: ApiError) =>
          error.status === "INVALID_ARGUMENT" && error.message === message && error.httpStatus === 400,
      );
    });
  }

  it("refuses a member of the wrong type", () => {
    assert.throws(() => readServiceBody({ labels: { a: 1 } }), /Invalid value at 'service\.labels\.a'/);
  });
});

describe("parseAdminPath", () => {
  const base = { project: "p", location: "l" };
  const cases: [string, unknown][] = [
    ["/v2/projects/p/locations/l/services", { ...base, collection: "services" }],
    ["/v2/projects/p/locations/l/services/s", { ...base, collection: "services", id: "s" }],
    ["/v2/projects/p/locations/l/services/s/revisions", { ...base, collection: "revisions", service: "s" }],
    [
      "/v2/projects/p/locations/l/services/s/revisions/s-1",
      { ...base, collection: "revisions", service: "s", id: "s-1" },
    ],
    ["/v2/projects/p/locations/l/operations/o:wait", { ...base, collection: "operations", id: "o", verb: "wait" }],
    ["/v2/projects/p/locations/l/jobs", undefined],
    ["/v2/projects/p/locations/l/services/", undefined],
    ["/v1/projects/p/locations/l/services", undefined],
    ["/v2/projects/%E0%A4%A/locations/l/services", undefined],
  ];
  for (const [path, expected] of cases) it(path, () => assert.deepEqual(parseAdminPath(path), expected));
});
