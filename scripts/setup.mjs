#!/usr/bin/env node
/**
 * Brings everything this project needs that a fresh machine lacks: npm packages, Node 24, the Pulumi engine, OPA, a Docker engine,
 * the base image of the policy images, provider plugins. Run by `npm start` and `npm test`; a second run finds all in place.
 *
 *     node scripts/setup.mjs [--again]      --again: tries the official provider plugins again where stand-ins are in place
 *
 * Plain JavaScript without packages, because it runs before there are any, and on Node 20.
 */
const [major] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(`Set-up needs Node 20 or newer to start with (it brings Node 24 itself); this is ${process.version}.`);
  process.exit(1);
}
const { setUp } = await import("./setup/run.mjs");
process.exit(await setUp({ again: process.argv.includes("--again") }));
