import { mainRevision, type Split } from "../../components/cloudrun/traffic.ts";
import { formatTime } from "../format/text.ts";
import { visible } from "../format/visible.ts";
import { describeSpan } from "../stats/describe.ts";
import { type Content, html } from "./html.ts";
import type { ReportModel } from "./model.ts";
import type { ShareChange } from "./timeline.ts";
import { badge, outside, time } from "./words.ts";

const TONES = 6;
const [WIDTH, HEIGHT, TOP, BOTTOM] = [1000, 96, 8, 20];

/** Which releases had which share of the traffic, when: for each service an overview in proportion to time, and each change with its cause. */
export function sharesSection({ shares, omitted, madeAt, figures }: ReportModel): Content {
  if (shares.length === 0) return html`<p class="muted">No release has had traffic in this period.</p>`;
  const until = Math.min(madeAt, figures.to);
  const services = [...new Set(shares.map(({ service }) => service))];
  const tones = assignTones(shares);
  return html`${services.map((service) => {
    const own = shares.filter((change) => change.service === service);
    return html`${services.length > 1 ? html`<h3>${outside(service)}</h3>` : ""} ${serviceShares(own, until, tones)}`;
  })}
  ${omitted.shares > 0 ? html`<p class="muted">${omitted.shares} earlier changes are left out.</p>` : ""}`;
}

function serviceShares(shares: ShareChange[], until: number, tones: Map<string, string>): Content {
  const rows = shares.map((change, index) => ({ change, end: shares[index + 1]?.time ?? until })).reverse();
  const label = `Traffic of ${visible(shares[0]?.service ?? "")} over time`;
  return html`
    ${overview(shares, until, tones)}
    <div class="scroll" tabindex="0" role="region" aria-label=${label}>
      <table>
        <caption>Newest first. A bar shows the shares of the traffic from that moment on.</caption>
        <thead><tr><th scope="col">From (UTC)</th><th scope="col">For</th><th scope="col">Shares</th><th scope="col">Cause</th></tr></thead>
        <tbody>${rows.map(({ change, end }) => row(change, end, tones))}</tbody>
      </table>
    </div>`;
}

function row(change: ShareChange, end: number, tones: Map<string, string>): Content {
  return html`<tr>
    <td>${time(change.time)}</td>
    <td>${describeSpan(Math.max(0, end - change.time))}</td>
    <td>${bar(change.split, tones)}</td>
    <td class="wide">${badge(change.kind)} ${outside(change.cause)}</td>
  </tr>`;
}

function bar(split: Split, tones: Map<string, string>): Content {
  const parts = Object.entries(split).sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  return html`<div class="bar">${parts.map(
    ([revision, percent]) =>
      html`<span class=${tones.get(revision)} style=${{ flex: `${percent} 1 0%` }} title=${`${visible(revision)}: ${percent} %`}>${shortened(revision)} ${percent} %</span>`,
  )}</div>`;
}

/** Drawn to scale, so that a release that served for a month is wider than one that served for a minute. */
function overview(shares: ShareChange[], until: number, tones: Map<string, string>): Content {
  const from = shares[0]?.time ?? until;
  const x = (ms: number) => (until <= from ? 0 : ((ms - from) / (until - from)) * WIDTH);
  const parts = shares.flatMap(({ time: start, split }, index) => {
    const left = x(start);
    const width = Math.max(0.6, x(shares[index + 1]?.time ?? until) - left);
    let top = TOP;
    return Object.entries(split)
      .sort()
      .map(([revision, percent]) => {
        const height = ((HEIGHT - TOP - BOTTOM) * percent) / 100;
        const y = top;
        top += height;
        return html`<rect class=${tones.get(revision)} x=${left} y=${y} width=${width} height=${height}><title>${visible(revision)} ${percent} % from ${formatTime(start)}</title></rect>`;
      });
  });
  const label = `Shares of the traffic from ${formatTime(from)} to ${formatTime(until)}; the table below says the same.`;
  return html`<svg class="overview" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
    ${parts}
    <text x="4" y=${HEIGHT - 6}>${formatTime(from).slice(0, 16).replace("T", " ")}</text>
    <text x=${WIDTH - 4} y=${HEIGHT - 6} text-anchor="end">${formatTime(until).slice(0, 16).replace("T", " ")}</text>
  </svg>`;
}

/** Neighbours in time differ; the revision that denies everything is always grey. */
function assignTones(shares: ShareChange[]): Map<string, string> {
  const tones = new Map<string, string>();
  let next = 0;
  for (const { split } of shares) {
    for (const revision of Object.keys(split)) {
      if (tones.has(revision)) continue;
      tones.set(revision, revision.endsWith("-bootstrap") ? "tone-none" : `tone${next++ % TONES}`);
    }
  }
  return tones;
}

/** What a revision's name has after the service's: the release, or `bootstrap`. */
function shortened(revision: string): string {
  return visible(revision.slice(revision.lastIndexOf("-") + 1));
}

/** The release that serves most of the traffic now. */
export function servingNow(shares: ShareChange[]): string {
  const last = shares.at(-1);
  return last === undefined ? "" : shortened(mainRevision(last.split) ?? "");
}
