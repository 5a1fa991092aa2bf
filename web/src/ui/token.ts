// The token that a change needs, asked for once the server refuses without one.

import { ApiError, useToken } from "../api/client";
import { h } from "./dom";

export interface Writing {
  /** The field for the token, hidden until one is needed, and what went wrong. */
  elements: readonly [HTMLElement, HTMLElement];
  /** Makes a change with the token, if there is one; `what` begins the sentence that says that it needs one. */
  run: (what: string, change: () => Promise<void>) => void;
}

export function writing(): Writing {
  const token = h("input", { type: "password", autocomplete: "off", "aria-label": "Token with the scope “write”" });
  const field = h("label", { hidden: true }, "Token with the scope “write”", token);
  const problem = h("p", { class: "problem", role: "alert" });
  const run: Writing["run"] = (what, change) => {
    if (token.value) useToken(token.value.trim());
    change().catch((error: unknown) => {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        field.hidden = false;
        problem.textContent = token.value ? error.message : `${what} needs a token: the operator creates one with ‘cutshort token create --scope read --scope write NAME’.`;
        token.focus();
      } else problem.textContent = error instanceof Error ? error.message : String(error);
    });
  };
  return { elements: [field, problem], run };
}
