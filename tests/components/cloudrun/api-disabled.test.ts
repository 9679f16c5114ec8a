import assert from "node:assert/strict";
import { replyError } from "../../../components/cloudrun/errors.ts";

/** As Google answers before an API is enabled. */
const body = (reason: string) =>
  JSON.stringify({
    error: {
      code: 403,
      status: "PERMISSION_DENIED",
      message: "Cloud Run Admin API has not been used in project acme before or it is disabled.",
      details: [
        { "@type": "type.googleapis.com/google.rpc.Help", links: [] },
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" },
      ],
    },
  });

describe("an API that isn't enabled", () => {
  it("is told from a refusal by Google's reason", () => {
    assert.equal(replyError("GET x", 403, body("SERVICE_DISABLED")).isApiDisabled, true);
    assert.equal(replyError("GET x", 403, body("IAM_PERMISSION_DENIED")).isApiDisabled, false);
    assert.equal(replyError("GET x", 403, "<html>").isApiDisabled, false);
    assert.equal(
      replyError("GET x", 403, JSON.stringify({ error: { code: 403, status: "", message: "" } })).isApiDisabled,
      false,
    );
  });
});
