// What the numbers mean: definitions, rules by number, sampling, limits, and how to read each view. The specification is docs/spec.md.

import { type App, terms } from "../app";
import { STAGES, stageClass, title } from "../state/stage";
import type { View } from "../state/url";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { LEAST, MARGIN } from "../stats/proportions";

const PAPER = "https://doi.org/10.1145/3603269.3604875";
const POST = "https://blog.cloudflare.com/tcp-resets-timeouts/";

const outside = (href: string, text: string): HTMLElement => h("a", { href, rel: "noreferrer" }, text);

/** An entry that can be linked to. */
const entry = (id: string, name: Child, about: Child, kind = ""): HTMLElement[] => [h("dt", { id: `term-${id}`, class: kind, tabindex: -1 }, name), h("dd", {}, about)];

const section = (id: string, heading: string, ...children: Child[]): HTMLElement => h("section", { id: `term-${id}`, tabindex: -1 }, h("h2", {}, heading), ...children);

const RULES: readonly (readonly [string, string])[] = [
  ["reset", "The client's side has a RST: reset."],
  ["server_reset", "Only the other direction, where it was recorded, has a RST: server_reset. It does not count as cut short."],
  ["fin", "There is a FIN: the connection ended in good order (fin)."],
  ["open", "All the packets that are kept of a connection (10) were used, and fewer than half of them only repeat something: open."],
  ["incomplete", "It was silent for less than 10 seconds when the window or the capture ended: it is left out of all numbers (incomplete)."],
  ["timeout", "It was silent for longer, and the client had acknowledged nothing beyond the handshake: timeout."],
  ["open-answered", "Otherwise it had been answered, and is idle: open."],
];

const VIEWS: readonly (readonly [View, string, string])[] = [
  ["overview", "Overview", "How many connections of a place were cut short, at which stage, and how that changed. The change is against an earlier period of the same length and weekdays, and is omitted if less than 80 % of it was collected."],
  ["compare", "Compare", "Up to six places on one scale. A dashed line is the earlier period."],
  ["where", "Countries", "Countries by the share that was cut short. A country is that of the source address."],
  ["networks", "Networks", "The networks of a place, ranked by the lower end of their 95 % interval, so that small samples do not lead. The dashed line is the whole place."],
  ["servers", "Servers", `Is it us or them? Servers, ports, IP versions and networks are each compared with the others: different means at least ${MARGIN} points, and more than chance explains (two-proportion test, corrected for the number of comparisons, from ${LEAST} connections on).`],
  ["how", "Signatures", "Where on the way from SYN to the end connections were cut short, and by which signatures and tags."],
  ["connections", "Connections", "Single connections packet by packet, with the reason for each verdict. The operator has to allow it."],
  ["status", "Status", "Which servers deliver, how late, what was lost, and what was left out."],
];

