import { randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { messageOf } from "../errors.ts";
import { plain } from "../state.ts";
import { backEndUrl, openHistory } from "./backend.ts";
import type { ChainHead } from "./head-annotation.ts";
import { type AuditOutputs, readRecord } from "./read-record.ts";
import { AUDIT_TYPE } from "./record.ts";

/**
 * Links this update to all before it: the digest of the history so far, in the state of this update. It is the first thing that is declared, so
 * that an update which fails has it too; and it is no resource of a provider, so it never shows as a change.
 */
export class AuditRecord extends pulumi.ComponentResource {
  readonly record: AuditOutputs;
  /** What goes on the service with a rollout; undefined when the history couldn't be read. */
  readonly head: ChainHead | undefined;

  constructor(name: string, record: AuditOutputs) {
    super(AUDIT_TYPE, name);
    this.record = record;
    const { id: audit } = record;
    this.head = "head" in record ? { audit, after: record.after, count: record.count, head: record.head } : undefined;
    this.registerOutputs(plain(record));
  }

  /**
   * Reads the head of the history and declares the record. A history that can't be read stops nothing, for a rollback must always be possible: the
   * record says so instead, and `npm run audit -- --verify` reports it.
   */
  static async begin(): Promise<AuditRecord> {
    const id = randomUUID();
    const startedAt = new Date().toISOString();
    try {
      const directory = process.cwd();
      const name = { directory, project: pulumi.getProject(), stack: pulumi.getStack() };
      const source = await openHistory(name, await backEndUrl(directory));
      return new AuditRecord("audit", await readRecord(source, id, startedAt));
    } catch (error) {
      const problem = messageOf(error);
      await pulumi.log.warn(`the history of this stack can't be read, so this update isn't linked to it: ${problem}`);
      return new AuditRecord("audit", { id, startedAt, problem });
    }
  }
}
