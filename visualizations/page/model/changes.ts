/**
 * Tells views that what they show has changed: at most once a frame, however often it changes in between. Nothing is lost by
 * that, since views show what there is and not the changes.
 */
export class Changes {
  readonly #listeners = new Set<() => void>();
  #isAsked = false;

  /** Something has changed. */
  happened(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** Returns how to end it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
