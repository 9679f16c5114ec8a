import { html as preactHtml } from "htm/preact";
import type { ComponentChild, VNode } from "preact";

/**
 * HTML as values: what is put in is text, never markup, wherever it comes from. Only what `html` itself made is markup.
 */
export const html = preactHtml as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

/** Anything that can stand in a page. */
export type Content = ComponentChild;
