/** What `npm run bootstrap-backend` makes. */
export interface BackendNames {
  project: string;
  location: string;
  /** Bucket for Pulumi's state. */
  bucket: string;
  keyRing: string;
  key: string;
}

/** Names that follow from the project; a bucket's name has to be unique in all of Google Cloud, and a project's is. */
export function backendNames(project: string, location: string, bucket = `${project}-pulumi-state`): BackendNames {
  return { project, location, bucket, keyRing: "pulumi", key: "secrets" };
}

/** The bucket that keeps copies of the history, beside the one with the state. */
export function historyBucket(stateBucket: string): string {
  return `${stateBucket}-history`;
}

/** The key as Pulumi takes it (`--secrets-provider`). */
export function secretsProvider({ project, location, keyRing, key }: BackendNames): string {
  return `gcpkms://${keyName({ project, location, keyRing, key })}`;
}

export function keyName({ project, location, keyRing, key }: Omit<BackendNames, "bucket">): string {
  return `projects/${project}/locations/${location}/keyRings/${keyRing}/cryptoKeys/${key}`;
}
