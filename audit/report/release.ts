import { describeSplit } from "../../components/cloudrun/traffic.ts";
import { describeSpan } from "../stats/describe.ts";
import { type Content, html } from "./html.ts";
import type { Release, ReleaseGate, ScenarioRow } from "./model.ts";
import { badge, code, outside, time } from "./words.ts";

/** One attempt to deploy a release: what is known of it folds out. */
export function releaseSection(release: Release): Content {
  const { hash, ending, subject } = release;
  return html`<details class="release" id=${`r-${ending.attempt}`}>
    <summary>
      <span class="summary-main">
        ${code(hash === "" ? "unknown" : hash)} ${badge(ending.event)} <span class="what">${outside(subject)}</span>
      </span>
      <span class="muted">${time(ending.time)}</span>
    </summary>
    <div class="body">
      ${facts(release)} ${rollback(release)} ${gates(release.gates)} ${canary(release.gates)} ${matrix(release.matrix)} ${diff(release)}
      ${approval(release)}
    </div>
  </details>`;
}

function facts(release: Release): Content {
  const { commit, link, author, committedAt, operator, run, policyDigest, image, signedBy, remarks, entry, ending } =
    release;
  const commitText = link === undefined ? code(commit) : html`<a href=${link}>${code(commit)}</a>`;
  const rows: [string, Content][] = [
    ["What happened", ending.reason === "" ? "" : outside(ending.reason)],
    ["Commit", commit === "" ? "" : commitText],
    ["Author", author === "" ? "" : outside(author)],
    ["Committed", Number.isNaN(Date.parse(committedAt)) ? "" : time(Date.parse(committedAt))],
    ["Run by", operator === "" ? "" : outside(operator)],
    ["CI run", run === undefined ? "" : html`<a href=${run}>${outside(run)}</a>`],
    ["Signed by", signedBy === "" ? "" : outside(signedBy)],
    ["Revision", code(ending.revision)],
    ["Image", code(image)],
    ["Policy digest", code(policyDigest)],
    ["History entry", code(entry.key)],
    ["Digest of the entry", code(entry.digest)],
  ];
  return html`
    <dl class="facts">${rows.filter(([, value]) => value !== "").map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    ${remarks.length === 0 ? "" : html`<ul>${remarks.map((remark) => html`<li>${outside(remark)}</li>`)}</ul>`}`;
}

function rollback({ restoration }: Release): Content {
  if (restoration === undefined) return "";
  const { split, decidedAt, acceptedAt, lastAnswerAt, observed } = restoration;
  const after = (later: string | undefined) => {
    const span = Date.parse(later ?? "") - Date.parse(decidedAt);
    return Number.isNaN(span) ? "not known" : describeSpan(Math.max(0, span));
  };
  return html`<h3>Rollback</h3>
    <dl class="facts">
      <dt>Back to</dt><dd>${outside(describeSplit(split))}</dd>
      <dt>Verdict</dt><dd>${Number.isNaN(Date.parse(decidedAt)) ? "" : time(Date.parse(decidedAt))}</dd>
      <dt>Restored split accepted</dt><dd>${after(acceptedAt)} after the verdict</dd>
      <dt>Last answer of the release</dt><dd>${lastAnswerAt === undefined ? "none was seen after the verdict" : `${after(lastAnswerAt)} after the verdict`}</dd>
      <dt>Seen at the main URL</dt><dd>${observed ? "yes" : "no"}</dd>
    </dl>`;
}

function gates(all: ReleaseGate[]): Content {
  if (all.length === 0) return "";
  return html`<h3>Gates</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Gates"><table>
      <thead><tr><th scope="col">Stage</th><th scope="col">Verdict</th><th scope="col">Summary</th><th scope="col" class="number">Took</th></tr></thead>
      <tbody>${all.map(
        ({ stage, verdict, summary, took }) => html`<tr>
          <th scope="row">${outside(stage)}</th><td>${badge(verdict)}</td><td class="wide">${outside(summary)}</td>
          <td class="number">${took === undefined ? "" : describeSpan(took)}</td>
        </tr>`,
      )}</tbody>
    </table></div>`;
}

