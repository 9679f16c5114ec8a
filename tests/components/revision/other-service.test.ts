import assert from "node:assert/strict";
import { refuseOtherService } from "../../../components/revision/provider.ts";

const name = (region: string) => `projects/p/locations/${region}/services/s`;

describe("refuseOtherService", () => {
  it("lets a stack stay with its service", () => {
    refuseOtherService(name("us-central1"), name("us-central1"));
  });

  it("lets a preview pass that doesn't know the service yet", () => {
    refuseOtherService(name("us-central1"), undefined);
  });

  it("refuses another first region before anything is deleted", () => {
    assert.throws(
      () => refuseOtherService(name("us-central1"), name("europe-west1")),
      /this stack's service is .*us-central1.* now says .*europe-west1.*first region stay/s,
    );
  });
});
