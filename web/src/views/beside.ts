// QUIC and TCP side by side: what is blocked before the first packet shows only as a share that is missing.

import { column, type Groups, total } from "../api/answers";
import { narrowed } from "../api/question";
import * as radar from "../api/radar";
import { type App, selected } from "../app";
import { lineChart } from "../charts/lines";
import { type Anomalous } from "../state/stage";
import { stepOf } from "../state/url";
import { h } from "../ui/dom";
import { figure } from "../ui/figure";
import { percent } from "../ui/format";
import { shortTable, type Table } from "../ui/table";
import { isEmpty, provenance, stepName } from "./series";

/** The steps of a connection that both have, and how each calls the stage of what ends there. */
const STEPS: readonly (readonly [Anomalous, string, string, string])[] = [
  ["post_syn", "Before any answer", "Post-Initial", "Post-SYN"],
  ["post_ack", "After the answer", "Post-Answer", "Post-ACK"],
  ["post_psh", "After the first message", "Post-Handshake", "Post-PSH"],
  ["later_in_flow", "Later", "not counted", "Later"],
];
const HTTPS = "443";

/** Where a store has both. */
export async function besideTcp(app: App): Promise<HTMLElement | null> {
  const { state } = app;
  const { dataSets } = await radar.status();
  if (!dataSets.some(({ name }) => name === "quic") || state.dataSet === "origin") return null;
  const { signature, tag, scanner, ...only } = state.filters;
  // These mean something in one of them only.
  if (signature || tag || scanner || state.unanswered) return null;
  const asked = { ...selected(state), only: Object.fromEntries(["node", "port", "ipVersion"].flatMap((key) => (only[key] ? [[key, only[key]]] : []))) };
  const port = only["port"] ?? HTTPS;
  const [share, quic, tcp] = await Promise.all([
    radar.quicShare(asked, stepOf(state)),
    radar.stagesOf("quic", narrowed(asked, { port })),
    radar.stagesOf("tcp", narrowed(asked, { port })),
  ]);
  const [all, of] = [total(share.quic) + total(share.tcp), total(share.quic)];
  // Where one of them is not collected, its share says nothing.
  if (of === 0 || of === all) return null;
  const heading = `QUIC beside TCP, port ${port}`;
  return figure({
    store: app.store,
    key: "beside",
    title: heading,
    sub: `Share of QUIC in all new connections of clients per ${stepName(share.step)}; ${percent((100 * of) / all)} in all`,
    body: lineChart({
      label: "Share of QUIC over time",
      range: share.range,
      step: share.step,
      lines: [{ label: "QUIC", class: "hue-0", times: share.times, values: share.share, sampled: share.quic.map((n, at) => n + (share.tcp[at] ?? 0)) }],
      unit: "share",
      height: 200,
      zoom: (from, to) => app.store.go({ range: { kind: "fixed", from, to } }),
    }),
    table: () => shareTable(share),
    source: provenance(heading, state, { meta: quic.meta, ranges: [[...share.range]] }),
    below: h("div", {}, h("p", { class: "muted cut" }, "Browsers fall back to TCP where QUIC does not work, and remember that: a network that blocks UDP shows here as a lower share, and not as connections that were cut short."), shortTable("Where QUIC and TCP connections are cut short", stagesTable(quic.series[0], tcp.series[0]))),
  });
}

function shareTable({ times, share, quic, tcp }: radar.QuicShare): Table {
  return {
    columns: [{ label: "Time (UTC)" }, { label: "QUIC", as: "percent" }, { label: "QUIC connections (estimated)", as: "count" }, { label: "TCP connections (estimated)", as: "count" }],
    rows: times.map((time, at) => [`${new Date(time).toISOString().slice(0, 16)}Z`, share[at] ?? null, quic[at] ?? null, tcp[at] ?? null]),
  };
}

/** `Post-SYN 9.6 %`. */
const said = (share: number | null, stage = ""): string => `${stage} ${percent(share ?? NaN)}`.trim();

function stagesTable(quic: Groups | undefined, tcp: Groups | undefined): Table {
  const shareOf = (groups: Groups | undefined, stage: string): number | null => (!groups || isEmpty(groups) ? null : (column(groups, stage).share[0] ?? 0));
  const cut = (groups: Groups | undefined): number | null => {
    const none = shareOf(groups, "no_match");
    return none === null ? null : 100 - none;
  };
  return {
    columns: [{ label: "Cut short" }, { label: "QUIC", as: "text" }, { label: "TCP", as: "text" }],
    rows: [
      ...STEPS.map(([stage, label, ofQuic, ofTcp]) => [label, stage === "later_in_flow" ? ofQuic : said(shareOf(quic, stage), ofQuic), said(shareOf(tcp, stage), ofTcp)]),
      ["In all", said(cut(quic)), said(cut(tcp))],
    ],
  };
}
