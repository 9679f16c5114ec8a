import type { AuditOptions } from "../cli.ts";
import type { OpenedStack } from "../open.ts";
export async function html(_o: OpenedStack, _p: AuditOptions): Promise<number> {
  return 0;
}
