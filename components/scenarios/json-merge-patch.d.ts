/** json-merge-patch comes without types. */
declare module "json-merge-patch" {
  import type { Json } from "./scenario.ts";

  const mergePatch: {
    /** Applies an RFC 7396 patch. Changes `target`. */
    apply(target: Json, patch: Json): Json;
  };
  export default mergePatch;
}
