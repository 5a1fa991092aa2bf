// The dashboard: state in the address, one view at a time.

import "./styles/main.css";
import * as radar from "./api/radar";
import { type App, named, saysTerms, setZone, terms } from "./app";
import { forget } from "./api/client";
import { Store } from "./state/store";
import { ALL_DATA, DEFAULT, lengthOf, type View } from "./state/url";
import { span } from "./ui/format";
import { swap, type Child } from "./ui/dom";
import { failure } from "./ui/empty";
import { keepFresh } from "./ui/refresh";
import { type Shell, shell } from "./ui/shell";
import { startTheme } from "./ui/theme";
import { wrongAddress } from "./ui/wrong";
import { render as compare } from "./views/compare";
import { render as connections } from "./views/connections";
import { render as events } from "./views/events";
import { render as how } from "./views/how";
import { render as networks } from "./views/networks";
import { render as overview } from "./views/overview";
import { FILE } from "./views/verdict";
import { render as status } from "./views/status";
import { render as servers } from "./views/us-or-them";

type Render = (app: App) => Promise<Child[]>;

/** The map is much of the page's weight: it comes when it is asked for, or when nothing else is to do. */
const where = (): Promise<{ render: Render }> => import("./views/where");

const views: Record<View, Render> = {
  overview,
  events,
  compare,
  where: async (app) => (await where()).render(app),
  networks,
  servers,
  how,
  connections,
  status,
  method: async (app) => (await import("./views/method")).render(app),
};

/** Opens the latest week that has data if the last one has none, and says so. */
async function openWhereDataAre(store: Store, page: Shell): Promise<void> {
  if (/[?&](range|from|to)=/.test(location.search) || ["status", "method"].includes(store.state.view)) return;
  const week = lengthOf(DEFAULT.range);
  radar.useDataSet(store.state.dataSet);
  const [[from, to], status] = await Promise.all([radar.knownTime(), radar.status().catch(() => null)]);
  if (!Number.isFinite(to)) return;
  // Captures may be years apart, and of none of them is the last week more than another.
  if (status?.nodes.every(({ name }) => name === FILE) && to - from > week) {
    store.go({ range: { kind: "last", span: ALL_DATA } }, true);
    return;
  }
  if (to > Date.now() - week) return;
  const range = { kind: "fixed", from: Math.max(from, to - week), to } as const;
  store.go({ range }, true);
  page.say(`No data has come in during the last 7 days. Shown are the latest ${span(range.to - range.from)} of data.`);
}

startTheme();
const store = new Store();
const root = document.getElementById("app");
if (root) start(root);

function start(root: HTMLElement): void {
  const page = shell(root, store);
  let turn = 0;
  const show = async (): Promise<void> => {
    const mine = ++turn;
    page.loading(store.state.view);
    radar.useDataSet(store.state.dataSet);
    const app: App = { store, state: { ...store.state, range: await radar.concrete(store.state.range) } };
    await setZone(app.state).catch(() => undefined);
    if (mine !== turn) return;
    const around = Promise.all([page.update(app), page.known]);
    page.view.setAttribute("aria-busy", "true");
    const children = await rendered(app);
    // The first picture comes as a whole, so that nothing jumps.
    if (root.classList.contains("starting")) await around;
    if (mine !== turn) return;
    swap(page.view, ...children);
    page.view.dataset["view"] = app.state.view;
    page.view.removeAttribute("aria-busy");
    page.loading(null);
    page.answered();
    root.classList.remove("starting");
    performance.mark("cutshort:shown");
  };
  const rendered = async (app: App): Promise<Child[]> => {
    try {
      if (app.state.wrong.length) return [await wrongAddress(store, app.state.wrong)];
      // Headings, files and citations name the place and the filters.
      await Promise.all([named(app.state.place), saysTerms(app.state) ? terms().catch(() => null) : null]);
      return await views[app.state.view](app);
    } catch (error) {
      return [failure(error, app, () => void show())];
    }
  };
  store.subscribe((state, before) => {
    if (state.view !== before.view) scrollTo({ top: 0 });
    void show();
  });
  const again = (): void => {
    forget();
    void show();
  };
  keepFresh(page.view, () => store.state, again);
  page.onReturn(again);
  void openWhereDataAre(store, page).then(show).then(() => requestIdleCallback?.(() => void where()));
}
