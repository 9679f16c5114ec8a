import { formatTime } from "../format/text.ts";
import { visible } from "../format/visible.ts";
import type { Verdict } from "../verify/run.ts";
import { type Content, html } from "./html.ts";

/** Text from outside, with what would act or mislead made visible, and set apart so that right-to-left text can't reorder what is around it. */
export function outside(text: string): Content {
  return html`<bdi>${visible(text)}</bdi>`;
}

/** Like `outside`, for names of things: in a fixed-width font, breakable anywhere. */
export function code(text: string): Content {
  return text === "" ? "" : html`<code>${visible(text)}</code>`;
}

/** A moment, for people and for programs. */
export function time(ms: number): Content {
  const iso = formatTime(ms);
  return html`<time datetime=${iso}>${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
}

const TONES: Record<string, string> = {
  DEPLOY_SUCCESS: "good",
  PROMOTE: "good",
  PASSED: "good",
  deployed: "good",
  DEPLOY_FAILED: "bad",
  ROLLBACK: "bad",
  FAILED: "bad",
  UNREADABLE: "bad",
  restored: "bad",
  MANUAL_ROLLBACK: "hand",
  MANUAL_CHANGE: "hand",
  "by-hand": "hand",
  OVERTAKEN: "hand",
  INTERRUPTED: "warn",
  SKIPPED_TESTS: "warn",
  SKIPPED: "warn",
  INCONCLUSIVE: "warn",
  AWAITING_APPROVAL: "warn",
};

/** What the chain is said to be. */
export const CHAIN: Record<Verdict, { text: string; tone: string }> = {
  VERIFIED: { text: "verified", tone: "good" },
  UNDECIDED: { text: "UNDECIDED", tone: "warn" },
  "NOT VERIFIED": { text: "NOT verified", tone: "bad" },
};

/** A word that says how something went, in a colour that says it too; never in the colour alone. */
export function badge(word: string): Content {
  return html`<span class=${`badge ${TONES[word] ?? "plain"}`}>${word.replaceAll("_", " ").toLowerCase()}</span>`;
}
