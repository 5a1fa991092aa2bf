import { beforeAll, describe, expect, it, vi } from "vitest";
import { csv, json, type Provenance } from "../../src/ui/download";
import type { Table } from "../../src/ui/table";

const source: Provenance = {
  title: "Cut short", selection: "Portugal", period: "14 to 20 Nov 2026", from: Date.UTC(2026, 10, 14), to: Date.UTC(2026, 10, 21),
  switches: ["completed handshakes only"], simulated: true,
};
const table: Table = {
  columns: [{ label: "Network, by name" }, { label: "Share", as: "percent" }, { label: "Sampled", as: "count" }],
  rows: [['A "B", C', 12.5, 80], ["D", NaN, 0]],
};

const GEO = "Some places (2026-11-01); some networks (2026-11-15)";

beforeAll(() => void vi.stubGlobal("location", { host: "cutshort.test", href: "http://cutshort.test/?place=PT" }));

describe("files", () => {
  it("CSV says what it is, and quotes what needs it", () => {
    const lines = csv(source, table, GEO).split("\r\n");
    expect(lines.slice(0, 7)).toEqual([
      "# title: Cut short",
      "# selection: Portugal, completed handshakes only",
      "# from: 2026-11-14T00:00:00Z",
      "# to: 2026-11-21T00:00:00Z",
      "# source: cutshort at cutshort.test",
      `# geo data: ${GEO}`,
      "# data: SIMULATED, not measured",
    ]);
    expect(lines.slice(-4)).toEqual(['"Network, by name",Share (%),Sampled', '"A ""B"", C",12.5,80', "D,,0", ""]);
  });

  it("JSON says the same", () => {
    expect(JSON.parse(json(source, table, GEO))).toMatchObject({
      title: "Cut short", "geo data": GEO, data: "SIMULATED, not measured", from: "2026-11-14T00:00:00Z",
      rows: [{ "Network, by name": 'A "B", C', "Share (%)": 12.5, Sampled: 80 }, { "Share (%)": null }],
    });
  });
});
