/** A registry refused a request or couldn't be reached. Holds no header and no reply, but for the specification's own codes. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  /** HTTP status, or 0 when no reply came. */
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }

  /** Worth trying again with a later update. */
  get isTransient(): boolean {
    return [0, 408, 429].includes(this.status) || this.status >= 500;
  }
}

/** The specification's codes in the body of a refusal, such as MANIFEST_INVALID. */
export function codesOf(body: string): string[] {
  try {
    const { errors = [] } = JSON.parse(body) as { errors?: { code?: unknown }[] };
    return errors.map(({ code }) => String(code)).filter((code) => /^[A-Z_]{3,40}$/.test(code));
  } catch {
    return [];
  }
}
