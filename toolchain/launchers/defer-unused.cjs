/**
 * Preloaded (node --require) into the processes that load Pulumi's SDK. The SDK loads the TypeScript compiler and npm's
 * dependency solver at start, 110 ms of 220 ms, for work that most processes never do: parsing a function that is
 * serialized, and packing node_modules for a cloud function. Here both are loaded when first used.
 *
 * It also has every stack trace mapped to its TypeScript source, and takes one for each promise: 200 ms of an update with nothing
 * to do. Node runs this project's .ts files as they are, with lines and columns kept, so there is nothing to map.
 */
const Module = require("node:module");
const path = require("node:path");

const deferred = new Set(["typescript", "@npmcli/arborist"]);
const unneeded = "source-map-support/register";
const sdk = `${path.sep}${path.join("@pulumi", "pulumi")}${path.sep}`;
const load = Module._load;

Module._load = function (request, parent, isMain) {
  const isForSdk = (request === unneeded || deferred.has(request)) && parent?.filename?.includes(sdk);
  if (!isForSdk) return load.call(this, request, parent, isMain);
  if (request === unneeded) return {};
  let loaded;
  const real = () => {
    loaded ??= load.call(this, request, parent, isMain);
    return loaded;
  };
  return new Proxy(Object.create(null), {
    // Asked by the SDK's import glue at load time; a true answer keeps it from copying (and so loading) every export.
    get: (_, name) => (name === "__esModule" ? true : real()[name]),
    has: (_, name) => name in real(),
  });
};
