import mergePatch from "json-merge-patch";
import type { Json } from "./scenario.ts";

/** `given` with an RFC 7396 merge patch applied. Neither argument is changed. */
export function mergeInput(given: Json, patch: Json | undefined): Json {
  // The library changes its target, and may put parts of the patch into it.
  const target = structuredClone(given);
  return patch === undefined ? target : mergePatch.apply(target, structuredClone(patch));
}
