import type { Bench } from "./bench.ts";
import { audit } from "./benches/audit.ts";
import { cutover } from "./benches/cutover.ts";
import { deploy } from "./benches/deploy.ts";
import { frontEnd } from "./benches/front-end.ts";
import { gate } from "./benches/gate.ts";
import { governance } from "./benches/governance.ts";
import { growth } from "./benches/growth.ts";
import { noOp } from "./benches/no-op.ts";
import { replay } from "./benches/replay.ts";
import { rollback } from "./benches/rollback.ts";
import { setUp } from "./benches/set-up.ts";

/** All benches, in the order they run. */
export const benches: Bench[] = [
  deploy,
  noOp,
  rollback,
  cutover,
  frontEnd,
  gate,
  replay,
  governance,
  audit,
  growth,
  setUp,
];
