// Where cargo builds, and where what the tests make is kept.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const TARGET = process.env["CARGO_TARGET_DIR"] ?? fileURLToPath(new URL("../../../target", import.meta.url));
/** Pictures of all views. */
export const OUT = `${join(TARGET, "dashboard-pictures")}/`;
