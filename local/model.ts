import type { Operation, Revision, RevisionTemplate, Service, TrafficTarget } from "../components/cloudrun/api.ts";

/** One entry of the split in force: a target whose revision is known. */
export interface ServingTarget extends TrafficTarget {
  revision: string;
}

export interface StoredRevision {
  /** As it is on the wire. */
  revision: Revision;
  /** What it was made from; decides whether the same name means the same configuration. */
  template: RevisionTemplate;
}

/** A service with everything the local Cloud Run knows about it. URLs aren't stored: they follow from the port of the day. */
export interface StoredService {
  /** As it is on the wire, but for uri, urls and trafficStatuses, which are filled in when it is shown. */
  service: Service;
  /** By short name. */
  revisions: Record<string, StoredRevision>;
  /** The split in force. Empty until a first revision is ready. */
  serving: ServingTarget[];
  /** `service.traffic` as it was when `serving` was derived from it. */
  appliedTraffic: TrafficTarget[];
  /** The generation whose traffic is in force; an older write that ends later must not undo a newer one. */
  appliedGeneration: number;
  /** The generation that made latestReadyRevision. */
  latestReadyGeneration: number;
  /** Counts the generated revision names. */
  revisionCount: number;
}

/** An operation and what it takes to carry it out, or to resume it after a crash. */
export interface StoredOperation {
  /** Its metadata and response aren't stored: after a restart they are filled in from what there is then. */
  operation: Operation;
  kind: "write" | "delete-service" | "delete-revision";
  /** Full name of the service. */
  service: string;
  generation: number;
  /** Short name of the revision that the write's template stands for, when the write made or reused one. */
  revision?: string;
  traffic: TrafficTarget[];
  createTime: string;
}

export interface State {
  version: 1;
  /** Labels the containers, so that two daemons never touch each other's. */
  instance: string;
  /** By full name. */
  services: Record<string, StoredService>;
  /** By full name. */
  operations: Record<string, StoredOperation>;
}
