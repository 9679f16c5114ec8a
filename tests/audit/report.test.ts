import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { gatherReport } from "../../audit/report/gather.ts";
import { renderReport } from "../../audit/report/page.ts";
import { repositoryAddress } from "../../components/commit/repository-address.ts";
import { startBrowser } from "./browser.ts";
import { MadeHistory, PROJECT, revisionOf } from "./history.ts";

const HOSTILE = `</summary></details><script>document.title = "pwned"</script><img src="https://example.com/x" onerror="document.title='pwned'"><style>*{display:none}</style>`;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

describe("the report", function () {
  this.timeout(60_000);
  let history: MadeHistory;
  let browser: BrowserContext & AsyncDisposable;
  let file: string;
  let markup: string;

  before(async () => {
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
    history.update({ release: "a3f9d2c", outcome: "deployed", subject: "Suspended personas may not book" });
    history.update({ release: "b71c0de", outcome: "preflight-failed" });
    history.update({
      release: "c0ffee1",
      outcome: "deployed",
      subject: HOSTILE,
      author: `${HOSTILE}\u202e\u001b[31m`,
      operator: HOSTILE,
    });
    history.update({
      release: "d15ea5e",
      outcome: "rolled-back",
      overrideQuarantine: "d15ea5e",
      overrideReason: HOSTILE,
    });
    history.refresh({ split: { [revisionOf("a3f9d2c")]: 30, [revisionOf("c0ffee1")]: 70 }, by: HOSTILE });
    history.update({ release: "e5ca1ad", outcome: "deployed", skipTests: true });
    const opened = history.open();
    markup = renderReport(await gatherReport(opened, {}, (commit) => `https://example.com/commit/${commit}`));
    file = path.join(history.root, "report.html");
    writeFileSync(file, markup);
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    rmSync(history.root, { recursive: true });
  });

  const open = async (media: Parameters<Page["emulateMedia"]>[0] = {}): Promise<Page & { requested: string[] }> => {
    const page = await browser.newPage();
    const requested: string[] = [];
    page.on("request", (request) => requested.push(request.url()));
    await page.emulateMedia(media);
    await page.goto(pathToFileURL(file).href);
    return Object.assign(page, { requested });
  };

  it("loads nothing, runs nothing, and shows hostile texts as text", async () => {
    const page = await open();
    assert.deepEqual(page.requested, [pathToFileURL(file).href]);
    assert.equal(await page.title(), `Policy deployments of ${PROJECT}/test`);
    assert.equal(await page.locator("script, img, iframe, object, link").count(), 0);
    assert.equal(await page.locator("details.release").count(), 5);
    const shown = await page.locator("details.release summary .what").allInnerTexts();
    assert.ok(shown.includes(HOSTILE), shown.join("\n"));
    assert.doesNotMatch(markup, /\p{Cf}/u);
    assert.ok(!markup.includes("\u001b"));
    assert.match(await page.locator("body").innerText(), /\\u\{202e\}/);
    await page.close();
  });

  it("is read with the keyboard alone", async () => {
    const page = await open();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the releases");
    const first = page.locator("details.release").first();
    assert.equal(await first.getAttribute("open"), null);
    for (let tabs = 0; tabs < 30 && (await page.evaluate("document.activeElement.tagName")) !== "SUMMARY"; tabs++) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    assert.equal(await first.getAttribute("open"), "");
    await page.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has no accessibility problem, AA contrast included, in ${colorScheme}`, async () => {
      const page = await open({ colorScheme });
      await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
      assert.deepEqual(await axe(page), []);
      await page.close();
    });
  }

  it("prints what is folded in, on white", async () => {
    const page = await open({ media: "print", colorScheme: "dark" });
    const body = page.locator("details.release .body").first();
    assert.equal(await page.locator("details.release[open]").count(), 0);
    assert.ok(((await body.boundingBox())?.height ?? 0) > 100);
    assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    assert.deepEqual(await axe(page), []);
    await page.close();
  });

  it("needs no scrolling sideways on a telephone", async () => {
    const page = await open();
    await page.setViewportSize({ width: 360, height: 700 });
    await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    await page.close();
  });

  it("shows the shares, the scenario matrix before and after, and the rollback's times", async () => {
    const page = await open();
    await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
    const text = await page.locator("main").innerText();
    for (const part of [
      "c0ffee1 70 %",
      "a3f9d2c 30 %",
      "travel/suspended",
      "100 ms after the verdict",
      "80 ms after the verdict",
      "Change failure rate",
      "Chain verified",
    ]) {
      assert.ok(text.includes(part), part);
    }
    assert.equal(await page.locator(`a[href="https://example.com/commit/${"a3f9d2c".padEnd(40, "0")}"]`).count(), 1);
    await page.close();
  });

  it("links only to web addresses", () => {
    const table: [string, string | undefined][] = [
      ["https://github.com/o/r.git", "https://github.com/o/r"],
      ["git@github.com:o/r.git", "https://github.com/o/r"],
      ["ssh://git@github.com/o/r", "https://github.com/o/r"],
      ["https://user:secret@github.com/o/r", "https://github.com/o/r"],
      ["javascript:alert(1)", undefined],
      ["/srv/git/r.git", undefined],
      ["file:///srv/r", undefined],
      ["", undefined],
    ];
    for (const [remote, address] of table) assert.equal(repositoryAddress(remote), address, remote);
  });
});

/** What axe finds of WCAG 2.1 A and AA, in words. */
async function axe(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(AXE, "utf8"));
  const { violations, passes } = (await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })",
  )) as AxeResults;
  assert.ok(passes.some(({ id }) => id === "color-contrast"));
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
