/** The console's page: asks its server once a second and shows what it says. Everything is set as text, never as markup. */

const PERIOD_MS = 1000;
const TONES = 6;

/** Requests of each revision when they were asked for last. */
let before = { at: 0, requests: new Map() };
let paused = false;

const byId = (id) => document.getElementById(id);

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").textContent = paused ? "Go on" : "Pause";
  byId("pause").setAttribute("aria-pressed", String(paused));
});

// What scrolls sideways on a narrow screen has to be reached by keyboard.
byId("operations-scroll").tabIndex = 0;

/** An element with a class, and text or elements in it. */
function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...content);
  return made;
}

/** What has changed since the last time replaces what was there; a part that hasn't keeps its focus and selection. */
function show(parent, key, made) {
  const old = [...parent.children].find((child) => child.dataset.key === key);
  made.dataset.key = key;
  if (old === undefined) parent.append(made);
  else if (old.outerHTML !== made.outerHTML) old.replaceWith(made);
}

/** Takes away what isn't there any more, and puts the rest in order. */
function keepOnly(parent, keys) {
  for (const child of [...parent.children]) if (!keys.includes(child.dataset.key)) child.remove();
  for (const [index, key] of keys.entries()) {
    const child = [...parent.children].find((one) => one.dataset.key === key);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  }
}

const shortName = (name) => name.slice(name.lastIndexOf("/") + 1);

const clock = (time) => `${time.slice(0, 10)} ${time.slice(11, 19)}`;

/** A service's address, as a link only where it is one. */
function address(uri) {
  if (!/^https?:\/\//.test(uri ?? "")) return document.createTextNode(uri ?? "");
  const link = element("a", "", uri);
  link.href = uri;
  return link;
}

function shares(traffic, revisions) {
  const parts = traffic.filter(({ percent }) => (percent ?? 0) > 0);
  const bar = element("div", "bar");
  for (const { revision, percent } of parts) {
    const tone = revisions.findIndex(({ name }) => shortName(name) === revision) % TONES;
    const part = element("span", `tone${Math.max(0, tone)}`, `${revision} ${percent} %`);
    part.title = `${revision} ${percent} %`;
    part.style.flex = `${percent} 1 0%`;
    bar.append(part);
  }
  return parts.length === 0 ? element("p", "muted", "no traffic yet") : bar;
}

function cells(...texts) {
  return texts.map((text) => element("td", typeof text === "number" ? "number" : "", String(text)));
}

function revisionRow(revision, traffic, rate) {
  const name = shortName(revision.name);
  const own = traffic.filter((target) => target.revision === name);
  const percent = own.reduce((sum, target) => sum + (target.percent ?? 0), 0);
  const tags = own.flatMap(({ tag }) => tag ?? []).join(", ");
  const errors = revision.responses?.["5xx"] ?? 0;
  const heading = element("th", "", name);
  heading.scope = "row";
  const row = element("tr", "", heading);
  row.append(...cells(`${percent} %`, tags, revision.container));
  row.append(...cells(rate, revision.requests, errors, revision.inFlight));
  return row;
}

function serviceCard(service, rates) {
  const traffic = service.traffic ?? [];
  const ready = service.terminalCondition?.state === "CONDITION_SUCCEEDED";
  const state = service.reconciling ? "reconciling" : ready ? "ready" : "not ready";
  const columns = ["Revision", "Share", "Tags", "Container", "Requests/s", "Requests", "5xx", "In flight"];
  const head = element("tr", "");
  for (const [index, title] of columns.entries()) {
    const cell = element("th", index > 3 ? "number" : "", title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = element("tbody", "");
  for (const revision of service.revisions) body.append(revisionRow(revision, traffic, rates.get(revision.name) ?? 0));
  const scroll = element("section", "scroll", element("table", "", element("thead", "", head), body));
  scroll.tabIndex = 0;
  scroll.setAttribute("aria-label", `Revisions of ${shortName(service.name)}`);
  const badge = element("span", `badge ${state === "ready" ? "good" : "warn"}`, state);
  return element(
    "section",
    "card",
    element("h2", "", shortName(service.name), " ", badge),
    element("p", "", address(service.uri)),
    ready || service.reconciling ? "" : element("p", "bad", service.terminalCondition?.message ?? ""),
    shares(traffic, service.revisions),
    scroll,
  );
}

function operationRow({ createTime, service, kind, revision, traffic, state, error }) {
  const row = element("tr", "");
  row.append(...cells(clock(createTime), shortName(service), [kind, revision].filter(Boolean).join(" "), traffic));
  const tone = state === "failed" ? "bad" : state === "done" ? "good" : "warn";
  row.append(element("td", "", element("span", `badge ${tone}`, state), error === "" ? "" : ` ${error}`));
  return row;
}

/** Requests a second since the last time, by revision; counters start anew with the daemon. */
function measure({ services }) {
  const at = performance.now();
  const requests = new Map(services.flatMap(({ revisions }) => revisions.map((one) => [one.name, one.requests])));
  const seconds = (at - before.at) / 1000;
  const rates = new Map();
  for (const [name, count] of requests) {
    const passed = count - (before.requests.get(name) ?? count);
    rates.set(name, before.at === 0 || passed < 0 ? 0 : Math.round((passed / seconds) * 10) / 10);
  }
  before = { at, requests };
  return rates;
}

function render(data) {
  const rates = measure(data);
  const services = byId("services");
  for (const service of data.services) show(services, service.name, serviceCard(service, rates));
  if (data.services.length === 0) show(services, "none", element("p", "muted", "No service yet: npm start makes one."));
  keepOnly(services, data.services.length === 0 ? ["none"] : data.services.map(({ name }) => name));
  const operations = byId("operations");
  for (const operation of data.operations) show(operations, operation.name, operationRow(operation));
  keepOnly(
    operations,
    data.operations.map(({ name }) => name),
  );
  byId("status").textContent = `as of ${clock(data.at)} UTC`;
  byId("status").className = "";
}

async function refresh() {
  try {
    const reply = await fetch("/console/data", { cache: "no-store" });
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    if (!paused) render(await reply.json());
  } catch (error) {
    byId("status").textContent = `not reachable (${error.message}); trying again`;
    byId("status").className = "bad";
  }
}

while (true) {
  if (!paused) await refresh();
  await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
}
