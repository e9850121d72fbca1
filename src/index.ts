/** The public API of Replichart. The stages fill it in. */
export {};
