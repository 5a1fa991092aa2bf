// The terms' texts as the Rust tables have them, so that the mock shows the real words.
import { readFileSync } from "node:fs";

const read = (file: string): string =>
  readFileSync(new URL(`../../crates/verdict/src/${file}`, import.meta.url), "utf8");

const strings = (text: string): string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]!.replace(/\\\n\s*/g, "").replace(/\\"/g, '"'));

function between(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  return text.slice(start, text.indexOf(to, start));
}

function arms(text: string): [string, string[]][] {
  return text
    .split(/Self::(?=\w+ =>)/)
    .slice(1)
    .map((arm) => [arm.slice(0, arm.indexOf(" ")), strings(arm)]);
}

function stages(): object[] {
  const text = read("stage.rs").split("pub enum Termination")[0]!;
  const part = (name: string): [string, string[]][] => arms(between(text, `pub const fn ${name}(self)`, "\n    }\n"));
  const about = new Map(part("about"));
  const causes = new Map(part("causes"));
  const title = new Map(part("title"));
  const radar: Record<string, string> = { later: "later_in_flow", none: "no_match" };
  return part("name").map(([id, [name = ""]]) => ({
    name: radar[name] ?? name,
    data_name: name,
    title: title.get(id)?.[0],
    about: about.get(id)?.[0],
    causes: causes.get(id) ?? [],
  }));
}

function tags(): object[] {
  const text = read("tag.rs");
  const names = arms(between(text, "pub const fn name(self)", "\n    }\n"));
  const about = new Map(arms(between(text, "pub const fn about(self)", "\n    }\n")));
  const below = (name: string): string | null =>
    /^acknum/.test(name) ? "multiple_rsts" : /fin|single_|multiple_|rst_and/.test(name) ? "reset" : null;
  return names.map(([id, [name = ""]], bit) => ({ bit, name, parent: below(name), about: about.get(id)?.[0] }));
}

function signatures(): object[] {
  const entries = read("signature.rs").split("Entry {\n        name:").slice(1);
  return entries.map((entry, index) => {
    const stage = /Stage::(\w+)/.exec(entry)?.[1] ?? "";
    const radar = { PostSyn: "post_syn", PostAck: "post_ack", PostPsh: "post_psh" }[stage] ?? "later_in_flow";
    const [name] = strings(entry);
    const [about] = strings(entry.slice(entry.indexOf("seen:")));
    return { id: index + 1, name, stage: radar, about, causes: strings(between(entry, "causes:", "],")) };
  });
}

const terminations = ["reset", "server_reset", "fin", "timeout", "open"].map((name) => ({ name, about: `How ${name} looks.` }));
const exclusions = ["no_syn", "multiple_syn", "incomplete"].map((name) => ({ name, about: `Why ${name}.` }));
export const terms = { terminations, exclusions, stages: stages(), tags: tags(), signatures: signatures() };
export const signatureNames = (terms.signatures as { name: string; stage: string }[]).map((s) => [s.name, s.stage]);
