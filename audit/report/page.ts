import { renderToStaticMarkup } from "preact-render-to-string";
import { visible } from "../format/visible.ts";
import { describeDora } from "../stats/describe.ts";
import { describeKey } from "../verify/problem.ts";
import { type Content, html } from "./html.ts";
import type { ReportModel } from "./model.ts";
import { releaseSection } from "./release.ts";
import { servingNow, sharesSection } from "./shares.ts";
import { STYLE } from "./style.ts";
import { badge, CHAIN, code, outside, time } from "./words.ts";

/** Nothing is loaded from anywhere, and nothing runs: a page that a hostile text got into could do no harm either. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The whole report as one HTML document. */
export function renderReport(model: ReportModel): string {
  const { project, stack, source, madeAt, figures, events, releases, omitted } = model;
  const title = visible(`Policy deployments of ${project}/${stack}`);
  const serving = servingNow(model.shares);
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content=${POLICY} />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="referrer" content="no-referrer" />
      <title>${title}</title>
      <style dangerouslySetInnerHTML=${{ __html: STYLE }}></style>
    </head>
    <body>
      <a class="skip" href="#releases">Skip to the releases</a>
      <header>
        <h1>${title}</h1>
        <p class="muted">${time(figures.from)} to ${time(figures.to)}, from Pulumi's history in ${code(source)}. Made ${time(madeAt)}. All times are UTC.</p>
      </header>
      <main>
        ${chain(model)}
        <h2>In figures</h2>
        <dl class="figures">
          ${serving === "" ? "" : html`<div><dt>Serving at the end</dt><dd><span class="value">${serving}</span></dd></div>`}
          ${describeDora(figures).map(({ name, value, how }) => html`<div><dt>${name}</dt><dd><span class="value">${value}</span></dd><dd class="muted">${how}</dd></div>`)}
        </dl>
        <h2 id="traffic">Traffic</h2>
        ${sharesSection(model)}
        <h2 id="releases">Releases</h2>
        ${releases.length === 0 ? html`<p class="muted">No attempt to deploy in this selection.</p>` : releases.map(releaseSection)}
        ${omitted.releases > 0 ? html`<p class="muted">${omitted.releases} earlier attempts are left out; choose others with --release, --since or --until.</p>` : ""}
        <h2 id="events">Events</h2>
        ${eventsTable(events, omitted.events)}
      </main>
      <footer>Verify with ${code("npm run audit -- --verify")}. One release's evidence: ${code("npm run evidence -- HASH")}.</footer>
    </body>
  </html>`;
  return `<!doctype html>\n${renderToStaticMarkup(page)}\n`;
}

function chain({ verification }: ReportModel): Content {
  const { verdict, problems, undecided, notes, entries, uncovered, head, after, confirmedBy } = verification;
  const { text, tone } = CHAIN[verdict];
  return html`<section class=${`chain ${tone}`} aria-label="Chain of records">
    <strong>${`Chain ${text}`}</strong>: ${entries} entries${
      uncovered > 0 ? `, the newest ${uncovered === 1 ? "one" : uncovered} not covered by a later record yet` : ""
    }.
    ${entries === 0 ? "" : html`<br />Head ${code(head)} at ${code(describeKey(after))}.`}
    ${confirmedBy.length === 0 ? "" : html`<br />Confirmed by ${outside(confirmedBy.join(", "))}.`}
    ${
      problems.length + undecided.length + notes.length === 0
        ? ""
        : html`<ul>
            ${problems.slice(0, 20).map(({ kind, message }) => html`<li><strong>${kind}</strong>: ${outside(message)}</li>`)}
            ${undecided.map((what) => html`<li><strong>undecided</strong>: ${outside(what)}</li>`)}
            ${notes.map((note) => html`<li>${outside(note)}</li>`)}
          </ul>`
    }
  </section>`;
}

function eventsTable(events: ReportModel["events"], omitted: number): Content {
  if (events.length === 0) return html`<p class="muted">None in this selection.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Events"><table>
    <caption>Newest first.${omitted > 0 ? ` ${omitted} earlier events are left out.` : ""}</caption>
    <thead><tr><th scope="col">Time (UTC)</th><th scope="col">Event</th><th scope="col">Version</th><th scope="col">Author</th><th scope="col">By</th><th scope="col">What</th></tr></thead>
    <tbody>${events.toReversed().map(
      (event) => html`<tr>
        <td>${time(event.time)}</td><td>${badge(event.event)}</td><td>${code(event.release)}</td>
        <td class="name">${outside(nameOnly(event.author))}</td><td class="name">${outside(event.operator)}</td><td class="wide">${outside(event.reason)}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

/** Addresses are long, and with the release. */
function nameOnly(author: string): string {
  return author.replace(/ <[^<>]*>$/, "");
}
