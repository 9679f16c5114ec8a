import { type Check, note, ok, problem, skipped } from "../check.ts";

/** Google refuses tokens that seem to be from the future; entries of the history are ordered by this machine's clock. */
const WARN_MS = 5_000;
const REFUSE_MS = 60_000;

/** This machine's clock against Google's. */
export const clock: Check = {
  name: "clock",
  cloud: true,
  look: async ({ google, now }) => {
    const before = now().getTime();
    const { date } = await google.get("storage", "storage/v1/b/x?fields=name");
    if (date === undefined) return [skipped("Google's reply had no date")];
    // A Date header has whole seconds: half a second is its middle.
    const off = Math.round((before + now().getTime()) / 2 - (date.getTime() + 500));
    const found = `${Math.abs(off / 1000).toFixed(1)} s ${off < 0 ? "behind" : "ahead of"} Google's`;
    const fix = "switch on time synchronisation (`timedatectl set-ntp true`)";
    if (Math.abs(off) > REFUSE_MS) return [problem(found, fix)];
    return [Math.abs(off) > WARN_MS ? note(found, fix) : ok(found)];
  },
};
