import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { configSchema } from "../components/config.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PAGES = readdirSync(path.join(ROOT, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: object };

describe("the docs", () => {
  for (const page of PAGES) {
    const text = readFileSync(path.join(ROOT, page), "utf8");

    it(`${page} names only commands that there are`, () => {
      const named = [...text.matchAll(/npm run ([a-z:-]+[a-z])/g)].map(([, script]) => script as string);
      assert.deepEqual(
        named.filter((script) => !(script in scripts)),
        [],
      );
    });

    it(`${page} names only files that there are`, () => {
      const named = [
        ...text.matchAll(/(?<![\w/~.$-])((?:components|scripts|tests|docs|local|audit|toolchain)\/[\w./-]*\w)/g),
      ];
      // Words in capitals stand for something.
      const files = named.map(([, file]) => file as string).filter((file) => !/\/[A-Z]{2,}/.test(file));
      const missing = files.filter((file) => !existsSync(path.join(ROOT, file)));
      assert.deepEqual(missing, []);
    });

    it(`${page} sets only configuration keys that there are`, () => {
      const set = [...text.matchAll(/(?:pulumi config (?:set|rm)(?: --secret)?|-c) ([a-zA-Z]+)/g)];
      const keys = set.map(([, key]) => key as string).filter((key) => !(key in configSchema.shape));
      assert.deepEqual(keys, []);
    });
  }
});
