import type { dynamic } from "@pulumi/pulumi";

/**
 * A dynamic provider whose methods only import the real module, components/<module>, when they are called. Pulumi keeps a provider's code in the
 * state and runs that copy on refresh, so logic must not be in it: this way the state holds nothing but these lines, and the
 * code that runs is always the checked-out one. The process of dynamic providers has the project as its working directory.
 */
export function trampoline(module: string): dynamic.ResourceProvider {
  return {
    create: async (inputs) => (await import(`${process.cwd()}/components/${module}`)).create(inputs),
    read: async (id, props) => (await import(`${process.cwd()}/components/${module}`)).read(id, props),
    diff: async (id, olds, news) => (await import(`${process.cwd()}/components/${module}`)).diff(id, olds, news),
    update: async (id, olds, news) => (await import(`${process.cwd()}/components/${module}`)).update(id, olds, news),
  };
}
