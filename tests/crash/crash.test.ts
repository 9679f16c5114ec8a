import assert from "node:assert/strict";
import { CrashLab, type Point, stepsOf } from "./matrix.ts";

/** A sample; `npm run crash-matrix` runs all of them. The steps are those at which traffic is at stake. */
const SAMPLE: Point[] = [
  { kind: "deploy", step: "revision creating", victim: "engine" },
  { kind: "deploy", step: "live creating", victim: "engine" },
  { kind: "deploy", step: "split created", victim: "provider" },
  { kind: "deploy", step: "live creating", victim: "cloud" },
  { kind: "deploy", step: "split creating", victim: "container" },
  { kind: "rollback", step: "live restoring", victim: "engine" },
  { kind: "canary", step: "canary restoring", victim: "provider" },
];

describe("a crash", function () {
  this.timeout(300_000);

  let lab: CrashLab;
  before(async () => {
    lab = await CrashLab.open();
  });
  after(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  for (const point of SAMPLE) {
    it(`of the ${point.victim} at "${point.step}" of a ${point.kind} leaves nothing untested with traffic`, async () => {
      const result = await lab.try(point);
      assert.deepEqual(result.problems, [], JSON.stringify(result));
    });
  }
});

describe("stepsOf", () => {
  it("reads the steps from what pulumi prints", () => {
    const output = [
      " ~  gcp:cloudrunv2:Service service refresh (0.09s)",
      " +  docker:index:Image image-d31501f creating (0s) ",
      " +  docker:index:Image image-d31501f creating (0s) Step 1/8 : ARG BASE",
      " +  docker:index:Image image-d31501f created (0.28s) ",
      " +  pulumi-nodejs:dynamic/policy:TrafficSplit split-10-d31501f creating (0s) ",
      " -  docker:index:Image image-f6e6ecc deleting (0s)[retain] ",
      " +  pulumi-nodejs:dynamic/policy:TrafficSplit split-d31501f creating (0s) ",
      "    pulumi:pulumi:Stack flowpilot-policy-test running canary: no failure so far, again after 12 s",
      "    pulumi:pulumi:Stack flowpilot-policy-test running live: 9 of 12 scenarios passed; restoring flowpilot-opa-0c5ab01 100 %",
    ].join("\n");
    assert.deepEqual(stepsOf(output), [
      "image creating",
      "image created",
      "split-10 creating",
      "split creating",
      "live restoring",
    ]);
  });
});
