/**
 * A language host for Node: the gRPC server (pulumirpc.LanguageRuntime) that a Pulumi engine asks to run a program. It does
 * what the official host does for a program whose packages are installed, and answers UNIMPLEMENTED to everything else
 * (code generation, linking packages, plugins and policy packs in Node).
 *
 *     language-host.cjs [flags] ENGINE_ADDRESS
 *
 * The first line on stdout is the port. CommonJS, because that starts a few milliseconds faster and this is in front of every update.
 */
const { spawn } = require("node:child_process");
const { createRequire } = require("node:module");
const path = require("node:path");
const { once } = require("node:events");

const sdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
const grpc = sdk("@grpc/grpc-js");
const language = sdk("./proto/language_pb.js");
const plugin = sdk("./proto/plugin_pb.js");
const { LanguageRuntimeService } = sdk("./proto/language_grpc_pb.js");
const { version } = sdk("./package.json");

/** The SDK's runner ends with this code when it has told the user already what went wrong. */
const alreadyReported = 32;

const methods = {
  getPluginInfo: async () => new plugin.PluginInfo().setVersion(version),
  // None: set-up has installed them, and the engine finds others when a resource asks.
  getRequiredPackages: async () => new language.GetRequiredPackagesResponse(),
  getRequiredPlugins: async () => new language.GetRequiredPluginsResponse(),
  run,
};

async function run(request) {
  const response = new language.RunResponse();
  const { code, signal } = await runProgram(request);
  if (code === alreadyReported) response.setBail(true);
  else if (signal) response.setError(`program killed by signal ${signal}`);
  else if (code !== 0) response.setError(`program exited with non-zero exit code: ${code}`);
  return response;
}

async function runProgram(request) {
  const info = request.getInfo();
  const directory = info.getProgramDirectory();
  const options = info.getOptions()?.toJavaScript() ?? {};
  const child = spawn(
    process.execPath,
    [
      "--require",
      path.join(__dirname, "defer-unused.cjs"),
      "--import",
      path.join(__dirname, "end-with-engine.mjs"),
      ...(options.nodeargs ?? "").split(" ").filter((argument) => argument !== ""),
      runner(directory),
      ...runnerArguments(request, info),
    ],
    {
      cwd: directory,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        PULUMI_NODEJS_TYPESCRIPT: String(options.typescript ?? true),
      },
    },
  );
  const [code, signal] = await once(child, "exit");
  return { code, signal };
}

/** The SDK's runner that belongs to the program, or else the one of this project. */
function runner(directory) {
  try {
    return createRequire(path.join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  } catch {
    return require.resolve("@pulumi/pulumi/cmd/run");
  }
}

function runnerArguments(request, info) {
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
    "root-directory": info.getRootDirectory(),
  };
  const set = Object.entries(flags).filter(([, value]) => value !== "");
  return [
    ...set.flatMap(([name, value]) => [`--${name}`, value]),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info.getEntryPoint(),
    ...request.getArgsList(),
  ];
}

function unary(method) {
  return (call, callback) => {
    method(call.request).then(
      (response) => callback(null, response),
      (error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
    );
  };
}

function unimplemented({ path: name, responseStream }) {
  const error = { code: grpc.status.UNIMPLEMENTED, details: `${name} is not part of this language host` };
  return responseStream ? (call) => call.emit("error", error) : (_, callback) => callback(error);
}

const engineAddress = process.argv.at(-1);
const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(
  LanguageRuntimeService,
  Object.fromEntries(
    Object.entries(LanguageRuntimeService).map(([name, definition]) => [
      name,
      Object.hasOwn(methods, name) ? unary(methods[name]) : unimplemented(definition),
    ]),
  ),
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    console.error(`language host: no port on 127.0.0.1 to listen on: ${error.message}`);
    process.exit(1);
  }
  console.log(String(port));
});
