import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { type ImageReference, imagePurl } from "./reference.ts";

/** CycloneDX 1.6, JSON. */
export const SBOM_TYPE = "application/vnd.cyclonedx+json";

export interface SbomContent {
  image: ImageReference;
  release: string;
  /** As configured, by digest in production. */
  baseImage: string;
  /** Absent where it couldn't be found out. */
  opaVersion?: string;
  /** SHA-256 of the file that OPA loads, and of each file in it. */
  bundle: { sha256: string; files: { path: string; sha256: string }[] };
}

const { ComponentType, HashAlgorithm, LifecyclePhase } = Enums;
const { Component } = Models;

/**
 * What is in a release's image: the base image, OPA, and each policy file of the bundle. The same content gives the same bytes, so there is no time and no
 * serial number in it.
 */
export function describeContent({ image, release, baseImage, opaVersion, bundle }: SbomContent): string {
  const opa = new Component(ComponentType.Application, "opa", {
    bomRef: "opa",
    description: "Open Policy Agent",
    version: opaVersion,
    purl: `pkg:golang/github.com/open-policy-agent/opa${opaVersion === undefined ? "" : `@v${opaVersion}`}`,
  });
  const base = container("base-image", baseImage);
  base.dependencies.add(opa.bomRef);
  const policies = file("bundle", "/bundle.tar.gz", bundle.sha256);
  for (const { path, sha256 } of bundle.files) policies.components.add(file(`bundle:${path}`, path, sha256));
  const root = container("image", `${image.repository}@${image.digest}`);
  root.properties.add(new Models.Property("flowpilot:release", release));
  for (const part of [base, policies]) root.dependencies.add(part.bomRef);
  const bom = new Models.Bom({ components: new Models.ComponentRepository([base, opa, policies]) });
  bom.metadata.component = root;
  bom.metadata.lifecycles.add(LifecyclePhase.Build);
  bom.metadata.tools.components.add(new Component(ComponentType.Application, "flowpilot-policy"));
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return serializer.serialize(bom, { sortLists: true, space: 2 });
}

function container(bomRef: string, image: string): Models.Component {
  const [name = "", digest] = image.split("@");
  const component = new Component(ComponentType.Container, name, { bomRef, version: digest, purl: imagePurl(image) });
  if (digest?.startsWith("sha256:")) component.hashes.set(HashAlgorithm["SHA-256"], digest.slice("sha256:".length));
  return component;
}

function file(bomRef: string, name: string, sha256: string): Models.Component {
  const component = new Component(ComponentType.File, name, { bomRef });
  component.hashes.set(HashAlgorithm["SHA-256"], sha256);
  return component;
}
