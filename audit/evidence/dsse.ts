import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";

/** A DSSE envelope: a payload, what it is, and who signed both. Source: github.com/secure-systems-lab/dsse, envelope.md and protocol.md, v1. */
export interface Envelope {
  payloadType: string;
  /** Base64. */
  payload: string;
  /** Empty where nothing is configured to sign with. */
  signatures: { keyid: string; sig: string }[];
}

const envelope = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z.array(z.object({ keyid: z.string().default(""), sig: z.base64() })),
});

/** What is signed: type and payload with their lengths, so that neither can be taken for the other. */
export function preAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** Puts a payload in an envelope. @param key private; without one nothing is signed */
export function seal(payloadType: string, payload: string, key: KeyObject | undefined): Envelope {
  const content = Buffer.from(payload);
  const message = preAuthenticationEncoding(payloadType, content);
  const signatures = key === undefined ? [] : [{ keyid: keyId(key), sig: signWith(key, message).toString("base64") }];
  return { payloadType, payload: content.toString("base64"), signatures };
}

/** Takes a payload out. @throws an Error when the text is no envelope of this type */
export function open(text: string, payloadType: string): { payload: Buffer; envelope: Envelope } {
  const read = envelope.parse(JSON.parse(text));
  if (read.payloadType !== payloadType) throw new Error(`its payload is ${read.payloadType}, expected ${payloadType}`);
  return { payload: Buffer.from(read.payload, "base64"), envelope: read };
}

/** Whether one of the signatures is by this key. */
export function isSignedBy({ payloadType, payload, signatures }: Envelope, publicKey: KeyObject): boolean {
  const message = preAuthenticationEncoding(payloadType, Buffer.from(payload, "base64"));
  return signatures.some(({ sig }) => verifyWith(publicKey, message, Buffer.from(sig, "base64")));
}

/** Names a key: SHA-256 of its public part (SubjectPublicKeyInfo, DER). */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** Reads a key in PEM. @throws an Error that names the file */
export async function readKey(file: string, kind: "private" | "public"): Promise<KeyObject> {
  try {
    const pem = await readFile(file, "utf8");
    const key = kind === "private" ? createPrivateKey(pem) : createPublicKey(pem);
    algorithmOf(key);
    return key;
  } catch (cause) {
    throw new Error(
      `${file} is no ${kind} key that can be used (${(cause as Error).message}); make one with \`openssl genpkey -algorithm ed25519\``,
      { cause },
    );
  }
}

/** Ed25519 signs the message itself; ECDSA and RSA its SHA-256. */
function algorithmOf(key: KeyObject): "sha256" | null {
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return null;
    case "ec":
    case "rsa":
      return "sha256";
    default:
      throw new Error(`a key of type ${key.asymmetricKeyType}, expected ed25519, ec or rsa`);
  }
}

function signWith(key: KeyObject, message: Buffer): Buffer {
  return sign(algorithmOf(key), message, key);
}

function verifyWith(key: KeyObject, message: Buffer, signature: Buffer): boolean {
  try {
    return verify(algorithmOf(key), message, key, signature);
  } catch {
    return false;
  }
}
