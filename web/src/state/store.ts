// The state of the page: one value, kept in the address.

import { formatState, parseState, type State } from "./url";

type Listener = (state: State, before: State) => void;

export class Store {
  #state: State;
  readonly #listeners = new Set<Listener>();

  constructor() {
    this.#state = parseState(location.search);
    addEventListener("popstate", () => this.#set(parseState(location.search)));
  }

  get state(): State {
    return this.#state;
  }

  /** Changes the state and the address; `replace` makes no new step for the back button. */
  go(change: Partial<State>, replace = false): void {
    // What is open in a list is not open in another one.
    const next = { ...this.#state, wrong: [], open: [], ...change };
    const address = formatState(next);
    if (address === formatState(this.#state) && this.#state.wrong.length === 0) return;
    const url = location.pathname + address;
    if (replace) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
    this.#set(next);
  }

  /** Shows the same state anew, after something was changed on the server. */
  again(): void {
    this.#set(this.#state);
  }

  /** Keeps in the address what the page shows already. */
  keep(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    history.replaceState(null, "", location.pathname + formatState(this.#state));
  }

  /** Keeps in the address what is open within what is shown. */
  keepOpen(key: string, isOpen: boolean): void {
    const others = this.#state.open.filter((other) => other !== key);
    this.keep({ open: isOpen ? [...others, key] : others });
  }

  /** The address of a changed state: links can be opened in new tabs. */
  href(change: Partial<State>): string {
    return location.pathname + formatState({ ...this.#state, open: [], ...change });
  }

  subscribe(listener: Listener): void {
    this.#listeners.add(listener);
  }

  #set(state: State): void {
    const before = this.#state;
    this.#state = state;
    this.#listeners.forEach((listener) => listener(state, before));
  }
}
