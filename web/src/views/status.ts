import type { App } from "../app";
import { type Child, h } from "../ui/dom";
export async function render(_app: App): Promise<Child[]> {
  return [h("p", {}, "…")];
}