export async function render(app: App): Promise<Child[]> {
  const texts = await terms();
  const { store } = app;
  const isQuic = store.state.dataSet === "quic";
  const stages = STAGES.flatMap((name) => entry(name, h("span", {}, h("span", { class: `swatch ${stageClass(name)}` }), ` ${title(name)}`), texts.stages.find((one) => one.name === name)?.about ?? ""));
  const page = h(
    "article",
    { class: "method panel" },
    section(
      "connection",
      "What is measured",
      isQuic
        ? h("p", {}, "Of clients' QUIC connections the datagrams that reach these servers: at most 24 of each, and of those only header fields, lengths and times. A connection is what one client port sent to one server port within 15 minutes, from its first Initial packet on. It was cut short if the client fell silent or closed before data was exchanged. A server that does not answer lets its clients time out at Post-Initial; an ordinary end of a QUIC connection cannot be seen from outside. ", h("a", { href: "docs/quic" }, "The specification"), " has the definitions in full.")
        : h("p", {}, "Servers record the headers of packets that clients send to them, of a sample of connections: at most 10 packets each, one direction, no content. A connection is what one client port sent to one server port within 15 minutes, from its SYN on. It was cut short if it ended in a reset, or in silence before anything was answered."),
      isQuic ? null : h("p", {}, "The definitions are those of ", outside(POST, "Cloudflare's post on TCP resets and timeouts"), " and of the paper ", outside(PAPER, "Global, Passive Detection of Connection Tampering (SIGCOMM 2023)"), "; ", h("a", { href: "docs/spec" }, "the specification"), " has them in full."),
    ),
    section("stages", "Stages", h("p", {}, isQuic ? "How far a connection got before it was cut short. From the second datagram of data on, nothing is called cut short." : "How far a connection got before it was cut short. Reset gives the stage that was reached; a timeout is at Post-PSH at the latest."), h("dl", {}, ...stages)),
    isQuic ? null : section("rules", "How a connection ended", h("p", {}, "The first rule that holds decides."), h("ol", {}, ...RULES.map(([id, text]) => h("li", { id: `term-rule-${id}` }, text)))),
    isQuic ? null : section("answered", "Answered, completed", h("dl", {}, ...entry("completed", "Completed handshake", "The client acknowledged something or sent data. Source addresses of other connections may be spoofed, so rankings count completed handshakes only, unless “Rank all connections” is on."), ...entry("unanswered", "Only resets before the first response", "The client acknowledged at least two different numbers: it had an answer. Many resets after an answer are ordinary ends of idle connections; the switch counts them as not cut short."))),
    section("tags", "Tags", h("p", {}, "Properties of a connection. It can have several."), h("dl", {}, ...texts.tags.flatMap(({ name, title, about, parent }) => entry(`tag-${name}`, h("span", {}, title, h("code", { class: "in-data" }, name)), parent ? `${about} (only with ${parent})` : about)))),
    section("signatures", "Signatures", h("p", {}, isQuic ? "What was last seen, and how the connection ended. ∅ is silence. A signature says what was seen, never who did it or why." : "The 19 patterns of the paper's table 1: stage and resets together. ∅ is silence. A signature says what was seen, never who did it or why."), h("dl", {}, ...texts.signatures.flatMap(({ id, name, about }) => entry(`signature-${id}`, name, about)))),
    section(
      "sampling",
      "Sampling and intervals",
      h("p", {}, "“Sampled” is the number of connections that were recorded; “about” and “estimated” are that number times the sampling rate (1 in N). Shares are weighted by it. A 95 % interval (Wilson) says how exact a share is if connections are independent; those of one client are not, so true uncertainty is larger."),
      h("p", {}, "Where fewer than 50 connections were sampled, charts are pale and have a band, the 95 % interval of the total. They are dashed where an interval is incomplete, and hatched where nothing was collected. What was not collected is not zero."),
    ),
    section(
      "limits",
      "What the numbers cannot show",
      h(
        "ul",
        {},
        h("li", {}, "Who cut a connection short, and why. Each stage has innocent causes; the Overview lists them first."),
        h("li", {}, "What never reached the server: blocked names, dropped SYNs, and users who gave up."),
        h("li", {}, "Only one direction is seen. If the server itself refused a connection and the client is then silent, that is a timeout."),
        h("li", {}, "Addresses are those of the last network: VPNs, proxies and CGNAT hide the client's place. Geo data disagree on about one address in ten."),
        h("li", {}, "Your clients are not a country's population. Compare a place with itself, earlier, and with other sources."),
      ),
    ),
    section("views", "How to read each view", h("dl", {}, ...VIEWS.flatMap(([view, name, about]) => entry(`view-${view}`, stateLink(store, { view, term: "" }, { key: `method:${view}` }, name), about)))),
    section("more", "More", h("p", {}, h("a", { href: "docs" }, "The documentation"), ", ", h("a", { href: "docs/api-reference" }, "the API"), ", ", outside(PAPER, "the paper"), ", ", outside(POST, "the post"), ". On the command line, ", h("code", {}, "cutshort explain NAME"), " prints the same texts.")),
  );
  const contents = [...page.querySelectorAll<HTMLElement>("section[id]")].map((one) => {
    const id = one.id.replace(/^term-/, "");
    return h("li", {}, stateLink(store, { view: "method", term: id }, { key: `contents:${id}` }, one.querySelector("h2")?.textContent ?? ""));
  });
  requestAnimationFrame(() => show(page, app.state.term));
  return [h("h1", {}, "Method"), h("div", { class: "method-page" }, h("nav", { class: "contents", "aria-label": "Contents" }, h("ul", {}, ...contents)), page)];
}

/** Brings the term that was asked for onto the screen. */
function show(page: HTMLElement, term: string): void {
  if (!term) return;
  const found = page.querySelector<HTMLElement>(`#${CSS.escape(`term-${term}`)}`);
  found?.classList.add("asked");
  found?.scrollIntoView({ block: "center" });
  found?.focus({ preventScroll: true });
}
