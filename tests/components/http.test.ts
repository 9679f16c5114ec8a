import assert from "node:assert/strict";
import { httpAgent, isLoopbackName, loopbackLookup } from "../../components/http.ts";

describe("httpAgent", () => {
  it("is one for the whole process", () => assert.equal(httpAgent(), httpAgent()));
});

describe("loopback names", () => {
  for (const [name, expected] of [
    ["localhost", true],
    ["v1---opa.localhost", true],
    ["OPA.LOCALHOST.", true],
    ["notlocalhost", false],
    ["localhost.example.com", false],
  ] as const) {
    it(`${name}: ${expected}`, () => assert.equal(isLoopbackName(name), expected));
  }

  it("resolve to 127.0.0.1 in both forms of an answer", async () => {
    const resolve = (all: boolean) =>
      new Promise((done) => loopbackLookup("a.localhost", { all }, (...answer) => done(answer)));
    assert.deepEqual(await resolve(true), [null, [{ address: "127.0.0.1", family: 4 }]]);
    assert.deepEqual(await resolve(false), [null, "127.0.0.1", 4]);
  });
});
