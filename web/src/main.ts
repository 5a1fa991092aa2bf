// The dashboard: state in the address, one view at a time.

import "./styles/main.css";
import type { App } from "./app";
import { Store } from "./state/store";
import type { View } from "./state/url";
import { swap, type Child } from "./ui/dom";
import { failure } from "./ui/empty";
import { shell } from "./ui/shell";
import { startTheme } from "./ui/theme";

type Render = (app: App) => Promise<Child[]>;

const views: Record<View, () => Promise<{ render: Render }>> = {
  overview: () => import("./views/overview"),
  compare: () => import("./views/compare"),
  where: () => import("./views/where"),
  networks: () => import("./views/networks"),
  how: () => import("./views/how"),
  connections: () => import("./views/connections"),
  status: () => import("./views/status"),
};

startTheme();
const store = new Store();
const root = document.getElementById("app");
if (root) start(root);

function start(root: HTMLElement): void {
  const page = shell(root, store);
  let turn = 0;
  const show = async (): Promise<void> => {
    const mine = ++turn;
    const app: App = { store, state: store.state };
    void page.update(app);
    page.view.setAttribute("aria-busy", "true");
    const children = await rendered(app);
    if (mine !== turn) return;
    swap(page.view, ...children);
    page.view.dataset["view"] = app.state.view;
    page.view.removeAttribute("aria-busy");
  };
  const rendered = async (app: App): Promise<Child[]> => {
    try {
      const { render } = await views[app.state.view]();
      return await render(app);
    } catch (error) {
      return [failure(error, () => void show())];
    }
  };
  store.subscribe((state, before) => {
    if (state.view !== before.view) scrollTo({ top: 0 });
    void show();
  });
  void show().then(() => requestIdleCallback?.(() => Object.values(views).forEach((load) => void load())));
}