function canary(all: ReleaseGate[]): Content {
  const rows = all.flatMap(({ stage, checks }) => checks.map((check) => ({ stage, ...check })));
  if (rows.length === 0) return "";
  return html`<h3>Canary against baseline</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Canary against baseline"><table>
      <thead><tr><th scope="col">Measure</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Canary</th><th scope="col" class="number">Limit</th><th scope="col">Verdict</th></tr></thead>
      <tbody>${rows.map(
        ({ name, baseline, canary: measured, limit, passed }) => html`<tr>
          <th scope="row">${outside(name)}</th><td class="number">${number(baseline)}</td><td class="number">${number(measured)}</td>
          <td class="number">${number(limit)}</td><td>${badge(passed ? "PASSED" : "FAILED")}</td>
        </tr>`,
      )}</tbody>
    </table></div>`;
}

function matrix(rows: ScenarioRow[]): Content {
  if (rows.length === 0) return "";
  const stages = [...new Set(rows.flatMap((row) => Object.keys(row.stages)))];
  return html`<h3>Scenarios, before and after</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Scenarios, before and after"><table>
      <caption>“Before” is what the release answered that served until then. Answers that differ from it are bold.</caption>
      <thead><tr><th scope="col">Scenario</th><th scope="col">Decision</th><th scope="col">Before</th><th scope="col">Expected</th>
        ${stages.map((stage) => html`<th scope="col">${outside(stage)}</th>`)}</tr></thead>
      <tbody>${rows.map(
        (row) => html`<tr>
          <th scope="row" class="name">${outside(row.scenario)}</th><td class="name">${outside(row.decision)}</td>
          <td>${outside(row.before)}</td><td>${outside(row.expected)}</td>
          ${stages.map((stage) => answerCell(row, stage))}
        </tr>`,
      )}</tbody>
    </table></div>`;
}

function answerCell(row: ScenarioRow, stage: string): Content {
  const found = row.stages[stage];
  if (found === undefined) return html`<td class="muted">not asked</td>`;
  const changed = row.before !== "" && row.before !== found.answer;
  return html`<td><span class=${changed ? "changed" : ""}>${outside(found.answer)}</span> ${found.passed ? "" : badge("FAILED")}</td>`;
}

function diff({ diff: found }: Release): Content {
  if (found === undefined) return "";
  const rows = found.rows.filter(({ count }) => count > 0);
  return html`<h3>Decision diff</h3>
    <p>${badge(found.verdict)} ${outside(found.summary)}</p>
    ${found.problems.length === 0 ? "" : html`<ul>${found.problems.map((problem) => html`<li>${outside(problem)}</li>`)}</ul>`}
    ${
      rows.length === 0
        ? ""
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Decision diff"><table>
      <thead><tr><th scope="col">Domain</th><th scope="col">Found by</th><th scope="col">Change</th><th scope="col" class="number">Count</th><th scope="col" class="number">Declared</th><th scope="col" class="number">Of inputs</th></tr></thead>
      <tbody>${rows.map(
        (row) => html`<tr><th scope="row">${outside(row.domain)}</th><td>${row.how}</td><td>${outside(row.change)}</td>
          <td class="number">${row.count}</td><td class="number">${row.declared}</td><td class="number">${row.inputs}</td></tr>`,
      )}</tbody>
    </table></div>`
    }`;
}

function approval({ approval: found }: Release): Content {
  if (found === undefined) return "";
  const votes = [
    ...found.counted.map((vote) => ({ ...vote, what: "approved" })),
    ...found.rejections.map((vote) => ({ ...vote, what: "rejected" })),
  ];
  return html`<h3>Approval</h3>
    <p>${outside(found.summary)}</p>
    ${votes.length === 0 ? "" : html`<ul>${votes.map(({ what, by, at, tag, reason }) => html`<li>${what} by ${outside(by)} at ${outside(at)} (${code(tag)})${reason === undefined ? "" : html`: ${outside(reason)}`}</li>`)}</ul>`}
    <p class="muted">Evidence ${code(found.evidenceDigest)}</p>`;
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
