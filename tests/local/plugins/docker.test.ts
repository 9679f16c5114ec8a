import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { contextDigest } from "../../../local/plugins/docker/context.ts";
import { parseReference, registryAddress } from "../../../local/plugins/docker/reference.ts";
import { MemoryRegistry } from "./memoryRegistry.ts";
import { type Bag, PluginProcess, secret, UNKNOWN, urnOf } from "./pluginProcess.ts";

const URN = urnOf("docker:index/image:Image", "image");

describe("docker stand-in", () => {
  const docker = new Docker();
  const tag = randomBytes(4).toString("hex");
  const imageName = `stand-in-test:${tag}`;
  const base: Bag = {
    imageName,
    skipPush: true,
    build: {
      context: "context",
      dockerfile: "context/Dockerfile",
      platform: "linux/amd64",
      builderVersion: "BuilderV1",
    },
  };
  let directory: string;
  let plugin: PluginProcess;

  before(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), "docker-")));
    await mkdir(join(directory, "context/sub"), { recursive: true });
    await writeFile(join(directory, "context/Dockerfile"), "FROM scratch\nARG A\nLABEL a=$A\nCOPY . /\n");
    await writeFile(join(directory, "context/sub/a.txt"), "one");
    plugin = await PluginProcess.start("docker", { cwd: directory });
  });
  after(async () => {
    await plugin.stop();
    await rm(directory, { recursive: true });
    for (const suffix of ["", "-outside", "-ignored"]) {
      await docker
        .getImage(imageName + suffix)
        .remove({ force: true })
        .catch(() => undefined);
    }
  });

  async function filesIn(name: string): Promise<string[]> {
    const container = await docker.createContainer({ Image: name, Cmd: ["/none"] });
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of await container.export()) chunks.push(chunk as Buffer);
      return namesInTar(Buffer.concat(chunks));
    } finally {
      await container.remove();
    }
  }

  describe("Check", () => {
    it("fills in context, Dockerfile, platform, buildOnPreview and the context's digest", async () => {
      const { inputs, failures } = await plugin.check(URN, {
        imageName,
        skipPush: true,
        build: { context: "context" },
      });
      assert.deepEqual(failures, {});
      const { contextDigest: digest, platform, ...build } = inputs.build;
      assert.deepEqual(build, { context: "context", dockerfile: "context/Dockerfile" });
      assert.match(digest, /^[0-9a-f]{64}$/);
      assert.match(platform, /^linux\//);
      assert.equal(inputs.buildOnPreview, false);
      await plugin.logged(({ urn, message }) => urn === URN && message.startsWith("Building your image for linux/"));
    });

    it("says where the Dockerfile would be", async () => {
      await assert.rejects(plugin.check(URN, { ...base, build: { context: "context", dockerfile: "Dockerfile" } }), {
        details:
          'could not open dockerfile at relative path "Dockerfile". Try setting `dockerfile` to "context/Dockerfile"',
      });
    });

    const refused: [string, Bag, string, RegExp][] = [
      ["a misspelt name", { ...base, imageNmae: "x" }, "imageNmae", /did you mean "imageName"/],
      ["a missing image name", { build: base.build }, "imageName", /missing required/],
      [
        "BuildKit",
        { ...base, build: { builderVersion: "BuilderBuildKit" } },
        "build.builderVersion",
        /must be one of BuilderV1/,
      ],
      ["cacheFrom", { ...base, build: { cacheFrom: { images: [] } } }, "build.cacheFrom", /does not cover cacheFrom/],
      ["a string as skipPush", { ...base, skipPush: "yes" }, "skipPush", /must be a boolean, got a string/],
    ];
    for (const [name, inputs, property, reason] of refused) {
      it(`refuses ${name}`, async () => {
        const { failures } = await plugin.check(URN, inputs);
        assert.deepEqual(Object.keys(failures), [property]);
        assert.match(failures[property] ?? "", reason);
      });
    }

    it("refuses to push a name without a registry", async () => {
      await assert.rejects(plugin.check(URN, { ...base, skipPush: false }), { details: /fully qualified/ });
    });

    it("accepts unknowns", async () => {
      const { failures, inputs } = await plugin.check(URN, {
        ...base,
        imageName: UNKNOWN,
        build: { context: UNKNOWN },
      });
      assert.deepEqual(failures, {});
      assert.equal(inputs.build.context, UNKNOWN);
      assert.equal(inputs.build.contextDigest, undefined);
    });
  });

  describe("create", () => {
    it("builds the image and answers as the real plugin does", async () => {
      const { inputs } = await plugin.check(URN, { ...base, build: { ...base.build, args: { A: "label" } } });
      plugin.log.length = 0;
      const { id, properties } = await plugin.create(URN, inputs);
      const built = await docker.getImage(imageName).inspect();
      assert.equal(id, imageName);
      assert.deepEqual(properties, {
        baseImageName: imageName,
        context: "context",
        dockerfile: "Dockerfile",
        imageName,
        platform: "linux/amd64",
        registryServer: "",
        repoDigest: built.Id,
        __inputs: secret(inputs),
      });
      assert.equal(built.Config.Labels?.a, "label");
      const steps = plugin.log.filter(({ urn, ephemeral }) => urn === URN && ephemeral).map(({ message }) => message);
      assert.deepEqual(
        steps.filter((step) => step.startsWith("Step ")),
        ["Step 1/4 : FROM scratch", "Step 2/4 : ARG A", "Step 3/4 : LABEL a=$A", "Step 4/4 : COPY . /"],
      );
    });

    it("takes a Dockerfile from outside the context", async () => {
      await writeFile(join(directory, "Outside"), "FROM scratch\nCOPY sub /sub\n");
      const name = `${imageName}-outside`;
      const build = { ...base.build, dockerfile: "Outside" };
      const { inputs } = await plugin.check(URN, { ...base, imageName: name, build });
      const { properties } = await plugin.create(URN, inputs);
      assert.equal(properties.dockerfile, "../Outside");
      assert.ok((await filesIn(name)).includes("sub/a.txt"));
    });

    it("leaves out what .dockerignore names, with exceptions", async () => {
      const context = join(directory, "ignored");
      await mkdir(join(context, "secret"), { recursive: true });
      for (const file of ["keep.txt", "drop.txt", "secret/drop.txt", "secret/keep.txt"])
        await writeFile(join(context, file), file);
      await writeFile(join(context, ".dockerignore"), "# comment\ndrop.txt\nsecret\n!secret/keep.txt\nDockerfile\n");
      await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY . /\n");
      const name = `${imageName}-ignored`;
      const build = { ...base.build, context: "ignored", dockerfile: "ignored/Dockerfile" };
      const { inputs } = await plugin.check(URN, { ...base, imageName: name, build });
      await plugin.create(URN, inputs);
      const files = (await filesIn(name)).filter((file) => file.endsWith(".txt"));
      assert.deepEqual(files.sort(), ["keep.txt", "secret/keep.txt"]);
    });

    it("fails with the engine's message and the failing step", async () => {
      await writeFile(join(directory, "Broken"), "FROM scratch\nCOPY missing.txt /\n");
      const { inputs } = await plugin.check(URN, { ...base, build: { ...base.build, dockerfile: "Broken" } });
      await assert.rejects(plugin.create(URN, inputs), {
        details: /^error reading build output: .*missing\.txt.*\nat Step 2\/2 : COPY missing.txt \/$/s,
      });
      await writeFile(join(directory, "Broken"), "FORM scratch\n");
      await assert.rejects(plugin.create(URN, inputs), {
        details: /^error building image: .*unknown instruction: FORM/is,
      });
    });

    it("builds nothing in a preview, unless asked to", async () => {
      const name = `${imageName}-preview`;
      const { inputs } = await plugin.check(URN, { ...base, imageName: name });
      const { properties } = await plugin.create(URN, inputs, true);
      assert.deepEqual(properties, inputs);
      await assert.rejects(docker.getImage(name).inspect(), { statusCode: 404 });
      await plugin.create(URN, { ...inputs, buildOnPreview: true }, true);
      await docker.getImage(name).remove();
      const unknown = await plugin.create(URN, { ...inputs, buildOnPreview: true, imageName: UNKNOWN }, true);
      assert.equal(unknown.properties.repoDigest, undefined);
    });

    it("survives an address that isn't one", async () => {
      const lost = await PluginProcess.start("docker", { cwd: directory, config: { host: "not an address" } });
      try {
        const { inputs } = await lost.check(URN, base);
        await assert.rejects(lost.create(URN, inputs), { details: /not an address/ });
      } finally {
        await lost.stop();
      }
    });

    it("says which daemon doesn't answer", async () => {
      const lost = await PluginProcess.start("docker", {
        cwd: directory,
        env: { DOCKER_HOST: `unix://${directory}/no.sock` },
      });
      try {
        const { inputs } = await lost.check(URN, base);
        await assert.rejects(lost.create(URN, inputs), { details: /no\.sock/ });
      } finally {
        await lost.stop();
      }
    });
  });

  describe("diff", () => {
    const inputs: Bag = {
      imageName,
      build: { context: ".", contextDigest: "1" },
      registry: { server: "r", password: "a" },
    };
    const state: Bag = { imageName, repoDigest: "x", __inputs: secret(inputs) };
    const cases: [string, Bag, Record<string, string>][] = [
      ["nothing for the same inputs", inputs, {}],
      [
        "an update for another context",
        { ...inputs, build: { context: ".", contextDigest: "2" } },
        { build: "UPDATE" },
      ],
      ["an update for another name", { ...inputs, imageName: "other:1" }, { imageName: "UPDATE" }],
      ["nothing for another password", { ...inputs, registry: { server: "r", password: "b" } }, {}],
      [
        "an update for another registry",
        { ...inputs, registry: { server: "s", password: "a" } },
        { registry: "UPDATE" },
      ],
      ["an update for an unknown", { ...inputs, build: { context: UNKNOWN } }, { build: "UPDATE" }],
    ];
    for (const [name, news, detailed] of cases) {
      it(`shows ${name}, and never replaces`, async () => {
        const diff = await plugin.diff(URN, imageName, state, news);
        assert.deepEqual(diff, { changes: Object.keys(detailed).length > 0 ? "some" : "none", replaces: [], detailed });
      });
    }
  });

  it("reads state as it is, and leaves the image on delete", async () => {
    const { inputs } = await plugin.check(URN, base);
    const { properties } = await plugin.create(URN, inputs);
    assert.deepEqual(await plugin.read(URN, imageName, properties, inputs), { id: imageName, properties, inputs });
    await plugin.delete(URN, imageName, properties);
    assert.equal((await docker.getImage(imageName).inspect()).Id, properties.repoDigest);
  });

  it("keeps a registry's password out of everything in clear when a push fails", async () => {
    const pushed = `127.0.0.1:9/nothing:${tag}`;
    const registry = secret({ server: "127.0.0.1:9", username: "u", password: "hunter2-password" });
    const { inputs } = await plugin.check(URN, { ...base, imageName: pushed, skipPush: false, registry });
    assert.deepEqual(inputs.registry, registry);
    await assert.rejects(plugin.create(URN, inputs), (error: { details: string }) => {
      assert.match(error.details, /^error reading push output: /);
      assert.doesNotMatch(error.details, /hunter2/);
      return true;
    });
    assert.doesNotMatch(JSON.stringify(plugin.log), /hunter2/);
    await docker.getImage(pushed).remove();
  });

  it("pushes with the program's credentials, and answers the manifest's digest", async () => {
    const registry = new MemoryRegistry({ username: "u", password: "hunter2-password" });
    await registry.start();
    const repository = `${registry.address}/stand-in/test`;
    try {
      const credentials = { server: registry.address, username: "u", password: "hunter2-password" };
      const image = { ...base, imageName: `${repository}:${tag}`, skipPush: false, registry: secret(credentials) };
      const { inputs } = await plugin.check(URN, image);
      const { properties } = await plugin.create(URN, inputs);
      assert.deepEqual([...registry.manifests.keys()], [`stand-in/test:${tag}`]);
      const digest = registry.manifests.get(`stand-in/test:${tag}`);
      assert.equal(properties.repoDigest, `${repository}@${digest}`);
      assert.equal(properties.registryServer, registry.address);
      const clear = JSON.stringify({ ...properties, __inputs: undefined }) + JSON.stringify(plugin.log);
      assert.doesNotMatch(clear, /hunter2/);
    } finally {
      await registry.stop();
      await docker.getImage(`${repository}:${tag}`).remove();
    }
  });

  it("digests names, modes, contents and link targets of the context, and nothing else", async () => {
    const context = { directory: join(directory, "digest"), dockerfile: join(directory, "digest/Dockerfile") };
    await mkdir(context.directory);
    await writeFile(context.dockerfile, "FROM scratch\n");
    await writeFile(join(context.directory, "a"), "1");
    const seen = [contextDigest(context)];
    assert.equal(contextDigest(context), seen[0]);
    const steps = [
      () => writeFile(join(context.directory, "a"), "2"),
      () => chmod(join(context.directory, "a"), 0o700),
      () => rename(join(context.directory, "a"), join(context.directory, "b")),
      () => symlink("b", join(context.directory, "c")),
      () => writeFile(context.dockerfile, "FROM scratch \n"),
    ];
    for (const step of steps) {
      await step();
      const digest = contextDigest(context);
      assert.ok(!seen.includes(digest), step.toString());
      seen.push(digest);
    }
    await writeFile(join(context.directory, ".dockerignore"), ".dockerignore\nignored\n");
    await writeFile(join(context.directory, "ignored"), "x");
    assert.equal(contextDigest(context), seen.at(-1));
  });

  it("reads image names", () => {
    assert.deepEqual(parseReference("localhost:5000/a/b:c"), {
      domain: "localhost:5000",
      repository: "localhost:5000/a/b",
    });
    assert.deepEqual(parseReference("library/a"), { domain: undefined, repository: "library/a" });
    assert.equal(registryAddress(undefined, "docker.io/a/b"), "https://index.docker.io/v1/");
    assert.equal(registryAddress("https://r.example/v2", "x"), "r.example");
    assert.throws(() => registryAddress(undefined, "a:b"), /must be canonical/);
  });
});

/** The names of the files in an uncompressed tar. */
function namesInTar(tar: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const field = (from: number, length: number) =>
      tar.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    names.push(field(0, 100));
    at += 512 + Math.ceil(Number.parseInt(field(124, 12), 8) / 512) * 512;
  }
  return names;
}
