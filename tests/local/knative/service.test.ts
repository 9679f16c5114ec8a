import assert from "node:assert/strict";
import { createService, writeService } from "../../../local/core/write.ts";
import { parseKnativePath } from "../../../local/knative/api.ts";
import { matchesSelector } from "../../../local/knative/revision.ts";
import { fromKnativeService, type KnativeService, toKnativeService } from "../../../local/knative/service.ts";

const context = { now: "2030-01-01T00:00:00.000Z", uuid: () => "u", random: () => 0, who: "me" };
const template = {
  revision: "opa-a",
  timeout: "30s",
  scaling: { maxInstanceCount: 3 },
  // cpuIdle has no place in the Knative form; it must survive a write of the split.
  containers: [
    {
      image: "i",
      resources: { limits: { memory: "1Gi" }, cpuIdle: true },
      startupProbe: { httpGet: { path: "/health" } },
    },
  ],
};
const stored = createService(
  "projects/p/locations/europe-west1/services/opa",
  { template, annotations: { mine: "1" }, labels: { team: "x" } },
  ["template", "annotations", "labels"],
  context,
).next;

/** What gcloud sends back: the JSON that it read, changed. */
function shown(): KnativeService & {
  spec: { template: NonNullable<NonNullable<KnativeService["spec"]>["template"]> };
} {
  return JSON.parse(JSON.stringify(toKnativeService(stored, 80)));
}

describe("Knative form of a service", () => {
  it("has what gcloud needs", () => {
    const { metadata, spec, status } = toKnativeService(stored, 80);
    assert.equal(metadata.generation, 1);
    assert.equal(metadata.labels["cloud.googleapis.com/location"], "europe-west1");
    assert.deepEqual(spec.traffic, [{ latestRevision: true, percent: 100 }]);
    assert.deepEqual(
      status.conditions.map(({ type, status: value }) => [type, value]),
      [
        ["Ready", "Unknown"],
        ["RoutesReady", "Unknown"],
        ["ConfigurationsReady", "Unknown"],
      ],
    );
  });

  it("a PUT of another split writes the split and leaves the template alone", () => {
    const given = shown();
    given.spec.traffic = [
      { revisionName: "opa-a", percent: 100, tag: "va" },
      { latestRevision: true, tag: "new" },
    ];
    const { body, paths } = fromKnativeService(stored, given);
    assert.deepEqual(paths, ["labels", "annotations", "traffic"]);
    assert.deepEqual(body.traffic, [
      { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "opa-a", percent: 100, tag: "va" },
      { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", tag: "new" },
    ]);
    const { next } = writeService(stored, body, paths, context);
    assert.deepEqual(next.service.template, template);
    assert.deepEqual(next.service.annotations, { mine: "1" });
    assert.deepEqual(next.service.labels, { team: "x" });
  });

  it("gcloud's marks on a template don't make a new revision", () => {
    const given = shown();
    given.spec.template.metadata = {
      ...given.spec.template.metadata,
      annotations: { ...given.spec.template.metadata?.annotations, "run.googleapis.com/client-name": "gcloud" },
    };
    assert.ok(!fromKnativeService(stored, given).paths.includes("template"));
  });

  it("a changed template is written", () => {
    const given = shown();
    given.spec.template.metadata = { name: "opa-b" };
    given.spec.template.spec.containers = [{ image: "j" }];
    const { body } = fromKnativeService(stored, given);
    assert.deepEqual(body.template, { revision: "opa-b", timeout: "30s", containers: [{ image: "j" }] });
  });

  it("an old resourceVersion is a conflict", () => {
    const given = shown();
    given.metadata = { ...given.metadata, resourceVersion: "old" };
    const { body, paths } = fromKnativeService(stored, given);
    assert.throws(() => writeService(stored, body, paths, context), { status: "ABORTED", httpStatus: 409 });
  });
});

describe("matchesSelector", () => {
  const labels = { "serving.knative.dev/service": "opa", a: "b" };
  const cases: [string, boolean][] = [
    ["serving.knative.dev/service = opa", true],
    ["serving.knative.dev/service=opa,a==b", true],
    ["serving.knative.dev/service = other", false],
    ["a != b", false],
    ["", true],
  ];
  for (const [selector, expected] of cases)
    it(JSON.stringify(selector), () => assert.equal(matchesSelector(labels, selector), expected));
  it("refuses what it can't read", () => assert.throws(() => matchesSelector(labels, "a in (b)"), /can't be read/));
});

describe("parseKnativePath", () => {
  const cases: [string, string, unknown][] = [
    [
      "/apis/serving.knative.dev/v1/namespaces/p/services/opa",
      "europe-west1-run.local.invalid",
      { project: "p", location: "europe-west1", kind: "services", name: "opa" },
    ],
    [
      "/apis/serving.knative.dev/v1/namespaces/p/revisions",
      "localhost",
      { project: "p", location: undefined, kind: "revisions", name: undefined },
    ],
    [
      "/v1/projects/p/locations/-/services",
      "run.local.invalid",
      { project: "p", location: undefined, kind: "services", name: undefined },
    ],
    ["/v2/projects/p/locations/l/services", "localhost", undefined],
  ];
  for (const [path, host, expected] of cases)
    it(`${host}${path}`, () => assert.deepEqual(parseKnativePath(path, host), expected));
});
