/** Where a running image says which release it is: the folder of its policies, and the document that OPA answers from it (`data.policy_release`). */
export const RELEASE_DOCUMENT = "policy_release";
