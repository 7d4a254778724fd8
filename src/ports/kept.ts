/** Texts by key that may be lost at any time: losing them costs time. Survives a restart; every method can be repeated. */
export interface Kept {
  /** Undefined for what is not there, or cannot be read as it was written. */
  get(key: string): Promise<string | undefined>;
  /** Never fails: what cannot be kept is asked for again. */
  put(key: string, text: string): Promise<void>;
}
