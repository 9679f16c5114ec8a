/** The report's style sheet. Colours hold WCAG AA contrast in both schemes (tests/audit/report.test.ts measures it). */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --line: #d5d9e0; --text: #1b2330; --muted: #566173; --link: #0b57b0;
  --good: #0c6b3a; --good-back: #dcf3e5; --bad: #a3162a; --bad-back: #fde4e6; --warn: #7a4b00; --warn-back: #fdefd2;
  --hand: #6a2a9c; --hand-back: #f0e4fa; --plain: #3d4859; --plain-back: #e6e9ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161d; --card: #1a2029; --line: #343d4b; --text: #e6eaf0; --muted: #a3afbf; --link: #83b8ff;
    --good: #7fe0a8; --good-back: #123524; --bad: #ff9fa8; --bad-back: #43171d; --warn: #f5c56b; --warn-back: #3b2a0b;
    --hand: #d6aef5; --hand-back: #33204a; --plain: #c3ccd8; --plain-back: #2b3340;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1.5rem 1.25rem 4rem; background: var(--page); color: var(--text); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: .95rem; margin: 1.25rem 0 .4rem; }
p { margin: .25rem 0 .75rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--page); padding: .25rem .5rem; }
code { font: .88em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.muted { color: var(--muted); }
.badge { display: inline-block; padding: .05em .55em; border-radius: 1em; font-size: .82rem; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); background: var(--good-back); } .bad { color: var(--bad); background: var(--bad-back); }
.warn { color: var(--warn); background: var(--warn-back); } .hand { color: var(--hand); background: var(--hand-back); }
.plain { color: var(--plain); background: var(--plain-back); }
.chain { border-radius: 8px; padding: .7rem 1rem; margin: 1rem 0; }
.chain ul { margin: .35rem 0 0; padding-left: 1.2rem; }
.chain code { overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem; margin: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
.figures dt { color: var(--muted); font-size: .85rem; }
.figures dd { margin: 0; } .figures .value { font-size: 1.45rem; font-weight: 650; line-height: 1.3; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
caption { text-align: left; color: var(--muted); padding: .5rem .75rem; caption-side: top; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; background: var(--card); white-space: nowrap; font-weight: 600; }
td time, th time { white-space: nowrap; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.wide { min-width: 16rem; overflow-wrap: anywhere; } td.name { min-width: 9rem; overflow-wrap: anywhere; }
.overview { display: block; width: 100%; height: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin-bottom: .75rem; }
.overview text { fill: var(--muted); font: 11px system-ui, sans-serif; }
.bar { display: flex; min-width: 14rem; height: 1.55rem; border-radius: 4px; overflow: hidden; font-size: .78rem; line-height: 1.55rem; }
.bar span { padding: 0 .4rem; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; border-right: 2px solid var(--page); min-width: 0; }
.bar span:last-child { border-right: 0; }
.tone0 { background: #1f5fa8; fill: #1f5fa8; color: #fff; } .tone1 { background: #8a4b08; fill: #8a4b08; color: #fff; }
.tone2 { background: #17693f; fill: #17693f; color: #fff; } .tone3 { background: #7b3294; fill: #7b3294; color: #fff; }
.tone4 { background: #8f2440; fill: #8f2440; color: #fff; } .tone5 { background: #3f5b66; fill: #3f5b66; color: #fff; }
.tone-none { background: #5c6470; fill: #5c6470; color: #fff; }
details.release { border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0; background: var(--page); }
details.release > summary { cursor: pointer; padding: .6rem .9rem; display: grid; grid-template-columns: auto auto 1fr auto; gap: .75rem; align-items: baseline; }
details.release > summary::-webkit-details-marker { display: none; }
details.release > summary::before { content: "▸"; grid-column: 1; } details.release[open] > summary::before { content: "▾"; }
details.release > summary .what { overflow-wrap: anywhere; }
.summary-main { display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; grid-column: 2 / 4; min-width: 0; }
.body { padding: 0 .9rem 1rem; border-top: 1px solid var(--line); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .75rem 0; font-size: .9rem; }
dl.facts dt { color: var(--muted); } dl.facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.changed { font-weight: 650; }
footer { margin-top: 3rem; color: var(--muted); font-size: .85rem; border-top: 1px solid var(--line); padding-top: .75rem; }
@media (max-width: 40rem) { dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .4rem; } }
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --line: #bbb; --text: #000; --muted: #444; --link: #000;
    --good: #0c6b3a; --good-back: #fff; --bad: #a3162a; --bad-back: #fff; --warn: #7a4b00; --warn-back: #fff;
    --hand: #6a2a9c; --hand-back: #fff; --plain: #222; --plain-back: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .badge { border: 1px solid currentColor; } .chain { border: 1px solid currentColor; }
  .bar, .overview { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } td.wide, td.name, .bar { min-width: 0; }
  details.release, tr, .figures div { break-inside: avoid; } details.release { break-inside: auto; }
  details.release::details-content { content-visibility: visible; display: block; height: auto; }
  details.release > summary::before { content: ""; }
  a[href^="http"]::after { content: " (" attr(href) ")"; font-size: .85em; overflow-wrap: anywhere; }
  .skip { display: none; }
  thead { display: table-header-group; }
}
`;
