import { shortName } from "../cloudrun/names.ts";
import type { EventKind, FlowEvent } from "./event.ts";

/** What is posted to an incoming webhook: blocks, and a text for notifications. */
export interface SlackMessage {
  text: string;
  blocks: object[];
  unfurl_links: false;
  unfurl_media: false;
}

const TITLES: Record<EventKind, string> = {
  started: "Deployment started",
  "awaiting-approval": "Approval needed",
  deployed: "Deployed",
  "rolled-back": "Rolled back",
  failed: "Not deployed",
  drift: "Traffic was moved by hand",
  "break-glass": "Break glass",
};

/** Slack refuses a section of more than 3,000 characters; escaping makes text longer. */
const TEXT_LIMIT = 2_500;
const REASONS = 5;

/** The message for an event. Nothing in it can address a channel or pose as a link: what comes from outside is escaped. */
export function slackMessage(event: FlowEvent): SlackMessage {
  const title = TITLES[event.kind];
  const reasons = event.reasons.slice(0, REASONS).map((reason) => `• ${escapeMrkdwn(reason)}`);
  const more = event.reasons.length - reasons.length;
  const lines = [
    `*${title}: ${escapeMrkdwn(shortName(event.service))}*`,
    escapeMrkdwn(event.summary),
    ...reasons,
    ...(more > 0 ? [`• and ${more} more`] : []),
  ];
  const context = [`by ${escapeMrkdwn(event.by)} at ${escapeMrkdwn(event.at)}`, ...event.links.map(formatLink)].join(
    " · ",
  );
  return {
    text: limit(escapeMrkdwn(`${title}: ${event.summary}`)),
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: limit(lines.join("\n")), verbatim: true } },
      { type: "context", elements: [{ type: "mrkdwn", text: limit(context), verbatim: true }] },
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** Source: Slack's "Formatting text for app surfaces": these three characters, and no others, are control characters. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function formatLink({ title, url }: { title: string; url: string }): string {
  // A bar or a bracket would end the address.
  const safe = escapeMrkdwn(url).replaceAll("|", "%7C");
  return /^https?:\/\//.test(url) ? `<${safe}|${escapeMrkdwn(title)}>` : `${escapeMrkdwn(title)}: ${escapeMrkdwn(url)}`;
}

/** Never cuts an escape in two. */
function limit(text: string): string {
  return text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT).replace(/&[a-z]{0,3}$/, "")}…`;
}
