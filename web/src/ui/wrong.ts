// What stands instead of a view if the address cannot be read: numbers of something else would be taken for it.

import type { Place } from "../state/place";
import type { Store } from "../state/store";
import { FILTERS, type State, VIEWS, type Wrong } from "../state/url";
import { stateLink } from "./controls";
import { type Child, h } from "./dom";
import { find, type Hit } from "./search";

export const wrongAddress = async (store: Store, wrong: readonly Wrong[]): Promise<HTMLElement> =>
  h("div", { class: "empty", role: "alert" }, ...(await Promise.all(wrong.map((one) => explained(store, one)))).flat());

/** Longer texts are no names. */
const LONGEST = 60;

async function explained(store: Store, { key, text }: Wrong): Promise<Child[]> {
  const go = (change: Partial<State>, label: string): HTMLElement => h("p", {}, stateLink(store, change, { key: `instead:${label}` }, label));
  switch (key) {
    case "with":
    case "place": {
      const isOther = key === "with";
      const choose = (place: Place): Partial<State> => (isOther ? { others: [...store.state.others, place] } : { place });
      const hits = text.length > LONGEST ? [] : await find(text).catch(() => []);
      return [h("h2", {}, `No place is called “${text}”`), ...suggested(store, hits, choose), isOther ? go({}, "Compare without it") : go({}, "Show the world")];
    }
    case "view":
      return [h("h2", {}, `No view is called “${text}”`), h("p", {}, `The views are ${VIEWS.join(", ")}.`), go({}, "Show the overview")];
    case "time":
      return [h("h2", {}, "This is not a time"), h("p", {}, `“${text}”: both ends are needed, as in from=2026-11-20T14:00Z&to=2026-11-21T14:00Z, and the end must come after the beginning.`), go({}, "Show the last 7 days")];
    case "range":
      return [h("h2", {}, `“${text}” is not a time`), h("p", {}, "Days and weeks are written as in range=7d or range=4w."), go({}, "Show the last 7 days")];
    case "filter":
      return [h("h2", {}, `There is no filter “${text}”`), h("p", {}, `The filters are ${FILTERS.map((one) => `f.${one}`).join(", ")}.`), go({}, "Show the page without it")];
    default:
      return [h("h2", {}, `“${text}” is not a value of ${key}`), go({}, "Show the page without it")];
  }
}

function suggested(store: Store, hits: readonly Hit[], choose: (place: Place) => Partial<State>): Child[] {
  const [first, ...others] = hits;
  const link = ({ place, code, name }: Hit): HTMLElement => stateLink(store, choose(place), { key: `instead:${code}` }, code ? `${code} (${name})` : name);
  if (!first) return [h("p", {}, "Countries are written as two letters (PT), networks by their number (AS13335), continents as in continent-EU.")];
  return [h("p", {}, "Did you mean ", link(first), "?"), others.length ? h("ul", {}, ...others.map((hit) => h("li", {}, link(hit)))) : null];
}
