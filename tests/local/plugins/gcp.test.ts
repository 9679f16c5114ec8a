import assert from "node:assert/strict";
import { type Bag, PluginProcess, secret, UNKNOWN, urnOf } from "./pluginProcess.ts";
import { RecordingCloudRun } from "./recordingCloudRun.ts";

const URN = urnOf("gcp:cloudrunv2/service:Service", "service");
const ID = "projects/p/locations/l/services/svc";
const IGNORED = ["template", "traffics"];

const container: Bag = {
  image: "image:1",
  ports: { containerPort: 8181 },
  startupProbe: { httpGet: { path: "/health", port: 8181 } },
};
const program: Bag = {
  name: "svc",
  location: "l",
  deletionProtection: false,
  ingress: "INGRESS_TRAFFIC_ALL",
  labels: { team: "policy" },
  template: { revision: "svc-1", containers: [container] },
  traffics: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-1", percent: 100 }],
};

describe("gcp stand-in", () => {
  let cloud: RecordingCloudRun;
  let plugin: PluginProcess;

  beforeEach(async () => {
    cloud = new RecordingCloudRun();
    await cloud.start();
    plugin = await PluginProcess.start("gcp", {
      config: { project: "p", accessToken: secret("hush-token"), cloudRunV2CustomEndpoint: cloud.endpoint },
    });
  });
  afterEach(async () => {
    await plugin.stop();
    await cloud.stop();
  });

  /** Checked inputs and the state after a creation. */
  async function created(news: Bag = program): Promise<{ inputs: Bag; state: Bag }> {
    const { inputs, failures } = await plugin.check(URN, news);
    assert.deepEqual(failures, {});
    const { id, properties } = await plugin.create(URN, inputs);
    assert.equal(id, ID);
    return { inputs, state: properties };
  }

  function live(): Bag {
    const service = cloud.services.get(ID);
    assert.ok(service);
    return service;
  }

  it("reports the SDK's version", async () => {
    assert.equal(await plugin.version(), "9.37.0");
  });

  describe("configuration", () => {
    it("makes the token secret, whoever gives it in clear", async () => {
      const { inputs, failures } = await plugin.checkConfig({ accessToken: "t", project: "p", version: "9.37.0" });
      assert.deepEqual(failures, {});
      assert.deepEqual(inputs, { accessToken: secret("t"), project: "p", version: "9.37.0" });
    });

    it("refuses what it doesn't know or cover", async () => {
      const { failures } = await plugin.checkConfig({ projekt: "p", credentials: "{}" });
      assert.match(failures.projekt ?? "", /did you mean "project"/);
      assert.match(failures.credentials ?? "", /does not cover credentials/);
    });

    it("refuses to reach Google itself, and to go without a token", async () => {
      for (const [config, reason] of [
        [{ project: "p", accessToken: "t" }, /only reaches a custom endpoint.*cloudRunV2CustomEndpoint/],
        [{ project: "p", cloudRunV2CustomEndpoint: cloud.endpoint }, /no credentials: set accessToken/],
      ] as const) {
        const env = { GOOGLE_OAUTH_ACCESS_TOKEN: undefined, GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT: undefined };
        const other = await PluginProcess.start("gcp", { config, env });
        try {
          await assert.rejects(other.create(URN, program), { details: reason });
        } finally {
          await other.stop();
        }
      }
    });

    it("takes the token from the environment", async () => {
      const other = await PluginProcess.start("gcp", {
        config: { project: "p", cloudRunV2CustomEndpoint: cloud.endpoint },
        env: { GOOGLE_OAUTH_ACCESS_TOKEN: "from-env" },
      });
      try {
        await other.create(URN, program);
        assert.equal(cloud.requests[0]?.authorization, "Bearer from-env");
      } finally {
        await other.stop();
      }
    });
  });

  describe("Check", () => {
    it("fills in a name, deletion protection and a probe's defaults, and lists them", async () => {
      const { name: _, deletionProtection: __, ...news } = program;
      const { inputs } = await plugin.check(URN, news);
      assert.match(inputs.name, /^service-[0-9a-f]{7}$/);
      assert.equal(inputs.deletionProtection, true);
      assert.deepEqual(inputs.__defaults, ["deletionProtection", "name"]);
      const { __defaults, httpGet, ...probe } = inputs.template.containers[0].startupProbe;
      assert.deepEqual(probe, { initialDelaySeconds: 0, timeoutSeconds: 1, periodSeconds: 10, failureThreshold: 3 });
      assert.deepEqual(__defaults, ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"]);
      const again = await plugin.check(URN, news, inputs);
      assert.equal(again.inputs.name, inputs.name);
    });

    it("reports every refused property with its path", async () => {
      const template = { containers: [{ imag: "x", envs: [{ value: "v" }], volumeMounts: [] }], volumes: [] };
      const { failures } = await plugin.check(URN, { template, annotations: { a: 1 }, traffics: [{ percent: "10" }] });
      assert.deepEqual(Object.keys(failures).sort(), [
        'annotations["a"]',
        "location",
        "template.containers[0].envs[0].name",
        "template.containers[0].imag",
        "template.containers[0].image",
        "template.containers[0].volumeMounts",
        "template.volumes",
        "traffics[0].percent",
      ]);
      assert.match(failures["template.containers[0].imag"] ?? "", /did you mean "image"/);
      assert.match(failures["template.volumes"] ?? "", /does not cover volumes/);
    });

    it("accepts unknowns anywhere", async () => {
      const template = { containers: [{ image: UNKNOWN, ports: UNKNOWN }] };
      assert.deepEqual((await plugin.check(URN, { ...program, labels: UNKNOWN, template })).failures, {});
    });
  });

  describe("create", () => {
    it("sends what the real plugin was seen to send, waits and reads", async () => {
      cloud.polls = 2;
      await created();
      const { method, url, authorization, body } = cloud.requests[0] ?? assert.fail();
      assert.equal(`${method} ${url}`, "POST /v2/projects/p/locations/l/services?alt=json&serviceId=svc");
      assert.equal(authorization, "Bearer hush-token");
      assert.deepEqual(body, {
        ingress: "INGRESS_TRAFFIC_ALL",
        labels: { team: "policy", "goog-pulumi-provisioned": "true" },
        template: {
          revision: "svc-1",
          containers: [
            {
              image: "image:1",
              ports: [{ containerPort: 8181 }],
              startupProbe: {
                failureThreshold: 3,
                periodSeconds: 10,
                timeoutSeconds: 1,
                httpGet: { path: "/health", port: 8181 },
                grpc: null,
                tcpSocket: null,
              },
            },
          ],
        },
        traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-1", percent: 100 }],
      });
      const rest = cloud.requests.slice(1).map(({ method, url }) => `${method} ${url}`);
      const look = "GET /v2/projects/p/locations/l/operations/1?alt=json";
      assert.deepEqual(rest, [look, look, `GET /v2/${ID}?alt=json`]);
    });

    it("maps the names that differ, drops zeros and sends a false cpuIdle", async () => {
      const containers = [
        {
          image: "i",
          commands: ["/opa"],
          args: ["run"],
          envs: [{ name: "A", value: "" }],
          dependsOns: ["b"],
          resources: { limits: { cpu: "1" } },
          livenessProbe: { tcpSocket: { port: 1 } },
        },
      ];
      const scaling = { minInstanceCount: 0, maxInstanceCount: 3 };
      await created({ ...program, template: { containers, scaling }, traffics: [{ percent: 0, tag: "t" }] });
      const { template, traffic } = cloud.requests[0]?.body ?? assert.fail();
      assert.deepEqual(template, {
        scaling: { maxInstanceCount: 3 },
        containers: [
          {
            image: "i",
            command: ["/opa"],
            args: ["run"],
            env: [{ name: "A" }],
            dependsOn: ["b"],
            resources: { limits: { cpu: "1" }, cpuIdle: false },
            livenessProbe: {
              failureThreshold: 3,
              periodSeconds: 10,
              timeoutSeconds: 1,
              httpGet: null,
              grpc: null,
              tcpSocket: { port: 1 },
            },
          },
        ],
      });
      assert.deepEqual(traffic, [{ tag: "t" }]);
    });

    it("answers everything that the wire has, and no token", async () => {
      const { state } = await created();
      assert.equal(state.uri, "http://service.localhost");
      assert.equal(state.etag, '"1"');
      assert.equal(state.project, "p");
      assert.deepEqual(state.terminalConditions, [{ type: "Ready", state: "CONDITION_SUCCEEDED" }]);
      assert.deepEqual(state.labels, { team: "policy" });
      const all = { team: "policy", "goog-pulumi-provisioned": "true" };
      assert.deepEqual([state.pulumiLabels, state.effectiveLabels], [secret(all), secret(all)]);
      assert.equal(state.template.containers[0].ports.containerPort, 8181);
      assert.doesNotMatch(JSON.stringify([state, plugin.log]), /hush-token/);
    });

    it("fails with the API's message, or the operation's", async () => {
      const { inputs } = await plugin.check(URN, program);
      cloud.failNext = { status: 400, message: "Violation in CreateServiceRequest" };
      await assert.rejects(plugin.create(URN, inputs), {
        details: "Error creating Service: googleapi: Error 400: Violation in CreateServiceRequest",
      });
      cloud.operationError = { code: 9, message: "Revision 'svc-1' is not ready" };
      await assert.rejects(plugin.create(URN, inputs), {
        details:
          "Error waiting to create Service: Error waiting for Creating Service: Error code 9, message: Revision 'svc-1' is not ready",
      });
    });

    it("gives up on an operation that doesn't end, after customTimeouts or when the engine cancels", async () => {
      const { inputs } = await plugin.check(URN, program);
      cloud.polls = Number.POSITIVE_INFINITY;
      await assert.rejects(plugin.create(URN, inputs, false, 0.2), {
        details: /timeout while waiting for Creating Service: operation projects\/.* isn't done after 0\.2 s/,
      });
      cloud.services.clear();
      const failed = assert.rejects(plugin.create(URN, inputs), {
        details: /^Error waiting to create Service: stopped by the engine/,
      });
      await cloud.saw("GET");
      await plugin.cancel();
      await failed;
    });

    it("says that nobody answers, and where", async () => {
      const { inputs } = await plugin.check(URN, program);
      await cloud.stop();
      await assert.rejects(plugin.create(URN, inputs), {
        details:
          /^Error creating Service: POST http:\/\/127\.0\.0\.1:\d+\/v2\/projects.*: no answer: connect ECONNREFUSED/,
      });
      await cloud.start();
    });

    it("tries again after 503", async () => {
      cloud.failNext = { status: 503, message: "busy" };
      await created();
      assert.equal(cloud.sent("POST").length, 2);
    });

    it("changes nothing in a preview and knows the inputs", async () => {
      const { inputs } = await plugin.check(URN, program);
      const { properties } = await plugin.create(URN, inputs, true);
      assert.equal(cloud.requests.length, 0);
      assert.equal(properties.uri, UNKNOWN);
      assert.equal(properties.name, "svc");
      assert.equal(properties.template.revision, "svc-1");
    });
  });

  describe("refresh", () => {
    it("puts the live template, split and annotations into state and inputs", async () => {
      const { inputs, state } = await created({ ...program, annotations: { mine: "1" } });
      Object.assign(live(), {
        template: { revision: "svc-2", containers: [{ image: "image:2" }] },
        traffic: [
          { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-2", percent: 90 },
          { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-1", percent: 10, tag: "old" },
        ],
        annotations: { mine: "1", quarantine: "svc-1" },
        etag: '"9"',
      });
      const read = await plugin.read(URN, ID, state, inputs);
      assert.equal(read.id, ID);
      assert.equal(read.properties.etag, '"9"');
      assert.equal(read.properties.template.revision, "svc-2");
      assert.deepEqual(read.properties.annotations, { mine: "1" });
      assert.deepEqual(read.properties.effectiveAnnotations, { mine: "1", quarantine: "svc-1" });
      assert.equal(read.inputs.template.revision, "svc-2");
      assert.equal(read.inputs.template.containers[0].image, "image:2");
      assert.deepEqual(
        read.inputs.traffics.map(({ revision, percent }: Bag) => [revision, percent]),
        [
          ["svc-2", 90],
          ["svc-1", 10],
        ],
      );
    });

    it("changes nothing when nothing has changed", async () => {
      const { inputs, state } = await created();
      const read = await plugin.read(URN, ID, state, inputs);
      assert.deepEqual(read, { id: ID, properties: state, inputs });
    });

    it("answers no id for a service that is gone", async () => {
      const { inputs, state } = await created();
      cloud.services.clear();
      assert.equal((await plugin.read(URN, ID, state, inputs)).id, "");
    });

    it("imports by id, in three forms", async () => {
      await created({ ...program, annotations: { a: "1" } });
      for (const id of [ID, "p/l/svc", "l/svc"]) {
        const read = await plugin.read(URN, id);
        assert.equal(read.id, ID);
        assert.equal(read.properties.deletionProtection, true);
        assert.equal(read.properties.annotations, undefined);
        assert.equal(read.inputs.template.revision, "svc-1");
        assert.equal((await plugin.diff(URN, ID, read.properties, read.inputs)).changes, "none");
      }
      await assert.rejects(plugin.read(URN, "nothing"), { details: /can't read the id "nothing": expected projects/ });
    });
  });

  describe("diff", () => {
    it("sees none right after a creation, nor in what the API filled in", async () => {
      const { inputs, state } = await created();
      assert.equal((await plugin.diff(URN, ID, state, inputs)).changes, "none");
      const { ingress: _, traffics: __, ...fewer } = inputs;
      assert.equal((await plugin.diff(URN, ID, state, fewer)).changes, "none");
    });

    it("names the paths that change", async () => {
      const { inputs, state } = await created();
      const news = structuredClone(inputs);
      news.template.containers[0].image = "image:2";
      news.labels = { team: "other" };
      news.description = "x";
      const { detailed, replaces } = await plugin.diff(URN, ID, state, news);
      assert.deepEqual(detailed, { description: "ADD", labels: "UPDATE", "template.containers[0].image": "UPDATE" });
      assert.deepEqual(replaces, []);
    });

    it("replaces for another name, location or project", async () => {
      const { inputs, state } = await created();
      const { detailed, replaces } = await plugin.diff(URN, ID, state, {
        ...inputs,
        name: "b",
        location: "m",
        project: "q",
      });
      assert.deepEqual(detailed, { name: "UPDATE_REPLACE", location: "UPDATE_REPLACE", project: "UPDATE_REPLACE" });
      assert.deepEqual(replaces.sort(), ["location", "name", "project"]);
    });

    it("sees none in what ignoreChanges names, at any depth", async () => {
      const { inputs, state } = await created();
      const news = structuredClone(inputs);
      news.template.containers[0].image = UNKNOWN;
      news.traffics = [];
      assert.equal((await plugin.diff(URN, ID, state, news, IGNORED)).changes, "none");
      const path = ["template.containers[0].image", "traffics"];
      assert.equal((await plugin.diff(URN, ID, state, news, path)).changes, "none");
      assert.equal((await plugin.diff(URN, ID, state, news)).changes, "some");
    });
  });

  describe("update", () => {
    it("replaces everything without updateMask and etag: inputs, and state for what ignoreChanges names", async () => {
      const { inputs, state } = await created();
      const news = { ...inputs, labels: { team: "other" }, template: { containers: [{ image: "image:9" }] } };
      const updated = await plugin.update(URN, ID, state, news, { ignoreChanges: IGNORED });
      const { url, body } = cloud.sent("PATCH")[0] ?? assert.fail();
      assert.equal(url, `/v2/${ID}?alt=json`);
      const { labels: _, ...creation } = cloud.sent("POST")[0]?.body ?? assert.fail();
      assert.deepEqual(body, {
        ...creation,
        labels: { team: "other", "goog-pulumi-provisioned": "true" },
        launchStage: "GA",
      });
      assert.equal(updated.etag, '"2"');
      assert.deepEqual(updated.labels, { team: "other" });
    });

    it("keeps others' labels and annotations once a refresh has seen them, and drops the program's own", async () => {
      const { inputs, state } = await created({ ...program, annotations: { mine: "1", gone: "1" } });
      Object.assign(live(), { annotations: { mine: "1", gone: "1", quarantine: "r" } });
      const read = await plugin.read(URN, ID, state, inputs);
      await plugin.update(URN, ID, read.properties, { ...read.inputs, annotations: { mine: "2" } });
      assert.deepEqual(cloud.sent("PATCH")[0]?.body.annotations, { mine: "2", quarantine: "r" });
    });

    it("sends the split of the last run when there was no refresh, as the real one", async () => {
      const { inputs, state } = await created();
      live().traffic = [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-0", percent: 100 }];
      await plugin.update(URN, ID, state, { ...inputs, description: "x" }, { ignoreChanges: IGNORED });
      assert.equal(cloud.sent("PATCH")[0]?.body.traffic[0].revision, "svc-1");
    });

    it("fails with the API's message, and changes nothing in a preview", async () => {
      const { inputs, state } = await created();
      cloud.failNext = { status: 409, message: "Revision named 'svc-1' with different configuration already exists." };
      await assert.rejects(plugin.update(URN, ID, state, { ...inputs, description: "x" }), {
        details: /^Error updating Service ".*": googleapi: Error 409: Revision named 'svc-1' with different/,
      });
      const before = cloud.requests.length;
      const previewed = await plugin.update(URN, ID, state, { ...inputs, description: UNKNOWN }, { preview: true });
      assert.equal(cloud.requests.length, before);
      assert.equal(previewed.description, UNKNOWN);
      assert.equal(previewed.uri, state.uri);
    });
  });

  describe("delete", () => {
    it("is refused while the service is protected", async () => {
      const { deletionProtection: _, ...protectedProgram } = program;
      const { state } = await created(protectedProgram);
      await assert.rejects(plugin.delete(URN, ID, state), { details: /without setting deletionProtection=false/ });
      assert.equal(cloud.sent("DELETE").length, 0);
    });

    it("deletes, waits, and takes a service that is gone for deleted", async () => {
      const { state } = await created();
      cloud.polls = 1;
      await plugin.delete(URN, ID, state);
      assert.equal(cloud.services.size, 0);
      await plugin.delete(URN, ID, state);
    });
  });

  it("refuses another resource type", async () => {
    const other = urnOf("gcp:storage/bucket:Bucket", "b");
    await assert.rejects(plugin.check(other, {}), {
      details: /does not cover the resource type "gcp:storage\/bucket:Bucket"/,
    });
  });
});
