import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request as httpRequest, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { AxeResults } from "axe-core";
import type { BrowserContext } from "playwright-core";
import { createAdminServer } from "../../../local/admin/server.ts";
import type { consoleData } from "../../../local/console/data.ts";
import { startBrowser } from "../../audit/browser.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SERVICE = "projects/p/locations/l/services/opa";
const HOSTILE = `<img src=x onerror="document.title='pwned'">`;

/** What the server would say of two revisions that share the traffic, one of which answers ten requests between two questions. */
function data(asked: number): ReturnType<typeof consoleData> {
  const revision = (name: string, requests: number) => ({
    name: `${SERVICE}/revisions/${name}`,
    role: "serving" as const,
    container: "ready" as const,
    containerId: "c",
    inFlight: 0,
    requests,
    responses: { "2xx": requests, "3xx": 0, "4xx": 0, "5xx": 2 },
  });
  const target = (name: string, percent: number, tag?: string) => ({
    type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const,
    revision: name,
    percent,
    tag,
  });
  const made = {
    at: "2026-01-15T11:20:15.000Z",
    services: [
      {
        name: SERVICE,
        uri: "http://opa.l.localhost:8480",
        reconciling: false,
        terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED" },
        traffic: [target("opa-a", 90), target("opa-b", 10, "vb")],
        revisions: [revision("opa-a", asked * 10), revision("opa-b", 0)],
      },
    ],
    operations: [
      {
        name: "operations/2",
        kind: "write",
        service: SERVICE,
        generation: 2,
        revision: "",
        traffic: "opa-a 90 %, opa-b 10 %",
        createTime: "2026-01-15T11:20:14.000Z",
        state: "failed",
        error: HOSTILE,
      },
    ],
  };
  return made as ReturnType<typeof consoleData>;
}

describe("the console of the local Cloud Run", function () {
  this.timeout(60_000);
  let server: Server;
  let address: string;
  let browser: BrowserContext & AsyncDisposable;
  let asked = 0;

  before(async () => {
    const unused = {} as never;
    const console = () => data(++asked);
    server = createAdminServer({
      api: unused,
      knative: unused,
      requireToken: "secret",
      local: {},
      console,
      log: () => undefined,
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("shows services, revisions, the live split, requests a second and operations", async () => {
    const page = await browser.newPage();
    await page.goto(`${address}/console`);
    await page.getByText("opa-a 90 %", { exact: true }).waitFor();
    const row = page.locator("tbody tr", { hasText: "opa-a" }).first();
    // The first answer has nothing to compare with.
    await row.locator("td.number").first().filter({ hasNotText: /^0$/ }).waitFor();
    const rate = Number(await row.locator("td.number").first().innerText());
    assert.ok(rate > 2 && rate <= 10.5, `${rate} requests a second`);
    assert.match(await row.innerText(), /90 %\s+ready/);
    assert.match(await page.locator("tbody tr", { hasText: "opa-b" }).first().innerText(), /10 %\s+vb/);
    assert.match(await page.locator("#operations").innerText(), /write.*opa-a 90 %, opa-b 10 %.*failed/s);
    await page.close();
  });

  it("shows hostile texts as text, and can be paused", async () => {
    const page = await browser.newPage();
    await page.goto(`${address}/console`);
    await page.getByText(HOSTILE).waitFor();
    assert.equal(await page.title(), "Local Cloud Run");
    assert.equal(await page.locator("img").count(), 0);
    await page.getByRole("button", { name: "Pause" }).press("Enter");
    assert.equal(await page.getByRole("button", { name: "Go on" }).getAttribute("aria-pressed"), "true");
    await page.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has no accessibility problem in ${colorScheme}`, async () => {
      const page = await browser.newPage();
      await page.emulateMedia({ colorScheme });
      await page.goto(`${address}/console`);
      await page.getByText("opa-a 90 %", { exact: true }).waitFor();
      await page.evaluate(AXE);
      const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
        [],
      );
      await page.close();
    });
  }

  const ask = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(`${address}${path}`, { method, headers }, (reply) => {
        reply.resume();
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers });
      });
      sent.on("error", reject).end();
    });

  it("only reads", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) assert.equal((await ask(method, "/console")).status, 405);
    assert.equal((await ask("GET", "/console/other")).status, 404);
    assert.equal((await ask("GET", "/console/..%2f..%2fetc/passwd")).status, 404);
  });

  it("is refused to a web page that made its own name point here", async () => {
    for (const host of ["evil.example", "127.0.0.1.evil.example", "run.local.invalid"]) {
      assert.equal((await ask("GET", "/console/data", { host })).status, 403, host);
    }
    for (const host of ["localhost:1", "127.0.0.1", "[::1]:8470"])
      assert.equal((await ask("GET", "/console/data", { host })).status, 200, host);
  });

  it("forbids the page everything but its own server", async () => {
    const { headers } = await ask("GET", "/console");
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'; script-src 'self'/);
    assert.equal(headers["access-control-allow-origin"], undefined);
  });
});
